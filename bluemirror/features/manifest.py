"""The manifest of a training set: what it was made from, closely enough to make it again to the value."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.variables.declarations import Block
    from bluemirror.workspace import Workspace

FORM = 1
"""Counts up when the manifest is written in another way."""

MANIFEST = "manifest.json"
ROWS, OBSERVATIONS, LEFT_OUT, ERASED = (
    "rows.parquet",
    "observations.parquet",
    "left_out.parquet",
    "erased.json",
)
LIBRARIES = ("duckdb", "feast", "numpy", "polars", "pyarrow")
CODE = ("contracts", "mart", "variables")
"""Packages whose code decides about a value."""


@dataclass(frozen=True)
class Manifest:
    """What a training set was made from.

    Attributes
    ----------
    id
        Name of its folder below ``training_sets/``.
    made_at, made_by
        When, and for which model (``model``, ``version``; empty if names were asked for).
    entity, key
        What the rows describe, and the name of its key.
    variables, blocks
        Variable -> hash of its meaning; block -> hash of the meaning of the whole block.
    declared
        Name under which family files, spine and contracts are kept (:mod:`bluemirror.variables.kept`).
    contracts
        Source -> version and fingerprint of its contract.
    snapshot, known_up_to, deliveries
        State of the mart; the latest known time in the deliveries that were read; source -> their folders.
    rows, left_out
        How many; of those left out, by reason.
    columns, content
        Columns in order, and the sum of the rows' hashes (:mod:`bluemirror.features.content`).
    code, libraries
        Version of the library with a hash of the code that computes, and the versions of what it computes with.
    origin
        Where the observations came from.
    """

    id: str
    made_at: str
    made_by: Mapping[str, str]
    entity: str
    key: str
    variables: Mapping[str, str]
    blocks: Mapping[str, str]
    declared: str
    contracts: Mapping[str, Mapping[str, str]]
    snapshot: str
    known_up_to: str | None
    deliveries: Mapping[str, Sequence[str]]
    rows: int
    columns: Sequence[str]
    content: str
    code: str
    libraries: Mapping[str, str]
    origin: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    form: int = FORM

    def as_json(self) -> dict[str, Any]:
        """The content of ``manifest.json``."""
        return asdict(self)


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest, or that of a training set's folder.

    Raises
    ------
    ModelError
        If there is none, or it is written in a form that is not known.
    """
    path = Path(path)
    if path.is_dir():
        path = path / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("form") == FORM:
            return Manifest(**found)
        what = f"the manifest has the form {found.get('form')}"
    except FileNotFoundError:
        what = "there is no such manifest"
    except (ValueError, TypeError, AttributeError):
        what = "this is no manifest of a training set"
    raise ModelError(
        what,
        file=path,
        rule=f"a training set has a {MANIFEST} of the form {FORM} beside its rows",
        fix="name the manifest, or the folder, that the training set told",
    )


def inputs(
    workspace: Workspace, blocks: Iterable[Block], state: Snapshot
) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, list[str]], str | None]:
    """Meanings of the blocks, contracts and deliveries that they read, and up to when something is known in these."""
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.kept import sources_read
    from bluemirror.variables.meaning import meaning_of
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.spine import read_spine

    blocks = list(blocks)
    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    meanings = {block.name: meaning_of(block, block_variables(block), contracts, spine) for block in blocks}
    sources = sources_read(blocks, contracts, spine)
    agreed = {
        source: {"version": contracts[source].version, "fingerprint": contracts[source].fingerprint}
        for source in sources
    }
    deliveries = {source: [one.folder for _, one in sorted(state.of(source).items())] for source in sources}
    known = [one.known[1] for source in sources for one in state.of(source).values() if one.known]
    return meanings, agreed, deliveries, max(known, default=None)


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version of the library and a hash of the code that a value depends on."""
    import bluemirror

    root = Path(bluemirror.__file__).parent
    digest = hashlib.sha256()
    for package in CODE:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return f"{bluemirror.__version__}+{digest.hexdigest()[:12]}"


def library_versions() -> dict[str, str]:
    """Versions of Python and of what values are computed with."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def now() -> str:
    """The present moment as ISO text with its zone."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
