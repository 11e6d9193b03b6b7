"""Plain readers of the bureau's files, whatever their form, into the tree that the XML has; no code of the library."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

Tree = dict[str, Any]
PATHS = (Path(__file__).parent / "contracts" / "pboc_items.txt").read_text(encoding="utf-8").split()
PLACES = {path.rsplit("/", 1)[1]: path.split("/")[:-1] for path in PATHS}
"""Code of an item -> names of what stands around it, from the wrapper on."""
CAMEL = {
    "accountBasic": "PD01A",
    "latestInfo": "PD01B",
    "latestMonthPayState": "PD01C",
    "latest24PayState": "PD01D",
    "latest24PayStateDetails": "PD01DH",
    "latest5year": "PD01E",
    "latest5yearDetails": "PD01EH",
    "specialTrades": "PD01F",
    "specialTradeDetails": "PD01FH",
    "specialEvents": "PD01G",
    "specialEventDetails": "PD01GH",
    "largeSpecialInstalments": "PD01H",
    "largeSpecialInstalmentDetails": "PD01HH",
}


def reports(path: Path) -> list[Tree]:
    """The reports of a file, in their order."""
    if path.suffix == ".zip":
        return relational(path)
    if path.suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))
        return [camel(found) if "accountInfos" in found else found]
    return [tree(ET.fromstring(path.read_text(encoding="utf-8")))]


def tree(element: ET.Element) -> Any:
    """An XML element as the JSON of the same report would be."""
    if not len(element):
        return element.text
    result: Tree = {}
    for child in element:
        value = tree(child)
        if child.tag in result:
            earlier = result[child.tag]
            result[child.tag] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            result[child.tag] = value
    return result


def camel(found: Tree) -> Tree:
    """Camel case spelt back."""
    accounts = _spelt(found["accountInfos"])
    rest = {name.upper(): _spelt(value) for name, value in found.items() if name != "accountInfos"}
    return {**rest, "PDA": {"PD01": accounts} if accounts else None}


def _spelt(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelt(item) for item in value]
    if isinstance(value, dict):
        return {CAMEL.get(name, name.upper()): _spelt(item) for name, item in value.items()}
    return value


def relational(path: Path) -> list[Tree]:
    """The relational copy put together again, each report in the order of the header table."""
    with zipfile.ZipFile(path) as archive:
        tables = {
            name.removeprefix("CR_PER_").removesuffix(".csv"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode()))
            )
            for name in archive.namelist()
        }
    found: dict[str, Tree] = {row["BATCH_ID"]: {} for row in tables["PRH"]}
    units: dict[tuple[str, str], Tree] = {}
    for wrapper in {place[0] for place in PLACES.values()}:
        for row in tables[wrapper]:
            unit: Tree = {}
            for code, value in row.items():
                if code not in ("BATCH_ID", "ID") and value:
                    _at(unit, PLACES[code][2:])[code] = value
            name = next(place[1] for place in PLACES.values() if place[0] == wrapper)
            found[row["BATCH_ID"]].setdefault(wrapper, {}).setdefault(name, []).append(unit)
            units[name, row["ID"]] = unit
    for group, rows in tables.items():
        if len(group) < 6:
            continue
        for row in rows:
            values = {code: value for code, value in row.items() if code != "PARENT_ID" and value}
            place = PLACES[next(iter(values))]
            segment = _at(units[place[1], row["PARENT_ID"]], place[2:-1])
            segment.setdefault(group, []).append(values)
    for report in found.values():
        for wrapper, inside in report.items():
            for name, several in inside.items():
                if len(several) == 1:
                    report[wrapper] = {name: several[0]}
    return list(found.values())


def _at(unit: Tree, names: list[str]) -> Tree:
    for name in names:
        unit = unit.setdefault(name, {})
    return unit
