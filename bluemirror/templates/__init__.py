"""A new workspace to start from: what ``bluemirror init DIR`` copies."""

from __future__ import annotations

import shutil
from pathlib import Path

from bluemirror.errors import WorkspaceError

SOURCE = Path(__file__).parent / "workspace"


def create(target: Path) -> list[Path]:
    """Copy the small workspace into ``target`` and name it after the folder.

    Parameters
    ----------
    target
        A folder that does not exist yet, or is empty.

    Returns
    -------
    The files written, sorted.

    Raises
    ------
    WorkspaceError
        If ``target`` is a file or a folder with something in it.
    """
    target = Path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WorkspaceError(
            "a new workspace is not written over something that is there",
            file=target,
            rule="init DIR needs a folder that does not exist yet, or is empty",
            fix="name another folder, or empty this one first",
        )
    written = []
    for source in sorted(SOURCE.rglob("*")):
        if source.is_dir() or "__pycache__" in source.parts:
            continue
        # A file called gitignore here, so that packaging tools do not obey it.
        name = ".gitignore" if source.name == "gitignore" else source.name
        copy = target / source.relative_to(SOURCE).with_name(name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        written.append(copy)
    settings = target / "workspace.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("name: workspace", f"name: {_name(target)}"), encoding="utf-8")
    return sorted(written)


def _name(target: Path) -> str:
    """The folder's name as Feast accepts a project: letters, digits and underscores."""
    name = "".join(
        char if char.isascii() and char.isalnum() else "_" for char in target.resolve().name.lower()
    )
    return name.strip("_") or "workspace"
