"""The generated mart: tables of every contract that a family reads, in a DuckDB of its own, and who is observed.

Entities are numbers; a key of an entity is the key's name with that number, so that a row meets the observations of the
entity that it is about wherever a family matches them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bluemirror.contracts import Contract, Field, Table
from bluemirror.mart.connect import mart_columns
from bluemirror.mart.versions import quote
from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.declarations import Block
from bluemirror.variables.generated import draws
from bluemirror.variables.generated.mentions import Mentions, mentions
from bluemirror.variables.generated.rows import (
    Heads,
    Moments,
    children,
    draw_heads,
    time_fields,
    time_of,
)
from bluemirror.variables.spine import Spine

if TYPE_CHECKING:
    import duckdb

ENTITIES, TIMES = 400, 3
"""Entities, and how often each is observed, unless asked otherwise."""
HEADS = {"event": 60, "state": 8, "answer": 5}
"""Rows an entity at the top of documents, by kind of table."""
LEAVES, BRANCHES = 22.0, 9.0
"""Mean number of rows under a parent: of rows with nothing under them that is read, and of others."""
START = dt.datetime(2023, 7, 1)
SPAN = 800
"""First day, and number of days, of the moments of observation."""
FAITHFUL = 0.9
"""Share of a key's values that are their owner's own."""


@dataclass(frozen=True)
class GeneratedMart:
    """Tables and observations; ``observations`` maps an entity to what :class:`BlockEngine` takes."""

    connection: duckdb.DuckDBPyConnection
    observations: Mapping[str, pl.DataFrame]


def generate_mart(
    contracts: Mapping[str, Contract],
    blocks: Iterable[Block],
    spine: Spine,
    entities: int = ENTITIES,
    seed: int = 1,
    density: float = 1.0,
) -> GeneratedMart:
    """Make tables in which every code, group, band, window and state that ``blocks`` can tell apart occurs.

    States are: restated, removed, known late, dated alike, empty, zero, after the observation, asked but not
    answered, answered more than once, answered too long ago, no key at all.

    Parameters
    ----------
    entities
        Number of persons (and of companies); each is observed :data:`TIMES` times.
    seed
        Same declarations and seed, same mart.
    density
        How many rows there are, 1 being plenty: where they are few, what mostly goes together comes apart.
    """
    import duckdb

    blocks = tuple(blocks)
    said = mentions(blocks, contracts)
    at = _moments(entities, seed)
    world = _World(contracts, said, spine, blocks, at, seed, density)
    connection = duckdb.connect()
    for contract in contracts.values():
        wanted = [table for table in contract.tables if table.name in said.read or table.name == world.ledger]
        world.fill(connection, contract, wanted)
    observed = {
        entity: _observations(entity, blocks, spine, at, seed)
        for entity in sorted({b.entity for b in blocks})
    }
    return GeneratedMart(connection, observed)


def _moments(entities: int, seed: int) -> Moments:
    rng = draws.generator(seed, "as_of")
    start = int(START.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000
    day = np.sort(rng.integers(0, SPAN, (entities, TIMES)), axis=1) * MICROSECONDS_A_DAY
    as_of = start + day + rng.integers(0, MICROSECONDS_A_DAY, (entities, TIMES))
    kind = rng.random((entities, TIMES))
    whole = as_of // MICROSECONDS_A_DAY * MICROSECONDS_A_DAY
    as_of = np.where(kind < 0.1, whole, np.where(kind < 0.3, whole + MICROSECONDS_A_DAY - 1, as_of))
    months = as_of.astype("datetime64[us]").astype("datetime64[M]") + 1
    last = months.astype("datetime64[us]").astype(np.int64) - 1
    return Moments(np.sort(np.where(kind > 0.88, last, as_of), axis=1))


def _observations(entity: str, blocks: Iterable[Block], spine: Spine, at: Moments, seed: int) -> pl.DataFrame:
    """Observations of one entity, with every key that a family matches; some have no such key."""
    key = spine.entities[entity].key
    keys = {key}
    for block in blocks:
        if block.entity == entity:
            keys |= {family.match[1] for family in block.families}
            keys |= {family.via.from_[1] for family in block.families if family.via}
    if spine.calls is not None and spine.calls.entity == key:
        keys.add(spine.calls.entity)
    owner = np.repeat(np.arange(at.owners), at.as_of.shape[1])
    frame = pl.DataFrame(
        {
            "observation_id": observation_ids(entity, at),
            "as_of": pl.Series(at.as_of.ravel()).cast(pl.Datetime("us")),
        }
    )
    rows = draws.Rows(owner, at.as_of.ravel(), at.owners)
    for name in sorted(keys):
        rng = draws.generator(seed, entity, name)
        column = draws.draw_key(name, rows, True, 1.0, rng)
        if name != key:
            column = column.set(pl.Series(rng.random(len(column)) < 0.03), None)
        frame = frame.with_columns(column.alias(name))
    return frame.sort("observation_id")


def observation_ids(entity: str, at: Moments) -> list[str]:
    """Ids of an entity's observations: owner by owner, in the order of their times."""
    return [f"{entity}-{o:05d}-{t}" for o in range(at.owners) for t in range(at.as_of.shape[1])]


class _World:
    """Fills the tables of one contract after another."""

    def __init__(
        self,
        contracts: Mapping[str, Contract],
        said: Mentions,
        spine: Spine,
        blocks: tuple[Block, ...],
        at: Moments,
        seed: int,
        density: float,
    ) -> None:
        self.density = density
        self.said, self.spine, self.at, self.seed = said, spine, at, seed
        self.entities = sorted({block.entity for block in blocks})
        self.ledger = spine.calls.table if spine.calls else None
        # A source that costs nothing is the bank's own: nobody calls it.
        self.asked = sorted(
            source
            for source in {block.source for block in blocks}
            if source in contracts and any(contracts[source].price_by_result.values())
        )
        self._pools: dict[tuple[str, str], str] = {}
        for contract in contracts.values():
            for table in contract.tables:
                for item in table.fields:
                    for column, _ in item.columns:
                        key = said.keys.get((table.name, column))
                        if key is not None and item.key is not None:
                            self._pools.setdefault((item.key.entity, _form(item, column)), key)

    # Tables --------------------------------------------------------------------------------------------------

    def fill(self, connection: duckdb.DuckDBPyConnection, contract: Contract, wanted: list[Table]) -> None:
        """Make the ``wanted`` tables of one contract, header first."""
        frames: dict[str, pl.DataFrame] = {}
        for table in wanted:
            if table.parent is None:
                frame = self._header(table, contract)
            else:
                leaf = not any(other.parent == table.name for other in wanted)
                frame = self._child(table, frames[table.parent], leaf)
            frames[table.name] = frame
            connection.register("_made", frame)
            columns = ", ".join(
                f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in mart_columns(table)
            )
            connection.execute(f"CREATE TABLE {quote(table.name)} AS SELECT {columns} FROM _made")
            connection.unregister("_made")

    def _header(self, table: Table, contract: Contract) -> pl.DataFrame:
        rng = draws.generator(self.seed, table.name)
        days = sorted(self.said.days.get(table.name, ()))
        heads = draw_heads(
            table,
            days,
            contract.answer_valid_days,
            HEADS[table.kind] * (self.density if table.kind == "event" else 1.0),
            self.at,
            rng,
        )
        if table.name == self.ledger:
            heads = self._with_calls(heads, rng)
        times = time_fields(table, table.event_time, heads.event, rng)
        assert table.event_time is not None
        event = time_of(table, table.event_time, times, heads.event)
        known_rule = table.known_time or table.event_time
        if known_rule.field not in times:
            times |= time_fields(table, known_rule, heads.known, rng)
        known = time_of(table, known_rule, times, heads.known)
        rows = draws.Rows(heads.owner, event, self.at.owners)
        columns = self._columns(table, rows, times)
        columns |= self._faithful(table, columns, heads)
        if table.valid_to is not None:
            columns[table.valid_to] = self._ends(table, event, rng)
        if table.hit is not None:
            yes = pl.Series(list(table.hit[1])).gather(rng.integers(0, len(table.hit[1]), len(rows)))
            often = pl.Series(rng.random(len(rows)) < 0.7)
            columns[table.hit[0]] = columns[table.hit[0]].zip_with(~often, yes)
        if table.name == self.ledger:
            columns |= self._called(columns, heads, rng)
        number = np.arange(len(rows))
        return pl.DataFrame(columns).with_columns(
            pl.Series("_owner", heads.owner),
            pl.Series("_header", event).cast(pl.Datetime("us")),
            *_system(event, known, number, np.zeros_like(number), None),
            pl.Series("_deleted", heads.removed.astype(bool)),
        )

    def _child(self, table: Table, parents: pl.DataFrame, leaf: bool) -> pl.DataFrame:
        rng = draws.generator(self.seed, table.name)
        counts = children(
            len(parents), (LEAVES if leaf and table.parent == table.header else BRANCHES) * self.density, rng
        )
        parent = np.repeat(np.arange(len(parents)), counts)
        above = parents.select("_owner", "_doc", "_seq", "known_time", "_header")[parent]
        end = above["_header"].dt.timestamp("us").to_numpy()
        days = sorted(self.said.days.get(table.name, ()))
        moment = end - draws.spread(len(end), days, rng)
        tied = np.flatnonzero(rng.random(len(end)) < 0.05)
        tied = tied[(tied > 0) & (parent[tied] == parent[tied - 1])]
        moment[tied] = moment[tied - 1]
        times = time_fields(table, table.event_time, moment, rng)
        event = end if table.event_time is None else time_of(table, table.event_time, times, moment)
        owner = above["_owner"].to_numpy()
        rows = draws.Rows(owner, event, self.at.owners)
        columns = self._columns(table, rows, times)
        doc = above["_doc"].to_numpy()
        # Documents stand one after another: a row's number in its document counts from the first of them.
        starts = np.searchsorted(doc, doc)
        return pl.DataFrame(columns).with_columns(
            pl.Series("_owner", owner),
            above["_header"],
            *_system(
                event,
                above["known_time"].dt.timestamp("us").to_numpy(),
                doc,
                np.arange(len(doc)) - starts,
                above["_seq"].to_numpy(),
            ),
            pl.lit(False).alias("_deleted"),
        )

    # Columns -------------------------------------------------------------------------------------------------

    def _columns(
        self, table: Table, rows: draws.Rows, times: Mapping[str, pl.Series]
    ) -> dict[str, pl.Series]:
        found: dict[str, pl.Series] = {}
        single = table.business_key if len(table.business_key) == 1 else ()
        for item in table.fields:
            for column, kind in item.columns:
                if item.name in times:
                    found[column] = times[item.name]
                elif item.name in single and item.key is None and item.type == "string" and not item.codes:
                    found[column] = pl.Series([f"{item.name}-{number:07d}" for number in range(len(rows))])
                else:
                    found[column] = self._draw(table, item, column, kind, rows)
            for column, kind in item.part_columns:
                found[column] = self._part(table, column, kind, rows)
        return found

    def _draw(self, table: Table, item: Field, column: str, kind: str, rows: draws.Rows) -> pl.Series:
        at = (table.name, column)
        rng = draws.generator(self.seed, *at)
        if item.key is not None:
            form = _form(item, column)
            pool = self.said.keys.get(at) or self._pools.get(
                (item.key.entity, form), f"{item.key.entity}_{form}"
            )
            return draws.draw_key(pool, rows, item.required, FAITHFUL, rng)
        if at in self.said.keys:
            return draws.draw_key(self.said.keys[at], rows, item.required, FAITHFUL, rng)
        if item.codes:
            return draws.draw_codes(
                list(item.codes), self.said.texts.get(at, set()), rows, item.required, rng
            )
        if kind == "string":
            owned = item.name in table.business_key or at in self.said.units
            return draws.draw_text(item, self.said.texts.get(at, set()), rows, owned, self.seed, rng)
        if kind == "bool":
            return draws.draw_flags(item, rows, rng)
        if kind in ("date", "month", "timestamp"):
            return draws.draw_times(item, sorted(self.said.days.get(table.name, ())), rows, rng)
        return draws.draw_numbers(item, self.said.numbers.get(at, set()), rows, rng)

    def _part(self, table: Table, column: str, kind: str, rows: draws.Rows) -> pl.Series:
        """Parts of an address or a name: a hash of its own for each; shingles are nothing that a family reads."""
        if kind != "string":
            return pl.Series([None], dtype=pl.List(pl.UInt32)).new_from_index(0, len(rows))
        return draws.draw_key(column, rows, False, 0.6, draws.generator(self.seed, table.name, column))

    def _faithful(self, table: Table, columns: Mapping[str, pl.Series], heads: Heads) -> dict[str, pl.Series]:
        """A later version has its first version's key; an observation's own row has its id."""
        kept = {column for name in table.business_key for column, _ in table.field(name).columns}
        rules = (table.event_time, table.known_time)
        kept -= (
            {rule.field for rule in rules if rule is not None and rule.field}
            if table.kind != "state"
            else set()
        )
        found = {name: columns[name].gather(heads.origin) for name in sorted(kept)}
        for of, column in sorted(self.said.excluded):
            if of == table.name:
                # One row of those that lie near an observation is the observation itself.
                place = heads.owner * self.at.as_of.shape[1] + heads.moment
                first = np.unique(
                    np.where(heads.origin == np.arange(len(place)), place, -1), return_index=True
                )
                ids = found.get(column, columns[column]).to_list()
                for entity in self.entities[-1:]:
                    names = observation_ids(entity, self.at)
                    for where, row in zip(*first, strict=True):
                        if where >= 0:
                            ids[row] = names[where]
                found[column] = pl.Series(ids).gather(heads.origin)
        return found

    def _ends(self, table: Table, event: draws.Ints, rng: np.random.Generator) -> pl.Series:
        """Ends of states: most go on, some end before they are looked at."""
        assert table.valid_to is not None
        end = event + (10 ** rng.uniform(0, 3.3, len(event)) * MICROSECONDS_A_DAY).astype(np.int64)
        values = draws.as_kind(end, table.field(table.valid_to).type)
        return values.set(pl.Series(rng.random(len(event)) < 0.6), None)

    # The call ledger -----------------------------------------------------------------------------------------

    def _with_calls(self, heads: Heads, rng: np.random.Generator) -> Heads:
        """One more call for each observation and source, shortly before."""
        owners, times = self.at.as_of.shape
        owner = np.repeat(np.arange(owners), times * len(self.asked))
        moment = np.tile(np.repeat(np.arange(times), len(self.asked)), owners)
        event = self.at.as_of[owner, moment] - (rng.random(len(owner)) * 20 * MICROSECONDS_A_DAY).astype(
            np.int64
        )
        first = len(heads.owner)
        return Heads(
            np.append(heads.owner, owner),
            np.append(heads.moment, moment),
            np.append(heads.event, event),
            np.append(heads.known, event),
            np.append(heads.origin, first + np.arange(len(owner))),
            np.append(heads.removed, np.zeros(len(owner), dtype=np.int64)),
        )

    def _called(
        self, columns: Mapping[str, pl.Series], heads: Heads, rng: np.random.Generator
    ) -> dict[str, pl.Series]:
        """Source and result of those calls: most are answered."""
        calls = self.spine.calls
        assert calls is not None
        extra = len(self.asked) * self.at.as_of.size
        first = len(heads.owner) - extra
        asked = pl.Series(self.asked, dtype=pl.String).gather(
            np.tile(np.arange(len(self.asked)), self.at.as_of.size)
        )
        hits = [result for result, outcome in calls.outcomes.items() if outcome == "hit"]
        results = columns[calls.result][first:]
        often = pl.Series(rng.random(extra) < 0.75)
        chosen = pl.Series(hits).gather(rng.integers(0, len(hits), extra))
        return {
            calls.source: columns[calls.source][:first].append(asked),
            calls.result: columns[calls.result][:first].append(results.zip_with(~often, chosen)),
        }


def _form(item: Field, column: str) -> str:
    """The form in which a column of a key holds it."""
    assert item.key is not None
    return column.removeprefix(f"{item.name}_") if item.key.forms else item.key.form


def _system(
    event: draws.Ints, known: draws.Ints, doc: draws.Ints, seq: draws.Ints, parent: draws.Ints | None
) -> list[pl.Series]:
    """System columns of rows; a delivery is the day on which they were known."""
    times = pl.Series("known_time", known).cast(pl.Datetime("us"))
    above = pl.Series("_parent", parent, dtype=pl.Int64) if parent is not None else None
    return [
        pl.Series("event_time", event).cast(pl.Datetime("us")),
        times,
        pl.Series("_doc", doc),
        pl.Series("_seq", seq),
        pl.Series("_parent", [None] * len(event), dtype=pl.Int64) if above is None else above,
        times.cast(pl.Date).alias("_delivery"),
        pl.Series("_file", ["generated"]).new_from_index(0, len(event)),
        pl.Series("_line", doc),
    ]
