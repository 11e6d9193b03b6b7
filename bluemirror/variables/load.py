"""From the mart to sorted arrays: one load for all families of a block that read the same table in the same way.

A load holds no row of a key that no observation has. Versions of one business key are not picked here: each row
gets the moment from which a newer version was known (``superseded``), so that picking is a comparison later on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.crossing import Crossing
from bluemirror.variables.declarations import Family, Slice
from bluemirror.variables.grouped import Ints
from bluemirror.variables.loaded import LoadedRows, SliceCodes
from bluemirror.variables.operators import OPERATORS


@dataclass
class Request:
    """The columns that a set of families asks of one table: SQL expressions, each once, under an alias."""

    expressions: dict[str, str] = field(default_factory=dict)

    def alias(self, expression: str) -> str:
        """The alias under which ``expression`` is selected."""
        return self.expressions.setdefault(expression, f"c{len(self.expressions)}")

    def select(self) -> str:
        """The select list, each entry preceded by a comma."""
        return "".join(f", ({expression}) AS {alias}" for expression, alias in self.expressions.items())


def column_sql(columns: Mapping[str, str], name: str) -> str:
    """The expression of a column: a computed one of the family, or the table's own."""
    return columns[name] if name in columns else f"t.{quote(name)}"


@dataclass(frozen=True)
class FamilyColumns:
    """Where the columns of one family stand in the loaded table (aliases)."""

    where: str | None
    exclude: str | None
    codes: Mapping[str, str]
    numbers: Mapping[str, str]
    values: Mapping[str, str]
    unit: str | None
    outer_where: str | None = None
    on: str | None = None


def request_family(request: Request, family: Family) -> FamilyColumns:
    """Ask for everything that the rows of ``family`` need."""
    numbers, values = {}, {}
    for measure in family.measures:
        if measure.of is None:
            continue
        expression = column_sql(family.columns, measure.of)
        kernels = {OPERATORS[agg].kernel for agg in measure.aggs}
        if "value" in kernels:
            values[measure.of] = request.alias(expression)
        if measure.by is not None:
            by = column_sql(family.columns, measure.by)
            if "value" in kernels:
                numbers[measure.by] = request.alias(f"CAST({by} AS DOUBLE)")
            else:
                # Both halves of a ratio over the same rows: those that have both.
                for half, first, second in (
                    (f"{measure.of}|{measure.by}", expression, by),
                    (f"{measure.by}|{measure.of}", by, expression),
                ):
                    sql = f"CASE WHEN ({second}) IS NOT NULL THEN {first} END"
                    numbers[half] = request.alias(f"CAST({sql} AS DOUBLE)")
        elif kernels - {"value"}:
            numbers[measure.of] = request.alias(f"CAST({expression} AS DOUBLE)")
    unit = None
    codes = _slices(request, family.slices, family.columns)
    if family.per is not None and family.per.key is not None:
        unit = request.alias(f"CAST({column_sql(family.columns, family.per.key)} AS VARCHAR)")
        codes |= _slices(request, family.per.slices, {**family.columns, **family.per.columns})
    return FamilyColumns(
        where=request.alias(f"coalesce(({family.where}), false)") if family.where else None,
        exclude=request.alias(f"CAST({column_sql(family.columns, family.exclude_self)} AS VARCHAR)")
        if family.exclude_self
        else None,
        codes=codes,
        numbers=numbers,
        values=values,
        unit=unit,
        outer_where=request.alias(f"coalesce(({family.per.where}), false)")
        if family.per is not None and family.per.key is not None and family.per.where
        else None,
        on=request.alias(f"CAST({column_sql(family.columns, family.windows.along)} AS TIMESTAMP)")
        if family.windows.along is not None
        else None,
    )


def _slices(request: Request, slices: Iterable[Slice], columns: Mapping[str, str]) -> dict[str, str]:
    return {
        one.name: request.alias(
            f"CAST({column_sql(columns, one.column)} AS {'DOUBLE' if one.banded else 'VARCHAR'})"
        )
        for one in slices
    }


Aliases = Mapping[tuple[str, bool], str]
"""Column and whether it is a code -> alias."""


def request_families(
    request: Request, families: Iterable[Family]
) -> tuple[dict[str, FamilyColumns], dict[str, Aliases]]:
    """Ask for what families read of the rows themselves: by family its columns, and its attributes."""
    columns = {family.name: request_family(request, family) for family in families}
    attributes: dict[str, Aliases] = {
        family.name: {
            (one.column, one.coded): request.alias(
                f"CAST({column_sql(family.columns, one.column)} AS {'VARCHAR' if one.coded else 'DOUBLE'})"
            )
            for one in family.attributes
        }
        for family in families
    }
    return columns, attributes


def request_level(request: Request, family: Family) -> tuple[str | None, dict[str, str]]:
    """Ask the parent table for the columns of the middle level: (alias of its filter, slice -> alias)."""
    assert family.per is not None
    where = request.alias(f"coalesce(({family.per.where}), false)") if family.per.where else None
    return where, _slices(request, family.per.slices, family.per.columns)


@dataclass(frozen=True)
class FamilyArrays:
    """One family's view of a loaded table; every array is as long as the table."""

    where: NDArray[np.bool_] | None
    exclude: Ints | None
    slices: Mapping[str, SliceCodes]
    numbers: Mapping[str, NDArray[np.float64]]
    values: Mapping[str, NDArray[np.int32]]
    unit: Ints | None
    outer_where: NDArray[np.bool_] | None
    on: Ints | None = None
    crossings: dict[tuple[str, ...], Crossing] = field(default_factory=dict)


def outer_arrays(
    units: LoadedRows, family: Family, where: str | None, slices: Mapping[str, str]
) -> FamilyArrays:
    """What a family with two levels asks of its units: whether one counts, and the slices over them."""
    assert family.per is not None
    return FamilyArrays(
        where=None if where is None else units.flag(where),
        exclude=None,
        slices={one.name: units.codes(one, slices[one.name]) for one in family.per.slices},
        numbers={},
        values={},
        unit=None,
        outer_where=None,
    )


def family_arrays(
    loaded: LoadedRows, family: Family, columns: FamilyColumns, observation_index: pl.DataFrame
) -> FamilyArrays:
    """Take what ``family`` needs from ``loaded`` rows.

    ``observation_index`` has the columns ``observation_id`` and ``index``; it turns the excluded ids into numbers.
    """
    slices = {one.name: one for one in (*family.slices, *(family.per.slices if family.per else ()))}
    return FamilyArrays(
        where=None if columns.where is None else loaded.flag(columns.where),
        exclude=None if columns.exclude is None else loaded.places(columns.exclude, observation_index),
        slices={name: loaded.codes(slices[name], alias) for name, alias in columns.codes.items()},
        numbers={name: loaded.number(alias) for name, alias in columns.numbers.items()},
        values={name: loaded.identity(alias) for name, alias in columns.values.items()},
        unit=None if columns.unit is None else loaded.identity(columns.unit).astype(np.int64),
        outer_where=None if columns.outer_where is None else loaded.flag(columns.outer_where),
        on=None if columns.on is None else loaded.moments(columns.on),
    )
