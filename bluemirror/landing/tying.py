"""Tying the rows of a relational copy together: which record each belongs to, and which row it hangs under.

All files of a batch are tied at once, because a file often holds a handful of records in half a hundred tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.landed import LineFault
from bluemirror.landing.plan import Plan
from bluemirror.landing.relational import RelationalPlan, RelationalTable
from bluemirror.landing.tree import PLACE

if TYPE_CHECKING:
    import polars as pl

FILE, LINE, SEQ, UP = PLACE


class Tying:
    """The tables of some files, tied.

    Parameters
    ----------
    plan, relational
        The compiled extraction, and its tables.
    frames
        Table name -> its rows in the order of files and lines: the file's number, its keys and its columns.

    Attributes
    ----------
    refused
        File number -> what is wrong with its keys, and the column.
    counts
        File number -> records.
    lines
        Records that have two rows where one is due.
    scopes
        Scope number -> frame of the place columns and the slots.
    """

    def __init__(self, plan: Plan, relational: RelationalPlan, frames: Mapping[str, pl.DataFrame]) -> None:
        import polars as pl

        self.refused: dict[int, tuple[str, str]] = {}
        self.lines: list[LineFault] = []
        self.scopes: dict[int, pl.DataFrame] = {}
        self._names = relational.names
        self._rows: dict[str, pl.DataFrame] = {}
        root = frames[relational.root.name]
        self.counts = dict(root.group_by(FILE).len().iter_rows())
        self._unique(relational.root.name, self._names.document, root)
        records = root.select(FILE, self._names.document, _counted([FILE]).alias(LINE) + 1)
        values = []
        for table in relational.tables:
            frame = frames[table.name].filter(~pl.col(FILE).is_in(list(self.refused)))
            placed = self._by_parent(table, frame) if table.above else self._by_record(table, frame, records)
            if table.scope == 0:
                placed = self._one_a_record(table, placed)
                values.append((table, placed))
            else:
                slots = {slot: column for column, slot in table.columns}
                own = [
                    pl.col(slots[slot]).alias(slot) for slot in plan.scopes[table.scope].slots[len(PLACE) :]
                ]
                self.scopes[table.scope] = placed.select(*PLACE, *own)
            if table.numbered:
                self._unique(table.name, self._names.row, placed)
                self._rows[table.name] = placed.select(FILE, self._names.row, LINE, SEQ)
        self.scopes[0] = _record_scope(plan, records, values)
        if self.refused:
            for number, frame in self.scopes.items():
                self.scopes[number] = frame.filter(~pl.col(FILE).is_in(list(self.refused)))

    def _unique(self, table: str, column: str, frame: pl.DataFrame) -> None:
        import polars as pl

        wrong = frame.filter(pl.col(column).is_null() | pl.struct(FILE, column).is_duplicated())
        for number in wrong[FILE].unique().to_list():
            self.refused.setdefault(number, (f"{table}: {column} is empty or repeated", column))

    def _lost(self, table: str, column: str, placed: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        lost = placed.filter(pl.col(LINE).is_null())
        for number, count in lost.group_by(FILE).len().iter_rows():
            self.refused.setdefault(number, (f"{table}: {count} rows whose {column} is nowhere", column))
        return placed.filter(pl.col(LINE).is_not_null()) if lost.height else placed

    def _by_record(self, table: RelationalTable, frame: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        key = self._names.document
        # A record's name that repeats would repeat its rows; its file is refused already.
        known = records.unique([FILE, key], keep="first", maintain_order=True)
        placed = self._lost(
            table.name, key, frame.join(known, on=[FILE, key], how="left", maintain_order="left")
        )
        placed = placed.sort(FILE, LINE, maintain_order=True)
        return placed.with_columns(_counted([FILE, LINE]).alias(SEQ), pl.lit(0, dtype=pl.Int32).alias(UP))

    def _by_parent(self, table: RelationalTable, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        assert table.above is not None
        key = self._names.parent
        above = self._rows[table.above].select(
            FILE, pl.col(self._names.row).alias(key), LINE, pl.col(SEQ).alias(UP)
        )
        above = above.unique([FILE, key], keep="first", maintain_order=True)
        placed = self._lost(
            table.name, key, frame.join(above, on=[FILE, key], how="left", maintain_order="left")
        )
        placed = placed.sort(FILE, LINE, UP, maintain_order=True)
        return placed.with_columns(_counted([FILE, LINE]).alias(SEQ))

    def _one_a_record(self, table: RelationalTable, placed: pl.DataFrame) -> pl.DataFrame:
        """The first row of each record; a record with another is rejected."""
        import polars as pl

        more = placed.filter(pl.col(SEQ) > 0)
        for number, line in more.select(FILE, LINE).unique(maintain_order=True).iter_rows():
            detail = f"{table.name} has more than one row for this record"
            self.lines.append(LineFault(number, line, "relational_keys", detail))
        return placed.filter(pl.col(SEQ) == 0) if more.height else placed


def _counted(within: Sequence[str]) -> pl.Expr:
    import polars as pl

    return pl.int_range(pl.len(), dtype=pl.Int32).over(within)


def _record_scope(
    plan: Plan, records: pl.DataFrame, values: Sequence[tuple[RelationalTable, pl.DataFrame]]
) -> pl.DataFrame:
    """One row a record, with the values of all wrappers side by side."""
    import polars as pl

    whole = records.select(FILE, LINE)
    for table, placed in values:
        mine = placed.select(FILE, LINE, *(pl.col(column).alias(slot) for column, slot in table.columns))
        whole = whole.join(mine, on=[FILE, LINE], how="left", maintain_order="left")
    zero = pl.lit(0, dtype=pl.Int32)
    return whole.select(FILE, LINE, zero.alias(SEQ), zero.alias(UP), *plan.scopes[0].slots[len(PLACE) :])
