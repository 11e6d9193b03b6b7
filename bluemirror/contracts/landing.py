"""How a source delivers, as its contract says it: formats, other spellings of the tree, the tree as tables.

::

    landing:
      formats: [xml, json, zip]
      complete: _DONE.json
      dialects:
        camel:
          marker: accountInfos          # or a list; a key that only this dialect has at the top
          leaves: lower                 # or same
          steps: {A/B: accountInfos, A/B/C: accountBasic, A/B/D/E: latest.details}
      relational: {prefix: CR_, document: BATCH_ID, row: ID, parent: PARENT_ID}

What a dialect's ``steps`` and the tables' names mean is told by :mod:`bluemirror.landing.dialects` and
:mod:`bluemirror.landing.relational`.
"""

from __future__ import annotations

from typing import Any

from bluemirror.contracts.model import Dialect, Landing, Relational, Table
from bluemirror.contracts.place import Place, choice, listing, mapping, text

FORMATS = ("csv", "json", "jsonl", "parquet", "xml", "zip")
NESTED_FORMATS = ("json", "jsonl", "xml", "zip")
LANDING = ("formats", "complete", "dialects", "relational")
DIALECT = ("marker", "leaves", "steps")
RELATIONAL = ("prefix", "document", "row", "parent")
COLUMN = r"[A-Za-z_][A-Za-z0-9_]*"


def read_landing(value: Any, place: Place, tables: tuple[Table, ...]) -> Landing:
    """The ``landing`` property of a contract.

    Raises
    ------
    ContractError
        If it is written wrongly, or no declared format can carry the tables.
    """
    mapping(
        value,
        place,
        known=LANDING,
        required=("formats", "complete"),
        what="landing",
    )
    formats = listing(value["formats"], place.at("formats"), what="formats")
    nested = [table.name for table in tables if "[]" in table.path]
    for i, item in enumerate(formats):
        choice(item, place.at("formats").at(i, ""), what="format", known=FORMATS)
        if nested and item not in NESTED_FORMATS:
            raise place.fault(
                f"{item} files cannot carry the nested table {nested[0]!r}",
                of="formats",
                rule=f"tables that repeat within a record need one of {', '.join(NESTED_FORMATS)}",
                fix="write another format, or make the table a source of its own",
            )
    relational = _relational(value["relational"], place.at("relational")) if "relational" in value else None
    if (relational is None) == ("zip" in formats):
        raise place.fault(
            "zip files and relational go together",
            of="formats",
            rule="a zip holds the tree as tables; relational says what they are called and how they are tied",
            fix="state both, or neither",
        )
    dialects = _dialects(value["dialects"], place.at("dialects")) if "dialects" in value else ()
    if dialects and not {"json", "jsonl"} & set(formats):
        raise place.fault(
            "dialects without JSON files",
            of="dialects",
            rule="a dialect is another spelling of the tree in JSON",
            fix="add json to formats, or remove the dialects",
        )
    complete = text(value["complete"], place.at("complete"), what="complete")
    return Landing(tuple(formats), complete, dialects, relational)


def _relational(value: Any, place: Place) -> Relational:
    mapping(value, place, known=RELATIONAL, required=RELATIONAL, what="relational")
    prefix, document, row, parent = (
        text(value[name], place.at(name), what=name, pattern=COLUMN, example="BATCH_ID")
        for name in RELATIONAL
    )
    return Relational(prefix, document, row, parent)


def _dialects(value: Any, place: Place) -> tuple[Dialect, ...]:
    if not isinstance(value, dict) or not value:
        raise place.fault(
            "dialects names no dialect",
            rule="dialects is a mapping: name of the dialect -> marker, leaves, steps",
            fix="write it like {camel: {marker: accounts, leaves: lower, steps: {A/B: accounts}}}",
        )
    return tuple(_dialect(str(name), item, place.at(name)) for name, item in value.items())


def _dialect(name: str, value: Any, place: Place) -> Dialect:
    mapping(value, place, known=DIALECT, required=("marker",), what="a dialect")
    marker = value["marker"]
    markers = listing(marker, place.at("marker"), what="marker") if isinstance(marker, list) else [marker]
    leaves = choice(value.get("leaves", "lower"), place.at("leaves"), what="leaves", known=("lower", "same"))
    steps = value.get("steps") or {}
    spot = place.at("steps")
    if not isinstance(steps, dict):
        raise spot.fault(
            "steps is no mapping",
            rule="steps maps a group's path in the tree to its place in the dialect",
            fix="write it like {A/B: accounts, A/B/C: basic}",
        )
    named = {
        str(path): text(
            step, spot.at(path), what="step", pattern=r"[^./\[\]]+(\.[^./\[\]]+)*", example="latest.details"
        )
        for path, step in steps.items()
    }
    return Dialect(
        name,
        tuple(text(item, place.at("marker"), what="marker") for item in markers),
        leaves == "lower",
        named,
    )
