"""Texts that a regular expression matches: for columns whose contract states nothing but a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

# The parser of regular expressions is the standard library's own, which gives it no public name.
_PARSER: Any = import_module("re._parser")

LETTERS = "abcdefghijkmnpqrstuvwxyz"
MORE = 8
"""How many more repetitions than it must an open repeat draws at most."""


def texts_of(pattern: str, count: int, rng: np.random.Generator) -> list[str]:
    """At most ``count`` different texts that ``pattern`` matches, in a fixed order for a fixed ``rng``.

    Raises
    ------
    ValueError
        If the pattern uses what is not drawn (look-around, back-references).
    """
    parsed = _PARSER.parse(pattern)
    found: dict[str, None] = {}
    for _ in range(4 * count):
        text = _draw(parsed, rng)
        if re.search(pattern, text):
            found[text] = None
        if len(found) == count:
            break
    return list(found)


def _draw(parsed: Any, rng: np.random.Generator) -> str:
    return "".join(_part(str(kind), value, rng) for kind, value in parsed)


def _repeat(value: Any, rng: np.random.Generator) -> str:
    low, high, inner = value
    times = int(rng.integers(low, min(int(high), low + MORE) + 1))
    return "".join(_draw(inner, rng) for _ in range(times))


def _signs(value: Any) -> list[str]:
    signs: list[str] = []
    for kind, one in value:
        if str(kind) == "LITERAL":
            signs.append(chr(one))
        elif str(kind) == "RANGE":
            signs += [chr(code) for code in range(one[0], one[1] + 1)]
        elif str(kind) == "CATEGORY":
            signs += list("0123456789" if "DIGIT" in str(one) else LETTERS)
    if str(value[0][0]) == "NEGATE":
        allowed = [sign for sign in "甲乙丙丁戊己庚辛壬癸" + LETTERS if sign not in signs]
        return allowed[:10]
    return signs


def _choice(values: Any, rng: np.random.Generator) -> Any:
    return values[int(rng.integers(len(values)))]


_PARTS: dict[str, Callable[[Any, np.random.Generator], str]] = {
    "LITERAL": lambda value, _: chr(value),
    "ANY": lambda _, rng: str(_choice(LETTERS, rng)),
    "IN": lambda value, rng: str(_choice(_signs(value), rng)),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "SUBPATTERN": lambda value, rng: _draw(value[3], rng),
    "BRANCH": lambda value, rng: _draw(_choice(value[1], rng), rng),
    "AT": lambda _value, _rng: "",
}


def _part(kind: str, value: Any, rng: np.random.Generator) -> str:
    if kind not in _PARTS:
        raise ValueError(f"patterns with {kind} are not drawn")
    return _PARTS[kind](value, rng)
