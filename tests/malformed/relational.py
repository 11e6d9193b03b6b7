"""Records as the relational copy: tables in a ZIP, told from the words of :mod:`bluemirror.landing.relational`.

A wrapper is a top-level step. It is a table with the leaves that do not repeat, unless it holds nothing but one repeating
unit, to which it then gives its name. Every other repeating group is a table of its own.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.malformed.oracle import text_of
from tests.malformed.shape import Node, Path, Shape


@dataclass
class Sheet:
    """One table: its columns (leaves by their own names) and its rows."""

    leaves: list[str]
    above: str | None
    rows: list[dict[str, str]] = field(default_factory=list)


class Copy:
    """The tables of one file."""

    def __init__(self, shape: Shape) -> None:
        names = shape.contract.landing.relational
        assert names is not None
        self.shape, self.names = shape, names
        self.sheets: dict[str, Sheet] = {}
        self.sheet_of: dict[Path, str] = {}
        self.count = 0
        for place in shape.scopes[()].leaves:
            self.sheets.setdefault(place[0], Sheet([], None)).leaves.append(place[-1])
        for scope in shape.scopes.values():
            if scope.up is None:
                continue
            wrapper, name = scope.way[0], scope.way[-1]
            beside = [one for one in shape.below(()) if one.way[0] == wrapper]
            alone = scope.up == () and wrapper not in self.sheets and len(scope.way) == 2 and len(beside) == 1
            above = None
            if not alone and len(scope.way) + (scope.up != ()) > 1:
                above = self.sheet_of[scope.up] if scope.up else wrapper
                if above not in self.sheets:
                    self.sheets[above] = Sheet([], None)
            self.sheet_of[scope.path] = wrapper if alone else name
            self.sheets[self.sheet_of[scope.path]] = Sheet([place[-1] for place in scope.leaves], above)

    def add(self, record: Node, document: str) -> None:
        """The rows of one record."""
        ids = {}
        for wrapper, sheet in self.sheets.items():
            if sheet.above is None and wrapper not in self.sheet_of.values():
                values = {p: raw for p, raw in record.leaves.items() if p[0] == wrapper}
                ids[wrapper] = self._row(wrapper, values, document, "")
        self._below(record, document, ids, "")

    def _below(self, node: Node, document: str, ids: dict[str, str], own: str) -> None:
        for path, nodes in node.below.items():
            name = self.sheet_of[path]
            above = self.sheets[name].above
            for one in nodes:
                parent = "" if above is None else own or ids[above]
                self._below(one, document, ids, self._row(name, one.leaves, document, parent))

    def _row(self, name: str, values: dict[Path, object], document: str, parent: str) -> str:
        self.count += 1
        keys = {self.names.document: document, self.names.row: str(self.count), self.names.parent: parent}
        self.sheets[name].rows.append(keys | {place[-1]: text_of(raw) or "" for place, raw in values.items()})
        return str(self.count)

    def members(self) -> dict[str, bytes]:
        """Name of each member and its CSV."""
        made = {}
        for name, sheet in self.sheets.items():
            out = io.StringIO()
            head = [self.names.document, self.names.row, self.names.parent, *sheet.leaves]
            writer = csv.DictWriter(out, head, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(sheet.rows)
            made[f"{self.names.prefix}{name}.csv"] = out.getvalue().encode()
        return made


def relational_members(shape: Shape, records: Sequence[Node]) -> dict[str, bytes]:
    """Members of the ZIP that holds some records."""
    copy = Copy(shape)
    for number, record in enumerate(records, 1):
        copy.add(record, f"B{number}")
    return copy.members()


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()
