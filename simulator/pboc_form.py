"""How a report is written: as XML, as the JSON that converters make of it, in camel case, or as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SUFFIX = {"xml": "xml", "json": "json", "camel": "json", "zip": "zip"}
"""Kind of form -> suffix of its files."""
ABSENT = ("missing", "empty", "null", "--")


@dataclass(frozen=True)
class Form:
    """How one report is written.

    Parameters
    ----------
    kind
        One of ``SUFFIX``.
    absent
        How absent values appear, one of ``ABSENT``. In XML null is an empty element; the relational copy has empty
        fields for all of them.
    commas
        Whether amounts carry thousands commas.
    """

    kind: str
    absent: str
    commas: bool


def form_of(draws: Sequence[float], shares: Mapping[str, float]) -> Form:
    """The form that three even draws choose.

    Parameters
    ----------
    shares
        How often each kind is met; they sum to 1.
    """
    at = draws[0]
    kind = next(iter(shares))
    for name, share in shares.items():
        kind = name
        at -= share
        if at < 0:
            break
    json = SUFFIX[kind] == "json"
    return Form(kind, ABSENT[int(draws[1] * 4)], commas=json and bool(draws[2] < 0.4))
