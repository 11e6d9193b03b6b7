"""Keyed hashes: the rule, and that forms meet."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import Field, Key
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.keys import KeyHasher, in_form
from tests.mart.samples import answer, lines, people_csv, person


def by_rule(key: bytes, entity: str, form: str, value: str) -> str:
    return hmac.new(key, f"{entity}:{form}:{value.strip().lower()}".encode(), hashlib.sha256).hexdigest()[:32]


def test_rule():
    hasher = KeyHasher(b"k")
    values = pl.Series("x", ["13800000000", None, " 13800000000 ", "ABC"])
    found = hasher.column(values, "phone", "plain", "plain").to_list()
    assert found[0] == found[2] == by_rule(b"k", "phone", "plain", "13800000000")
    assert found[1] is None
    assert found[3] == by_rule(b"k", "phone", "plain", "abc")


def test_key_entity_and_form_all_matter():
    one = KeyHasher(b"k").one
    assert (
        len(
            {
                one("1", "phone", "plain"),
                one("1", "card", "plain"),
                one("1", "phone", "md5"),
                KeyHasher(b"l").one("1", "phone", "plain"),
            }
        )
        == 4
    )


def test_column_of_nothing():
    found = KeyHasher(b"k").column(pl.Series("x", [None, None], dtype=pl.String), "phone", "md5", "md5")
    assert found.to_list() == [None, None]
    assert found.dtype == pl.String


@pytest.mark.parametrize("form", ["md5", "sha256"])
def test_forms_of_a_plain_value_meet_the_vendors_hash(form):
    field = Field("id", "id", "string", True, "", "", key=Key("id_no", "plain", ("plain", form)))
    value = "11010119900101000X"
    plain, hashed = KeyHasher(b"k").columns(pl.Series("id", [value]), field)
    vendor = hashlib.new(form, value.encode()).hexdigest().upper()
    assert hashed.to_list() == KeyHasher(b"k").column(pl.Series("v", [vendor]), "id_no", form, form).to_list()
    assert plain.to_list() == [by_rule(b"k", "id_no", "plain", value)]
    assert (plain.name, hashed.name) == ("id_plain", f"id_{form}")
    assert in_form(value, form) == vendor.lower()


def test_sources_meet_in_the_mart(workspace, deliver):
    number = "11010119900101000X"
    deliver("people", "2024-01-02", {"a.csv": people_csv([person(1, id_no=number)])}, {"a.csv": 1})
    sent = hashlib.md5(number.encode()).hexdigest()
    deliver("asked", "2024-01-02", {"a.jsonl": lines([answer(1, id_hash=sent), answer(2)])}, {"a.jsonl": 2})
    ingest_source(workspace, "people")
    ingest_source(workspace, "asked")
    joined = "SELECT p.person_id, a.req_id FROM people p JOIN asked a ON a.id_hash = p.id_no_md5"
    assert bluemirror.connect(workspace).sql(joined).fetchall() == [("P1", "R1")]
