"""Which columns the SQL of a declaration names, and of which tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bluemirror.contracts import Contract, Table

At = tuple[str, str]
"""A table and a column of it."""

_TOKEN = re.compile(
    r"'(?P<text>(?:[^']|'')*)'"
    r"|(?P<number>(?<![\w.])\d+(?:\.\d+)?)"
    r"|(?:(?P<of>t|header|parent)\.)?\"?(?P<word>[A-Za-z_]\w*)\"?"
)


def tokens(expression: str) -> Iterator[re.Match[str]]:
    """Texts (``text``), numbers (``number``) and names (``word``, perhaps ``of`` a table) of an expression."""
    return _TOKEN.finditer(expression)


class Tables:
    """The tables of a workspace by name, and the ones above each."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._by_name = {table.name: table for contract in contracts.values() for table in contract.tables}
        self._columns = {name: {one for one, _ in table.columns} for name, table in self._by_name.items()}

    def known(self, name: str) -> bool:
        """Whether there is such a table."""
        return name in self._by_name

    def has(self, name: str, column: str) -> bool:
        """Whether the table has the column."""
        return column in self._columns[name] or column in ("event_time", "known_time")

    def is_text(self, name: str, column: str) -> bool:
        """Whether the table has the column, and its values are texts."""
        return any(one.name == column and one.type == "string" for one in self._by_name[name].fields)

    def above(self, name: str) -> list[Table]:
        """The table, its parent, and so on up to the header."""
        found = [self._by_name[name]]
        while found[-1].parent is not None:
            found.append(self._by_name[found[-1].parent])
        return found

    def keyed(self, name: str, column: str) -> At:
        """Where the key stands by which rows of ``name`` are found: in the header, or in a list below it."""
        child, _, plain = column.rpartition(".")
        return (child or self.above(name)[-1].name, plain)

    def target(self, name: str, prefix: str | None) -> str:
        """The table that ``t.``, ``parent.`` or ``header.`` means in an expression over ``name``."""
        chain = self.above(name)
        if prefix == "header":
            return chain[-1].name
        return chain[1].name if prefix == "parent" and len(chain) > 1 else name

    def column(self, token: re.Match[str], name: str) -> At | None:
        """The column that a token names in an expression over the table ``name``, if it names one."""
        if not token["word"]:
            return None
        at = (self.target(name, token["of"]), token["word"])
        return at if self.has(*at) else None

    def columns(self, expression: str | None, name: str) -> set[At]:
        """Every column that an expression over the table ``name`` names; a query within it names its own tables."""
        found: set[At] = set()
        words = set()
        for token in tokens(expression or ""):
            at = self.column(token, name)
            if at is not None:
                found.add(at)
            if token["word"]:
                words.add(token["word"])
        for other in words & self._by_name.keys():
            found |= {(other, word) for word in words if self.has(other, word)}
        return found
