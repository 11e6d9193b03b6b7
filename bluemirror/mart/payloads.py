"""What arrives for one applicant, raw: through the same reading, contract and hashing as a delivery, without landing.

Nothing is written: a payload that breaks its contract is an error that says where, never a row of the quarantine.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import PayloadError
from bluemirror.landing.landed import LandedFile
from bluemirror.landing.plan import Plan, compile_plan
from bluemirror.landing.read import read_chunks
from bluemirror.mart.adopted import patient
from bluemirror.mart.batch import Batch, make_batch
from bluemirror.mart.duplicates import check_duplicates
from bluemirror.mart.file_rules import held_files
from bluemirror.mart.finished import finish_tables
from bluemirror.mart.gate import check_batch
from bluemirror.mart.keys import KeyHasher
from bluemirror.mart.manifests import Snapshot, read_snapshot
from bluemirror.mart.sql_rules import scratch

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Payload:
    """One file as a source would deliver it, of one record or several.

    Parameters
    ----------
    source
        Whose contract it is under.
    name
        A file name; what it ends in tells the format.
    content
        The bytes.
    day
        The day on which it is delivered.
    """

    source: str
    name: str
    content: bytes
    day: dt.date


@dataclass(frozen=True)
class Taken:
    """Payloads as mart rows.

    Attributes
    ----------
    tables
        Source -> table -> frame with the columns of the mart.
    warnings
        ``source table.rule`` -> rows against a rule of severity warning.
    """

    tables: Mapping[str, Mapping[str, pl.DataFrame]] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)


class Door:
    """Takes payloads in; contracts are compiled once.

    Parameters
    ----------
    snapshot
        What counts as delivered before; by default what the mart holds now.
    """

    def __init__(
        self, workspace: Workspace, contracts: Mapping[str, Contract], snapshot: Snapshot | None = None
    ) -> None:
        self._workspace = workspace
        self._contracts = contracts
        self._snapshot = read_snapshot(workspace) if snapshot is None else snapshot
        self._hasher = KeyHasher(workspace.secret_key())
        self._plans: dict[str, tuple[Contract, Plan]] = {}

    def take(self, payloads: Iterable[Payload]) -> Taken:
        """Read, check and hash payloads.

        Raises
        ------
        PayloadError
            If a payload cannot be read or a record breaks a rule of severity error.
        """
        by_source: dict[str, list[Payload]] = {}
        for one in payloads:
            by_source.setdefault(one.source, []).append(one)
        tables, warnings = {}, dict[str, int]()
        for source, given in by_source.items():
            batch = self._batch(source, given)
            for table, rule, records in batch.findings.warned:
                name = f"{source} {table}.{rule}"
                warnings[name] = warnings.get(name, 0) + len(records)
            tables[source] = {
                name: frame.drop("_rec") for name, frame in finish_tables(batch, self._hasher).items()
            }
        return Taken(tables, warnings)

    def _plan(self, source: str) -> tuple[Contract, Plan]:
        if source not in self._contracts:
            raise PayloadError(
                f"there is no source {source!r}",
                file=self._workspace.contracts_dir,
                rule="a payload names the source whose contract it is under",
                fix=f"sources here are {', '.join(self._contracts)}",
            )
        if source not in self._plans:
            reading = patient(self._workspace, self._contracts[source], self._snapshot)
            self._plans[source] = reading, compile_plan(reading)
        return self._plans[source]

    def _batch(self, source: str, given: Sequence[Payload]) -> Batch:
        reading, plan = self._plan(source)
        with tempfile.TemporaryDirectory(prefix="bluemirror-") as folder:
            files = []
            for number, one in enumerate(given):
                path = Path(folder) / f"{number}-{Path(one.name).name}"
                path.write_bytes(one.content)
                files.append(
                    LandedFile(
                        number, path, f"{source}/{one.day.isoformat()}/{path.name}", None, len(one.content)
                    )
                )
            (read,) = read_chunks(plan, reading, [files], workers=1)
            # Nobody declared how many records there are: as many as there are.
            files = [replace(file, rows=read.counts.get(file.number, 0)) for file in files]
            held = held_files(read, files, {})
            if held:
                first = next(iter(held.values()))
                raise PayloadError(
                    f"a payload of {source} cannot be read: {first.detail}",
                    file=given[first.file.number].name,
                    field=first.field or None,
                    rule=first.rule,
                    fix=first.fix,
                )
            contract = _of_one(self._contracts[source])
            batch = make_batch(contract, plan, read, files, [one.day for one in given], {})
            with scratch() as connection:
                check_batch(batch, connection)
            check_duplicates(batch, self._workspace, self._snapshot, self._hasher)
        _refuse(batch, given)
        return batch


def _of_one(contract: Contract) -> Contract:
    """The contract without rules about how many rows a delivery has: one applicant is no delivery."""
    tables = tuple(
        replace(table, rules=tuple(rule for rule in table.rules if rule.kind != "row_count"))
        for table in contract.tables
    )
    return replace(contract, tables=tables)


def _refuse(batch: Batch, given: Sequence[Payload]) -> None:
    """Raise the first broken rule, and say how many there are."""
    if not batch.findings.errors:
        return
    first = batch.findings.errors[0]
    record = first.records[:1]
    file, line = int(batch.file_of(record)[0]), int(batch.line_of(record)[0])
    shown = f" ({first.values[0]})" if first.values[0] else ""
    more = len(batch.findings.errors) - 1
    raise PayloadError(
        f"a record of {batch.contract.source} breaks its contract{shown}"
        + (f", and {more} more rules are broken" if more else ""),
        file=f"{given[file].name}, record {line}",
        field=".".join(name for name in (first.table, first.field) if name) or None,
        rule=first.rule,
        fix=first.fix,
    )
