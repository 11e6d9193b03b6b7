"""Records of simulated files as values in the tree of their contract, read as plainly as can be."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tests.malformed.shape import Node, Shape


def landed_records(shape: Shape, folder: Path, want: int) -> list[Node]:
    """Records of the first documents, or lines of JSON, below a source's landing folder."""
    records: list[Node] = []
    for path in sorted(folder.glob("*/*")):
        trees = [next(iter(tree.values())) if _rooted(shape, tree) else tree for tree in _trees(path)]
        records += [_node(shape, (), tree) for tree in trees]
        if len(records) >= want:
            break
    return records[:want]


def _trees(path: Path) -> list[dict[str, Any]]:
    if path.name.startswith("_"):
        return []
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".json":
        return [json.loads(path.read_text(encoding="utf-8"))]
    return [_plain(ET.parse(path).getroot())] if path.suffix == ".xml" else []


def _rooted(shape: Shape, tree: dict[str, Any]) -> bool:
    firsts = {place[0] for place in shape.scopes[()].leaves} | {scope.way[0] for scope in shape.below(())}
    return len(tree) == 1 and next(iter(tree)) not in firsts


def _plain(node: ET.Element) -> Any:
    """An XML element as the JSON of the same tree."""
    if not len(node):
        return node.text
    out: dict[str, Any] = {}
    for child in node:
        value = _plain(child)
        if child.tag not in out:
            out[child.tag] = value
        elif isinstance(out[child.tag], list):
            out[child.tag].append(value)
        else:
            out[child.tag] = [out[child.tag], value]
    return out


def _node(shape: Shape, path: tuple[str, ...], tree: dict[str, Any]) -> Node:
    node = Node(path)
    for place in shape.scopes[path].leaves:
        node.leaves[place] = _at(tree, place)
    for scope in shape.below(path):
        found = _at(tree, scope.way)
        items = [] if not found or found == "--" else found if isinstance(found, list) else [found]
        items = [item for item in items if isinstance(item, dict)]
        if items:
            node.below[scope.path] = [_node(shape, scope.path, item) for item in items]
    return node


def _at(tree: Any, way: tuple[str, ...]) -> Any:
    for step in way:
        if isinstance(tree, list):
            tree = tree[0] if tree else None
        if not isinstance(tree, dict):
            return None
        tree = tree.get(step)
    return tree
