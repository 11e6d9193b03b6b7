"""Whether the SQL of a contract's rules means something: parsed and bound by DuckDB over empty tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.contracts.model import DUCKDB_TYPES, Contract, Rule, Table
from bluemirror.contracts.place import Place

if TYPE_CHECKING:
    import duckdb

SYSTEM = (("_doc", "BIGINT"), ("_seq", "INTEGER"), ("_parent", "INTEGER"))
"""System columns that a rule may read: the document, the row in it, the parent's row."""


class Binder:
    """Binds rules of any number of contracts on one in-memory connection, opened when first needed."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._count = 0

    def check(self, contract: Contract, places: dict[tuple[str, str], Place]) -> None:
        """Raise a ContractError for the first rule that DuckDB does not understand.

        Parameters
        ----------
        places
            Where each rule stands, by table and rule name.
        """
        rows = {t.name: [r for r in t.rules if r.kind in {"sql", "values", "null"}] for t in contract.tables}
        documents = [(t, r) for t in contract.tables for r in t.rules if r.kind == "document_sql"]
        if not documents and not any(rows.values()):
            return
        self._create(contract)
        for table in contract.tables:
            rules = rows[table.name]
            if rules and not self._all_conditions(table, rules):
                for rule in rules:
                    self._one_condition(table, rule, places[table.name, rule.name])
        union = " UNION ALL ".join(f"SELECT _doc FROM ({rule.expression})" for _, rule in documents)
        if documents and self._problem(union):
            for table, rule in documents:
                self._one_query(rule, places[table.name, rule.name])

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(config={"threads": 1})
        return self._connection

    def _create(self, contract: Contract) -> None:
        self._count += 1
        statements = [f"CREATE SCHEMA s{self._count}", f"USE s{self._count}"]
        for table in contract.tables:
            # The gate runs the rules before keys are hashed, so of a key kept in several forms it knows none.
            single = [field for field in table.fields if not (field.key and field.key.forms)]
            columns = [(name, DUCKDB_TYPES[kind]) for field in single for name, kind in field.columns]
            columns += SYSTEM
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
            statements.append(f"CREATE TABLE {table.name} ({listed})")
        self._open().execute(";".join(statements))

    def _types(self, query: str) -> list[str]:
        return [str(kind) for kind in self._open().sql(query).types]

    def _problem(self, query: str) -> str | None:
        """What DuckDB says about a query, None if it binds."""
        import duckdb

        try:
            self._types(query)
        except duckdb.Error as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return " ".join(line for line in lines[:3] if not line.startswith(("LINE", "^")))
        return None

    def _all_conditions(self, table: Table, rules: list[Rule]) -> bool:
        import duckdb

        try:
            types = self._types(
                f"SELECT {', '.join(f'({r.expression})' for r in rules)} FROM {table.rule_rows()}"
            )
        except duckdb.Error:
            return False
        return len(types) == len(rules) and set(types) == {"BOOLEAN"}

    def _one_condition(self, table: Table, rule: Rule, place: Place) -> None:
        query = f"SELECT ({rule.expression}) FROM {table.rule_rows()}"
        problem = self._problem(query)
        if problem is None:
            types = self._types(query)
            problem = None if types == ["BOOLEAN"] else f"it is of type {', '.join(types)}, not true or false"
        if problem:
            raise place.fault(
                f"the rule {rule.name!r} is no condition on a row of {table.name}: {problem}",
                rule="a row rule is a DuckDB condition over the table's columns (and header. on a child table)",
                fix="correct the expression; amounts are fen, months the first of the month",
            )

    def _one_query(self, rule: Rule, place: Place) -> None:
        problem = self._problem(f"SELECT _doc FROM ({rule.expression})")
        if problem:
            raise place.fault(
                f"the rule {rule.name!r} is no query for documents: {problem}",
                rule="a document rule is a DuckDB query over this contract's tables that returns _doc",
                fix="correct the query; tables have _doc, _seq and _parent besides their columns",
            )
