"""Records as files, in each format that a contract may name; nothing here corrects what a record holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from bluemirror.contracts import Contract
from tests.malformed.oracle import REFUSED, typed
from tests.malformed.rules import TYPES
from tests.malformed.shape import Node, Path, Shape

Tree = dict[str, Any]


def tree_of(shape: Shape, node: Node) -> Tree:
    """A record as nested mappings: groups, lists of repetitions, raw values. Nothing stands for None."""
    tree: Tree = {}
    for place, raw in node.leaves.items():
        if raw is not None:
            _group(tree, place[:-1])[place[-1]] = raw
    for path, nodes in node.below.items():
        way = shape.scopes[path].way
        _group(tree, way[:-1])[way[-1]] = [tree_of(shape, below) for below in nodes]
    return tree


def _group(tree: Tree, way: Path) -> Tree:
    for step in way:
        tree = tree.setdefault(step, {})
    return tree


def json_text(tree: Tree) -> str:
    """One line of JSON."""
    return json.dumps(tree, ensure_ascii=False)


def xml_text(tree: Tree, root: str = "Document") -> str:
    """One XML document."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{_elements(tree)}</{root}>\n'


def _elements(tree: Tree) -> str:
    parts = []
    for name, value in tree.items():
        if isinstance(value, dict):
            parts.append(f"<{name}>{_elements(value)}</{name}>")
        elif isinstance(value, list):
            parts += [
                f"<{name}>{_elements(item) if isinstance(item, dict) else escape(str(item))}</{name}>"
                for item in value
            ]
        else:
            parts.append(f"<{name}>{escape(_plain(value))}</{name}>")
    return "".join(parts)


def _plain(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)


def columns(contract: Contract) -> list[str]:
    """Names in the header line of a flat file; dropped fields come too."""
    return [item.physical or item.name for item in contract.header.fields]


def cells(contract: Contract, record: Node) -> list[str]:
    """The line of a flat record."""
    raws = [record.leaves.get(tuple(name.split("/"))) for name in columns(contract)]
    return ["" if raw is None else _plain(raw) for raw in raws]


def csv_text(
    contract: Contract, records: Sequence[Node], *, delimiter: str = ",", end: str = "\n", header: bool = True
) -> str:
    """A CSV file, quoted where needed."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    if header:
        writer.writerow(columns(contract))
    writer.writerows(cells(contract, record) for record in records)
    return out.getvalue()


def parquet_frame(contract: Contract, records: Sequence[Node]) -> pl.DataFrame:
    """Typed columns, amounts in yuan."""
    series = []
    for item in contract.header.fields:
        place = tuple((item.physical or item.name).split("/"))
        raws = [record.leaves.get(place) for record in records]
        series.append(
            pl.Series(
                item.physical or item.name,
                [_typed(raw, item.type) for raw in raws],
                dtype=_carrier(item.type),
                strict=True,
            )
        )
    return pl.DataFrame(series)


def _carrier(kind: str) -> Any:
    return pl.Float64 if kind == "amount" else TYPES[kind]


def _typed(raw: Any, kind: str) -> Any:
    """A raw value as the type that its column carries."""
    if kind == "string":
        return None if raw is None else _plain(raw)
    if kind == "float" and isinstance(raw, float):
        return raw
    value = typed(raw, kind).value
    return value / 100 if kind == "amount" and value is not None else value


def fits_parquet(raw: Any, kind: str) -> bool:
    """Whether a typed column can carry a raw value at all, so that it says what the text says."""
    if isinstance(raw, dict | list):
        return False
    if kind == "string":
        return True
    read = typed(raw, kind)
    if read.value is REFUSED or read.may:
        return False
    return not (kind == "amount" and read.value is not None and abs(read.value) > 10**15)
