"""A block for one applicant: the batch's engine over what the mart knows and what has just arrived."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bluemirror.variables.applicant.fresh_rows import FreshRows, attribute_values, spelled
from bluemirror.variables.applicant.history import Past, load_past, rows_between
from bluemirror.variables.applicant.links import PastLinks
from bluemirror.variables.applicant.merging import Merged, merge, merge_arrays
from bluemirror.variables.applicant.plans import ChildPlan, plan_loads
from bluemirror.variables.applicant.records import FreshRow, Records
from bluemirror.variables.children import FamilyTable, Units
from bluemirror.variables.engine import BlockEngine, Floats32
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.load import FamilyArrays, family_arrays, outer_arrays
from bluemirror.variables.reading import LoadKey
from bluemirror.variables.resolve import Moments, Resolved

if TYPE_CHECKING:
    import duckdb

    from bluemirror.variables.applicant.calls import Outcome
    from bluemirror.variables.applicant.told import ToldTables
    from bluemirror.variables.declarations import Block, Family
    from bluemirror.variables.tables import Catalog

NOBODY = pl.DataFrame(schema={"observation_id": pl.String, "index": pl.UInt32})


@dataclass(frozen=True)
class Applicant:
    """One observation: its id, its number among the ids that rows are excluded by, its keys, its moment."""

    observation_id: str
    place: int
    keys: Mapping[str, Any]
    as_of: int


@dataclass(frozen=True)
class _Pairs:
    """The neighbours of one applicant, in the place of :class:`bluemirror.variables.relations.Links`."""

    group: Ints

    def pairs(self, shard: slice, as_of: Ints) -> tuple[Ints, Ints]:  # noqa: ARG002 - of one moment
        return np.zeros(len(self.group), dtype=np.int64), self.group


class ApplicantBlock(BlockEngine):
    """A block whose past is loaded; :meth:`values_of` computes it for one applicant at a time.

    Computing is the batch's: this class only says which rows there are.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        block: Block,
        catalog: Catalog,
        excluded: pl.DataFrame,
        told: ToldTables,
    ) -> None:
        self._spell_out(block, catalog)
        self._pasts: dict[LoadKey, Past] = {}
        self._past_links: dict[LoadKey, PastLinks] = {}
        for key, plan in plan_loads(connection, block, catalog).items():
            via = plan.members[0].via
            if via is not None:
                self._past_links[key] = PastLinks.load(connection, catalog, block, via, told)
            self._pasts[key] = load_past(connection, catalog, block, plan, excluded, told)
        self._past_headers = {key: past.keyed for key, past in self._pasts.items()}
        self._past_tables = {name: one for past in self._pasts.values() for name, one in past.tables.items()}
        self._past_attributes = {
            name: one for past in self._pasts.values() for name, one in past.attributes.items()
        }
        self._groups: dict[LoadKey, Ints] = {}
        self._place = -1

    def values_of(
        self, applicant: Applicant, records: Records, calls: Mapping[str, Outcome]
    ) -> tuple[int, Floats32]:
        """The block's reason and its variables (variables,), nan for null."""
        self.as_of = np.array([applicant.as_of], dtype=np.int64)
        self.ledger = calls.get(self.block.source)
        self._place = applicant.place
        self._groups, self._links = {}, {}
        # What the applicant before brought along is forgotten.
        self._headers, self._tables = dict(self._past_headers), dict(self._past_tables)
        self._attributes = dict(self._past_attributes)
        for key, past in self._pasts.items():
            self._look_up(key, past, applicant, records)
        reason, values = self.compute_values(0, 1)
        return int(reason[0]), values[:, 0]

    # What the engine asks ------------------------------------------------------------------------------------

    def _moments(self, family: Family, shard: slice, as_of: Ints) -> Moments:  # noqa: ARG002 - of one moment
        return Moments(self._groups[self._key_of[family.name]], as_of)

    def _kept(self, table: FamilyTable, found: Resolved, owner: Ints, start: int) -> Resolved:  # noqa: ARG002
        return super()._kept(table, found, owner, self._place)

    # Whose rows ----------------------------------------------------------------------------------------------

    def _look_up(self, key: LoadKey, past: Past, applicant: Applicant, records: Records) -> None:
        """Find the groups of one header, and put fresh rows beside the mart's where there are any."""
        plan = past.plan
        table = plan.header.name
        via = plan.members[0].via
        if via is None:
            value = applicant.keys.get(plan.match[1])
            wanted = [] if value is None else [str(value)]
        else:
            wanted = self._past_links[key].neighbours(
                applicant.keys.get(via.from_[1]), applicant.as_of, records
            )
        arrived = records.any(table)
        fresh = [
            (place, one)
            for place, value in enumerate(wanted if arrived else ())
            for one in _about(past, records, value)
        ]
        groups = [past.numbers.of(value) for value in wanted]
        numbers: Ints
        if not fresh and not (arrived and _restated(past, groups, records)):
            # A key that the mart does not know has no rows, which is not the same as having no key.
            known = [len(past.numbers) if one < 0 else one for one in groups]
            numbers = np.array(known or ([] if via is not None else [-1]), dtype=np.int64)
        else:
            living = [(place, one) for place, one in fresh if not one.deleted]
            numbers = np.arange(len(groups), dtype=np.int64)
            versions = partial(records.versions, table)
            merged = merge(past.keyed.rows, past.marks, groups, living, versions, past.told)
            self._overlay(key, past, applicant, merged, living)
        if via is None:
            self._groups[key] = numbers
        for family in plan.members if via is not None else ():
            self._links[family.name] = _Pairs(numbers)

    def _overlay(
        self,
        key: LoadKey,
        past: Past,
        applicant: Applicant,
        merged: Merged,
        fresh: Sequence[tuple[int, FreshRow]],
    ) -> None:
        plan, groups = past.plan, len(merged.rows.offsets) - 1
        keyed = copy.copy(past.keyed)
        keyed.rows = merged.rows
        moments = Moments(np.arange(groups, dtype=np.int64), np.full(groups, applicant.as_of))
        if plan.header.kind == "answer" and groups == 1:
            newest = int(keyed.resolve(moments).newest(1)[0])
            if newest >= 0:
                # Of answers only the newest counts: the others need not be looked at.
                merged = merged.only(newest)
                keyed.rows = merged.rows
        if past.keyed.hit is not None:
            keyed.hit = merged.column(past.keyed.hit, np.array([one.hit for _, one in fresh], dtype=bool))
        self._headers[key] = keyed
        used = set((merged.order - len(merged.old))[merged.order >= len(merged.old)].tolist())
        compute = plan.columns.compute
        empty = (None,) * len(plan.columns.names)
        rows = FreshRows(
            plan.columns.names,
            [
                compute(one.values, None, None, one.rows) if place in used else empty
                for place, (_, one) in enumerate(fresh)
            ],
            applicant.observation_id,
            applicant.place,
        )
        for family in plan.own:
            self._merge_own(past, family, merged, rows)
        if plan.children:
            newest = int(keyed.resolve(moments).newest(groups)[0])
            for child in plan.children:
                self._below(past, child, merged, newest, fresh, groups)

    def _merge_own(self, past: Past, family: Family, merged: Merged, rows: FreshRows) -> None:
        name, asked = family.name, past.plan.asked[family.name]
        fresh = family_arrays(rows, family, asked, NOBODY)  # type: ignore[arg-type]
        aliases = {**asked.values, **({"@unit": asked.unit} if asked.unit else {})}
        texts = {
            column: (past.texts[name][column], [spelled(one) for one in rows.values(alias)])
            for column, alias in aliases.items()
        }
        arrays = merge_arrays(merged, past.tables[name].arrays, fresh, texts)
        self._tables[name] = FamilyTable(merged.rows, arrays, None)
        self._attributes[name] = {
            (column, coded, code): merged.column(
                old,
                attribute_values(
                    rows.values(past.plan.attributes[name][column, coded]),
                    self._declared(name, column, coded),
                    code,
                ),
            )
            for (column, coded, code), old in past.attributes[name].items()
        }

    def _declared(self, family: str, column: str, coded: bool) -> Any:
        """The attribute of a family that reads ``column``; those of one column are told apart by their code alone."""
        return next(
            one
            for _, one, _ in self._asked[family]
            if one is not None and one.column == column and one.coded == coded
        )

    def _below(
        self,
        past: Past,
        child: ChildPlan,
        merged: Merged,
        newest: int,
        fresh: Sequence[tuple[int, FreshRow]],
        groups: int,
    ) -> None:
        """Rows below the newest header, which alone are asked for: the mart's, or those of the fresh document."""
        headers = len(merged.order)
        place = int(merged.order[newest]) if newest >= 0 else -1
        if 0 <= place < len(merged.old):
            row = int(merged.old[place])
            for family in child.families:
                old = past.tables[family.name]
                top = old.rows if old.level is None else old.level.rows
                moved = Grouped(top.columns, rows_between(top.offsets, row, headers, newest))
                self._tables[family.name] = (
                    FamilyTable(moved, old.arrays, None)
                    if old.level is None
                    else FamilyTable(old.rows, old.arrays, Units(moved, old.level.arrays))
                )
            return
        header = fresh[place - len(merged.old)][1] if newest >= 0 else None
        self._tables |= _fresh_below(past, child, header, max(newest, 0), max(headers, groups))


def _about(past: Past, records: Records, value: str) -> list[FreshRow]:
    """The fresh headers that name a key, themselves or in a row below."""
    child, column = past.plan.place
    header = past.plan.header.name
    if child is None:
        return records.by(header, column, value)
    found = {id(row.document): row.document[header] for row in records.by(child, column, value)}
    return [one for rows in found.values() for one in rows]


def _restated(past: Past, groups: Sequence[int], records: Records) -> bool:
    """Whether fresh rows, which name another key or none, are newer versions of rows of ``groups``."""
    if past.marks is None:
        return False
    _, row = past.keyed.rows.expand(np.array(groups, dtype=np.int64))
    table = past.plan.header.name
    return any(records.versions(table, mark) for mark in past.marks.of(row))


def _fresh_below(
    past: Past, child: ChildPlan, header: FreshRow | None, place: int, headers: int
) -> dict[str, FamilyTable]:
    """The tables of families over the rows below a fresh header (None: there is none) at ``place``."""
    plan = past.plan
    found = _sorted(header, child.table)
    units = _sorted(header, child.unit) if child.unit is not None else []
    parent = plan.contract.table(child.table).parent
    table = _computed(plan.header.name, parent, child.columns, header, found)
    if child.level is None:
        rows = Grouped(_times(found), _at(place, headers, len(found)))
        return {
            family.name: FamilyTable(rows, _arrays(past, family, table, child), None)
            for family in child.families
        }
    assert child.unit is not None
    number = {one.values["_seq"]: position for position, one in enumerate(units)}
    owner = np.array([number[one.values["_parent"]] for one in found], dtype=np.int64)
    order = np.argsort(owner, kind="stable")
    found = [found[position] for position in order.tolist()]
    table = _computed(plan.header.name, parent, child.columns, header, found)
    rows = Grouped.build(_times(found), owner[order], len(units))
    above = plan.contract.table(child.unit).parent
    level = _computed(plan.header.name, above, child.level, header, units)
    unit_rows = Grouped(_times(units), _at(place, headers, len(units)))
    made = {}
    for family in child.families:
        outer = outer_arrays(level, family, *child.outer[family.name])  # type: ignore[arg-type]
        made[family.name] = FamilyTable(rows, _arrays(past, family, table, child), Units(unit_rows, outer))
    return made


def _arrays(past: Past, family: Family, table: FreshRows, child: ChildPlan) -> FamilyArrays:
    arrays = family_arrays(table, family, child.asked[family.name], NOBODY)  # type: ignore[arg-type]
    # What was worked out about the crosses of slices is kept for the next applicant.
    return replace(arrays, crossings=past.tables[family.name].arrays.crossings)


def _sorted(header: FreshRow | None, table: str) -> list[FreshRow]:
    if header is None:
        return []
    return sorted(header.document.get(table, ()), key=lambda one: (one.event, one.values["_seq"]))


def _computed(
    top: str, parent: str | None, columns: Any, header: FreshRow | None, rows: Sequence[FreshRow]
) -> FreshRows:
    if header is None or not rows:
        return FreshRows(columns.names, [])
    if parent is None or parent == top:
        above = dict.fromkeys((one.values["_parent"] for one in rows), header.values)
    else:
        above = {one["_seq"]: one for one in header.rows.get(parent, ())}
    compute = columns.compute
    return FreshRows(
        columns.names,
        [compute(one.values, above.get(one.values["_parent"]), header.values, header.rows) for one in rows],
    )


def _times(rows: Sequence[FreshRow]) -> dict[str, Ints]:
    return {"event_time": np.array([one.event for one in rows], dtype=np.int64)}


def _at(place: int, groups: int, rows: int) -> Ints:
    """Offsets of ``groups`` groups of which only ``place`` has rows."""
    offsets = np.zeros(groups + 1, dtype=np.int64)
    offsets[place + 1 :] = rows
    return offsets
