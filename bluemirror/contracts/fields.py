"""Fields of a table, from their ODCS properties."""

from __future__ import annotations

import re
from typing import Any

from bluemirror.contracts.keys import read_key
from bluemirror.contracts.model import Field
from bluemirror.contracts.place import Place, choice, custom, flag, mapping, number, text

NAME = "[a-z][a-z0-9_]*"
CLASSES = ("public", "internal", "personal", "sensitive")
RESERVED = ("event_time", "known_time", "header", "t")
TYPES = {
    ("string", None): "string",
    ("integer", None): "int",
    ("number", None): "float",
    ("boolean", None): "bool",
    ("date", None): "date",
    ("timestamp", None): "timestamp",
    ("integer", "amount"): "amount",
    ("number", "amount"): "amount",
    ("date", "month"): "month",
}
"""(logicalType, physicalType) to the type of the contract."""
OPTIONS = ("minimum", "maximum", "pattern", "minLength", "maxLength", "format")
ODCS_KEYS = (
    "id",
    "name",
    "physicalName",
    "logicalType",
    "physicalType",
    "logicalTypeOptions",
    "required",
    "primaryKey",
    "primaryKeyPosition",
    "unique",
    "classification",
    "description",
    "businessName",
    "examples",
    "tags",
    "criticalDataElement",
    "authoritativeDefinitions",
    "quality",
    "customProperties",
)
CUSTOM = ("nameZh", "unit", "codes", "key", "drop", "since")


def read_field(value: Any, place: Place) -> Field:
    """One field; ``place`` is its entry in ``properties``.

    Raises
    ------
    ContractError
        For each way to write it wrongly.
    """
    mapping(value, place, known=ODCS_KEYS, required=("name",), what="a field")
    name = text(value["name"], place.at("name"), what="the field's name", pattern=NAME, example="apply_ts")
    place = Place(place.file, place.steps, (*place.label, name))
    if name in RESERVED:
        raise place.fault(
            f"{name!r} is a name of the platform's own",
            rule=f"a field is not called {', '.join(RESERVED)}",
            fix="give it another name and keep the source's in physicalName",
        )
    mapping(value, place, known=ODCS_KEYS, required=("logicalType", "description"), what="a field")
    own = custom(value.get("customProperties"), place, known=CUSTOM, what="a field")
    if "nameZh" not in own:
        raise place.fault(
            "a field has no Chinese name",
            rule="a field has a description (English) and the custom property nameZh",
            fix="add {property: nameZh, value: ...} to its customProperties",
        )
    kind = _type(value, place)
    low, high, pattern, shortest, longest = _options(value.get("logicalTypeOptions"), kind, place)
    classification = value.get("classification")
    if classification is not None:
        choice(classification, place.at("classification"), what="classification", known=CLASSES)
    drop = flag(*own["drop"], what="drop") if "drop" in own else False
    key = read_key(*own["key"]) if "key" in own else None
    codes = _codes(*own["codes"]) if "codes" in own else None
    field = Field(
        name=name,
        physical=_physical(value, name, place),
        type=kind,
        required=flag(value.get("required", False), place.at("required"), what="required"),
        primary_key=flag(value.get("primaryKey", False), place.at("primaryKey"), what="primaryKey"),
        label_zh=text(*own["nameZh"], what="nameZh"),
        label_en=text(value["description"], place.at("description"), what="description"),
        unit=text(*own["unit"], what="unit") if "unit" in own else ("fen" if kind == "amount" else None),
        codes=codes,
        key=key,
        classification=classification,
        drop=drop,
        minimum=low,
        maximum=high,
        pattern=pattern,
        min_length=shortest,
        max_length=longest,
        since=_since(*own["since"]) if "since" in own else None,
    )
    _agree(field, place)
    return field


def _type(value: dict[str, Any], place: Place) -> str:
    logical, physical = value["logicalType"], value.get("physicalType")
    choice(logical, place.at("logicalType"), what="logicalType", known=sorted({pair[0] for pair in TYPES}))
    if (logical, physical) not in TYPES:
        fitting = sorted(str(p) for lt, p in TYPES if lt == logical and p)
        raise place.fault(
            f"physicalType {physical!r} does not go with logicalType {logical!r}",
            of="physicalType",
            rule="physicalType amount goes with number or integer, month with date; otherwise there is none",
            fix=f"write {' or '.join(fitting)}, or remove it" if fitting else "remove it",
        )
    return TYPES[logical, physical]


def _physical(value: dict[str, Any], name: str, place: Place) -> str:
    physical = value.get("physicalName", name)
    return text(
        physical,
        place.at("physicalName"),
        what="physicalName",
        pattern=r"[^/\[\]\s]+(/[^/\[\]\s]+)*",
        example="PD01A/PD01AD01, without [] (a repeating group is a table of its own)",
    )


def _options(
    value: Any, kind: str, place: Place
) -> tuple[float | None, float | None, str | None, int | None, int | None]:
    if value is None:
        return None, None, None, None, None
    here = place.at("logicalTypeOptions")
    mapping(value, here, known=OPTIONS, what="logicalTypeOptions")
    numeric, textual = ("minimum", "maximum"), ("pattern", "minLength", "maxLength")
    for name in value:
        if (name in numeric and kind not in {"int", "float", "amount"}) or (
            name in textual and kind != "string"
        ):
            raise here.fault(
                f"{name} does not go with a field of type {kind}",
                of=name,
                rule="minimum and maximum are for numbers; pattern, minLength and maxLength for strings",
                fix="remove it, or say it as a rule under quality",
            )
    low, high = (None if value.get(n) is None else number(value[n], here.at(n), what=n) for n in numeric)
    shortest, longest = (
        None if value.get(n) is None else int(number(value[n], here.at(n), what=n, least=0, whole=True))
        for n in textual[1:]
    )
    for least, most, names in ((low, high, numeric), (shortest, longest, textual[1:])):
        if least is not None and most is not None and least > most:
            raise here.fault(
                f"{names[0]} {least} is above {names[1]} {most}",
                rule=f"{names[0]} is at most {names[1]}",
                fix="exchange them",
            )
    pattern = value.get("pattern")
    if pattern is not None:
        text(pattern, here.at("pattern"), what="pattern")
        try:
            re.compile(pattern)
        except re.error as error:
            raise here.fault(
                f"pattern is no regular expression: {error}",
                of="pattern",
                rule="pattern is a regular expression",
                fix="escape brackets and dots that stand for themselves",
            ) from error
    return low, high, pattern, shortest, longest


def _since(value: Any, place: Place) -> str:
    return text(value, place, what="since", pattern=r"\d+\.\d+\.\d+", example='"1.1.0"')


def _codes(value: Any, place: Place) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise place.fault(
            "codes is not a mapping of at least one code",
            rule="codes maps each code to its meaning",
            fix='write {"1": 男 / male, "2": 女 / female}',
        )
    for code, meaning in value.items():
        if not isinstance(code, str):
            raise place.fault(
                f"the code {code!r} is not text",
                rule="codes are text; YAML reads 1, 01 and no as numbers or false",
                fix="put it in quotes",
            )
        if not isinstance(meaning, str) or not meaning:
            raise place.fault(
                f"the code {code!r} has no meaning", rule="each code has a meaning", fix="write it"
            )
    return value


def _agree(field: Field, place: Place) -> None:
    """What the parts of a field must not contradict."""
    if (field.key or field.codes) and field.type != "string":
        part = "key" if field.key else "codes"
        raise place.fault(
            f"{part} on a field of type {field.type}",
            rule=f"{part} is for strings",
            fix="write logicalType: string (01 and 1 are two codes)",
        )
    if field.key and field.codes:
        raise place.fault(
            "a field has both key and codes", rule="a key has no code list", fix="remove one of them"
        )
    if field.key and field.classification in {None, "public"}:
        raise place.fault(
            "a key without a personal-data class",
            rule="a field with a key is classified internal, personal or sensitive",
            fix="add classification: personal",
        )
    if field.drop and (field.key or field.primary_key):
        raise place.fault(
            "a field that is never stored is used as a key",
            rule="drop excludes key and primaryKey",
            fix="remove drop, or the key",
        )
    if field.since and (field.required or field.primary_key):
        raise place.fault(
            "a required field states since",
            rule="since says that files of before come without the field, so it is optional",
            fix="remove required (and primaryKey), or remove since and begin a new major version",
        )
