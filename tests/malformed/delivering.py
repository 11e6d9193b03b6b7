"""A delivery of spoilt files brought in, and what became of every record, against what the oracle says."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bluemirror.contracts import Contract
from bluemirror.mart.ingest import SourceReport, ingest_source
from bluemirror.mart.manifests import read_manifest, read_snapshot
from bluemirror.mart.quarantine import read_quarantine
from bluemirror.workspace import Workspace
from tests.malformed import faults
from tests.malformed.drawing import DAY
from tests.malformed.faults import Case
from tests.malformed.oracle import Verdict, judge, stored
from tests.malformed.rules import broken_rules
from tests.malformed.shape import Node, Shape


@dataclass
class Outcome:
    """What is in the mart and in quarantine afterwards."""

    report: SourceReport
    held: dict[str, str]
    rules: dict[tuple[str, int], set[str]]
    rows: dict[str, dict[tuple[str, int], list[dict[str, Any]]]]
    counts: dict[str, int]
    rows_of: dict[str, int]
    log: list[str]


@dataclass
class Tally:
    """Records by what was right to do with them, and complaints."""

    records: int = 0
    accepted: int = 0
    quarantined: int = 0
    held: int = 0
    complaints: list[str] = field(default_factory=list)
    by_rule: Counter[str] = field(default_factory=Counter)


def bring_in(workspace: Workspace, contract: Contract, cases: Sequence[Case]) -> tuple[list[str], Outcome]:
    """Deliver the files on one day, ingest, and read back what became of them."""
    folder = workspace.landing / contract.source / DAY.isoformat()
    folder.mkdir(parents=True)
    names = [f"{number:05d}.{case.suffix}" for number, case in enumerate(cases)]
    for name, case in zip(names, cases, strict=True):
        (folder / name).write_bytes(case.content)
    declared = {name: {"rows": case.declared} for name, case in zip(names, cases, strict=True)}
    (folder / "_DONE.json").write_text(json.dumps({"files": declared}))
    said: list[str] = []
    report = ingest_source(workspace, contract.source, log=said.append)
    snapshot = read_snapshot(workspace)
    committed = snapshot.of(contract.source)[DAY.isoformat()]
    quarantine = read_quarantine(snapshot.quarantine_files(workspace, contract.source))
    held, rules = {}, {}
    for row in quarantine.iter_rows(named=True):
        name = row["file"].rsplit("/", 1)[-1]
        if row["line"] is None:
            held[name] = row["rule"]
        else:
            rules.setdefault((name, row["line"]), set()).add(row["rule"])
    rows: dict[str, dict[tuple[str, int], list[dict[str, Any]]]] = {}
    for table in contract.tables:
        found = rows.setdefault(table.name, {})
        for path in snapshot.files(workspace, table.name):
            for row in pl.read_parquet(path).sort("_doc", "_seq").iter_rows(named=True):
                found.setdefault((row["_file"].rsplit("/", 1)[-1], row["_line"]), []).append(row)
    manifest = read_manifest(workspace, committed)
    rows_of = {name: entry["rows"] for name, entry in manifest["files"].items()}
    return names, Outcome(report, held, rules, rows, dict(committed.counts), rows_of, said)


def compare(
    contract: Contract, names: Sequence[str], cases: Sequence[Case], outcome: Outcome, key: bytes
) -> Tally:
    """Hold every record against the oracle."""
    shape, tally = Shape(contract), Tally()
    numbered: list[tuple[str, int, Node, Case]] = []
    for name, case in zip(names, cases, strict=True):
        held = name in outcome.held
        tally.records += outcome.rows_of[name]
        if outcome.held.get(name) != "row_count" and outcome.rows_of[name] not in {
            case.declared,
            len(case.records),
        }:
            tally.complaints.append(
                f"{case.what}: {outcome.rows_of[name]} records counted of {len(case.records)}"
            )
        if held:
            tally.held += outcome.rows_of[name]
            tally.by_rule[outcome.held[name]] += outcome.rows_of[name]
            if case.right not in {faults.HELD, faults.EITHER, faults.REFUSED, faults.LAST}:
                tally.complaints.append(f"{case.what}: held back by {outcome.held[name]}, but can be read")
            continue
        if case.right == faults.HELD:
            tally.complaints.append(f"{case.what}: not held back")
        for line, record in enumerate(case.records, 1):
            if record is not None:
                numbered.append((name, line, record, case))
            elif (name, line) in outcome.rules:
                tally.quarantined += 1
                tally.by_rule.update(outcome.rules[name, line])
            else:
                tally.complaints.append(f"{case.what}: a line that is no record is not in quarantine")
    verdicts = _verdicts(contract, shape, [record for _, _, record, _ in numbered])
    for (name, line, _, case), verdict in zip(numbered, verdicts, strict=True):
        told = outcome.rules.get((name, line))
        tally.by_rule.update(told or ())
        _one(contract, (name, line), case, verdict, told, outcome, key, tally)
    return tally


def _verdicts(contract: Contract, shape: Shape, records: Sequence[Node]) -> list[Verdict]:
    verdicts = [judge(shape, record) for record in records]
    for (_, rule), numbers in broken_rules(contract, verdicts).items():
        for number in numbers:
            verdicts[number].must.add(rule)
    header = contract.header
    seen: set[tuple[Any, ...]] = set()
    for verdict in verdicts:
        row = verdict.rows[header.name][0]
        mark = (*(str(row.values[name]).strip().lower() for name in header.business_key), row.known_time)
        if mark in seen and not verdict.must:
            verdict.must.add("duplicate")
        elif not verdict.must and not verdict.may:
            seen.add(mark)
    return verdicts


def _one(
    contract: Contract,
    at: tuple[str, int],
    case: Case,
    verdict: Verdict,
    told: set[str] | None,
    outcome: Outcome,
    key: bytes,
    tally: Tally,
) -> None:
    """One record: kept out for a reason that the oracle knows, or taken with the oracle's values."""
    _, line = at
    there = any(at in found for found in outcome.rows.values())
    if told is not None:
        tally.quarantined += 1
        if there:
            tally.complaints.append(f"{case.about(line)}: in quarantine and in the mart")
        spared = case.right in {faults.REFUSED, faults.EITHER}
        spared |= line == 2 and case.right in {faults.SECOND, faults.SECOND_MAYBE}
        spared |= line == 1 and case.right == faults.FIRST
        spared |= line == len(case.records) and case.right == faults.LAST
        if not (told & (verdict.must | verdict.may)) and not spared:
            tally.complaints.append(
                f"{case.about(line)}: in quarantine for {sorted(told)}, the oracle says {sorted(verdict.must | verdict.may) or 'nothing'}"
            )
        unknown = told - verdict.must - verdict.may
        if unknown and not spared and not _of_misfits(contract, unknown, verdict):
            tally.complaints.append(f"{case.about(line)}: {sorted(unknown)} besides {sorted(verdict.must)}")
        return
    if not there:
        tally.complaints.append(f"{case.about(line)}: neither in the mart nor in quarantine")
        return
    tally.accepted += 1
    must_go = case.right == faults.REFUSED or (line == 2 and case.right == faults.SECOND)
    must_go |= line == len(case.records) and case.right == faults.LAST
    if verdict.must or must_go:
        tally.complaints.append(f"{case.about(line)}: taken, against {sorted(verdict.must) or case.right}")
        return
    for table in contract.tables:
        wanted = [stored(row, key) for row in verdict.rows[table.name]]
        found = outcome.rows[table.name].get(at, [])
        if len(found) != len(wanted):
            tally.complaints.append(
                f"{case.about(line)}: {len(found)} rows of {table.name}, not {len(wanted)}"
            )
            continue
        for want, have in zip(wanted, found, strict=True):
            wrong = [column for column, value in want.items() if not _same(value, have[column])]
            if wrong:
                shown = {column: (want[column], have[column]) for column in wrong[:2]}
                tally.complaints.append(f"{case.about(line)}: {table.name} {shown}")


def _of_misfits(contract: Contract, rules: set[str], verdict: Verdict) -> bool:
    """Whether rules are only those in SQL, of a record whose values did not fit their types anyway."""
    named = {rule.name for table in contract.tables for rule in table.rules}
    return rules <= named and bool(verdict.must | verdict.may)


def _same(want: Any, have: Any) -> bool:
    if isinstance(want, float) and isinstance(have, float):
        return want == have or abs(want - have) <= 1e-12 * max(abs(want), abs(have))
    if isinstance(want, dt.datetime) and isinstance(have, dt.datetime):
        return want == have
    return bool(want == have) and (want is None) == (have is None)
