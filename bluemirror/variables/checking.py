"""Whether what a family names is there: tables, keys, columns, codes and the SQL over them, bound by DuckDB.

Nothing is computed: the tables of the contracts stand empty in memory, and every expression is bound over them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote
from bluemirror.variables.load import column_sql
from bluemirror.variables.needed import tables_of
from bluemirror.variables.operators import OPERATORS
from bluemirror.variables.tables import Catalog

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table
    from bluemirror.variables.declarations import Block, Family, Slice

TEXT_IS_FINE = ("count", "any", "since_last", "since_first")


def check_block(
    block: Block, contracts: Mapping[str, Contract], keys: Collection[str] = (), text: str | None = None
) -> None:
    """Complain about the first thing that a family of ``block`` names and that does not exist.

    Parameters
    ----------
    keys
        Keys that the observations have; not looked at if there is none.
    text
        What the families were read from, to find the line; their file by default.

    Raises
    ------
    FamilyError
        Naming file, line, what is wrong and what to write.
    """
    import duckdb

    if text is None and block.path.is_file():
        text = block.path.read_text(encoding="utf-8")
    with duckdb.connect(config={"threads": 1}) as connection:
        for family in block.families:
            _Check(connection, block, family, Catalog(contracts), keys, (text or "").splitlines()).run()


@contextmanager
def explained_mistakes(
    block: Block, contracts: Mapping[str, Contract], keys: Collection[str]
) -> Iterator[None]:
    """Where DuckDB does not understand what a family asks of it, say what is wrong in the words of the family file."""
    import duckdb

    try:
        yield
    except duckdb.Error:
        check_block(block, contracts, keys)
        raise


class _Check:
    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        block: Block,
        family: Family,
        catalog: Catalog,
        keys: Collection[str],
        lines: list[str],
    ) -> None:
        self.connection, self.block, self.family, self.keys, self.lines = (
            connection,
            block,
            family,
            keys,
            lines,
        )
        self.catalog = catalog

    def run(self) -> None:
        family = self.family
        for name in tables_of(family):
            self._create(self._contract(name))
        self._match()
        for name, expression in family.columns.items():
            self._type(f"column {name}", expression, name)
        for what, condition in (("where", family.where), ("per: where", family.per and family.per.where)):
            if condition:
                self._type(what, condition, condition, level=what != "where" and self._has_level())
        for one in family.slices:
            self._slice(one, family.columns, level=False)
        if family.per is not None:
            if family.per.key is not None:
                self._column("per", family.per.key)
            columns = family.per.columns if self._has_level() else {**family.columns, **family.per.columns}
            for one in family.per.slices:
                self._slice(one, columns, level=self._has_level())
        for what, name in self._plain():
            self._column(what, name)
        for measure in family.measures:
            asked = [
                agg for agg in measure.aggs if OPERATORS[agg].kernel != "value" and agg not in TEXT_IS_FINE
            ]
            if measure.of is not None and asked and self._is_text(measure.of):
                self.fail(
                    f"{asked[0]} of {measure.of}, which is text",
                    measure.of,
                    rule=f"{asked[0]} takes numbers; distinct, hhi, entropy and top take texts",
                    fix="count its different values with distinct, or make a number of it under columns:",
                )

    # What is looked at -----------------------------------------------------------------------------------------------

    def _has_level(self) -> bool:
        return self.family.per is not None and self.family.per.table is not None

    def _is_text(self, name: str) -> bool:
        """Whether a column is text, and no text of numbers."""
        field = next((one for one in self._table(level=False).fields if one.name == name), None)
        numbers = field is not None and field.codes and all(code.isdigit() for code in field.codes)
        computed = name in self.family.columns
        return self._column("measure", name) == "VARCHAR" and (computed or not numbers)

    def _plain(self) -> Iterator[tuple[str, str]]:
        family = self.family
        if family.windows.along is not None:
            yield "windows: along", family.windows.along
        if family.exclude_self is not None:
            yield "exclude_self", family.exclude_self
        for measure in family.measures:
            for name in (measure.of, measure.by):
                if name is not None:
                    yield "measure", name
        for one in family.attributes:
            yield "attribute", one.column

    def _match(self) -> None:
        family = self.family
        column, key = family.match
        child, _, name = column.rpartition(".")
        table = self.catalog.header(family.table, self.block)
        if child:
            table = self._contract(child).table(child)
        known = {one for one, _ in table.columns}
        if name not in known:
            self._absent(f"match: {table.name} has no column {name!r}", name, known)
        asked = [key] + ([family.via.from_[1]] if family.via else [])
        for one in asked:
            if self.keys and one not in self.keys and (family.via is None or one != key):
                self._absent(f"match: the observations have no key {one!r}", one, self.keys)
        if family.via is not None:
            links = self._contract(family.via.table).table(family.via.table)
            for one in (family.via.from_[0], family.via.through, family.via.to):
                if one not in {each for each, _ in links.columns}:
                    self._absent(
                        f"via: {links.name} has no column {one!r}", one, [n for n, _ in links.columns]
                    )

    def _slice(self, one: Slice, columns: Mapping[str, str], *, level: bool) -> None:
        kind = self._column(f"slice {one.name}", one.column, columns, level=level)
        if one.banded and kind == "VARCHAR":
            self.fail(
                f"slice {one.name}: bands of {one.column}, which is text",
                one.column,
                rule="bands are cut from numbers",
                fix="write groups: {name: [code, ...]}, or make a number of it under columns:",
            )
        table = self._table(level=level)
        field = next((each for each in table.fields if each.name == one.column), None)
        if one.column in columns or field is None or not field.codes:
            return
        for group in one.groups:
            for code in group.codes or ():
                if code not in field.codes:
                    self._absent(f"{one.column} has no code {code!r}", code, list(field.codes), what="codes")

    def _table(self, *, level: bool) -> Table:
        per = self.family.per
        name = per.table if level and per is not None and per.table is not None else self.family.table
        return self._contract(name).table(name)

    def _column(
        self, what: str, name: str, columns: Mapping[str, str] | None = None, *, level: bool = False
    ) -> str:
        """The type of a column, own or computed."""
        columns = self.family.columns if columns is None else columns
        known = {one for one, _ in self._table(level=level).columns} | {"event_time", "known_time"}
        if name not in columns and name not in known:
            self._absent(
                f"{what} names the column {name!r}, which {self._table(level=level).name} does not have",
                name,
                [*columns, *known],
            )
        return self._type(what, column_sql(columns, name), name, level=level)

    def _type(self, what: str, expression: str, word: str, *, level: bool = False) -> str:
        """The type of an expression over the family's table (or its middle level)."""
        import duckdb

        table = self._table(level=level)
        header = self.catalog.header(table.name, self.block)
        joins = ""
        if "parent." in expression and table.parent is not None:
            joins += f", {quote(table.parent)} parent"
        if "header." in expression:
            joins += f", {quote(header.name)} header"
        try:
            found = self.connection.sql(f"SELECT ({expression}) FROM {quote(table.name)} t{joins}")
        except duckdb.Error as error:
            self._unbound(what, expression, word, table, str(error))
        return str(found.types[0])

    # What is said ----------------------------------------------------------------------------------------------------

    def _unbound(self, what: str, expression: str, word: str, table: Table, said: str) -> NoReturn:
        first = said.splitlines()[0] if said else "it means nothing"
        missing = re.search(r"[Cc]olumn \"?(?:\w+\.)?(\w+)\"? not found|named \"(\w+)\"", first)
        if missing:
            name = missing[1] or missing[2]
            self._absent(
                f"{what}: {table.name} has no column {name!r}", name, [one for one, _ in table.columns]
            )
        self.fail(
            f"{what}: {first}",
            word,
            rule="a DuckDB expression over t. (the row), parent. (the row above it) and header. (the document)",
            fix=f"correct {expression!r}; amounts are fen, months the first of the month",
        )

    def _absent(self, message: str, name: str, known: Collection[str], what: str = "columns") -> NoReturn:
        near = difflib.get_close_matches(name, known, 1)
        listed = sorted(known)
        some = ", ".join(listed[:30]) + (f" and {len(listed) - 30} more" if len(listed) > 30 else "")
        self.fail(
            message,
            name,
            rule=f"{what} here are {some}",
            fix=f"write {near[0]}" if near else "choose one of them",
        )

    def fail(self, message: str, word: str, *, rule: str, fix: str) -> NoReturn:
        """Raise with the line on which ``word`` stands first within the family."""
        family = self.family
        line = family.line
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for number, text in enumerate(self.lines[max(line - 1, 0) :], start=max(line, 1)):
            if pattern.search(text):
                line = number
                break
        raise FamilyError(
            f"family {family.name}: {message}",
            file=f"{self.block.path}, line {line}" if line else self.block.path,
            field=word,
            rule=rule,
            fix=fix,
        )

    def _contract(self, table: str) -> Contract:
        return self.catalog.contract(table, self.block)

    def _create(self, contract: Contract) -> None:
        from bluemirror.mart.connect import mart_columns

        for table in contract.tables:
            columns = ", ".join(f"{quote(name)} {kind}" for name, kind in mart_columns(table))
            self.connection.execute(f"CREATE TABLE IF NOT EXISTS {quote(table.name)} ({columns})")
