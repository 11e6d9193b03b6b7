"""``docs/families.md`` names every word of the family language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bluemirror.variables import axes, combining, language, operators, quantities

PAGE = Path(__file__).resolve().parents[2] / "docs" / "families.md"
LANGUAGE = {
    "a block": set(language.BLOCK_KEYS),
    "a family": set(language.FAMILY_KEYS),
    "windows": set(axes.WINDOW_KEYS),
    "a slice": set(axes.SLICE_KEYS),
    "a measure": set(quantities.MEASURE_KEYS),
    "an attribute": set(quantities.ATTRIBUTE_KEYS),
    "an aggregate": set(operators.OPERATORS),
    "an aggregate of units": set(operators.OUTER),
    "a combination": set(combining.COMBINED),
}


@pytest.mark.parametrize("what", LANGUAGE)
def test_every_word_of_the_language_is_explained(what: str) -> None:
    words = set(re.findall(r"\w+", PAGE.read_text(encoding="utf-8")))
    assert LANGUAGE[what] <= words, f"docs/families.md does not explain {LANGUAGE[what] - words}"


def test_the_page_speaks_of_no_other_aggregate() -> None:
    """Its table names aggregates that exist."""
    table = PAGE.read_text(encoding="utf-8").split("| aggregate |")[1].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == set(operators.OPERATORS)
