"""The report: whole without a script, nothing from outside, everything from data escaped."""

from __future__ import annotations

import re
from dataclasses import replace

import clean_model
import planted_faults
import pytest

from bluemirror.validation import validate
from bluemirror.validation.charts import charts, ticks
from bluemirror.validation.page import number, page_html, summary_html, table_html


@pytest.fixture(scope="module")
def pack():
    fault = next(one for one in planted_faults.FAULTS if one.name == "drifted_source")
    return validate(fault.evidence(3))


def test_every_finding_stands_in_the_report(pack):
    page = page_html(pack)
    for one in pack.findings:
        assert one.label_zh in page
    assert page.count("<figure>") == len(charts(pack)) == 6
    assert page.count('class="point look"') == sum(one.severity == "look" for one in pack.alarms) > 0
    assert "需解释 look" in page
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"\bnan\b", page)
    assert len(page) < 200_000


def test_what_comes_from_data_is_escaped():
    clean = clean_model.clean(0)
    wicked = replace(
        clean,
        description=replace(
            clean.description, title_en="<b>bold</b>", texts={"limits": "<script>alert(1)</script>"}
        ),
    )
    page = page_html(validate(wicked))
    assert "<b>bold</b>" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_notebook_sees_the_alarms(pack):
    shown = summary_html(pack)
    assert all(one.sentence.split(";")[0] in shown for one in pack.alarms)
    assert pack._repr_html_() == shown


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (None, "", ""),
        (float("nan"), "", ""),
        (1234, "", "1,234"),
        (0.0312, "bad_rate", "3.12%"),
        (0.5, "auc", "0.500"),
        (2.0, "", "2"),
        (1e-7, "p", "1.0e-07"),
        (1234.5, "", "1,234"),
    ],
)
def test_numbers_read_well(value, name, shown):
    assert number(value, name) == shown


def test_tables_and_ticks():
    assert table_html([]) == ""
    assert "+2 more" in table_html([{"a": at} for at in range(42)])
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-7.2, 2.9) == [-6, -4, -2, 0, 2]
