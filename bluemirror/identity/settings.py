"""What splink is told: which columns are compared how, which pairs are looked at, what the parameters begin with.

Only authored here; ``bluemirror.identity.matching`` trains and applies it. The probabilities of a comparison's levels
(m: among pairs that are one, u: among pairs that are not) begin with the numbers given and are then estimated: u from
pairs drawn at random, m by expectation maximisation. One thing is held: who writes a room writes the right one
(:data:`ANCHORED`). Without it the likeliest two classes of addresses are not "one dwelling or not", but "one house or
not", because neighbours agree in everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.identity.records import NAME

if TYPE_CHECKING:
    from bluemirror.identity.declared import Declared, Match

ANCHORED = {"same": 0.9, "one missing": 0.085, "else": 0.015}
"""Probabilities m of a part that is seldom written wrongly, only left out."""
CORE = ((0.7, 3e-5), (0.25, 3e-5), (0.03, 0.01), (0.02, 0.98994))
"""(m, u) of a company's core: same, one sign wrong, half of its signs, other. Held: one company has many spellings, so
that pairs drawn at random hold many matches, and nothing else in a name tells companies apart."""


@dataclass(frozen=True)
class Authored:
    """One match, in splink's terms.

    Parameters
    ----------
    comparisons
        As splink's settings have them.
    blocking
        Pairs that agree in one of these sets of columns are looked at.
    training
        Expectation maximisation runs once in the pairs of each of these; a pass estimates what it does not block on.
    certain
        Pairs that agree so are one: their number tells how frequent matches are.
    recall
        Share of all matches that ``certain`` finds, about.
    renamed
        Column of names that change: two names that stand again and again where everything else agrees are one.
    """

    comparisons: tuple[dict[str, Any], ...]
    blocking: tuple[tuple[str, ...], ...]
    training: tuple[tuple[str, ...], ...]
    certain: tuple[str, ...]
    recall: float
    renamed: str | None = None


def author(declared: Declared, match: Match) -> Authored:
    """The settings of a match, from the kind of parts or from the fields that it names."""
    kind = declared.entities[match.entity].spelt
    if kind is None:
        return _fields(match)
    return {"address": _address, "company": _company}[kind]()


def _address() -> Authored:
    return Authored(
        (_part("city"), _house(), _part("unit"), _part("room", ANCHORED)),
        (
            ("road", "number", "building"),
            ("district", "number", "building", "room"),
            ("road", "number", "room"),
            ("district", "road", "building", "room"),
        ),
        (("room",),),
        ("district", "road", "number", "building", "room"),
        0.7,
        renamed="road",
    )


def _house() -> dict[str, Any]:
    """District, road, number and building in one: neighbours agree in all of them, so they are no four witnesses."""

    def same(column: str) -> str:
        return f'"{column}_l" IS NOT DISTINCT FROM "{column}_r"'

    def open_(column: str) -> str:
        return f'coalesce("{column}_l" = "{column}_r", true)'

    near = 'coalesce("road_l" = "road_r" OR len(list_intersect("shingles_l", "shingles_r")) > 0, false)'
    levels = (
        (" AND ".join(map(same, ("district", "road", "number", "building"))), "same", 0.55, 1e-4),
        (
            f"{same('number')} AND {open_('district')} AND {open_('building')} AND {near}",
            "part missing",
            0.3,
            1e-4,
        ),
        (" AND ".join(map(same, ("district", "number", "building"))), "other road", 0.1, 1e-4),
        ("ELSE", "other", 0.05, 0.9997),
    )
    return {
        "output_column_name": "house",
        "comparison_levels": [
            _nothing('"road_l" IS NULL OR "road_r" IS NULL'),
            *(_level(condition, label, m, u) for condition, label, m, u in levels),
        ],
    }


def _company() -> Authored:
    return Authored(
        (_spelling("core", "shingles", (0.42, 0.25), CORE), _part("trade"), _part("region"), _part("legal")),
        (("core",), ("head", "trade"), ("tail",)),
        (("core",), ("tail",)),
        ("core",),
        0.7,
    )


def _fields(match: Match) -> Authored:
    name = (NAME, f"{NAME}_given")
    first = match.agree[0]
    pairs = tuple((first, other) for other in match.agree[1:])
    comparisons = (_spelling(NAME, f"{NAME}_shingles", (0.2,)), *(_part(field) for field in match.agree))
    blocking = (*pairs, (first, name[0]), *((name[1], field) for field in match.agree[1:]))
    return Authored(comparisons, blocking, ((first,), (NAME,)), (first, name[0]), 0.5)


def _level(
    condition: str, label: str, m: float, u: float, held: bool = False, all_held: bool = False
) -> dict[str, Any]:
    return {
        "sql_condition": condition, "label_for_charts": label, "m_probability": m, "u_probability": u,
        "fix_m_probability": held or all_held, "fix_u_probability": all_held,
    }  # fmt: skip


def _nothing(condition: str) -> dict[str, Any]:
    """A level that says nothing either way."""
    return {"sql_condition": condition, "label_for_charts": "missing", "is_null_level": True}


def _part(column: str, held: dict[str, float] | None = None) -> dict[str, Any]:
    """Same, left out on one side, other; left out on both sides says nothing."""
    left, right = f'"{column}_l"', f'"{column}_r"'
    m = held or {"same": 0.85, "one missing": 0.12, "else": 0.03}
    return {
        "output_column_name": column,
        "comparison_levels": [
            _nothing(f"{left} IS NULL AND {right} IS NULL"),
            # What no pair at random shows keeps the u that it begins with: seldom.
            _level(f"{left} = {right}", "same", m["same"], 1e-5, held is not None),
            _level(
                f"{left} IS NULL OR {right} IS NULL", "one missing", m["one missing"], 0.01, held is not None
            ),
            _level("ELSE", "other", m["else"], 0.98, held is not None),
        ],
    }


def _spelling(
    column: str, shingles: str, shares: tuple[float, ...], held: tuple[tuple[float, float], ...] | None = None
) -> dict[str, Any]:
    """Same, similar by the share of shingles in common (falling ``shares``), other; ``held`` (m, u) of each."""
    left, right = f'"{column}_l"', f'"{column}_r"'
    both = f'len(list_intersect("{shingles}_l", "{shingles}_r"))'
    either = f'(len("{shingles}_l") + len("{shingles}_r") - {both})'
    similar = (0.1 / len(shares), 0.001)
    numbers = held or ((0.85, 1e-5), *(similar for _ in shares), (0.05, 0.99))
    conditions = [
        (f"{left} = {right}", "same"),
        *((f"{both} >= {share} * {either}", f"similar by {share:g}") for share in shares),
        ("ELSE", "other"),
    ]
    return {
        "output_column_name": column,
        "comparison_levels": [
            _nothing(f"{left} IS NULL OR {right} IS NULL"),
            *(
                _level(condition, label, m, u, all_held=held is not None)
                for (condition, label), (m, u) in zip(conditions, numbers, strict=True)
            ),
        ],
    }
