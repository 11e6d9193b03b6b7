"""Explaining a value: the very rows behind it, those left out with the reason, and the value recomputed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from bluemirror.errors import FamilyError

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Attribute, Block, Family
    from bluemirror.variables.explain_rows import Reader
    from bluemirror.variables.explanation import Explanation
    from bluemirror.variables.mart_row import Row
    from bluemirror.variables.question import Question
    from bluemirror.variables.tables import Catalog
    from bluemirror.variables.tensors import Tensor
    from bluemirror.variables.variable import Variable
    from bluemirror.workspace import Workspace


def explain(
    workspace: Workspace, name: str, observation_id: str, observation_set: str | None = None
) -> Explanation:
    """Explain the value of a variable for one observation.

    Parameters
    ----------
    observation_set
        The set that holds the observation; the first of the spine by default.

    Returns
    -------
    Explanation
        With the rows that count, those that do not, the stored value and the value recomputed from the rows.

    Raises
    ------
    FamilyError
        If the variable or the observation does not exist, or the set has not been built.
    """
    with Explainer(workspace, observation_set) as explainer:
        return explainer.explain(name, observation_id)


class Explainer:
    """Explains many values of one observation set over one state of the mart; to be used in a ``with``.

    Only what the asked variables need is read: their family files, the contracts of the tables behind them.
    """

    def __init__(self, workspace: Workspace, observation_set: str | None = None) -> None:
        import duckdb

        from bluemirror.mart.manifests import read_snapshot
        from bluemirror.variables.spine import read_spine

        self.workspace = workspace
        self.set = observation_set
        self.spine = read_spine(workspace)
        self.connection = duckdb.connect()
        self._state = read_snapshot(workspace)
        self._variables: dict[str, tuple[Block, Variable]] = {}
        self._contracts: dict[str, Contract] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def explain(self, name: str, observation_id: str) -> Explanation:
        """See :func:`explain`."""
        block, variable = self._variable(name)
        which = self.set or self.spine.set_of(block.entity)
        observation = _observation(self.workspace, which, observation_id)
        return self._explain(which, block, variable, observation)

    def _variable(self, name: str) -> tuple[Block, Variable]:
        """The variable called ``name`` and its block."""
        from bluemirror.variables.catalogue import find
        from bluemirror.variables.language import load_blocks
        from bluemirror.variables.needed import blocks_for
        from bluemirror.variables.plan import block_variables

        if name not in self._variables:
            for block in blocks_for(self.workspace, name):
                self._variables |= {one.name: (block, one) for one in block_variables(block)}
        if name not in self._variables:
            # Whoever misspelt a name is told the nearest of all.
            find((one for block in load_blocks(self.workspace) for one in block_variables(block)), name)
        return self._variables[name]

    def _catalog(self, family: Family) -> Catalog:
        """The contracts of the tables that ``family`` reads; their views are there from now on."""
        from bluemirror.contracts import read_contracts
        from bluemirror.mart.connect import define_views
        from bluemirror.mart.manifests import Snapshot
        from bluemirror.variables.needed import tables_of
        from bluemirror.variables.tables import Catalog

        missing = tables_of(family) - {table.name for one in self._contracts.values() for table in one.tables}
        if missing:
            for source, contract in read_contracts(self.workspace.contracts_dir, declaring=missing).items():
                if source not in self._contracts:
                    self._contracts[source] = contract
                    # Of its own source alone: looking a table up takes time that grows with the deliveries of all.
                    its = Snapshot({source: self._state.of(source)})
                    define_views(self.connection, self.workspace, contract, its)
        return Catalog(self._contracts)

    def _explain(
        self, which: str, block: Block, variable: Variable, observation: Mapping[str, Any]
    ) -> Explanation:
        from bluemirror.variables.by_hand import combine
        from bluemirror.variables.explanation import Explanation
        from bluemirror.variables.question import Answer, Question, answer, attribute_value, locate, looked_at
        from bluemirror.variables.reasons import ANSWERED, NO_HIT, REASONS

        stored, reason = _stored(self.workspace, which, block, variable.name, observation["observation_id"])
        answered = reason == ANSWERED or (reason == NO_HIT and block.miss == "zero")
        empty = Explanation(
            variable, observation["observation_id"], observation["as_of"], REASONS[reason], stored, None
        )
        made = next((one for one in block.combinations if f"{block.name}_{one.name}" == variable.name), None)
        if made is not None:
            left, right = (
                self._explain(which, *self._variable(side), observation) for side in (made.left, made.right)
            )
            value = None
            if left.recomputed is not None and right.recomputed is not None:
                value = combine(made.operator, left.recomputed, right.recomputed)
            if not block.families:
                # The block's reason is that of any of its sources; this number asks two of them.
                said = [f"{one.variable.source} {one.answered}" for one in (left, right)]
                empty = replace(empty, answered="; ".join(dict.fromkeys(said)))
                if left.answered == right.answered:
                    empty = replace(empty, answered=left.answered)
            return replace(empty, recomputed=value, parts=(left, right))
        family = next(one for one in block.families if one.name == variable.family)
        found = locate(block, family, variable.name)
        question = found if isinstance(found, Question) else None
        attribute = found[0] if isinstance(found, tuple) else None
        reader = _reader(self.connection, self._catalog(family), block, family, question, attribute)
        rows = reader.rows(observation)
        if isinstance(found, Question):
            computed = answer(family, found, reader, rows)
            if len(reader.references) == 1:
                empty = replace(empty, window=looked_at(family, found, *reader.references))
        else:
            computed = Answer(attribute_value(reader, rows, observation, found))
        scale = question.tensor.measure.scale if question else attribute.scale if attribute else 1.0
        personal, keys = _personal(reader), _keys(reader)
        shown = tuple(
            _shown(reader, row, question.tensor if question else None, scale, personal, keys) for row in rows
        )
        return replace(
            empty,
            recomputed=computed.value if answered else None,
            rows=shown,
            units={_unit(reader, unit): value for unit, value in computed.units.items()},
        )


def _stored(
    workspace: Workspace, which: str, block: Block, name: str, observation_id: str
) -> tuple[float | None, int]:
    """The stored value and the block's reason."""
    import polars as pl

    from bluemirror.variables.store import variable_files

    files = variable_files(workspace, which, block.name)
    reason = f"{block.name}__reason"
    if files and name in pl.scan_parquet(files[0]).collect_schema():
        asked = pl.scan_parquet(files).filter(pl.col("observation_id") == observation_id).select(name, reason)
        found = asked.collect()
        if len(found):
            return found.row(0)
    raise FamilyError(
        f"{name} of {observation_id} is not stored",
        file=workspace.variables / which / block.name,
        rule="values are explained after they are computed",
        fix="run: bluemirror features",
    )


def _observation(workspace: Workspace, which: str, observation_id: str) -> dict[str, Any]:
    import polars as pl

    from bluemirror.variables.store import variable_files

    files = variable_files(workspace, which, "observations")
    if not files:
        raise FamilyError(
            f"the observations {which} have not been built",
            file=workspace.variables / which,
            rule="values are explained after they are computed",
            fix="run: bluemirror features",
        )
    found = pl.scan_parquet(files).filter(pl.col("observation_id") == observation_id).collect()
    if not len(found):
        some = pl.scan_parquet(files).select("observation_id").head(3).collect()["observation_id"].to_list()
        raise FamilyError(
            f"there is no observation {observation_id!r}",
            field=observation_id,
            rule=f"observation ids are those of the set {which}",
            fix=f"name one of them, for example {', '.join(some)}",
        )
    return dict(found.row(0, named=True))


def _reader(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    family: Family,
    question: Question | None,
    attribute: Attribute | None,
) -> Reader:
    from bluemirror.variables.explain_rows import Reader

    if question is None:
        of = attribute.column if attribute else None
        return Reader(connection, catalog, block, family, of, (), ())
    tensor = question.tensor
    measure = tensor.measure
    return Reader(connection, catalog, block, family, measure.of, tensor.slices, tensor.outer, measure.by)


def _personal(reader: Reader) -> set[str]:
    """Columns with personal values, which are not shown."""
    return {column for one in reader.table.fields if one.personal for column, _ in one.columns}


def _keys(reader: Reader) -> set[str]:
    """Columns with keyed hashes, which are not shown in full."""
    keyed = [one for one in reader.table.fields if one.key is not None]
    return {column for one in keyed for column, _ in (*one.columns, *one.part_columns)}


def _unit(reader: Reader, unit: Any) -> str:
    """A unit of the middle level as it is shown: its number in its document, or what its column says."""
    if isinstance(unit, tuple):
        return str(unit[1])
    per = reader.family.per
    return f"{str(unit)[:8]}..." if per is not None and per.key in _keys(reader) else str(unit)


def _scaled(value: Any, scale: float) -> Any:
    """A number as the variable counts it: yuan of fen."""
    return value if scale == 1.0 or not isinstance(value, (int, float, Decimal)) else float(value) * scale


def _shown(
    reader: Reader, row: Row, tensor: Tensor | None, scale: float, personal: set[str], keys: set[str]
) -> Any:
    """A row as it may be shown: no personal value, no key in full."""
    from bluemirror.variables.explanation import ShownRow

    values: dict[str, Any] = {}
    asked: list[tuple[str, Any]] = []
    if reader.family.via is not None and reader.family.match[0] in row.mart:
        # Whose row it is: neighbours are many.
        asked.append((reader.family.match[0], row.mart[reader.family.match[0]]))
    asked += [(one.column, row.slices.get(one.name)) for one in reader.slices]
    asked += [(one.column, row.outer.get(one.name)) for one in reader.outer]
    if reader.of is not None:
        asked.append((reader.of, _scaled(row.of, scale)))
    if reader.by is not None:
        asked.append((reader.by, row.by))
    if reader.family.windows.along is not None:
        asked.append((reader.family.windows.along, row.mart.get("_on")))
    for column, value in asked:
        if column in keys and value is not None:
            values[column] = f"{str(value)[:8]}..."
        elif column in personal and value is not None:
            values[column] = "(personal)"
        else:
            values[column] = value
    unit = None if row.unit is None else _unit(reader, row.unit)
    part = ""
    if not row.reason and tensor is not None and tensor.form != "value":
        both = "numerator" if tensor.form == "growth" else "numerator and denominator"
        part = both if row.in_numerator else "denominator"
    return ShownRow(
        file=row.mart["_file"],
        line=row.mart["_line"],
        event_time=row.mart["event_time"],
        known_time=row.mart["known_time"],
        counts=not row.reason,
        reason=row.reason or part,
        unit=unit,
        values=values,
    )
