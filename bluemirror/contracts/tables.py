"""Tables of a contract, from its ODCS schema objects."""

from __future__ import annotations

from typing import Any

from bluemirror.contracts.fields import NAME, read_field
from bluemirror.contracts.model import Field, Rule, Table, TimeRule
from bluemirror.contracts.place import Place, choice, custom, flag, listing, mapping, number, text
from bluemirror.contracts.rules import read_rule

KINDS = ("event", "answer", "state")
TIMES = ("date", "month", "timestamp")
ODCS_KEYS = (
    "id",
    "name",
    "physicalName",
    "physicalType",
    "logicalType",
    "businessName",
    "description",
    "tags",
    "dataGranularityDescription",
    "authoritativeDefinitions",
    "properties",
    "quality",
    "customProperties",
)
CUSTOM = ("kind", "path", "parent", "eventTime", "knownTime", "tombstone", "validTo", "hit", "nameZh")


def read_table(value: Any, place: Place, before: tuple[Table, ...]) -> tuple[Table, dict[str, Place]]:
    """One table and the places of its rules by name.

    Parameters
    ----------
    before
        The tables above it in the contract: the first is the header, any may be its parent.
    """
    mapping(value, place, known=ODCS_KEYS, required=("name",), what="a table")
    name = text(
        value["name"], place.at("name"), what="the table's name", pattern=NAME, example="tax_invoice_line"
    )
    place = Place(place.file, place.steps, (*place.label, name))
    if any(table.name == name for table in before):
        raise place.fault(
            f"the table {name!r} is declared twice",
            rule="a table's name is unique in the workspace",
            fix="rename one",
        )
    mapping(value, place, known=ODCS_KEYS, required=("description", "properties"), what="a table")
    own = custom(value.get("customProperties"), place, known=CUSTOM, what="a table")
    if "kind" not in own:
        raise place.fault(
            f"the table {name!r} has no kind",
            rule="a table states its kind: event, answer or state",
            fix="add {property: kind, value: event} to its customProperties",
        )
    kind = choice(*own["kind"], what="kind", known=KINDS)
    fields = _fields(value["properties"], place)
    by_name = {item.name: item for item in fields}
    parent, path = _stand(own, place, before, kind)
    rules, places = _rules(value, place, by_name)
    table = Table(
        name=name,
        kind=kind,
        path=path,
        fields=fields,
        description=text(value["description"], place.at("description"), what="description"),
        parent=parent,
        header=before[0].name if before else None,
        event_time=_event_time(own, place, by_name, parent),
        known_time=_known_time(own, place, by_name, parent),
        business_key=_business_key(fields, place, parent),
        tombstone=_tombstone(own, by_name, kind, place),
        valid_to=_valid_to(own, by_name, kind, place),
        hit=_hit(own, by_name, kind, parent),
        rules=rules,
    )
    return table, places


def _fields(value: Any, place: Place) -> tuple[Field, ...]:
    here = place.at("properties", "")
    fields: list[Field] = []
    columns: dict[str, str] = {}
    physical: dict[str, str] = {}
    for i, item in enumerate(listing(value, here, what="properties")):
        spot = here.at(i, "")
        field = read_field(item, spot)
        made = (name for name, _ in (*field.columns, *field.part_columns) if name != field.name)
        for column in (field.name, *made):
            if column in columns:
                raise spot.fault(
                    f"the column {column!r} is declared twice (by {columns[column]} and {field.name})",
                    rule="a field, and each form and part of a key, is a column of its own",
                    fix="rename one of the fields",
                )
            columns[column] = field.name
        if field.physical in physical:
            raise spot.fault(
                f"{field.name} and {physical[field.physical]} read the same {field.physical!r}",
                rule="each physicalName is read once",
                fix="correct one of them; to keep a key in several forms, list forms",
            )
        physical[field.physical] = field.name
        fields.append(field)
    return tuple(fields)


def _stand(
    own: dict[str, tuple[Any, Place]], place: Place, before: tuple[Table, ...], kind: str
) -> tuple[str | None, str]:
    """Parent and path: where the table's rows stand in a landed record."""
    path, at = own.get("path", ("", place))
    if not isinstance(path, str):
        text(path, at, what="path")
    if path:
        text(
            path,
            at,
            what="path",
            pattern=r"[^/\[\]\s]+(\[\])?(/[^/\[\]\s]+(\[\])?)*",
            example="PDA/PD01[]/PD01E/PD01EH[]",
        )
    if "parent" not in own:
        if before:
            raise place.fault(
                f"the table has no parent, but {before[0].name!r} stands before it",
                rule="the first table stands for the landed record; every other names its parent",
                fix=f"add {{property: parent, value: {before[0].name}}}",
            )
        return None, path
    parent, spot = own["parent"]
    known = {table.name: table for table in before}
    if parent not in known:
        spot.unknown(
            "parent", parent, known or ["(no table stands before)"], "a parent is a table declared before it"
        )
    above = known[parent]
    if kind != above.kind:
        raise spot.fault(
            f"the table is of kind {kind}, its parent of kind {above.kind}",
            rule="a table has the kind of its parent",
            fix=f"write kind: {above.kind}",
        )
    if "[]" not in path or (above.path and not path.startswith(above.path + "/")):
        raise at.fault(
            f"the path {path!r} does not lead on from the parent's {above.path!r} to a repeating step",
            rule="a child's path begins with its parent's path and marks the step that repeats with []",
            fix=f"write {above.path + '/' if above.path else ''}records[]",
        )
    return str(parent), path


def _event_time(
    own: dict[str, tuple[Any, Place]], place: Place, fields: dict[str, Field], parent: str | None
) -> TimeRule | None:
    if "eventTime" in own:
        return _time(*own["eventTime"], fields, more=("ahead",))
    if parent is not None:
        return None
    raise place.fault(
        "the table has no eventTime",
        rule="the first table says when its rows happened",
        fix="add {property: eventTime, value: {field: ...}}",
    )


def _known_time(
    own: dict[str, tuple[Any, Place]], place: Place, fields: dict[str, Field], parent: str | None
) -> TimeRule | None:
    if parent is not None:
        if "knownTime" in own:
            raise own["knownTime"][1].fault(
                "a child table states knownTime",
                rule="a part of a record is known when the record is",
                fix="remove it",
            )
        return None
    if "knownTime" not in own:
        raise place.fault(
            "the table has no knownTime",
            rule="the first table says when the bank could first know its rows",
            fix="add {property: knownTime, value: {field: ...}} or {rule: delivery}",
        )
    return _time(*own["knownTime"], fields)


def _time(value: Any, place: Place, fields: dict[str, Field], more: tuple[str, ...] = ()) -> TimeRule:
    mapping(value, place, known=("field", "at", "plusDays", "orElse", "rule", *more), what="a time rule")
    if ("field" in value) == ("rule" in value):
        raise place.fault(
            "a time rule needs either a field or a rule",
            rule="a time comes from a field, or from the delivery",
            fix="write {field: report_ts} or {rule: delivery}",
        )
    plus = int(number(value.get("plusDays", 0), place.at("plusDays"), what="plusDays", least=0, whole=True))
    if "rule" in value:
        return TimeRule(
            rule=choice(value["rule"], place.at("rule"), what="rule", known=("delivery",)), plus_days=plus
        )
    field = _time_field(value["field"], place.at("field"), fields)
    fallback = None
    if "orElse" in value:
        fallback = _time_field(value["orElse"], place.at("orElse"), fields)
    anchor = fallback or field
    if not anchor.required:
        raise place.fault(
            f"{anchor.name} may be empty, and then there is no time",
            rule="the field of a time rule is required, or its orElse is",
            fix=f"write required: true on {anchor.name}, or name a required field as orElse",
        )
    if "at" in value and field.type == "timestamp":
        raise place.fault(
            f"{field.name} is a timestamp and has no start or end",
            of="at",
            rule="at is for dates and months",
            fix="remove at",
        )
    at = choice(value.get("at", "start"), place.at("at"), what="at", known=("start", "end"))
    return TimeRule(
        field=field.name,
        at=at,
        plus_days=plus,
        or_else=fallback.name if fallback else None,
        ahead=flag(value.get("ahead", False), place.at("ahead"), what="ahead"),
    )


def _named(name: Any, place: Place, fields: dict[str, Field]) -> Field:
    if name not in fields:
        place.unknown("field", name, fields, "it names a field of this table")
    if fields[name].drop:
        raise place.fault(
            f"{name} is never stored", rule="a dropped field is used nowhere", fix="remove drop: true"
        )
    return fields[name]


def _time_field(name: Any, place: Place, fields: dict[str, Field]) -> Field:
    field = _named(name, place, fields)
    if field.type not in TIMES:
        raise place.fault(
            f"{name} is of type {field.type}, no time",
            rule="a time rule names a date, a month or a timestamp",
            fix="name another field, or correct its logicalType",
        )
    return field


def _business_key(fields: tuple[Field, ...], place: Place, parent: str | None) -> tuple[str, ...]:
    key = tuple(item.name for item in fields if item.primary_key)
    if not key and parent is None:
        raise place.fault(
            "the table has no business key",
            rule="versions of one thing are told by the fields with primaryKey: true",
            fix="add primaryKey: true to the fields that identify a row",
        )
    return key


def _coded(value: Any, place: Place, field: Field) -> str:
    text(value, place, what="the value")
    if field.codes is not None and value not in field.codes:
        place.unknown(f"code of {field.name}", value, field.codes)
    return str(value)


def _tombstone(
    own: dict[str, tuple[Any, Place]], fields: dict[str, Field], kind: str, table: Place
) -> tuple[str, str] | None:
    if "tombstone" not in own:
        return None
    value, place = own["tombstone"]
    if kind == "answer":
        raise table.fault(
            "a tombstone on an answer", rule="answers are not deleted, a newer one counts", fix="remove it"
        )
    mapping(value, place, known=("field", "value"), required=("field", "value"), what="tombstone")
    field = _named(value["field"], place.at("field"), fields)
    return field.name, _coded(value["value"], place.at("value"), field)


def _valid_to(
    own: dict[str, tuple[Any, Place]], fields: dict[str, Field], kind: str, table: Place
) -> str | None:
    if "validTo" not in own:
        return None
    value, place = own["validTo"]
    if kind != "state":
        raise table.fault(
            f"validTo on a table of kind {kind}",
            rule="only a state holds until something",
            fix="remove it, or write kind: state",
        )
    return _time_field(value, place, fields).name


def _hit(
    own: dict[str, tuple[Any, Place]], fields: dict[str, Field], kind: str, parent: str | None
) -> tuple[str, tuple[str, ...]] | None:
    if "hit" not in own:
        return None
    value, place = own["hit"]
    if kind != "answer" or parent is not None:
        raise place.fault(
            "hit on a table that is no answer's header",
            rule="hit says of an answer's first table whether a record was found",
            fix="move it to the header, or remove it",
        )
    mapping(value, place, known=("field", "yes"), required=("field", "yes"), what="hit")
    field = _named(value["field"], place.at("field"), fields)
    yes = listing(value["yes"], place.at("yes"), what="yes")
    return field.name, tuple(_coded(item, place.at("yes").at(i, ""), field) for i, item in enumerate(yes))


def _rules(
    value: dict[str, Any], place: Place, fields: dict[str, Field]
) -> tuple[tuple[Rule, ...], dict[str, Place]]:
    rules: list[Rule] = []
    places: dict[str, Place] = {}
    spots: list[tuple[Any, Place, str | None]] = []
    here = place.at("quality")
    spots += [
        (item, here.at(i, ""), None)
        for i, item in enumerate(listing(value.get("quality") or [], here, what="quality", empty=True))
    ]
    for i, item in enumerate(value["properties"]):
        below = place.at("properties", "").at(i, item["name"]).at("quality")
        listed = listing(item.get("quality") or [], below, what="quality", empty=True)
        spots += [(rule, below.at(k, ""), item["name"]) for k, rule in enumerate(listed)]
    for raw, spot, of in spots:
        rule = read_rule(raw, spot, fields, of)
        if rule is None:
            continue
        if rule.name in places:
            raise spot.fault(
                f"the rule {rule.name!r} stands twice",
                rule="a rule's name is unique in its table",
                fix="rename one",
            )
        places[rule.name] = spot.at(
            "implementation" if rule.kind in {"sql", "document_sql"} else "metric", rule.name
        )
        rules.append(rule)
    return tuple(rules), places
