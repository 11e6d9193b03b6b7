"""What a model's card says, read as the parts of a documentation; parts declared for the validation."""

from __future__ import annotations

import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.evidence import card_parts

CARD = """# A card

**For what.** Ranks
people.

**Population.** Everybody.
**Label.** Late.

**Something else.** Not asked for.

**Limits and duties.** None
known.
"""


def test_a_card_is_read_by_its_bold_headings():
    assert card_parts(CARD) == {
        "purpose": "Ranks people.",
        "population": "Everybody.",
        "label": "Late.",
        "limits": "None known.",
    }
    assert card_parts("") == {}


def test_parts_are_declared_with_the_model(declare):
    assert declare().parts is None
    spec = declare(
        {
            "validation.sql": "select 1",
            "validation.segments": ["product"],
            "validation.groups": ["sex", "region"],
        }
    )
    assert spec.parts is not None
    assert (spec.parts.segments, spec.parts.groups) == (("product",), ("sex", "region"))
    with pytest.raises(ModelError, match="unknown key 'group'"):
        declare({"validation.sql": "select 1", "validation.group": ["sex"]})


def test_a_table_of_the_card_is_markdown():
    from bluemirror.scorecards.model_card import table

    rows = table([{"": "a", "n": 3, "x": 0.25}, {"": "b|c", "n": 4000, "x": 12.0}]).splitlines()
    assert [len(row.replace("b/c", "").split("|")) for row in rows] == [5] * 4
    assert rows[1] == "| --- | ---: | ---: |"
    assert "b/c" in rows[3]
    assert "4,000" in rows[3]
    assert table([]) == "None."
