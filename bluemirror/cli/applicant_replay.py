"""Applications of the past as if they came today: what had just arrived is taken out of the mart and given raw.

For each of some applications, the documents about it that became known shortly before are left out of the mart that is
loaded, and cut out of the landing files record by record: those are its payloads.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from bluemirror.mart.payloads import Payload
from bluemirror.mart.versions import quote
from bluemirror.variables.applicant.records import Records, records_of

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

JUST = dt.timedelta(days=1)
"""How long before an application's moment something has just arrived."""


@dataclass(frozen=True)
class Replayed:
    """One application: its moment, and the documents (source, _doc) that had just arrived for it."""

    observation_id: str
    as_of: dt.datetime
    documents: frozenset[tuple[str, int]]


class Replay:
    """Applications of a workspace, the mart without what had just arrived for them, and their payloads.

    Parameters
    ----------
    connection
        Over the whole mart; its views are changed: they leave out what had just arrived.
    observations
        Entity -> observations with keys; one id joins the entities of an application.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        workspace: Workspace,
        contracts: Mapping[str, Contract],
        spine: Spine,
        blocks: tuple[Block, ...],
        observations: Mapping[str, pl.DataFrame],
    ) -> None:
        self._workspace, self._contracts = workspace, contracts
        self.connection = connection
        self.held = _held(connection, contracts, spine, blocks, observations)
        self._by_id = {
            key[0]: rows for key, rows in self.held.group_by("observation_id", maintain_order=True)
        }
        self._as_of = {
            name: moment
            for frame in observations.values()
            for name, moment in frame.select("observation_id", "as_of").iter_rows()
        }
        self._owner = {table.name: one.source for one in contracts.values() for table in one.tables}
        self._lines: dict[Path, list[bytes]] = {}
        self._hold()

    def _hold(self) -> None:
        """Leave the held documents out of every view; the whole is kept as ``_all_<table>``."""
        for contract in self._contracts.values():
            held = self.held.filter(pl.col("source") == contract.source)["_doc"].unique().to_frame("_doc")
            name = f"_held_{contract.source}"
            self.connection.register("_given", held)
            self.connection.execute(f"CREATE TABLE {quote(name)} AS SELECT _doc FROM _given")
            self.connection.unregister("_given")
            for table in contract.tables:
                whole = f"_all_{table.name}"
                self.connection.execute(f"ALTER VIEW {quote(table.name)} RENAME TO {quote(whole)}")
                self.connection.execute(
                    f"CREATE VIEW {quote(table.name)} AS SELECT * FROM {quote(whole)} "
                    f"WHERE _doc NOT IN (SELECT _doc FROM {quote(name)})"
                )

    def applications(self) -> Iterator[Replayed]:
        """Every application in the order of their moments."""
        for name, moment in sorted(self._as_of.items(), key=lambda item: (item[1], item[0])):
            rows = self._by_id.get(name)
            if rows is not None:
                yield Replayed(name, moment, frozenset(rows.select("source", "_doc").iter_rows()))

    def payloads_of(self, one: Replayed, without: Container[tuple[str, int]] = ()) -> list[Payload]:
        """The payloads of an application, leaving out documents that are known already."""
        rows = self._by_id[one.observation_id]
        kept = [document not in without for document in rows.select("source", "_doc").iter_rows()]
        return list(self._payloads(rows.filter(pl.Series(kept))))

    def records(self) -> Iterator[tuple[tuple[str, int], Records]]:
        """Every document that is held back as records, in the order in which they became known."""
        documents: dict[tuple[str, int], Records] = {}
        for contract in self._contracts.values():
            wanted = self.held.filter(pl.col("source") == contract.source).select("_doc").unique()
            if not len(wanted):
                continue
            self.connection.register("_given", wanted)
            frames = {
                table.name: self.connection.sql(
                    f"SELECT * FROM {quote('_all_' + table.name)} "
                    "WHERE _doc IN (SELECT _doc FROM _given) ORDER BY _delivery, _file, _line, _seq"
                ).pl()
                for table in contract.tables
            }
            self.connection.unregister("_given")
            for number, tables in records_of(contract, frames).documents():
                documents[contract.source, number] = Records(tables)
        known = self.held.unique(["source", "_doc"]).sort(
            "known_time", "source", "_delivery", "_file", "_line"
        )
        for source, number in known.select("source", "_doc").iter_rows():
            yield (source, number), documents[source, number]

    def _payloads(self, rows: pl.DataFrame) -> Iterator[Payload]:
        """Records cut out of landing files: one payload a file that holds any."""
        for (source, file, day), found in rows.sort("_delivery", "_file", "_line").group_by(
            "source", "_file", "_delivery", maintain_order=True
        ):
            path = self._workspace.landing / file
            content = cut(path, found["_line"].to_list(), self._contracts[source], self._lines)
            yield Payload(source, path.name, content, day)


def cut(
    path: Path, records: list[int], contract: Contract, known: dict[Path, list[bytes]] | None = None
) -> bytes:
    """The bytes of a file with some of the records (from 1) of the file ``path``, in its own format.

    ``known`` keeps the lines of text files that were read before.
    """
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".csv"):
        lines = {} if known is None else known
        if path not in lines:
            lines[path] = [one for one in path.read_bytes().split(b"\n") if one.strip()]
        head = lines[path][:1] if suffix == ".csv" else []
        return b"\n".join([*head, *(lines[path][len(head) + record - 1] for record in records), b""])
    if suffix == ".parquet":
        into = io.BytesIO()
        pl.read_parquet(path)[[record - 1 for record in records]].write_parquet(into)
        return into.getvalue()
    if suffix == ".zip":
        return _cut_copy(path, records, contract)
    return path.read_bytes()


def _cut_copy(path: Path, records: list[int], contract: Contract) -> bytes:
    """Some records of a relational copy: the rows of their numbers in every table."""
    from bluemirror.landing.plan import compile_plan

    plan = compile_plan(contract).relational
    assert plan is not None
    relational = contract.landing.relational
    assert relational is not None
    into = io.BytesIO()
    kept: dict[str, set[str]] = {}
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(into, "w") as part:
        members = {Path(name).stem: name for name in whole.namelist()}
        numbers: set[str] = set()
        for table in plan.tables:
            if table.name not in members:
                continue
            with whole.open(members[table.name]) as file:
                head, *rows = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""))
            if table is plan.tables[0]:
                numbers = {rows[record - 1][head.index(relational.document)] for record in records}
            above = relational.document if table.above is None else relational.parent
            wanted = numbers if table.above is None else kept[table.above]
            mine = [row for row in rows if row[head.index(above)] in wanted]
            if table.numbered:
                kept[table.name] = {row[head.index(relational.row)] for row in mine}
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([head, *mine])
            part.writestr(members[table.name], text.getvalue())
    return into.getvalue()


def _held(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    spine: Spine,
    blocks: tuple[Block, ...],
    observations: Mapping[str, pl.DataFrame],
) -> pl.DataFrame:
    """Documents that name a key of an application and became known just before its moment."""
    from bluemirror.variables.expressions import tokens
    from bluemirror.variables.keyed import place
    from bluemirror.variables.tables import Catalog

    catalog = Catalog(contracts)
    asked: set[tuple[str, str, str, str]] = set()
    for block in blocks:
        for family in block.families:
            if family.via is None:
                header = catalog.header(family.table, block)
                asked.add((block.entity, header.name, *family.match))
            else:
                asked.add((block.entity, family.via.table, *family.via.from_))
    for entity, declared in spine.entities.items():
        if declared.keys_table is not None:
            asked.add((entity, declared.keys_table, declared.key, declared.key))
    if spine.calls is not None:
        asked |= {
            (entity, spine.calls.table, spine.calls.entity, spine.calls.entity) for entity in observations
        }
    found = []
    # The record that tells of an application may itself become known a little later; it does not count before.
    telling = {
        entity: {
            token["word"]
            for token in tokens(spine.observation_set(spine.set_of(entity)).sql)
            if token["word"]
        }
        for entity in observations
    }
    for entity, frame in observations.items():
        connection.register("_observed", frame)
        for of, table, column, key in sorted(asked):
            if of != entity or key not in frame.columns:
                continue
            contract = catalog.contract(table, spine.path)
            child, name = place(contract, contract.table(table), column)
            where = f"t.{quote(name)} = o.{quote(key)}"
            if child is not None:
                where = f"EXISTS (FROM {quote(child)} c WHERE c._doc = t._doc AND c.{quote(name)} = o.{quote(key)})"
            found.append(
                connection.sql(
                    f"SELECT DISTINCT o.observation_id, '{contract.source}' AS source, t._doc, t._file, t._line, "
                    f"t._delivery, t.known_time FROM _observed o JOIN {quote(table)} t ON {where} "
                    f"WHERE t.known_time > o.as_of - INTERVAL '{JUST.days} days' AND t.known_time <= o.as_of"
                    + (f" + INTERVAL '{JUST.days} days'" if table in telling[entity] else "")
                ).pl()
            )
        connection.unregister("_observed")
    return pl.concat(found).unique().sort("observation_id", "source", "_delivery", "_file", "_line")


def replay(
    workspace: Workspace, count: int | None = None, seed: int = 5
) -> tuple[Replay, Any, Any, tuple[Block, ...]]:
    """A replay of ``count`` applications (default: all) drawn by ``seed``; contracts, spine and blocks with it."""
    import bluemirror
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks
    from bluemirror.variables.observations import observe, with_keys
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.tables import Catalog

    contracts = dict(read_contracts(workspace.contracts_dir))
    spine, blocks = read_spine(workspace), load_blocks(workspace)
    connection = bluemirror.connect(workspace)
    catalog = Catalog(contracts)
    seen = {
        entity: observe(connection, spine, spine.observation_set(spine.set_of(entity)))
        for entity in dict.fromkeys(block.entity for block in blocks if block.families)
    }
    chosen = _chosen([frame["observation_id"] for frame in seen.values()], count, seed)
    observations = {
        entity: with_keys(
            connection,
            catalog,
            spine,
            entity,
            frame.filter(pl.col("observation_id").is_in(chosen)),
            blocks[0],
        )
        for entity, frame in seen.items()
    }
    return Replay(connection, workspace, contracts, spine, blocks, observations), contracts, spine, blocks


def _chosen(ids: list[pl.Series], count: int | None, seed: int) -> list[str]:
    """Some of all ids, a fifth of them such as every entity has, as far as there are any."""
    every = pl.concat(ids).unique().sort()
    if count is None or count >= len(every):
        return every.to_list()
    shared = every
    for one in ids:
        shared = shared.filter(shared.is_in(one.implode()))
    first = shared.sample(min(max(count // 5, 1), len(shared)), seed=seed)
    rest = every.filter(~every.is_in(first.implode())).sample(count - len(first), seed=seed)
    return [*first, *rest]
