"""A workspace: the folder in which one bank declares its contracts, families and models."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluemirror.errors import WorkspaceError

SETTINGS = "workspace.yaml"


@dataclass(frozen=True)
class Keeping:
    """How long computed values are kept; whatever is dropped can be computed again, to the same values.

    Parameters
    ----------
    own_days
        Values of observations that somebody brought: so many days after they were last asked for.
    days
        (observation set, days): its observations of so many days up to its newest; sets that are not named keep all.
    month_ends
        Whether observations of the last day of a month stay beyond that.
    """

    own_days: int = 30
    days: tuple[tuple[str, int], ...] = ()
    month_ends: bool = True


@dataclass(frozen=True)
class Workspace:
    """Paths and settings of one workspace; a plain value, nothing is opened.

    Parameters
    ----------
    root
        The folder that holds ``workspace.yaml``, ``data_contracts/``, ``feature_repo/`` and ``models/``.
    name
        Its name, used in reports and as the Feast project.
    data
        Where everything that can be rebuilt or must be kept is written (mart, variables, registries).
    land_hook
        ``module:function`` that fills the landing folder (a simulator, an unpacker), or None.
    variables_at
        Where variables stand that are computed under former declarations; None for those of today.
    keep
        How long computed values are kept.
    """

    root: Path
    name: str
    data: Path
    landing: Path
    land_hook: str | None = None
    variables_at: Path | None = None
    keep: Keeping = Keeping()

    @classmethod
    def open(cls, root: str | Path = ".") -> Workspace:
        """Read ``workspace.yaml`` in ``root``.

        Raises
        ------
        WorkspaceError
            If the folder is not a workspace or a setting is unknown.
        """
        import yaml

        root = Path(root).resolve()
        settings_file = root / SETTINGS
        if not settings_file.is_file():
            raise WorkspaceError(
                "this folder is not a workspace",
                file=settings_file,
                rule=f"a workspace has a {SETTINGS}",
                fix="name one with --workspace DIR, or make one with: bluemirror init DIR",
            )
        settings = yaml.safe_load(settings_file.read_text(encoding="utf-8")) or {}
        known = {"name", "data", "landing", "land", "keep"}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise WorkspaceError(
                f"unknown setting {unknown[0]!r}",
                file=settings_file,
                rule=f"settings are {', '.join(sorted(known))}",
                fix="remove it or correct its spelling",
            )
        data = os.environ.get("BLUEMIRROR_DATA") or settings.get("data", "data")
        return cls(
            root=root,
            name=str(settings.get("name", root.name)),
            data=(root / data).resolve(),
            landing=(root / settings.get("landing", "landing")).resolve(),
            land_hook=settings.get("land"),
            keep=_keeping(settings_file, settings.get("keep") or {}),
        )

    @classmethod
    def here(cls) -> Workspace:
        """The workspace that ``BLUEMIRROR_WORKSPACE`` names, or else the nearest one around the present folder.

        Raises
        ------
        WorkspaceError
            If there is none.
        """
        named, folder = os.environ.get("BLUEMIRROR_WORKSPACE"), Path.cwd()
        around = next((one for one in (folder, *folder.parents) if (one / SETTINGS).is_file()), folder)
        return cls.open(named or around)

    @property
    def contracts_dir(self) -> Path:
        """Folder of the ODCS contracts."""
        return self.root / "data_contracts"

    @property
    def feature_repo(self) -> Path:
        """Feast repository; also holds the spine and the observation queries."""
        return self.root / "feature_repo"

    @property
    def families_dir(self) -> Path:
        """Folder of the family files, one a block."""
        return self.feature_repo / "families"

    @property
    def models_dir(self) -> Path:
        """Folder of the model declarations."""
        return self.root / "models"

    @property
    def mart(self) -> Path:
        """The risk data mart: immutable Parquet snapshots."""
        return self.data / "mart"

    @property
    def quarantine(self) -> Path:
        """Rejected records with the reason, redacted."""
        return self.data / "quarantine"

    @property
    def variables(self) -> Path:
        """Computed variables, one folder an observation set and block."""
        return self.variables_at or self.data / "variables"

    @property
    def former_variables(self) -> Path:
        """Variables under former declarations, a folder for each that a registered version still reads."""
        return self.data / "former_variables"

    @property
    def own_variables(self) -> Path:
        """Variables of observations that somebody brought: a folder each, named by its content."""
        return self.data / "own_variables"

    @property
    def training_sets(self) -> Path:
        """Training sets with their manifests, a folder each."""
        return self.data / "training_sets"

    @property
    def state(self) -> Path:
        """Registries and run storage (Feast, MLflow, Dagster)."""
        return self.data / "state"

    def secret_key(self) -> bytes:
        """The key of all keyed hashes, from outside the repository.

        ``BLUEMIRROR_KEY`` holds it, or ``BLUEMIRROR_KEY_FILE`` names a file that does; without either, a
        key is made once in the user's configuration folder, readable by the user alone.
        """
        value = os.environ.get("BLUEMIRROR_KEY")
        if value:
            return value.encode()
        named = os.environ.get("BLUEMIRROR_KEY_FILE")
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        path = Path(named) if named else config / "bluemirror" / "hash.key"
        if not path.is_file():
            if named:
                raise WorkspaceError(
                    "the key file does not exist",
                    file=path,
                    rule="BLUEMIRROR_KEY_FILE names a readable file",
                    fix="put the bank's key there, or unset the variable to have one made",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                return path.read_bytes().strip()
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_hex(32))
        return path.read_bytes().strip()


def _keeping(file: Path, stated: Any) -> Keeping:
    """The section ``keep``; WorkspaceError if it says something else than the policy knows."""
    known = {"own_days": int, "days": dict, "month_ends": bool}
    right = isinstance(stated, dict) and all(
        name in known and type(value) is known[name] for name, value in stated.items()
    )
    days = dict(stated.get("days", {})) if right else {}
    numbers = [*days.values(), *([stated["own_days"]] if right and "own_days" in stated else [])]
    if not right or any(type(number) is not int or number < 1 for number in numbers):
        raise WorkspaceError(
            "the section keep is not a policy",
            file=file,
            field="keep",
            rule="keep has own_days (days), days ({observation set: days}), month_ends (true or false); days from 1 on",
            fix="such as keep: {own_days: 30, days: {night: 400}, month_ends: true}",
        )
    return Keeping(
        own_days=stated.get("own_days", Keeping.own_days),
        days=tuple(sorted(days.items())),
        month_ends=stated.get("month_ends", Keeping.month_ends),
    )
