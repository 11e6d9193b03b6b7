"""Rows of the mart and rows that have just arrived, as one table in the order of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.applicant.records import FreshRow
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.load import FamilyArrays
from bluemirror.variables.loaded import FOREVER, SliceCodes

if TYPE_CHECKING:
    from bluemirror.variables.applicant.history import Texts
    from bluemirror.variables.applicant.told import Told

Kind = TypeVar("Kind", bound=Any)


@dataclass(frozen=True)
class Merged:
    """Old rows and fresh rows of some groups.

    Attributes
    ----------
    rows
        Their times, by group.
    old
        (old rows,) which rows of the mart's table take part.
    order
        (rows,) positions in old rows followed by fresh rows.
    """

    rows: Grouped
    old: Ints
    order: Ints

    def column(self, old: NDArray[Kind], fresh: NDArray[Kind]) -> NDArray[Kind]:
        """A column of all rows from that of the mart's table (whole) and that of the fresh rows."""
        both: NDArray[Kind] = np.concatenate((old[self.old], fresh))
        return both[self.order]

    def only(self, position: int) -> Merged:
        """The same with one row, in the first of ``groups``."""
        columns = {name: values[position : position + 1] for name, values in self.rows.columns.items()}
        chosen = self.order[position]
        offsets = np.minimum(np.arange(len(self.rows.offsets)), 1)
        if chosen < len(self.old):
            return Merged(
                Grouped(columns, offsets), self.old[chosen : chosen + 1], np.zeros(1, dtype=np.int64)
            )
        return Merged(Grouped(columns, offsets), self.old[:0], np.array([chosen - len(self.old)]))


def merge(
    old: Grouped,
    marks: Texts | None,
    groups: Sequence[int],
    fresh: Sequence[tuple[int, FreshRow]],
    versions: Callable[[str | None], Sequence[FreshRow]],
    told: Told,
) -> Merged:
    """Merge the rows of some groups.

    Parameters
    ----------
    old, marks
        The mart's rows, and the business key of each.
    groups
        For each group of the result the group of ``old``, -1 for none.
    fresh
        Fresh rows with their groups, in the order of arrival; none of them a deletion.
    versions
        All fresh rows of a business key, deletions among them.
    told
        All versions of the mart's table.
    """
    owner, row = old.expand(np.asarray(groups, dtype=np.int64))
    group = np.concatenate((owner, np.array([place for place, _ in fresh], dtype=np.int64)))
    columns = {
        name: np.concatenate((old.columns[name][row], np.array(values, dtype=np.int64)))
        for name, values in (
            ("event_time", [one.event for _, one in fresh]),
            ("known_time", [one.known for _, one in fresh]),
            ("_valid_to", [one.valid_to for _, one in fresh]),
        )
        if name in old.columns
    }
    before = old.columns["_superseded"][row] if "_superseded" in old.columns else np.full(len(row), FOREVER)
    columns["_superseded"] = np.concatenate((before, np.full(len(fresh), FOREVER)))
    _supersede(columns, marks, row, [one for _, one in fresh], versions, told)
    # Equal times keep what stood before in front, and fresh rows in the order of their arrival.
    order = np.lexsort((columns["known_time"], columns["event_time"], group))
    sorted_columns = {name: values[order] for name, values in columns.items()}
    return Merged(Grouped.build(sorted_columns, group[order], len(groups)), row, order)


def _supersede(
    columns: dict[str, Ints],
    marks: Texts | None,
    row: Ints,
    fresh: Sequence[FreshRow],
    versions: Callable[[str | None], Sequence[FreshRow]],
    told: Told,
) -> None:
    """Write down from when on a newer version of each row was known."""
    known, until = columns["known_time"], columns["_superseded"]
    if len(row) and marks is not None:
        for position, mark in enumerate(marks.of(row)):
            newer = versions(mark)
            if mark is not None and newer:
                later = [one.known for one in newer if one.known >= known[position]]
                until[position] = min([int(until[position]), *later])
    known_of = told.of_all([one.mark or "" for one in fresh])
    for position, (one, moments) in enumerate(zip(fresh, known_of, strict=True), start=len(row)):
        if one.mark is not None:
            later = [other.known for other in versions(one.mark) if other.version > one.version]
            later += [moment for moment in moments if moment > one.known]
            until[position] = min(later, default=FOREVER)


def merge_arrays(
    merged: Merged,
    old: FamilyArrays,
    fresh: FamilyArrays,
    texts: Mapping[str, tuple[Texts, Sequence[str | None]]],
) -> FamilyArrays:
    """One family's view of the merged rows.

    ``texts`` has, for each column of identities, the texts of the mart's rows (whole) and of the fresh rows.
    """

    def optional(first: NDArray[Any] | None, second: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if first is None or second is None else merged.column(first, second)

    def numbered(name: str) -> NDArray[np.int32]:
        before, after = texts[name]
        known: dict[str, int] = {}
        spelled = [*before.of(merged.old), *after]
        numbers = [-1 if one is None else known.setdefault(one, len(known)) for one in spelled]
        return np.array(numbers, dtype=np.int32)[merged.order]

    return FamilyArrays(
        where=optional(old.where, fresh.where),
        exclude=optional(old.exclude, fresh.exclude),
        slices={
            name: SliceCodes(merged.column(one.code, fresh.slices[name].code), one.size, one.members)
            for name, one in old.slices.items()
        },
        numbers={name: merged.column(one, fresh.numbers[name]) for name, one in old.numbers.items()},
        values={name: numbered(name) for name in old.values},
        unit=None if old.unit is None else numbered("@unit").astype(np.int64),
        outer_where=optional(old.outer_where, fresh.outer_where),
        on=optional(old.on, fresh.on),
        crossings=old.crossings,
    )
