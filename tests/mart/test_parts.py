"""Parts at the door: keyed columns beside the key's own, equal for equal parts, and nothing raw."""

from __future__ import annotations

import hashlib
import hmac
import re

import polars as pl
import pytest
import yaml

import bluemirror
from bluemirror.contracts import Field, Key, read_contract
from bluemirror.errors import ContractError
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.keys import KeyHasher

ADDRESS = Field(
    "home",
    "home",
    "string",
    False,
    "住址",
    "home",
    key=Key("address", "plain", ("plain",), "address"),
    classification="personal",
)
SPELT = [
    "虚构市样例3区甲木路12号3栋101室",
    "虚构市样例３区甲木街十二号3-101",
    None,
    "虚构市样例3区乙火路12号3栋102室",
]


def by_rule(message: str) -> str:
    return hmac.new(b"k", message.encode(), hashlib.sha256).hexdigest()


def columns(values: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(KeyHasher(b"k").part_columns(pl.Series("home", values, dtype=pl.String), ADDRESS))


def test_columns_are_named_by_field_and_part():
    found = columns(SPELT)
    assert found.columns == [name for name, _ in ADDRESS.part_columns]
    assert found.columns[:2] == ["home_part_norm", "home_part_province"]
    assert found.columns[-1] == "home_part_shingles"
    assert [name for name, _ in ADDRESS.columns] == ["home_plain"]


def test_the_rule_of_each_hash():
    row = columns(SPELT).row(0, named=True)
    assert row["home_part_norm"] == by_rule("parts:address:norm:|虚构|样例3|甲木|12|3||101|")[:32]
    assert row["home_part_road"] == by_rule("parts:address:road:甲木")[:16]
    assert row["home_part_province"] is None
    assert row["home_part_shingles"] == sorted(
        int(by_rule(f"parts:address:shingle:{pair}")[:8], 16) for pair in ("^甲", "甲木", "木$")
    )


def test_equal_parts_are_equal_hashes_and_null_stays_null():
    found = columns(SPELT)
    assert found.row(0) == found.row(1)
    assert all(value is None for value in found.row(2))
    assert found["home_part_room"][3] != found["home_part_room"][0]
    assert found["home_part_number"][3] == found["home_part_number"][0]
    assert columns([None]).schema == found.schema


def test_a_key_without_parts_has_none():
    field = Field("phone", "phone", "string", False, "手机", "phone", key=Key("phone", "plain"))
    assert KeyHasher(b"k").part_columns(pl.Series(["1"]), field) == []


def test_through_the_door(workspace, deliver):
    path = workspace.contracts_dir / "people.odcs.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract["schema"][0]["properties"].append(
        {
            "name": "home", "logicalType": "string", "classification": "personal", "description": "home",
            "customProperties": [
                {"property": "nameZh", "value": "住址"},
                {"property": "key", "value": {"entity": "address", "form": "plain", "parts": "address"}},
            ],
        }
    )  # fmt: skip
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    head = "person_id,op,since,recorded_ts,id_no,phone,email,city,income,home"
    rows = [
        f"P{at},i,2026-01-05,2026-01-05T10:00:00,99000019900101{at:03d}1,1280000000{at},,sh,1000,{home or ''}"
        for at, home in enumerate(SPELT)
    ]
    deliver(
        "people", "2026-01-05", {"people.csv": "\n".join([head, *rows]) + "\n"}, {"people.csv": len(rows)}
    )
    report = ingest_source(workspace, "people")
    assert (report.in_, report.accepted) == (4, 4)
    found = bluemirror.connect(workspace).sql("SELECT * FROM people ORDER BY person_id").pl()
    assert found["home_part_norm"][0] == found["home_part_norm"][1]
    assert found["home"][0] != found["home"][1]
    assert found.schema["home_part_shingles"] == pl.List(pl.UInt32)
    for file in workspace.data.rglob("*"):
        if file.is_file():
            assert not re.search("甲木|样例".encode(), file.read_bytes()), file


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"entity": "address", "form": "md5", "parts": "address"}, "cannot be taken apart"),
        (
            {"entity": "phone", "form": "plain", "parts": "address"},
            "parts of kind address on a key of entity phone",
        ),
        ({"entity": "address", "form": "plain", "parts": "adress"}, "adress"),
    ],
)
def test_mistakes(workspace, key, message):
    path = workspace.contracts_dir / "people.odcs.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    phone = next(field for field in contract["schema"][0]["properties"] if field["name"] == "phone")
    phone["customProperties"][1]["value"] = key
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as raised:
        read_contract(path)
    assert message in str(raised.value)
