"""A value as its normal spelling, its parts and its shingles."""

from __future__ import annotations

from dataclasses import dataclass

from bluemirror.contracts.model import PARTS
from bluemirror.parts.address import address_parts
from bluemirror.parts.company import company_parts
from bluemirror.parts.person import WHOLE, person_parts
from bluemirror.parts.shingles import shingles
from bluemirror.parts.spelling import OVER, fold


@dataclass(frozen=True, slots=True)
class Apart:
    """A value taken apart; raw text, for the door of the mart alone.

    Parameters
    ----------
    norm
        The parts in one spelling, and what no part holds, joined: equal for spellings that differ in width, spaces,
        punctuation, numerals and the words for road, house and room only.
    parts
        An entry a part, in the order of ``bluemirror.contracts.model.PARTS``; None where the value has none.
    shingles
        Pieces of what may be misspelt: the road, the core of the company's name, the person's name.
    """

    norm: str
    parts: tuple[str | None, ...]
    shingles: tuple[str, ...]


def take_apart(value: str, kind: str) -> Apart:
    """Take one value apart.

    Parameters
    ----------
    value
        As the source sends it.
    kind
        ``address``, ``company`` or ``person``.

    Raises
    ------
    KeyError
        If the kind is none of these.
    """
    parse, misspelt = _KINDS[kind]
    parts = parse(fold(value))
    kept = tuple(parts[name] for name in PARTS[kind])
    norm = "|".join((*kept, parts.get(OVER, "")))
    return Apart(norm, tuple(text or None for text in kept), shingles(parts[misspelt]))


_KINDS = {
    "address": (address_parts, "road"),
    "company": (company_parts, "core"),
    "person": (person_parts, WHOLE),
}
