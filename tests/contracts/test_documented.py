"""``docs/contracts.md`` names every property that a contract can have, and none that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bluemirror.contracts import fields, keys, landing, model, read, rules, service_levels, tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contracts.md"
LANGUAGE = {
    "a source": {*read.CUSTOM, *read.NEEDED, *read.STAGES, *landing.FORMATS, *read.POLICIES}
    - {"apiVersion", "kind"},
    "a delivery": {*landing.LANDING, *landing.DIALECT, *landing.RELATIONAL},
    "a price": {*service_levels.RECORD, *service_levels.VERDICT, *service_levels.OUTCOMES},
    "a service level": {
        *service_levels.DELIVERED,
        *service_levels.RESPONSE,
        *service_levels.SHARES,
        *service_levels.SAID,
        *service_levels.UNITS,
    },
    "a table": {*tables.CUSTOM, *tables.KINDS},
    "a field": {*fields.CUSTOM, *fields.CLASSES, *fields.OPTIONS} - {"format"},
    "a key": {*keys.ENTITIES, *keys.FORMS, *model.PARTS, *model.Key.__dataclass_fields__},
    "a type": {part for pair in fields.TYPES for part in pair if part},
    "a rule": {*rules.SEVERITIES, *rules.DIMENSIONS, *rules.METRICS} - {"missingValues"},
}


@pytest.mark.parametrize("what", LANGUAGE)
def test_every_word_of_the_language_is_explained(what: str) -> None:
    words = set(re.findall(r"\w+", PAGE.read_text(encoding="utf-8")))
    assert LANGUAGE[what] <= words, f"docs/contracts.md does not explain {LANGUAGE[what] - words}"
