"""Values that a field of a contract allows: of its type, its codes, its pattern, its bounds."""

from __future__ import annotations

import datetime as dt
import random
import re
import re._constants as sre
import re._parser as sre_parser
import string
from typing import Any

from bluemirror.contracts import Field

DAY = dt.date(2025, 6, 30)
"""The delivery's day: nothing lies behind its end."""
SPAN = 700
"""Days before it from which dates are drawn."""
HEX = {"md5": 32, "sha1": 40, "sha256": 64, "sm3": 64}
CHINESE = "甲乙丙丁戊己庚辛壬癸"
"""Signs for what is neither letter nor digit."""
WIDTH = 40
"""Digits of the longest text that is drawn for a free string."""


def draw(item: Field, rng: random.Random, *, back: int = 3) -> Any:
    """A raw value of ``item``, as a source of text would send it: text, a number, true or false.

    Parameters
    ----------
    back
        Days before the delivery's day that dates keep to at least.
    """
    if item.codes:
        return rng.choice(list(item.codes))
    if item.key is not None and item.key.form != "plain" and item.key.form in HEX:
        return "".join(rng.choices("0123456789abcdef", k=HEX[item.key.form]))
    makers = {"int": _int, "float": _float, "amount": _amount, "string": _string}
    if item.type in makers:
        return makers[item.type](item, rng)
    if item.type == "bool":
        return rng.random() < 0.5
    day = DAY - dt.timedelta(days=rng.randint(back, max(SPAN, 2 * back)))
    if item.type == "date":
        return day.isoformat()
    if item.type == "month":
        return day.strftime("%Y-%m")
    seconds = rng.randint(0, 86_399)
    return f"{day.isoformat()}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rng.randint(0, 999):03d}"


def _edges(item: Field, low: float, high: float) -> tuple[float, float]:
    least = low if item.minimum is None else item.minimum
    most = high if item.maximum is None else item.maximum
    return (least, most) if least <= most else (least, least + high)


def _int(item: Field, rng: random.Random) -> int:
    low, high = _edges(item, 0, 60)
    return rng.randint(int(-(-low // 1)), int(min(high, low + 1000)))


def _float(item: Field, rng: random.Random) -> float:
    low, high = _edges(item, 0, 1000)
    return round(min(max(rng.uniform(low, min(high, low + 1000)), low), high), 4)


def _amount(item: Field, rng: random.Random) -> str:
    low, high = _edges(item, 0, 50_000)
    fen = rng.randint(-int(-low * 100 // 1), int(min(high, low + 50_000) * 100))
    return f"{fen / 100:.2f}"


def _string(item: Field, rng: random.Random) -> str:
    if item.pattern:
        return from_pattern(item.pattern, rng)
    least = max(item.min_length or 0, min(12, item.max_length or 12))
    most = min(item.max_length or WIDTH, WIDTH)
    length = rng.randint(least, max(least, most))
    return "".join(rng.choices(string.ascii_uppercase + string.digits, k=length))


def from_pattern(pattern: str, rng: random.Random) -> str:
    """A text that a regular expression matches (no look-around, no back-references)."""
    for _ in range(50):
        text = "".join(_parts(sre_parser.parse(pattern), rng))
        if re.search(pattern, text) and text == text.strip():
            return text
    raise AssertionError(f"no text drawn for the pattern {pattern}")


def _parts(parsed: Any, rng: random.Random) -> list[str]:
    out: list[str] = []
    for kind, value in parsed:
        if kind is sre.LITERAL:
            out.append(chr(value))
        elif kind is sre.NOT_LITERAL:
            out.append("x" if value != ord("x") else "y")
        elif kind is sre.ANY:
            out.append(rng.choice(string.ascii_lowercase))
        elif kind is sre.IN:
            out.append(_one_of(value, rng))
        elif kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            low, high, inner = value
            times = rng.randint(low, min(int(high), low + 8))
            for _ in range(times):
                out += _parts(inner, rng)
        elif kind is sre.SUBPATTERN:
            out += _parts(value[3], rng)
        elif kind is sre.BRANCH:
            out += _parts(rng.choice(value[1]), rng)
        elif kind is sre.CATEGORY:
            out.append(_of_category(value, rng))
        elif kind is not sre.AT:
            raise AssertionError(f"patterns with {kind} are not drawn")
    return out


def _one_of(choices: Any, rng: random.Random) -> str:
    negated = choices[0][0] is sre.NEGATE
    signs: list[str] = []
    for kind, value in choices:
        if kind is sre.LITERAL:
            signs.append(chr(value))
        elif kind is sre.RANGE:
            signs += [chr(code) for code in range(value[0], min(value[1], value[0] + 300) + 1)]
        elif kind is sre.CATEGORY:
            signs.append(_of_category(value, rng))
    if negated:
        signs = [sign for sign in string.ascii_letters + string.digits + CHINESE if sign not in signs]
    return rng.choice(signs)


def _of_category(category: Any, rng: random.Random) -> str:
    signs = {
        sre.CATEGORY_DIGIT: string.digits,
        sre.CATEGORY_WORD: string.ascii_letters,
        sre.CATEGORY_NOT_SPACE: string.ascii_letters,
        sre.CATEGORY_NOT_DIGIT: string.ascii_letters,
        sre.CATEGORY_SPACE: " ",
    }
    return rng.choice(signs[category])
