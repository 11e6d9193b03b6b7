"""What families say about the columns that they read: codes, numbers, lengths of windows, keys.

A generated value is useful when it falls on either side of every line that a family draws; the lines are read from the
declarations, and from the text of their expressions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bluemirror.contracts import Contract
from bluemirror.variables.declarations import Block, Family, Slice
from bluemirror.variables.expressions import At, Tables, tokens

_NUMERAL = re.compile(
    r"CAST\(\s*(?:(?P<of>t|header|parent)\.)?(?P<word>\w+)\s+AS\s+(?:DOUBLE|DECIMAL|INTEGER|BIGINT)",
    re.IGNORECASE,
)
NUMERALS = ("0", "1", "2", "3", "5", "8", "10", "12", "75", "1000", "3300")
"""What stands in a column of texts that families read as numbers."""


@dataclass
class Mentions:
    """Everything that the families of a workspace say, by table and column.

    Attributes
    ----------
    texts, numbers
        Codes and numbers that are compared with a column.
    days
        Table -> lengths of windows, in days.
    keys
        Column -> key of the observations that it is matched with.
    units
        Columns that name the units of a middle level.
    excluded
        Columns that hold an observation's own id.
    read
        Tables whose rows are wanted, those above them included.
    """

    texts: dict[At, set[str]] = field(default_factory=lambda: defaultdict(set))
    numbers: dict[At, set[float]] = field(default_factory=lambda: defaultdict(set))
    days: dict[str, set[float]] = field(default_factory=lambda: defaultdict(set))
    keys: dict[At, str] = field(default_factory=dict)
    units: set[At] = field(default_factory=set)
    excluded: set[At] = field(default_factory=set)
    read: set[str] = field(default_factory=set)


MONTH = 30.5
"""Days of a month, where only the order of magnitude matters."""


def mentions(blocks: Iterable[Block], contracts: Mapping[str, Contract]) -> Mentions:
    """Read ``blocks``."""
    tables, said = Tables(contracts), Mentions()
    for block in blocks:
        for family in block.families:
            _family(family, tables, said)
    return said


def _family(family: Family, tables: Tables, said: Mentions) -> None:
    chain = tables.above(family.table)
    said.read |= {table.name for table in chain}
    header = chain[-1].name
    child, _, column = family.match[0].rpartition(".")
    said.read |= {child} - {""}
    said.keys.setdefault((child or header, column), family.match[1])
    if family.via is not None:
        said.read.add(family.via.table)
        said.keys.setdefault((family.via.table, family.via.from_[0]), family.via.from_[1])
        said.keys.setdefault((family.via.table, family.via.to), family.via.from_[1])
    length = 1.0 if family.windows.unit == "day" else MONTH
    said.days[family.table] |= {size * length for size in family.windows.sizes}
    if family.exclude_self is not None and tables.has(family.table, family.exclude_self):
        said.excluded.add((family.table, family.exclude_self))
    for expression in (family.where, *family.columns.values()):
        _expression(expression, family.table, tables, said)
    _slices(family.slices, family.columns, family.table, tables, said)
    for attribute in family.attributes:
        codes = {code for code, _ in attribute.one_hot} | set(attribute.ordinal or ())
        said.texts[family.table, attribute.column] |= codes
    if family.per is not None:
        level = family.per.table or family.table
        columns = {**({} if family.per.table else family.columns), **family.per.columns}
        if family.per.key is not None:
            said.units.add((family.table, family.per.key))
        for expression in (family.per.where, *family.per.columns.values()):
            _expression(expression, level, tables, said)
        _slices(family.per.slices, columns, level, tables, said)


def _slices(
    slices: Iterable[Slice], columns: Mapping[str, str], table: str, tables: Tables, said: Mentions
) -> None:
    for one in slices:
        codes = {code for group in one.groups for code in group.codes or ()}
        edges = {edge for group in one.groups for edge in group.band or () if edge is not None}
        expression = columns.get(one.column)
        if expression is None:
            said.texts[table, one.column] |= codes
            said.numbers[table, one.column] |= edges
            continue
        for at in tables.columns(expression, table):
            said.numbers[at] |= edges
            said.texts[at] |= codes


def _expression(expression: str | None, table: str, tables: Tables, said: Mentions) -> None:
    """A literal is compared with the column named last before it; what stands after THEN or ELSE is a result."""
    for cast in _NUMERAL.finditer(expression or ""):
        read = (tables.target(table, cast["of"]), cast["word"])
        if tables.is_text(*read):
            said.texts[read].update(NUMERALS)
    last: At | None = None
    before = ""
    for token in tokens(expression or ""):
        if token["word"]:
            last = tables.column(token, table) or last
            before = token["word"].upper()
        elif last is not None and before not in ("THEN", "ELSE"):
            if token["text"] is not None:
                said.texts[last].add(token["text"].replace("''", "'"))
            else:
                said.numbers[last].add(float(token["number"]))
