"""Service levels and prices of a source: what it promised, and what it may ask for it."""

from __future__ import annotations

from typing import Any

from bluemirror.contracts.model import ServiceLevel
from bluemirror.contracts.place import Place, choice, listing, mapping, number

DELIVERED = ("latency", "frequency", "retention", "timeToDetect", "timeToNotify", "timeToRepair")
"""ODCS levels that are a length of time: of deliveries (latency, frequency), of keeping, of repairing."""
RESPONSE = ("responseTimeP50", "responseTimeP99")
"""Half, and 99 of 100, of the answers come within this time."""
SHARES = ("hitRate", "errorRate", "availability")
"""Shares of calls: with a record (a band, ``value`` to ``valueExt``), failed (at most), answered at all (at least)."""
SAID = ("throughput", "timeOfAvailability", "generalAvailability", "endOfSupport", "endOfLife")
"""ODCS levels that are kept as they are written: a rate, a time of day, dates."""
UNITS = {
    "ms": 1 / 3_600_000,
    "s": 1 / 3600,
    "min": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "week": 168.0,
    "month": 31 * 24.0,
    "year": 366 * 24.0,
}
"""Units of time in hours; a month and a year are the longest that there are."""
SPELLINGS = {
    **{unit: unit for unit in UNITS},
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "w": "week",
    "weeks": "week",
    "mo": "month",
    "months": "month",
    "y": "year",
    "yr": "year",
    "years": "year",
}
"""ODCS leaves the spelling of a unit open; the contract keeps one of :data:`UNITS`."""
OUTCOMES = ("no_hit", "error", "timeout", "cached")
RECORD = ("hit",)
VERDICT = ("match", "mismatch")


def read_service_levels(value: Any, place: Place) -> tuple[ServiceLevel, ...]:
    """The ``slaProperties`` of a contract; ``place`` is where they stand.

    Raises
    ------
    ContractError
        For a level nobody knows, a share outside 0..1, a time without a unit, a band that is upside down.
    """
    levels: list[ServiceLevel] = []
    for i, item in enumerate(
        listing(value if value is not None else [], place, what="slaProperties", empty=True)
    ):
        spot = place.at(i, "")
        known = ("id", "property", "value", "valueExt", "unit", "element", "driver", "description")
        mapping(item, spot, known=known, required=("property", "value"), what="a service level")
        name = choice(
            item["property"],
            spot.at("property"),
            what="service level",
            known=(*DELIVERED, *RESPONSE, *SHARES, *SAID),
        )
        if any(level.property == name for level in levels):
            raise spot.fault(
                f"{name} is promised twice", rule="each service level is stated once", fix="remove one"
            )
        levels.append(_level(name, item, spot))
    _in_order(levels, place)
    return tuple(levels)


def _level(name: str, item: dict[str, Any], spot: Place) -> ServiceLevel:
    if "valueExt" in item and name != "hitRate":
        raise spot.fault(
            f"{name} has two values",
            of="valueExt",
            rule="only hitRate is a band, from value to valueExt",
            fix="remove valueExt",
        )
    if name in SAID:
        return ServiceLevel(name, item["value"], item.get("unit"))
    if name in SHARES:
        return _share(name, item, spot)
    value = number(item["value"], spot.at("value"), what=name, least=0)
    if "unit" not in item:
        raise spot.fault(
            f"{name} has no unit", rule="a length of time has a unit", fix=f"write unit: {_usual(name)}"
        )
    unit = SPELLINGS[choice(item["unit"], spot.at("unit"), what="unit of time", known=SPELLINGS)]
    if name in RESPONSE and unit != "ms":
        raise spot.fault(
            f"{name} in {unit}",
            of="unit",
            rule="response times are in ms, as the call ledger has them",
            fix="write unit: ms",
        )
    if name != "latency" and value == 0:
        raise spot.fault(f"{name} is 0", of="value", rule=f"{name} is longer than nothing", fix="correct it")
    return ServiceLevel(name, value, unit)


def _usual(name: str) -> str:
    return "ms" if name in RESPONSE else "d"


def _share(name: str, item: dict[str, Any], spot: Place) -> ServiceLevel:
    if "unit" in item:
        raise spot.fault(
            f"{name} with a unit",
            of="unit",
            rule=f"{name} is a share of calls, 0 to 1, without a unit",
            fix="remove unit; write 0.98 for 98 percent",
        )
    edges = [number(item["value"], spot.at("value"), what=name, least=0)]
    if name == "hitRate":
        if "valueExt" not in item:
            raise spot.fault(
                "hitRate has one edge",
                rule="hitRate is a band: value is its lower edge, valueExt its upper",
                fix="add valueExt: 1.0 if it cannot be too high",
            )
        edges.append(number(item["valueExt"], spot.at("valueExt"), what=name, least=0))
    for edge in edges:
        if edge > 1:
            raise spot.fault(
                f"{name} is {edge:g}", rule=f"{name} is a share, 0 to 1", fix="write 0.98 for 98 percent"
            )
    if edges != sorted(edges):
        raise spot.fault(
            f"hitRate lies between {edges[0]:g} and {edges[1]:g}",
            rule="value is the lower edge, valueExt the upper",
            fix="exchange them",
        )
    return ServiceLevel(name, edges[0], None, edges[1] if len(edges) > 1 else None)


def _in_order(levels: list[ServiceLevel], place: Place) -> None:
    """The two response times stand together, the median at most the slow end."""
    times = [level for name in RESPONSE for level in levels if level.property == name]
    if len(times) == 1:
        raise place.fault(
            f"{times[0].property} stands alone",
            rule=f"{RESPONSE[0]} and {RESPONSE[1]} are promised together",
            fix="add the other",
        )
    if times and float(times[0].value) > float(times[1].value):
        raise place.fault(
            f"{RESPONSE[0]} {times[0].value:g} ms is above {RESPONSE[1]} {times[1].value:g} ms",
            rule="the median is at most the slow end",
            fix="exchange them",
        )


def in_hours(level: ServiceLevel) -> float | None:
    """A promised length of time in hours; None for a level that is none."""
    if level.unit not in UNITS or isinstance(level.value, str):
        return None
    return level.value * UNITS[level.unit]


def read_prices(value: Any, place: Place) -> dict[str, float]:
    """``priceByResult``: result of a call to its price in yuan.

    A source of records states ``hit``; one that verifies states ``match`` and ``mismatch`` in its place.

    Raises
    ------
    ContractError
        For a result nobody knows, a price below 0, or both ways at once.
    """
    known = (*RECORD, *VERDICT, *OUTCOMES)
    mapping(value, place, known=known, what="priceByResult")
    stated = [name for name in (*RECORD, *VERDICT) if name in value]
    if tuple(stated) not in {RECORD, VERDICT}:
        raise place.fault(
            f"priceByResult has {' and '.join(stated) or 'no price of an answer'}",
            rule="a source prices hit or, if it verifies what it is told, match and mismatch",
            fix="write hit: 0.5, or match: 0.3 and mismatch: 0.3",
        )
    return {
        name: float(number(price, place.at(name), what=f"the price of {name}", least=0))
        for name, price in value.items()
    }
