"""What is not meant when a name is written in another way: width, case, spaces, punctuation, numerals."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

DIGITS = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
}
OVER = "over"
"""Name of what a value says beyond its parts: it tells two values apart, and is kept in no column."""
SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
NUMERAL = f"[{''.join(DIGITS)}{''.join(SCALES)}]+"
_DROPPED = re.compile(r"[^\w()#-]|_")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−~", "-") | {"【": "(", "】": ")", "[": "(", "]": ")"})


def fold(text: str) -> str:
    """Half width, lower case, without spaces and punctuation; ``( ) # -`` stay, because they separate parts."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text).translate(_DASHES).lower())


def number(numeral: str) -> str:
    """A Chinese numeral as digits: by place (一百二十 is 120) or sign by sign (一二〇 is 120).

    ``numeral`` holds signs of :data:`NUMERAL` only.
    """
    if not any(sign in SCALES for sign in numeral):
        return "".join(str(DIGITS[sign]) for sign in numeral)
    total, digit = 0, 0
    for sign in numeral:
        if sign in SCALES:
            # Ten is written without its one: 十二 is 12.
            total += (digit or 1) * SCALES[sign]
            digit = 0
        else:
            digit = DIGITS[sign]
    return str(total + digit)


def with_digits(text: str, before: str) -> str:
    """``text`` with the Chinese numerals that stand right before one of the words ``before`` as digits.

    Elsewhere they stay: the road 五一路 is no number.
    """
    return _numeral_before(before).sub(lambda found: number(found[0]), text)


@cache
def _numeral_before(before: str) -> re.Pattern[str]:
    return re.compile(f"{NUMERAL}(?={before})")
