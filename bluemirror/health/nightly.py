"""The health of a night: one pass over what is stored, or what was kept if nothing has changed since."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bluemirror.clock import ONE_DAY
from bluemirror.errors import WorkspaceError
from bluemirror.health.alerts import find_alerts
from bluemirror.health.block import Before, block_health
from bluemirror.health.reference import Reference
from bluemirror.health.tables import ALERTS, BLOCKS, KEYS, REASON_COLUMNS, VARIABLES, block_row, variable_rows
from bluemirror.health.windows import WEEK, Segments, segments, training_window

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

THREADS = 2
"""Blocks that are read beside each other."""


@dataclass(frozen=True)
class Night:
    """The health of all variables as of a day.

    Parameters
    ----------
    workspace, as_of
        Whose, and of which night.
    variables, blocks, alerts
        The night's rows of the tables ``variable_health``, ``block_health`` and ``health_alert``.
    manifest
        What it was made from: windows, rows and references a set, the fingerprint of all of it.
    """

    workspace: str
    as_of: dt.date
    variables: pl.DataFrame
    blocks: pl.DataFrame
    alerts: pl.DataFrame
    manifest: Mapping[str, Any]

    @property
    def observations(self) -> int:
        """Rows of the recent week, over all sets."""
        return sum(one["recent"] for one in self.manifest["sets"].values())

    def _repr_html_(self) -> str:
        return self.blocks._repr_html_()


def health_folder(workspace: Workspace) -> Path:
    """Where manifests, references and the page are kept."""
    return workspace.data / "health"


def manifest_path(workspace: Workspace, as_of: dt.date) -> Path:
    """The manifest of a night."""
    return health_folder(workspace) / f"{as_of}.json"


def table_part(workspace: Workspace, table: str, as_of: dt.date) -> Path:
    """The part of a night in one of the tables."""
    from bluemirror.mart.connect import WRITTEN

    return workspace.mart / WRITTEN / table / f"part-{as_of}.parquet"


def night(
    workspace: Workspace,
    as_of: dt.date | str | None = None,
    log: Callable[[str], None] | None = None,
) -> Night:
    """The health of every stored variable as of the end of ``as_of``.

    Parameters
    ----------
    as_of
        A day, or its ISO text; the default is the newest day on which anything stored was described.
    log
        Takes lines of progress.

    Raises
    ------
    WorkspaceError
        If ``as_of`` is no day, or no variables have been computed yet.
    FamilyError
        If a block does not hold an observation of its set.
    """
    from bluemirror.scorecards.spec import read_specs
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    spine = read_spine(workspace)
    blocks = load_blocks(workspace)
    observed = _observed(workspace, spine)
    day = _day(as_of, observed, workspace)
    specs = list(read_specs(workspace).values())
    plans: list[_Plan] = []
    sets: dict[str, Any] = {}
    for name, rows in observed.items():
        which = spine.observation_set(name)
        key = spine.entities[which.entity].key
        chosen = segments(rows, key, day, partial(training_window, specs, name))
        own = [_Plan.of(workspace, name, one, chosen) for one in blocks if one.entity == which.entity]
        plans += [one for one in own if one is not None]
        sets[name] = _about(chosen, [one for one in own if one is not None])
    manifest = {"as_of": day.isoformat(), "sets": sets, "code": code()}
    manifest["fingerprint"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
    kept = read_night(workspace, day)
    if kept is not None and kept.manifest["fingerprint"] == manifest["fingerprint"]:
        return kept
    return _computed(workspace, spine, day, plans, manifest, log or (lambda _: None))


def read_night(workspace: Workspace, as_of: dt.date) -> Night | None:
    """A night as it was kept; None if it was not, or not whole."""
    path = manifest_path(workspace, as_of)
    parts = {name: table_part(workspace, name, as_of) for name in KEYS}
    if not path.is_file() or not all(part.is_file() for part in parts.values()):
        return None
    manifest = json.loads(path.read_text(encoding="utf-8"))
    variables, blocks, alerts = (pl.read_parquet(parts[name]) for name in (VARIABLES, BLOCKS, ALERTS))
    return Night(workspace.name, as_of, variables, blocks, alerts, manifest)


@lru_cache(maxsize=1)
def code() -> str:
    """A hash of this package's sources: other code, other figures."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    return sources.hexdigest()[:12]


def _day(as_of: dt.date | str | None, observed: Mapping[str, pl.DataFrame], workspace: Workspace) -> dt.date:
    if isinstance(as_of, dt.date):
        return as_of
    if as_of is not None:
        try:
            return dt.date.fromisoformat(as_of)
        except ValueError as error:
            raise WorkspaceError(
                f"{as_of!r} is not a day",
                field="as_of",
                rule="a day is YYYY-MM-DD",
                fix="write it like 2025-12-31",
            ) from error
    if not observed:
        raise WorkspaceError(
            "there are no stored variables whose health could be told",
            file=workspace.variables,
            rule="variables are computed before they are looked at",
            fix="run: bluemirror features",
        )
    newest = [one["event_timestamp"].max() for one in observed.values()]
    return max((one.date() for one in newest if isinstance(one, dt.datetime)), default=dt.date.today())


def _observed(workspace: Workspace, spine: Spine) -> dict[str, pl.DataFrame]:
    """Stored observations of each set that has any: observation_id, event_timestamp and the entity's key."""
    from bluemirror.variables.store import variable_files

    found = {}
    for name, which in spine.observations.items():
        files = variable_files(workspace, name, "observations")
        if files:
            key = spine.entities[which.entity].key
            found[name] = pl.scan_parquet(files).select("observation_id", "event_timestamp", key).collect()
    return found


@dataclass(frozen=True)
class _Plan:
    """A block whose health is asked for, and the name under which its reference is kept."""

    observation_set: str
    block: Block
    folder: str
    files: list[Path]
    segments: Segments
    reference: str

    @classmethod
    def of(cls, workspace: Workspace, observation_set: str, block: Block, chosen: Segments) -> _Plan | None:
        """None if nothing of the block is stored."""
        from bluemirror.variables.store import variable_files

        files = variable_files(workspace, observation_set, block.name)
        if not files:
            return None
        # ".<block>@<meaning>.<build>": a later build of the same meaning keeps the reference.
        folder = files[0].parent.name
        meaning = folder.rpartition(".")[0]
        window = (str(chosen.training.first), str(chosen.training.last), chosen.digest("reference"))
        basis = "\n".join((observation_set, meaning, *window, code()))
        mark = hashlib.sha256(basis.encode()).hexdigest()[:12]
        return cls(observation_set, block, folder, files, chosen, mark)


def _about(chosen: Segments, plans: list[_Plan]) -> dict[str, Any]:
    """What the manifest says of a set."""
    return {
        "last": None if chosen.last is None else chosen.last.isoformat(),
        "training": [chosen.training.first.isoformat(), chosen.training.last.isoformat()],
        "training_of": chosen.training.of,
        **{name: getattr(chosen, name) for name in ("recent", "before", "reference")},
        **{f"{name}_digest": chosen.digest(name) for name in ("recent", "before", "reference")},
        "blocks": {one.block.name: {"folder": one.folder, "reference": one.reference} for one in plans},
    }


def _computed(
    workspace: Workspace,
    spine: Spine,
    day: dt.date,
    plans: list[_Plan],
    manifest: dict[str, Any],
    say: Callable[[str], None],
) -> Night:
    from bluemirror.variables.plan import block_variables

    tests: dict[str, int] = {}
    for plan in plans:
        for one in block_variables(plan.block):
            tests[one.source] = tests.get(one.source, 0) + 1
    earlier = _Earlier.read(workspace, day)
    # Large blocks first, so that none is left to run alone at the end.
    ordered = sorted(plans, key=lambda plan: -len(block_variables(plan.block)))

    def pass_over(plan: _Plan) -> tuple[pl.DataFrame, dict[str, Any]]:
        variables = block_variables(plan.block)
        names = [one.name for one in variables]
        path = (
            health_folder(workspace)
            / "reference"
            / plan.observation_set
            / f"{plan.block.name}-{plan.reference}.parquet"
        )
        kept = Reference.load(path, names)
        found = block_health(
            plan.files, plan.block.name, names, plan.segments, kept, earlier.before(plan, names)
        )
        if kept is None:
            found.reference.save(path, names)
        rows = variable_rows(day, plan.observation_set, variables, found, tests)
        source = plan.block.source or " + ".join(sorted({one.source for one in plan.block.borrowed}))
        return rows, block_row(day, plan.observation_set, plan.block.name, source, found, rows)

    with ThreadPoolExecutor(THREADS) as pool:
        done = []
        for number, each in enumerate(pool.map(pass_over, ordered), start=1):
            done.append(each)
            if number % 20 == 0:
                say(f"health {number}/{len(ordered)} blocks")
    variables = pl.concat([rows for rows, _ in done]) if done else pl.DataFrame()
    blocks = pl.DataFrame([row for _, row in done], infer_schema_length=None)
    variables, blocks = variables.sort(KEYS[VARIABLES]), blocks.sort(KEYS[BLOCKS])
    ledger = _ledger_source(workspace, spine)
    alerts = find_alerts(day, variables, blocks, earlier.alerts, ledger)
    return Night(workspace.name, day, variables, blocks, alerts, manifest)


def _ledger_source(workspace: Workspace, spine: Spine) -> str:
    """The source of the call ledger: its variables move with whichever vendor breaks."""
    from bluemirror.contracts import read_contracts

    if spine.calls is None:
        return ""
    for source, contract in read_contracts(workspace.contracts_dir).items():
        if any(table.name == spine.calls.table for table in contract.tables):
            return source
    return ""


@dataclass(frozen=True)
class _Earlier:
    """What earlier nights left: last week's counts, and the alerts of the newest night before this one."""

    manifest: Mapping[str, Any]
    variables: pl.DataFrame
    blocks: pl.DataFrame
    alerts: pl.DataFrame

    @classmethod
    def read(cls, workspace: Workspace, day: dt.date) -> _Earlier:
        kept = read_night(workspace, day - WEEK * ONE_DAY)
        parts = sorted(table_part(workspace, ALERTS, day).parent.glob("part-*.parquet"))
        past = [part for part in parts if part.stem.removeprefix("part-") < day.isoformat()]
        alerts = pl.read_parquet(past[-1]) if past else pl.DataFrame()
        nothing = pl.DataFrame()
        if kept is None:
            return cls({"sets": {}}, nothing, nothing, alerts)
        return cls(kept.manifest, kept.variables, kept.blocks, alerts)

    def before(self, plan: _Plan, names: list[str]) -> Before | None:
        """The week before as it was counted a week ago; None unless of the same rows, edges and variables."""
        told = self.manifest["sets"].get(plan.observation_set)
        same = (
            told is not None
            and told["recent_digest"] == plan.segments.digest("before")
            and told["blocks"].get(plan.block.name, {}).get("reference") == plan.reference
        )
        if not same:
            return None
        of = (pl.col("observation_set") == plan.observation_set) & (pl.col("block") == plan.block.name)
        rows = self.variables.filter(of)
        place = dict(zip(rows["variable"], range(len(rows)), strict=True))
        if place.keys() != set(names):
            return None
        counts = rows["counts"].to_numpy()[[place[name] for name in names]].astype(np.int64)
        block = self.blocks.filter(of).row(0, named=True)
        return Before(counts, np.array([block[name] for name in REASON_COLUMNS], np.int64))
