"""Readers: what they take out of a file, alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bluemirror.contracts import read_contract
from bluemirror.errors import ContractError
from bluemirror.landing.formats import csv, json, jsonl, parquet, xml
from bluemirror.landing.landed import LandedFile, text_series
from bluemirror.landing.plan import compile_plan, split_path
from tests.mart.samples import answer, collapsed, lines, moves, people_csv, person, report_json, report_xml

CONTRACTS = Path(__file__).resolve().parents[1] / "mart" / "contracts"


@pytest.fixture(scope="module")
def sources():
    found = {path.name.split(".")[0]: read_contract(path) for path in sorted(CONTRACTS.glob("*.yaml"))}
    return {name: (contract, compile_plan(contract)) for name, contract in found.items()}


def landed(folder, name, content, number=0):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return LandedFile(number, path, f"source/2024-01-02/{name}", None)


def test_plan_shares_scopes_between_tables(sources):
    _contract, plan = sources["report"]
    assert [scope.up for scope in plan.scopes] == [0, 0, 0, 2]
    assert [table.scope for table in plan.tables] == [0, 1, 2, 3]
    assert [table.parent_scope for table in plan.tables] == [None, 0, 0, 2]
    assert "MAIL" not in plan.scopes[0].node.groups["HEAD"].groups["B"].leaves
    assert not plan.flat
    assert sources["people"][1].flat


def test_paths():
    assert split_path("A/B[]/C") == (("A", False), ("B", True), ("C", False))
    assert split_path("") == ()


def test_path_used_in_two_ways(sources, tmp_path):
    text = (
        (CONTRACTS / "report.odcs.yaml").read_text().replace("physicalName: SUM/COUNT", "physicalName: ACCS")
    )
    path = tmp_path / "report.odcs.yaml"
    path.write_text(text)
    with pytest.raises(ContractError, match="'ACCS' is used in two ways"):
        compile_plan(read_contract(path))


def test_document_with_unknown_parts_comments_and_entities(sources, tmp_path):
    contract, plan = sources["report"]
    text = (
        report_xml(1)
        .replace("<HEAD>", "<!-- note --><?pi x?><NEWS><X>1</X></NEWS><HEAD>")
        .replace("Somebody", "Some &amp; body")
    )
    found = xml.read(plan, contract, [landed(tmp_path, "1.xml", text)])
    row = found.scopes[0].to_dicts()[0]
    assert row["HEAD/B/NAME"] == "Some & body 1"
    assert row["SUM/COUNT"] == "2"
    assert found.scopes[3].height == 4
    assert not found.faults


def test_external_entities_are_not_fetched(sources, tmp_path):
    contract, plan = sources["report"]
    secret = tmp_path / "secret"
    secret.write_text("secret")
    text = (
        report_xml(1)
        .replace("<Document>", f'<!DOCTYPE d [<!ENTITY e SYSTEM "file://{secret}">]><Document>')
        .replace("Somebody 1", "&e;")
    )
    found = xml.read(plan, contract, [landed(tmp_path, "1.xml", text)])
    assert "secret" not in str(found.scopes[0].to_dicts())


def test_gbk_document(sources, tmp_path):
    contract, plan = sources["report"]
    text = report_xml(1).replace("UTF-8", "GBK").replace("Somebody", "张三").encode("gbk")
    found = xml.read(plan, contract, [landed(tmp_path, "1.xml", text)])
    assert found.scopes[0]["HEAD/B/NAME"].to_list() == ["张三 1"]


@pytest.mark.parametrize("empty", [None, "", "--", [], {}])
def test_empty_segments(sources, tmp_path, empty):
    import orjson

    contract, plan = sources["report"]
    document = report_json(1) | {"ACCS": empty, "SUM": empty}
    found = json.read(plan, contract, [landed(tmp_path, "1.json", orjson.dumps(document))])
    assert not [fault for fault in found.faults if empty != []]
    if empty != []:
        assert found.scopes[2].height == 0
        assert found.scopes[0]["SUM/COUNT"].to_list() == [None]


def test_collapsed_groups(sources, tmp_path):
    import orjson

    contract, plan = sources["report"]
    files = [
        landed(tmp_path, "1.json", orjson.dumps(report_json(1, 1, 1)), 0),
        landed(tmp_path, "2.json", orjson.dumps(collapsed(report_json(1, 1, 1))), 1),
    ]
    found = json.read(plan, contract, files)
    for frame in found.scopes.values():
        ours, theirs = (frame.filter(pl.col("_file_no") == n).drop("_file_no") for n in (0, 1))
        assert ours.equals(theirs)
        assert ours.height == 1


def test_value_where_a_group_should_be(sources, tmp_path):
    contract, plan = sources["report"]
    found = json.read(plan, contract, [landed(tmp_path, "1.json", b'{"HEAD": "none of your business"}')])
    assert "HEAD: a str where a group should be" in found.faults[0].detail
    assert "business" not in found.faults[0].detail
    assert found.scopes[0].height == 0


def test_json_lines_flat_and_nested_agree_on_numbers(sources, tmp_path):
    contract, plan = sources["asked"]
    text = lines(
        [
            answer(1, 2),
            answer(2, 0) | {"records": None},
            answer(3, 1) | {"records": {"apply_ts": "x", "lender": "bank"}},
        ]
    )
    found = jsonl.read(plan, contract, [landed(tmp_path, "a.jsonl", text + "\n\n")])
    assert found.counts == {0: 3}
    assert found.scopes[0]["record_count"].to_list() == [2, 0, 1]
    assert found.scopes[1].select("_line", "_seq", "_up").rows() == [(1, 0, 0), (1, 1, 0), (3, 0, 0)]


def test_flat_json_lines_with_one_bad_line(sources, tmp_path):
    contract, plan = sources["people"]
    good = lines([person(1), person(2, income=12.5)])
    found = jsonl.read(
        plan, contract, [landed(tmp_path, "a.jsonl", good), landed(tmp_path, "b.jsonl", good[:-5], 1)]
    )
    assert found.counts == {0: 2, 1: 2}
    assert [(fault.number, fault.line) for fault in found.lines] == [(1, 2)]
    assert found.scopes[0]["income"].to_list() == ["1234.56", "12.5", "1234.56"]


def test_csv_columns_in_another_order(sources, tmp_path):
    contract, plan = sources["people"]
    frame = pl.read_csv(people_csv([person(1)]).encode(), infer_schema=False)
    text = frame.select(reversed(frame.columns)).write_csv()
    found = csv.read(plan, contract, [landed(tmp_path, "a.csv", text)])
    assert not found.faults
    assert found.scopes[0]["person_id"].to_list() == ["P1"]


def test_csv_without_a_header(sources, tmp_path):
    contract, plan = sources["people"]
    assert csv.read(plan, contract, [landed(tmp_path, "a.csv", "")]).faults[0].detail == "no header line"


def test_csv_whose_header_is_a_line_of_data(sources, tmp_path):
    contract, plan = sources["people"]
    text = people_csv([person(1), person(2)]).partition("\n")[2]
    fault = csv.read(plan, contract, [landed(tmp_path, "a.csv", text)]).faults[0]
    assert "not in the contract: <2 characters>" in fault.detail
    assert "P1" not in fault.detail


@pytest.mark.parametrize(
    ("column", "dtype", "fits"),
    [
        ("amount", pl.Float32, True),
        ("amount", pl.Int64, True),
        ("amount", pl.Decimal(18, 2), True),
        ("amount", pl.String, False),
        ("book_date", pl.Datetime("us"), False),
        ("moved_ts", pl.Datetime("ms"), True),
        ("moved_ts", pl.Date, False),
        ("reversed", pl.Int8, False),
        ("move_id", pl.Categorical, True),
    ],
)
def test_parquet_types(sources, tmp_path, column, dtype, fits):
    contract, plan = sources["moves"]
    moves(2).with_columns(pl.col(column).cast(dtype)).write_parquet(tmp_path / "x.parquet")
    found = parquet.read(plan, contract, [LandedFile(0, tmp_path / "x.parquet", "x", 2)])
    assert bool(found.faults) != fits
    assert found.scopes[0].height == (2 if fits else 0)


def test_parquet_with_a_time_zone_becomes_shanghai_time(sources, tmp_path):
    import datetime as dt

    contract, plan = sources["moves"]
    moves(1).with_columns(pl.col("moved_ts").dt.replace_time_zone("UTC")).write_parquet(
        tmp_path / "x.parquet"
    )
    found = parquet.read(plan, contract, [LandedFile(0, tmp_path / "x.parquet", "x", 1)])
    assert found.scopes[0]["moved_ts"].to_list() == [dt.datetime(2024, 1, 1, 17)]


def test_column_types_of_json_values():
    assert text_series("x", ["a", None]).dtype == pl.String
    assert text_series("x", [1, None]).dtype == pl.Int64
    assert text_series("x", [1, 2.5]).to_list() == [1.0, 2.5]
    assert text_series("x", [True, None]).dtype == pl.Boolean
    assert text_series("x", [1, "a", None, True, ["p", "q"]]).to_list() == ["1", "a", None, "true", "p,q"]
