"""What the gate kept out lately: share of records in quarantine, by rule; codes nobody knows; files held back whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bluemirror.desk.windows import Windows
from bluemirror.mart.manifests import read_manifest

if TYPE_CHECKING:
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.workspace import Workspace

UNKNOWN_CODE = "codes"
"""The gate's rule about values outside a field's code list."""
SCHEMA_RULES = ("columns", "types")
"""The gate's rules about files whose columns, or their types, are not the contract's."""


@dataclass(frozen=True)
class HeldFile:
    """A file that was held back whole: its name, the rule, what was found, records in it."""

    day: dt.date
    file: str
    rule: str
    found: str
    records: int


@dataclass(frozen=True)
class UnknownCode:
    """A value outside a field's code list, as the quarantine shows it (redacted where personal).

    ``recent`` and ``before`` are records of the recent week and of the eight weeks before it.
    """

    table: str
    field: str
    value: str
    first: dt.date
    recent: int
    before: int


@dataclass(frozen=True)
class Rejected:
    """Records that came and those kept out, in the recent week and in the eight weeks before it.

    ``by_rule`` and ``rules_before`` count records by the rule that they broke first, without files held back.
    """

    recent_in: int = 0
    recent_out: int = 0
    before_in: int = 0
    before_out: int = 0
    last_in: int = 0
    last_out: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict)
    rules_before: Mapping[str, int] = field(default_factory=dict)
    held: tuple[HeldFile, ...] = ()
    codes: tuple[UnknownCode, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of the recent week's records that were kept out, held files among them."""
        return self.recent_out / self.recent_in if self.recent_in else None


def rejected(workspace: Workspace, state: Snapshot, source: str, windows: Windows) -> Rejected:
    """What was kept out of a source's deliveries of the last nine weeks; reads only deliveries with quarantine."""
    came_in, kept_out = {"recent": 0, "before": 0}, {"recent": 0, "before": 0}
    rules: dict[str, dict[str, int]] = {"recent": {}, "before": {}}
    held: list[HeldFile] = []
    files = []
    last = (0, 0)
    for committed in (one for _, one in sorted(state.of(source).items())):
        if not windows.baseline <= committed.day <= windows.as_of:
            continue
        when = "recent" if committed.day >= windows.recent else "before"
        last = committed.counts["in"], committed.counts["quarantined"]
        came_in[when] += last[0]
        kept_out[when] += last[1]
        if not last[1]:
            continue
        manifest = read_manifest(workspace, committed)
        for rule, count in manifest["rejected_by_rule"].items():
            rules[when][rule] = rules[when].get(rule, 0) + count
        path = workspace.quarantine / source / f"{committed.folder}.parquet"
        if UNKNOWN_CODE in manifest["rejected_by_rule"] and path.is_file():
            files.append(str(path))
        if when == "recent":
            held += [
                HeldFile(committed.day, name, entry["held"], "", entry["rows"])
                for name, entry in manifest["files"].items()
                if entry["held"]
            ]
    if held:
        held = _told(workspace, state, source, held)
    return Rejected(
        came_in["recent"],
        kept_out["recent"],
        came_in["before"],
        kept_out["before"],
        *last,
        by_rule=rules["recent"],
        rules_before=rules["before"],
        held=tuple(held),
        codes=_unknown_codes(files, windows),
    )


def _told(workspace: Workspace, state: Snapshot, source: str, held: list[HeldFile]) -> list[HeldFile]:
    """The held files with what the quarantine says about them (never a value of the data)."""
    import polars as pl

    told: dict[tuple[dt.date, str], str] = {}
    for day in {one.day for one in held}:
        path = workspace.quarantine / source / f"{state.of(source)[day.isoformat()].folder}.parquet"
        if path.is_file():
            rows = pl.read_parquet(path).filter(pl.col("line").is_null())
            told |= {
                (day, name.rsplit("/", 1)[-1]): value for name, value in rows.select("file", "value").rows()
            }
    return [
        HeldFile(one.day, one.file, one.rule, told.get((one.day, one.file)) or "", one.records)
        for one in held
    ]


def _unknown_codes(files: list[str], windows: Windows) -> tuple[UnknownCode, ...]:
    import polars as pl

    if not files:
        return ()
    recent = pl.col("delivery") >= windows.recent
    found = (
        pl.concat([pl.read_parquet(path) for path in files])
        .filter(pl.col("rule") == UNKNOWN_CODE)
        .group_by("table", "field", "value")
        .agg(
            pl.col("delivery").min().alias("first"),
            recent.sum().alias("recent"),
            (~recent).sum().alias("before"),
        )
        .filter(pl.col("recent") > 0)
        .sort("recent", "table", "field", "value", descending=[True, False, False, False])
    )
    return tuple(UnknownCode(*row) for row in found.rows())
