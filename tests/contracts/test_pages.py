"""The documentation page of a contract: complete, bilingual, and safe to open."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bluemirror.contracts import read_contracts
from bluemirror.contracts.pages import page, page_html

CONTRACTS = read_contracts(Path(__file__).resolve().parents[2] / "data_contracts")


class Tags(HTMLParser):
    """Counts tags and checks that they close."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("source", CONTRACTS)
def test_it_tells_every_field_code_and_rule(source):
    contract = CONTRACTS[source]
    markdown, markup = page(contract), page_html(contract)
    parser = Tags()
    parser.feed(markup)
    assert parser.open == []
    texts = set(parser.texts)
    assert contract.name_zh in markdown
    for table in contract.tables:
        assert f"## {table.name}" in markdown
        for field in table.fields:
            assert {field.name, field.label_zh, field.label_en} <= texts
            assert texts.issuperset(field.codes or {})
        for rule in table.rules:
            assert f"**{rule.name}**" in markdown
            assert rule.name in texts


def test_it_needs_nothing_from_outside():
    markup = page_html(CONTRACTS["pboc_person"])
    assert "src=" not in markup
    assert "http" not in markup
    assert "<script" not in markup


def test_everything_is_escaped():
    evil = dataclasses.replace(
        CONTRACTS["ml_apply"],
        name_zh="<script>alert(1)</script>",
        purpose="a | b <b>x</b>",
        legal_basis="c | d",
    )
    markup, markdown = page_html(evil), page(evil)
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup
    assert "<script" not in markdown.replace("\\<script", "")
    assert "c \\| d" in markdown


def test_a_notebook_shows_the_page_without_a_second_document():
    fragment = CONTRACTS["own_txn"]._repr_html_()
    assert fragment.startswith("<h1>")
    assert "<html" not in fragment
