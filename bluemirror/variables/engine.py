"""From a block's declarations and observations to its variables: one shard is one pure function.

Loading is done once a block; a shard of observations is then computed from arrays alone, so shards can run on
threads, and one fresh applicant is a shard of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.variables.ages import MICROSECONDS_A_DAY, ages, buckets, placed, recency
from bluemirror.variables.cells import Rows
from bluemirror.variables.children import FamilyTable
from bluemirror.variables.combining import COMBINED, combined
from bluemirror.variables.declarations import Attribute, Block, Family
from bluemirror.variables.grouped import Ints
from bluemirror.variables.load import Aliases, family_arrays
from bluemirror.variables.loaded import LoadedRows, SliceCodes
from bluemirror.variables.plan import Variable, attribute_variables, block_variables
from bluemirror.variables.reading import BlockRows, GroupRows, LoadKey, load_key, times
from bluemirror.variables.reasons import (
    ANSWERED,
    NO_HIT,
    NOT_APPLICABLE,
    CallLedger,
    Outcomes,
    answer_reasons,
)
from bluemirror.variables.relations import LinkedPairs
from bluemirror.variables.resolve import Moments, Resolved, below, known_rows, times_of
from bluemirror.variables.spine import Spine
from bluemirror.variables.tables import Catalog, KeyedTable
from bluemirror.variables.tensor_kernel import Shard, Way, fold_units, ways

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from bluemirror.contracts import Contract

Floats32 = NDArray[np.float32]


class BlockEngine:
    """A block over a fixed set of observations, loaded and ready to compute any range of them.

    Parameters
    ----------
    rows
        What the block reads.
    chunk
        Which chunk of it.
    calls
        The call ledger of these observations or of more, where several blocks share it.
    """

    def __init__(self, rows: BlockRows, chunk: int, calls: CallLedger) -> None:
        self._spell_out(rows.block, rows.catalog)
        self.observations = rows.chunks[chunk]
        self.as_of: Ints = times(self.observations)
        self.index = self.observations.select("observation_id").with_row_index("index")
        self._ids: dict[str, Ints] = {}
        self._headers: dict[LoadKey, KeyedTable] = {}
        self._tables: dict[str, FamilyTable] = {}
        self._links: dict[str, LinkedPairs] = {}
        self._attributes: dict[str, dict[tuple[str, bool, str | None], Floats32]] = {}
        for key, group in rows.groups.items():
            self._arrange(key, group, chunk)
        self.ledger: Outcomes | None = calls.about(rows.block.source, self.observations)

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        block: Block,
        contracts: Mapping[str, Contract],
        spine: Spine,
        observations: pl.DataFrame,
        calls: CallLedger | None = None,
    ) -> BlockEngine:
        """The engine of ``block`` over the mart.

        Parameters
        ----------
        connection
            Over the mart (``bluemirror.connect``); used while reading only.
        observations
            observation_id, the entity's key, as_of and every key that the families match; sorted by observation_id.
        """
        catalog = Catalog(contracts)
        calls = calls or CallLedger.read(connection, catalog, spine, [observations])[0]
        return cls(BlockRows(connection, block, catalog, [observations]), 0, calls)

    def _spell_out(self, block: Block, catalog: Catalog) -> None:
        """Names and tensors once: a single applicant must not pay for spelling them out again."""
        self.block = block
        self.variables = block_variables(block)
        self._ways = {family.name: ways(family) for family in block.families}
        self._asked = {family.name: tuple(attribute_variables(block, family)) for family in block.families}
        self._key_of = {family.name: load_key(catalog, block, family) for family in block.families}
        self._index = {one.name: place for place, one in enumerate(self.variables)}
        self._places = _places(self.variables, block)
        self._combinations = _steps(block, self._index)
        self._nothing: dict[str, Floats32] = {}

    def _arrange(self, key: LoadKey, group: GroupRows, chunk: int) -> None:
        """Turn the rows of a group into the arrays of its families."""
        keyed = group.keyed(chunk)
        self._headers[key] = keyed
        matched = group.members[0].match[1]
        if not group.links and matched not in self._ids:
            self._ids[matched] = group.keys[chunk].ids(self.observations[matched])
        for family in group.members:
            if group.links:
                self._links[family.name] = group.links[chunk]
            if family.table != group.table.name:
                continue
            arrays = family_arrays(keyed.loaded, family, group.columns[family.name], self.index)
            self._tables[family.name] = FamilyTable(keyed.rows, arrays, None)
            self._attributes[family.name] = attribute_arrays(
                keyed.loaded, group.attributes[family.name], self._asked[family.name]
            )
        for child in group.children:
            self._tables |= child.tables(chunk, len(keyed.loaded), self.index)
        # Only times are needed from here on.
        keyed.loaded.forget()

    # Computing -----------------------------------------------------------------------------------------------

    def compute(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """Variables of the observations ``start:stop``.

        Returns
        -------
        polars.DataFrame
            observation_id, event_timestamp (= as_of), ``<block>__reason`` (Int8), then one Float32 column a variable.
        """
        return cast("pl.DataFrame", pl.from_arrow(self.compute_table(start, stop)))

    def compute_table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """The same as an Arrow table whose columns are the rows of one array: nothing is copied."""
        stop = len(self.as_of) if stop is None else stop
        reason, values = self.compute_values(start, stop)
        observed = self.observations[start:stop].with_columns(event_timestamp="as_of")
        return as_table(self.block, self.variables, observed, reason, values)

    def compute_values(self, start: int, stop: int) -> tuple[NDArray[np.int8], Floats32]:
        """The block's reason (observations,), and the variables (variables, observations) with nan for null."""
        shard = slice(start, stop)
        as_of = self.as_of[shard]
        reason = self._reasons(shard, as_of)
        values = np.empty((len(self.variables), len(as_of)), dtype=np.float32)
        blank = ~((reason == ANSWERED) | ((reason == NO_HIT) & (self.block.miss == "zero")))
        # Where no source said anything there is nothing to compute.
        for family in () if blank.all() else self.block.families:
            self._family(family, shard, as_of, start, values[self._places[family.name]])
        values[:, blank] = np.nan
        self._combine(values)
        return reason, values

    def _combine(self, values: Floats32) -> None:
        """Fill the rows of the combinations, which come last, from those of their sides."""
        for operator, into, left, right in self._combinations:
            values[into] = combined(operator, values[left], values[right])

    def _moments(self, family: Family, shard: slice, as_of: Ints) -> Moments:
        return Moments(self._ids[family.match[1]][shard], as_of)

    def _reasons(self, shard: slice, as_of: Ints) -> NDArray[np.int8]:
        first = next((one for one in self.block.families if one.via is None), None)
        if first is None:
            return np.full(len(as_of), ANSWERED, dtype=np.int8)
        keyed = self._headers[self._key_of[first.name]]
        moments = self._moments(first, shard, as_of)
        ledger = None if self.ledger is None else self.ledger.outcomes(shard, as_of)
        if keyed.table.kind == "answer":
            newest = keyed.resolve(moments).newest(len(as_of))
            return answer_reasons(newest, keyed.hit, ledger)
        reason = np.full(len(as_of), ANSWERED, dtype=np.int8) if ledger is None else ledger
        # Without the key by which the source knows it, the question does not arise.
        reason[moments.group < 0] = NOT_APPLICABLE
        return reason

    def _family(self, family: Family, shard: slice, as_of: Ints, start: int, into: Floats32) -> None:
        """Fill ``into`` (variables of the family, observations)."""
        keyed = self._headers[self._key_of[family.name]]
        table = self._tables[family.name]
        count = len(as_of)
        if family.via is not None:
            links = self._links[family.name]
            owner, group = links.pairs(shard, as_of)
            moments = Moments(group, as_of[owner])
        else:
            owner = np.arange(count)
            moments = self._moments(family, shard, as_of)
        found = keyed.resolve(moments)
        asked = len(self._asked[family.name])
        self._attribute_values(family, keyed, found, moments, into[:asked])
        if not family.measures:
            return
        into = into[asked:]
        reference = moments.as_of
        child = family.table != keyed.table.name
        if keyed.table.kind == "state" and not child:
            # A state's measures look at all states so far: how often it changed, how many values it took.
            found = known_rows(keyed.rows, moments)
        elif keyed.table.kind in ("answer", "state"):
            newest = found.newest(len(moments.group))
            if keyed.table.kind == "answer":
                reference = times_of(keyed.rows, newest, moments.as_of)
            # What hangs under a state counts while the state holds, and is as old as it is at as_of.
            if child and table.level is None:
                found = below(table.rows, newest, reference)
            elif table.level is not None:
                self._two_levels(family, table, newest, reference, into)
                return
        found = self._kept(table, found, owner, start)
        if not len(found.row):
            self._of_nothing(family, table, into)
            return
        if family.per is not None:
            self._keyed_units(family, table, found, owner, reference, into)
            return
        unit = owner[found.owner]
        rows = _rows(family, table, found.row, unit, reference[found.owner], count)
        computed = Shard(rows)
        _fill(into, (computed.values(way) for way in self._ways[family.name]))

    def _of_nothing(self, family: Family, table: FamilyTable, into: Floats32) -> None:
        """Fill ``into`` with the values of no rows at all, which are the same for everybody."""
        if family.name not in self._nothing:
            values = np.empty((len(into), 1), dtype=np.float32)
            none = Resolved(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
            if family.per is None:
                rows = _rows(family, table, none.row, none.owner, none.owner, 1)
                computed = Shard(rows)
                _fill(values, (computed.values(way) for way in self._ways[family.name]))
            elif table.level is None:
                self._keyed_units(family, table, none, none.owner, none.owner, values)
            else:
                self._units(family, table, none.row, none.owner, none, none.owner, values)
            # Whole before it is seen: another thread may be computing another shard.
            self._nothing[family.name] = values
        into[:] = self._nothing[family.name]

    def _kept(self, table: FamilyTable, found: Resolved, owner: Ints, start: int) -> Resolved:
        keep = np.ones(len(found.row), dtype=bool)
        if table.arrays.where is not None:
            keep &= table.arrays.where[found.row]
        if table.arrays.exclude is not None:
            keep &= table.arrays.exclude[found.row] != owner[found.owner] + start
        return found if keep.all() else Resolved(found.owner[keep], found.row[keep])

    def _two_levels(
        self, family: Family, table: FamilyTable, newest: Ints, reference: Ints, into: Floats32
    ) -> None:
        """Rows -> units under the answer -> observations."""
        assert table.level is not None
        units = below(table.level.rows, newest, reference)
        owner, unit_row = units.owner, units.row
        if table.level.arrays.where is not None:
            keep = table.level.arrays.where[unit_row]
            owner, unit_row = owner[keep], unit_row[keep]
        found = below(table.rows, unit_row, reference[owner])
        if table.arrays.where is not None:
            keep = table.arrays.where[found.row]
            found = Resolved(found.owner[keep], found.row[keep])
        if len(unit_row):
            self._units(family, table, unit_row, owner, found, reference[owner], into)
        else:
            self._of_nothing(family, table, into)

    def _units(
        self,
        family: Family,
        table: FamilyTable,
        unit_row: Ints,
        owner: Ints,
        found: Resolved,
        reference: Ints,
        into: Floats32,
    ) -> None:
        """Fold the rows ``found`` of the units ``unit_row`` (each with its observation and reference)."""
        assert table.level is not None
        rows = _rows(family, table, found.row, found.owner, reference[found.owner], len(unit_row))
        outer = {name: one[unit_row] for name, one in table.level.arrays.slices.items()}
        self._folded(family, rows, owner, outer, into)

    def _keyed_units(
        self,
        family: Family,
        table: FamilyTable,
        found: Resolved,
        owner: Ints,
        reference: Ints,
        into: Floats32,
    ) -> None:
        """Rows -> the units that a column names -> observations; a unit's own columns are those of its newest row."""
        assert table.arrays.unit is not None
        assert family.per is not None
        who, ids = owner[found.owner], table.arrays.unit[found.row]
        width = int(ids.max(initial=0)) + 2
        keys, unit = np.unique(who * width + ids + 1, return_inverse=True)
        unit_owner = keys // width
        newest = np.zeros(len(keys), dtype=np.int64)
        newest[unit] = found.row
        if table.arrays.outer_where is not None:
            kept = table.arrays.outer_where[newest]
            position = np.cumsum(kept) - 1
            rows_kept = kept[unit]
            found = Resolved(found.owner[rows_kept], found.row[rows_kept])
            unit, unit_owner, newest = position[unit[rows_kept]], unit_owner[kept], newest[kept]
        rows = _rows(family, table, found.row, unit, reference[found.owner], len(newest))
        outer = {one.name: table.arrays.slices[one.name][newest] for one in family.per.slices}
        self._folded(family, rows, unit_owner, outer, into)

    def _folded(
        self, family: Family, rows: Rows, owner: Ints, outer: dict[str, SliceCodes], into: Floats32
    ) -> None:
        computed = Shard(rows)

        def folded(way: Way) -> NDArray[np.float64]:
            tensor = way.tensor
            assert tensor.over is not None
            slices = [outer[one.name] for one in tensor.outer]
            return fold_units(computed.values(way), owner, slices, into.shape[1], tensor.over)

        _fill(into, (folded(way) for way in self._ways[family.name]))

    def _attribute_values(
        self, family: Family, keyed: KeyedTable, found: Resolved, moments: Moments, into: Floats32
    ) -> None:
        """Fill ``into`` (age and attributes of the family, observations) from the newest row of each moment."""
        if not len(into):
            return
        newest = found.newest(len(moments.group))
        present = newest >= 0
        for values, (_, attribute, code) in zip(into, self._asked[family.name], strict=True):
            if attribute is None:
                event = times_of(keyed.rows, newest, moments.as_of)
                age = moments.as_of // MICROSECONDS_A_DAY - event // MICROSECONDS_A_DAY
                values[:] = np.where(present, age, np.nan)
                continue
            numbers = self._attributes[family.name][attribute.column, attribute.coded, code]
            values[:] = np.where(present, numbers[newest] if len(numbers) else np.nan, np.nan)


def _steps(block: Block, index: Mapping[str, int]) -> list[tuple[str, list[int], list[int], list[int]]]:
    """Combinations as steps (operator, into, left, right): one an operator, what builds on another one after it."""
    steps: list[tuple[str, list[int], list[int], list[int]]] = []
    made: set[str] = set()
    for one in block.combinations:
        if not steps or {one.left, one.right} & made:
            steps, made = [*steps, *_no_steps()], set()
        step = next(step for step in steps[-len(COMBINED) :] if step[0] == one.operator)
        step[1].append(index[f"{block.name}_{one.name}"])
        step[2].append(index[one.left])
        step[3].append(index[one.right])
        made.add(f"{block.name}_{one.name}")
    return [step for step in steps if step[1]]


def _no_steps() -> list[tuple[str, list[int], list[int], list[int]]]:
    return [(operator, [], [], []) for operator in COMBINED]


def _places(variables: Sequence[Variable], block: Block) -> dict[str, slice]:
    """Which of a block's variables are those of each family; they stand together."""
    found, first = {}, 0
    count = Counter(one.family for one in variables)
    for family in block.families:
        found[family.name] = slice(first, first + count[family.name])
        first += count[family.name]
    return found


def attribute_arrays(
    loaded: LoadedRows, aliases: Aliases, asked: Iterable[tuple[Variable, Attribute | None, str | None]]
) -> dict[tuple[str, bool, str | None], Floats32]:
    """Every attribute that is asked of some rows: (column, whether it is a code, code) -> a number a row."""
    return {
        (one.column, one.coded, code): _attribute_numbers(loaded, aliases[one.column, one.coded], one, code)
        for _, one, code in asked
        if one is not None
    }


def _attribute_numbers(loaded: LoadedRows, alias: str, one: Attribute, code: str | None) -> Floats32:
    """An attribute of each loaded row as the number that is stored: a flag, a place in an order, a scaled value."""
    column = loaded.column(alias)
    if code is not None:
        column = (column == code).cast(pl.Float64)
    elif one.ordinal is not None:
        column = column.replace_strict(
            list(one.ordinal), list(one.ordinal.values()), default=None, return_dtype=pl.Float64
        )
    numbers = column.fill_null(float("nan")).to_numpy()
    return (numbers if code is not None else numbers * one.scale).astype(np.float32)


def _fill(into: Floats32, tensors: Iterable[NDArray[np.float64]]) -> None:
    """Write tensors (..., observations) below each other."""
    first = 0
    for values in tensors:
        flat = values.reshape(-1, into.shape[1])
        into[first : first + len(flat)] = flat
        first += len(flat)
    assert first == len(into)


def as_table(
    block: Block,
    variables: Sequence[Variable],
    observed: pl.DataFrame,
    reason: NDArray[np.int8],
    values: Floats32,
) -> pa.Table:
    """The table of one shard: who, as of when, the block's reason, and ``values`` (variables, observations)."""
    import pyarrow as pa

    oldest = pl.CompatLevel.oldest()
    return pa.table(
        {
            "observation_id": observed["observation_id"].to_arrow(compat_level=oldest),
            "event_timestamp": observed["event_timestamp"].to_arrow(compat_level=oldest),
            f"{block.name}__reason": pa.array(reason),
            **dict(zip((one.name for one in variables), nullable(values), strict=True)),
        }
    )


def nullable(values: Floats32) -> list[pa.Array]:
    """Each row of ``values`` as an Arrow array over the same memory; nan is null."""
    import pyarrow as pa

    missing = np.isnan(values)
    counts = missing.sum(axis=1)
    bits = np.packbits(~missing, axis=1, bitorder="little")
    length, kind = values.shape[1], pa.float32()
    return [
        pa.Array.from_buffers(
            kind, length, [pa.py_buffer(bits[row]) if nulls else None, pa.py_buffer(values[row])], nulls
        )
        for row, nulls in enumerate(counts.tolist())
    ]


def _rows(family: Family, table: FamilyTable, row: Ints, unit: Ints, reference: Ints, units: int) -> Rows:
    """The rows of one family in one shard, with their ages and buckets."""
    if table.arrays.on is None:
        time = table.rows.columns["event_time"][row]
    else:
        time = table.arrays.on[row]
        kept = placed(time, reference, family.windows)
        row, unit, reference, time = row[kept], unit[kept], reference[kept], time[kept]
    if not _in_order(unit, time):
        order = np.lexsort((time, unit))
        row, unit, reference, time = row[order], unit[order], reference[order], time[order]
    age = ages(time, reference, family.windows)
    arrays = table.arrays
    return Rows(
        units=units,
        unit=unit,
        time=time,
        age=age,
        bucket=buckets(age, family.windows),
        recency=recency(time, reference, family.windows),
        slices={one.name: arrays.slices[one.name][row] for one in family.slices},
        numbers={name: column[row] for name, column in arrays.numbers.items()},
        values={name: column[row] for name, column in arrays.values.items()},
        windows=len(family.windows.sizes),
        month_days=family.windows.unit == "day",
        crossings=arrays.crossings,
    )


def _in_order(unit: Ints, time: Ints) -> bool:
    if len(unit) < 2:
        return True
    step = np.diff(unit)
    return bool(((step > 0) | ((step == 0) & (np.diff(time) >= 0))).all())
