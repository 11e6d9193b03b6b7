"""SQL expressions of families as functions of one row, for the few rows of a fresh applicant.

A batch lets DuckDB compute the columns of millions of rows; planning the queries of all blocks takes longer than one
applicant may wait. DuckDB's own parser reads each expression once, and the function made from it gives the value that
DuckDB gives (a test holds every expression of the workspace against DuckDB). What is not known here is refused when
the function is made, never guessed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bluemirror.errors import FamilyError
from bluemirror.variables.applicant import row_functions as sql

if TYPE_CHECKING:
    import duckdb

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
RowFunction = Callable[[Row, "Row | None", "Row | None", Rows], tuple[Any, ...]]
"""Values of one row: from the row, its parent row, its header row, and all rows of its document by table."""

TYPES = {
    "BIGINT": "int",
    "INTEGER": "int",
    "SMALLINT": "int",
    "DOUBLE": "float",
    "FLOAT": "float",
    "VARCHAR": "str",
    "TEXT": "str",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIMESTAMP": "ts",
}
NUMBERS = ("int", "dec", "float")
COMPARED = {
    "COMPARE_EQUAL": "==",
    "COMPARE_NOTEQUAL": "!=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}


class UnknownSqlError(Exception):
    """An expression holds something that is computed by DuckDB only."""


@dataclass(frozen=True)
class Typed:
    """Python source of an expression, and the type of its value."""

    code: str
    type: str


@dataclass
class Scope:
    """What a name may mean.

    ``rows``: alias -> (Python name of the row, columns with their types); names that stand alone mean the first one.
    ``tables``: those of the document; ``names``: values that the source refers to.
    """

    rows: Mapping[str, tuple[str, Mapping[str, str]]]
    tables: Mapping[str, Mapping[str, str]]
    names: dict[str, Any] = field(default_factory=dict)

    def column(self, path: Sequence[str]) -> Typed:
        """The column that ``path`` names."""
        if len(path) > 1:
            found = [self.rows[path[0]]] if path[0] in self.rows else []
        else:
            found = [one for one in self.rows.values() if path[-1] in one[1]][:1]
        if not found or path[-1] not in found[0][1]:
            raise UnknownSqlError(f"no column {'.'.join(path)}")
        name, columns = found[0]
        return Typed(f"{name}[{path[-1]!r}]", columns[path[-1]])

    def constant(self, value: Any) -> str:
        """A name that stands for ``value`` in the source."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name


def row_function(
    expressions: Sequence[str],
    columns: Mapping[str, Mapping[str, str]],
    tables: Mapping[str, Mapping[str, str]],
    connection: duckdb.DuckDBPyConnection,
) -> RowFunction:
    """The function that computes ``expressions`` of a row.

    Parameters
    ----------
    columns
        For ``t``, ``parent`` and ``header``, as far as the expressions may name them: column -> DuckDB type.
    tables
        The same for the tables of the document, which queries within an expression may read.
    connection
        Any DuckDB connection: its parser is used.

    Raises
    ------
    FamilyError
        If an expression holds what only DuckDB can compute.
    """
    rows = {alias: (alias, _types(found)) for alias, found in columns.items()}
    scope = Scope(rows, {name: _types(found) for name, found in tables.items()})
    codes = []
    for expression in expressions:
        try:
            codes.append(_Compiler(scope).expression(_parsed(connection, expression)).code)
        except UnknownSqlError as error:
            raise FamilyError(
                f"a column cannot be computed for a fresh applicant: {error}",
                field=expression[:200],
                rule="fresh rows are computed without DuckDB, by the functions of row_functions.py",
                fix="write it with functions that are known there, or add the function and its test",
            ) from None
    source = f"lambda t, parent, header, doc: ({''.join(f'{code}, ' for code in codes)})"
    made: RowFunction = eval(source, {"sql": sql, **scope.names})  # noqa: S307 - made from a parsed tree, not from text
    return made


def _types(columns: Mapping[str, str]) -> dict[str, str]:
    return {name: TYPES.get(kind, kind) for name, kind in columns.items()}


def _parsed(connection: duckdb.DuckDBPyConnection, expression: str) -> Mapping[str, Any]:
    ((text,),) = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {expression}"]).fetchall()
    tree = json.loads(text)
    if tree.get("error"):
        raise UnknownSqlError(tree.get("error_message", "it cannot be parsed"))
    node: Mapping[str, Any] = tree["statements"][0]["node"]["select_list"][0]
    return node


class _Compiler:
    """Turns a parsed expression into Python source."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def expression(self, node: Mapping[str, Any]) -> Typed:
        kind = node["class"]
        handler = getattr(self, f"_{kind.lower()}", None)
        if handler is None:
            raise UnknownSqlError(kind)
        found: Typed = handler(node)
        return found

    def all(self, nodes: Sequence[Mapping[str, Any]]) -> list[Typed]:
        return [self.expression(node) for node in nodes]

    def _column_ref(self, node: Mapping[str, Any]) -> Typed:
        return self.scope.column(node["column_names"])

    def _constant(self, node: Mapping[str, Any]) -> Typed:
        literal = node["literal"]
        kind, text = literal["kind"], literal.get("text", "")
        if kind == "STRING":
            return Typed(repr(text), "str")
        if kind == "INTEGER":
            return Typed(repr(int(text)), "int")
        if kind == "NUMERIC":
            if "e" in text.lower():
                return Typed(repr(float(text)), "float")
            return Typed(self.scope.constant(Decimal(text)), "dec")
        if kind == "BOOLEAN":
            return Typed("True" if text == "true" else "False", "bool")
        if kind == "NULL_LITERAL":
            return Typed("None", "null")
        raise UnknownSqlError(f"a constant {kind}")

    def _cast(self, node: Mapping[str, Any]) -> Typed:
        child = self.expression(node["child"])
        name = node["type_expr"]["type_name"].upper()
        if name not in TYPES:
            raise UnknownSqlError(f"a cast to {name}")
        return self.cast(child, TYPES[name], node.get("try_cast", False))

    def cast(self, child: Typed, to: str, lenient: bool = False) -> Typed:
        """A cast; ``lenient`` is TRY_CAST."""
        of, code = child.type, child.code
        if of in (to, "null"):
            return Typed(code, to)
        how = {
            ("int", "float"): "float",
            ("dec", "float"): "float",
            ("bool", "float"): "float",
            ("str", "float"): "sql.number",
            ("bool", "int"): "int",
            ("str", "int"): "sql.whole",
            ("bool", "str"): "sql.text",
            ("int", "str"): "sql.text",
            ("date", "str"): "sql.text",
            ("ts", "str"): "sql.text",
            ("ts", "date"): "sql.day",
            ("date", "ts"): "sql.moment",
            ("int", "dec"): "k_decimal",
        }.get((of, to))
        if how is None and of == "str" and to in ("date", "ts") and code[0] in "'\"":
            parsed = (
                dt.date.fromisoformat(code[1:-1]) if to == "date" else dt.datetime.fromisoformat(code[1:-1])
            )
            return Typed(self.scope.constant(parsed), to)
        if how is None:
            raise UnknownSqlError(f"a cast of {of} to {to}")
        if how == "k_decimal":
            self.scope.names["k_decimal"] = Decimal
        if of == "str" and not lenient:
            # DuckDB refuses the whole query; nothing was stored that it refused.
            lenient = True
        return Typed(self.guarded([code], lambda name: f"{how}({name})"), to)

    def guarded(self, codes: Sequence[str], make: Callable[..., str]) -> str:
        """Source that is None where one of ``codes`` is."""
        names = [self._name() for _ in codes]
        tests = " or ".join(f"({name} := {code}) is None" for name, code in zip(names, codes, strict=True))
        return f"(None if {tests} else {make(*names)})"

    def _name(self) -> str:
        self.scope.names.setdefault("_count", 0)
        self.scope.names["_count"] += 1
        return f"v{self.scope.names['_count']}"

    def _comparison(self, node: Mapping[str, Any]) -> Typed:
        return self._compared(self.expression(node["left"]), self.expression(node["right"]), node["type"])

    def _compared(self, left: Typed, right: Typed, kind: str) -> Typed:
        if kind not in COMPARED:
            raise UnknownSqlError(kind)
        left, right = self.alike(left, right)
        return Typed(
            self.guarded([left.code, right.code], lambda a, b: f"{a} {COMPARED[kind]} {b}"),
            "bool",
        )

    def alike(self, *found: Typed) -> list[Typed]:
        """The same values in one type."""
        types = {one.type for one in found} - {"null"}
        if len(types) <= 1 or types <= {"int", "dec"}:
            return list(found)
        if types <= set(NUMBERS):
            return [self.cast(one, "float") for one in found]
        if types == {"date", "ts"}:
            return [self.cast(one, "ts") for one in found]
        if types <= {"bool", "int"}:
            return [self.cast(one, "int") for one in found]
        raise UnknownSqlError(f"{' beside '.join(sorted(types))}")

    def _between(self, node: Mapping[str, Any]) -> Typed:
        value, low, high = self.all([node["input"], node["lower"], node["upper"]])
        first = self._compared(value, low, "COMPARE_GREATERTHANOREQUALTO")
        second = self._compared(value, high, "COMPARE_LESSTHANOREQUALTO")
        return Typed(f"sql.conjunction({first.code}, {second.code})", "bool")

    def _conjunction(self, node: Mapping[str, Any]) -> Typed:
        name = "conjunction" if node["type"] == "CONJUNCTION_AND" else "disjunction"
        children = ", ".join(one.code for one in self.all(node["children"]))
        return Typed(f"sql.{name}({children})", "bool")

    def _operator(self, node: Mapping[str, Any]) -> Typed:
        kind = node["type"]
        found = self.all(node["children"])
        if kind == "OPERATOR_IS_NULL":
            return Typed(f"({found[0].code} is None)", "bool")
        if kind == "OPERATOR_IS_NOT_NULL":
            return Typed(f"({found[0].code} is not None)", "bool")
        if kind == "OPERATOR_NOT":
            return Typed(self.guarded([found[0].code], lambda one: f"not {one}"), "bool")
        if kind in ("COMPARE_IN", "COMPARE_NOT_IN"):
            found = self.alike(*found)
            code = f"sql.among({', '.join(one.code for one in found)})"
            if kind == "COMPARE_NOT_IN":
                code = self.guarded([code], lambda one: f"not {one}")
            return Typed(code, "bool")
        if kind in ("OPERATOR_COALESCE", "OPERATOR_NULLIF"):
            return self._plain(kind.split("_", 1)[1].lower(), found)
        raise UnknownSqlError(kind)

    def _case(self, node: Mapping[str, Any]) -> Typed:
        checks = node["case_checks"]
        conditions = [self.expression(one["when_expr"]) for one in checks]
        results = [*(self.expression(one["then_expr"]) for one in checks), self.expression(node["else_expr"])]
        results = self.alike(*results)
        code = results[-1].code
        for condition, result in reversed(list(zip(conditions, results[:-1], strict=True))):
            code = f"({result.code} if {condition.code} else {code})"
        return Typed(code, _common(results))

    def _plain(self, name: str, found: Sequence[Typed]) -> Typed:
        """A function that sees nulls."""
        if name == "nullif":
            # The value keeps its own type; only the comparison may need another.
            return Typed(f"sql.nullif({found[0].code}, {found[1].code})", found[0].type)
        found = self.alike(*found)
        codes = ", ".join(one.code for one in found)
        return Typed(f"sql.{name}({codes})", "str" if name == "concat" else _common(found))

    def _function(self, node: Mapping[str, Any]) -> Typed:
        name = node["function_name"].lower()
        found = self.all([one["expression"] for one in node.get("arguments", ())])
        if name in sql.PLAIN:
            return self._plain(name, found)
        if name in ("+", "-", "*", "/", "%"):
            return self._arithmetic(name, found)
        if name == "||":
            codes = [self.cast(one, "str").code for one in found]
            return Typed(self.guarded(codes, lambda a, b: f"{a} + {b}"), "str")
        if name in ("datediff", "date_diff"):
            name = "date_diff"
        if name not in sql.STRICT:
            raise UnknownSqlError(f"the function {name}")
        function, kind = sql.STRICT[name]
        handle = self.scope.constant(function)
        codes = [self.cast(one, "float").code if one.type == "dec" else one.code for one in found]
        code = self.guarded(codes, lambda *names: f"{handle}({', '.join(names)})")
        return Typed(code, found[0].type if kind == "=" else kind)

    def _arithmetic(self, name: str, found: Sequence[Typed]) -> Typed:
        if len(found) == 1:
            return Typed(self.guarded([found[0].code], lambda one: f"{name}{one}"), found[0].type)
        left, right = found
        types = {left.type, right.type}
        codes = [left.code, right.code]
        if left.type == "date" and name in "+-":
            if right.type == "date":
                return Typed(self.guarded(codes, lambda a, b: f"({a} - {b}).days"), "int")
            if right.type == "int":
                self.scope.names["timedelta"] = dt.timedelta
                return Typed(self.guarded(codes, lambda a, b: f"{a} {name} timedelta({b})"), "date")
        if not types <= set(NUMBERS):
            raise UnknownSqlError(f"{left.type} {name} {right.type}")
        if name == "/":
            return Typed(self.guarded(codes, lambda a, b: f"sql.divide({a}, {b})"), "float")
        if name == "%":
            return Typed(self.guarded(codes, lambda a, b: f"sql.modulo({a}, {b})"), _common(found))
        found = self.alike(left, right)
        codes = [one.code for one in found]
        return Typed(self.guarded(codes, lambda a, b: f"{a} {name} {b}"), _common(found))

    def _subquery(self, node: Mapping[str, Any]) -> Typed:
        """One value from the rows of the same document."""
        inner = node["subquery"]["node"]
        if (
            node["subquery_type"] != "SCALAR"
            or inner["type"] != "SELECT_NODE"
            or len(inner["select_list"]) != 1
        ):
            raise UnknownSqlError("a query of this form")
        bases: list[tuple[str, str]] = []
        conditions: list[Mapping[str, Any]] = []
        self._from(inner["from_table"], bases, conditions)
        if inner.get("where_clause"):
            conditions.append(inner["where_clause"])
        if not _of_one_document(conditions, [alias for alias, _ in bases]):
            raise UnknownSqlError("a query that is not bound to the row's document by _doc")
        names = {alias: (self._name(), self.scope.tables[table]) for alias, table in bases}
        within = _Compiler(Scope({**names, **self.scope.rows}, self.scope.tables, self.scope.names))
        loops = " ".join(f"for {names[alias][0]} in doc.get({table!r}, ())" for alias, table in bases)
        tests = "".join(f" if {within.expression(one).code}" for one in conditions)
        chosen = inner["select_list"][0]
        called = chosen.get("function_name", "").lower()
        if called == "count_star":
            return Typed(f"len([1 {loops}{tests}])", "int")
        if called in ("min", "max"):
            value = within.expression(chosen["arguments"][0]["expression"])
            name = "least" if called == "min" else "greatest"
            return Typed(f"sql.{name}(*[{value.code} {loops}{tests}])", value.type)
        value = within.expression(chosen)
        return Typed(f"sql.first([{value.code} {loops}{tests}])", value.type)

    def _from(
        self, node: Mapping[str, Any], bases: list[tuple[str, str]], conditions: list[Mapping[str, Any]]
    ) -> None:
        if node["type"] == "BASE_TABLE":
            table = node["table_name"]
            if table not in self.scope.tables:
                raise UnknownSqlError(f"a query of {table}, which is no table of the document")
            bases.append((node.get("alias") or table, table))
        elif node["type"] == "JOIN" and node["join_type"] == "INNER" and node.get("condition"):
            self._from(node["left"], bases, conditions)
            self._from(node["right"], bases, conditions)
            conditions.append(node["condition"])
        else:
            raise UnknownSqlError(f"a query of {node['type']}")


def _common(found: Sequence[Typed]) -> str:
    types = {one.type for one in found} - {"null"}
    if types == {"int", "dec"}:
        return "dec"
    return types.pop() if types else "null"


def _of_one_document(conditions: Sequence[Mapping[str, Any]], aliases: Sequence[str]) -> bool:
    """Whether equalities of ``_doc`` bind each of ``aliases`` to the row ``t``, at once or through another."""
    pairs = []
    waiting = list(conditions)
    while waiting:
        node = waiting.pop()
        if node["class"] == "CONJUNCTION" and node["type"] == "CONJUNCTION_AND":
            waiting += node["children"]
        elif node["type"] == "COMPARE_EQUAL":
            sides = [node["left"].get("column_names", ()), node["right"].get("column_names", ())]
            if all(len(side) == 2 and side[1] == "_doc" for side in sides):
                pairs.append({sides[0][0], sides[1][0]})
    bound = {"t"}
    for _ in pairs:
        bound |= {alias for pair in pairs if pair & bound for alias in pair}
    return set(aliases) <= bound
