"""Quality rules of a table, from the ODCS ``quality`` entries of the table and of its fields."""

from __future__ import annotations

from typing import Any

from bluemirror.contracts.model import Field, Rule
from bluemirror.contracts.place import Place, choice, custom, listing, mapping, number, text

SEVERITIES = ("error", "warning")
DIMENSIONS = ("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OPERATORS = (
    "mustBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
)
ODCS_KEYS = (
    "id",
    "name",
    "type",
    "engine",
    "implementation",
    "severity",
    "dimension",
    "description",
    "metric",
    "arguments",
    "unit",
    "businessImpact",
    "tags",
    "customProperties",
    *OPERATORS,
)


def read_rule(value: Any, place: Place, fields: dict[str, Field], of: str | None = None) -> Rule | None:
    """One rule, or None for a text that only people read.

    Parameters
    ----------
    of
        The field under which the rule stands, None under the table.
    """
    mapping(value, place, known=ODCS_KEYS, what="a quality rule")
    label = value.get("name") or value.get("metric") or ""
    place = Place(place.file, place.steps, (*place.label, str(label))) if label else place
    kind = value.get("type", "library")
    choice(kind, place.at("type"), what="type of quality rule", known=("custom", "library", "text"))
    if kind == "text":
        return None
    severity = value.get("severity")
    if severity is None:
        raise place.fault(
            "a rule has no severity",
            rule="severity is error (to quarantine) or warning (counted)",
            fix="add severity: error",
        )
    choice(severity, place.at("severity"), what="severity", known=SEVERITIES)
    if value.get("dimension") is not None:
        choice(value["dimension"], place.at("dimension"), what="dimension", known=DIMENSIONS)
    common = {"severity": severity, "dimension": value.get("dimension"), "note": value.get("description")}
    return _custom(value, place, common) if kind == "custom" else _library(value, place, fields, of, common)


def _custom(value: dict[str, Any], place: Place, common: dict[str, Any]) -> Rule:
    mapping(
        value, place, known=ODCS_KEYS, required=("name", "engine", "implementation"), what="a custom rule"
    )
    choice(value["engine"], place.at("engine"), what="engine", known=("bluemirror",))
    name = text(
        value["name"],
        place.at("name"),
        what="the rule's name",
        pattern="[a-z][a-z0-9_]*",
        example="not_in_future",
    )
    expression = text(value["implementation"], place.at("implementation"), what="implementation").strip()
    own = custom(value.get("customProperties"), place, known=("scope",), what="a rule")
    scope = choice(*own["scope"], what="scope", known=("row", "document")) if "scope" in own else "row"
    return Rule(name, "document_sql" if scope == "document" else "sql", expression, **common)


def _library(
    value: dict[str, Any], place: Place, fields: dict[str, Field], of: str | None, common: dict[str, Any]
) -> Rule:
    mapping(value, place, known=ODCS_KEYS, required=("metric",), what="a library rule")
    metric = choice(value["metric"], place.at("metric"), what="metric", known=METRICS)
    arguments = value.get("arguments") or {}
    mapping(arguments, place.at("arguments"), known=("properties", "validValues"), what="arguments")
    low, high = _limits(value, place)
    if metric == "rowCount":
        if of is not None:
            raise place.fault(
                "rowCount under a field", rule="rowCount is a rule of a table", fix="move it to the table"
            )
        return Rule(
            value.get("name") or "row_count",
            "row_count",
            f"between {low} and {high}",
            minimum=low,
            maximum=high,
            **common,
        )
    if (low, high) != (0, 0):
        raise place.fault(
            f"{metric} with a tolerance",
            rule=f"{metric} is asked of every row: mustBe: 0",
            fix="write mustBe: 0, and severity: warning if some rows may break it",
        )
    names = _names(arguments, place, fields, of, metric)
    what = "_".join(names)
    if metric == "duplicateValues":
        return Rule(value.get("name") or f"unique_{what}", "duplicate", "", fields=names, **common)
    if metric in {"nullValues", "missingValues"}:
        condition = " AND ".join(
            f'"{column}" IS NOT NULL' for name in names for column, _ in fields[name].columns[:1]
        )
        return Rule(value.get("name") or f"not_null_{what}", "null", condition, fields=names, **common)
    allowed = listing(
        arguments.get("validValues"), place.at("arguments").at("validValues"), what="validValues"
    )
    listed = ", ".join("'" + str(item).replace("'", "''") + "'" for item in allowed)
    condition = " AND ".join(
        f'("{name}" IS NULL OR CAST("{name}" AS VARCHAR) IN ({listed}))' for name in names
    )
    return Rule(value.get("name") or f"valid_{what}", "values", condition, fields=names, **common)


def _names(
    arguments: dict[str, Any], place: Place, fields: dict[str, Field], of: str | None, metric: str
) -> tuple[str, ...]:
    if of is not None:
        return (of,)
    here = place.at("arguments").at("properties")
    names = listing(arguments.get("properties"), here, what=f"arguments.properties of {metric}")
    for i, name in enumerate(names):
        choice(name, here.at(i, ""), what="field", known=fields)
    return tuple(names)


def _limits(value: dict[str, Any], place: Place) -> tuple[float | None, float | None]:
    stated = [name for name in OPERATORS if name in value]
    if len(stated) != 1:
        raise place.fault(
            f"a library rule has {len(stated)} conditions",
            rule=f"exactly one of {', '.join(OPERATORS)}",
            fix="write mustBe: 0" if not stated else f"keep {stated[0]}",
        )
    name, here = stated[0], place.at(stated[0])
    if name == "mustBeBetween":
        both = listing(value[name], here, what=name)
        if len(both) != 2:
            raise here.fault(
                "mustBeBetween without two edges", rule="a list of two numbers", fix="write [low, high]"
            )
        return number(both[0], here, what=name), number(both[1], here, what=name)
    edge = number(value[name], here, what=name)
    return {
        "mustBe": (edge, edge),
        "mustBeGreaterThan": (edge + 1, None),
        "mustBeGreaterOrEqualTo": (edge, None),
        "mustBeLessThan": (None, edge - 1),
        "mustBeLessOrEqualTo": (None, edge),
    }[name]
