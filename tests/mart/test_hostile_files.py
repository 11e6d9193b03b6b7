"""Files made to hurt the reader, or broken on the way: each is held back or its record rejected, with the reason."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import polars as pl
import pytest

from bluemirror.landing.formats import parquet as parquet_format
from bluemirror.landing.formats import xml as xml_format
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.manifests import read_snapshot
from bluemirror.mart.quarantine import read_quarantine
from tests.mart.samples import answer, lines, moves, people_csv, person, report_json, report_xml, sums

DAY = "2024-01-02"
XML = report_xml(1)
JSON = json.dumps(report_json(1))
CSV = people_csv([person(1), person(2), person(3)])
LINES = lines([answer(1), answer(2), answer(3)])
FLAT = lines([person(1), person(2), person(3)])
ENTITIES = "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
LAUGHS = f'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]>'


def declared(text: str, doctype: str = LAUGHS) -> str:
    return text.replace("<Document>", doctype + "<Document>")


DOCUMENTS = {
    "laughs.xml": (declared(XML).replace("Somebody 1", "&j;"), "a document type declaration at line 1"),
    "laughs_in_attribute.xml": (declared(XML).replace("<HEAD>", '<HEAD x="&j;">'), "document type declaration"),
    "outside.xml": (declared(XML, '\n<!-- > -->\n<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x">'), "declaration at line 3"),
    "utf16.xml": (declared(XML).replace("UTF-8", "UTF-16").encode("utf-16"), "document type declaration"),
    "deep.xml": ("<Document>" + "<ACCS>" * 3000 + "</ACCS>" * 3000 + "</Document>", "nested too deep"),
    "long.xml": (XML.replace("Somebody 1", "x" * 11_000_000), "a value too long"),
    "gbk.xml": (XML.replace("Somebody", "张三").encode("gbk"), "bytes of another encoding"),
    "nothing.xml": ("", "not well-formed XML"),
    "nul.xml": (XML.replace("Somebody", "Some\0body"), "not well-formed XML"),
    "martian.xml": (XML.replace("UTF-8", "MARTIAN"), "not well-formed XML"),
    "json.xml": (JSON, "not well-formed XML"),
    "elements.xml": (XML.replace("<NR>A0</NR>", "<NR>A0<X>1</X></NR>"), "NR: elements where a value should be"),
    "lists.json": ("[" * 100_000, "nested too deep"),
    "objects.json": ('{"HEAD":' * 5_000 + "1" + "}" * 5_000, "nested too deep"),
    "lists_in_place.json": ('{"ACCS":' + "[" * 900 + "]" * 900 + "}", "ACCS: a list where a group should be"),
    "gbk.json": (JSON.replace("Somebody", "张三").encode("gbk"), "not UTF-8"),
    "utf16.json": (JSON.encode("utf-16"), "not UTF-8"),
    "infinite.json": (JSON.replace('"1,000"', "1e400"), "not JSON"),
    "list.json": (f"[{JSON}]", "a JSON list where an object should be"),
    "two.json": (JSON + JSON, "not JSON"),
}  # fmt: skip
"""Name -> content, and what the quarantine says of the file."""
REJECTED = {
    "lists_for_a_value.json": (JSON.replace('"A0"', "[" * 900 + "]" * 900), "readable_json"),
    "object_for_a_value.json": (JSON.replace('"A0"', '{"a": "13812345678"}'), "readable_json"),
    "huge_number.json": (JSON.replace('"1,000"', "9" * 30), "type"),
    "long_value.xml": (XML.replace("Somebody 1", "x" * 70_000), "field_size"),
}
"""Name -> content, and the rule that the record breaks."""
ACCEPTED = {
    "utf16.xml": XML.replace("UTF-8", "UTF-16").encode("utf-16"),
    "declaration_in_comment.xml": XML.replace("<Document>", "<!-- <!DOCTYPE x> --><Document>"),
    "declaration_in_text.xml": XML.replace("Somebody 1", "<![CDATA[<!DOCTYPE x>]]>"),
    "markup.xml": XML.replace("Somebody 1", "<![CDATA[<script>alert(1)</script>]]>"),
    "sql.xml": XML.replace("<NR>A0</NR>", "<NR>'); DROP TABLE account; --</NR>"),
    "mark.json": b"\xef\xbb\xbf" + JSON.encode(),
}


def quarantine(workspace, source):
    return read_quarantine(read_snapshot(workspace).quarantine_files(workspace, source))


def test_documents_that_are_held_back(workspace, deliver):
    files = {name: content for name, (content, _) in DOCUMENTS.items()}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    ingest_source(workspace, "report")
    found = {row["file"].split("/")[-1]: row for row in quarantine(workspace, "report").to_dicts()}
    for name, (_, reason) in DOCUMENTS.items():
        assert reason in found[name]["value"], name
        assert found[name]["rule"] == f"readable_{name[-4:].strip('.')}"
        assert found[name]["line"] is None
    assert sums(workspace, "report") == (len(files), 0, len(files))


def test_documents_that_are_rejected_or_accepted(workspace, deliver):
    """Each in a delivery of its own, because they are all the same report."""
    good = [(name, content, "") for name, content in ACCEPTED.items()]
    bad = [(name, content, rule) for name, (content, rule) in REJECTED.items()]
    for n, (name, content, _) in enumerate(bad + good):
        moved = content if isinstance(content, bytes) else content.encode()
        time = f"2024-01-{n + 2:02d}T08:00:00"
        for text in ("2024-01-02T08:00:00",):
            for encoding in ("utf-8", "utf-16-le"):
                moved = moved.replace(text.encode(encoding), time.encode(encoding))
        deliver("report", f"2024-01-{n + 2:02d}", {name: moved}, {name: 1})
    ingest_source(workspace, "report")
    assert sums(workspace, "report") == (len(bad + good), len(good), len(bad))
    rows = quarantine(workspace, "report").filter(pl.col("records") > 0).to_dicts()
    assert [row["rule"] for row in rows] == [rule for _, _, rule in bad]
    assert "13812345678" not in str(rows)


CSVS = {
    "fewer.csv": (CSV.replace(",sh,1234.56", ",sh", 1), 1, "8 fields, the header has 9"),
    "more.csv": (CSV.replace(",sh,", ",sh,,", 1), 1, "10 fields, the header has 9"),
    "cut.csv": (CSV[:-20], 1, "fields, the header has 9"),
    "quoted.csv": (CSV.replace(",sh,", ',"sh","', 1).replace("1234.56\n", '1,234.56"\n', 1), 0, ""),
    "quoted_fewer.csv": (CSV.replace(",sh,1234.56", ',"s,h"', 1), 1, "8 fields, the header has 9"),
    "blank_lines.csv": (CSV.replace("\n", "\n\n"), 0, ""),
    "mark.csv": (b"\xef\xbb\xbf" + CSV.encode(), 0, ""),
    "carriage.csv": (CSV.replace("\n", "\r\n"), 0, ""),
    "old_mac.csv": (CSV.replace("\n", "\r"), 3, "the columns changed"),
    "semicolon.csv": (CSV.replace(",", ";"), 3, "the columns changed"),
    "tab.csv": (CSV.replace(",", "\t"), 3, "the columns changed"),
    "gbk.csv": (CSV.replace(",sh,", ",上海,").encode("gbk"), 3, "bytes that are not UTF-8"),
    "utf16.csv": (CSV.encode("utf-16"), 3, "bytes that are not UTF-8"),
    "open.csv": (CSV.replace(",sh,", ',"sh,', 1), 3, "an open quote"),
    "random.csv": (os.urandom(4000), 3, ""),
    "twice.csv": (CSV.replace("city", "phone", 1), 3, "the columns changed"),
    "long.csv": (CSV.replace(",sh,", "," + "x" * 200_000 + ",", 1), 1, "characters"),
}  # fmt: skip
"""Name -> content of three lines, how many of them are quarantined, and the reason of the first."""


@pytest.mark.parametrize("name", CSVS)
def test_lines_of_csv(workspace, deliver, name):
    content, lost, reason = CSVS[name]
    deliver("people", DAY, {name: content}, {name: 3})
    ingest_source(workspace, "people")
    assert sums(workspace, "people") == (3, 3 - lost, lost)
    rows = quarantine(workspace, "people").to_dicts()
    assert [row["value"] for row in rows if reason not in row["value"]] == []
    assert bool(rows) == bool(lost)


JSON_LINES = {
    "deep": (LINES + "[" * 100_000 + "\n", 4, 1),
    "deep_value": (LINES + '{"req_id":' + "[" * 900 + "]" * 900 + "}\n", 4, 1),
    "values": (LINES + '1\nnull\n"x"\n[]\n', 7, 4),
    "empty": (LINES.replace("\n", "\n \n"), 3, 0),
    "gbk": (LINES.replace("bank", "银行").encode("gbk"), 3, 3),
    "cut": (LINES[:-30], 3, 1),
    "mark": (b"\xef\xbb\xbf" + LINES.encode(), 3, 0),
    "text_for_a_group": (LINES.replace('"records": [', '"records": "many", "other": [', 1), 3, 1),
}


@pytest.mark.parametrize("name", JSON_LINES)
def test_lines_of_nested_json(workspace, deliver, name):
    content, rows, lost = JSON_LINES[name]
    deliver("asked", DAY, {"a.jsonl": content}, {"a.jsonl": rows})
    ingest_source(workspace, "asked")
    assert sums(workspace, "asked") == (rows, rows - lost, lost)


FLAT_LINES = {
    "deep": (FLAT + "[" * 100_000 + "\n", 4, 1),
    "deep_value": (FLAT + '{"person_id":' + "[" * 900 + "]" * 900 + "}\n", 4, 1),
    "object": (FLAT.replace('"sh"', '{"a": 1}', 1), 3, 1),
    "brackets_in_text": (FLAT.replace('"P1"', '"P[{1"', 1), 3, 0),
    "half_a_character": (FLAT.replace('"P1"', '"\\ud800"', 1), 3, 1),
    "two_halves": (FLAT.replace('"P1"', '"\\ud83d\\ude00"', 1), 3, 0),
    "number": (FLAT.replace('"1234.56"', "1234.56"), 3, 0),
    "two_on_a_line": (FLAT.replace("}\n", "}", 1), 2, 1),
}


@pytest.mark.parametrize("name", FLAT_LINES)
def test_lines_of_flat_json(workspace, deliver, name):
    path = workspace.contracts_dir / "people.odcs.yaml"
    path.write_text(path.read_text().replace("formats: [csv]", "formats: [jsonl]"))
    content, rows, lost = FLAT_LINES[name]
    deliver("people", DAY, {"a.jsonl": content}, {"a.jsonl": rows})
    ingest_source(workspace, "people")
    assert sums(workspace, "people") == (rows, rows - lost, lost)


def test_parquet_that_unpacks_to_too_much(workspace, deliver, monkeypatch):
    monkeypatch.setattr(parquet_format, "PARQUET_CELLS", 4_999_999)
    out = io.BytesIO()
    moves(1).select(pl.all().repeat_by(10**6).explode()).write_parquet(out)
    assert len(out.getvalue()) < 100_000
    deliver(
        "moves",
        DAY,
        {"a.parquet": out.getvalue(), "b.parquet": moves(2)},
        {"a.parquet": 10**6, "b.parquet": 2},
    )
    report = ingest_source(workspace, "moves")
    assert "5000000 values, at most 4999999 are read" in report.warnings[0]
    assert sums(workspace, "moves") == (10**6 + 2, 2, 10**6)


def test_parquet_with_bytes_changed(workspace, deliver):
    out = io.BytesIO()
    moves(300).write_parquet(out)
    content = out.getvalue()
    files = {}
    for at in (4, 60, 500, len(content) - 150, len(content) - 8):
        files[f"{at}.parquet"] = (
            content[:at] + bytes(255 - byte for byte in content[at : at + 4]) + content[at + 4 :]
        )
    deliver("moves", DAY, files, dict.fromkeys(files, 300))
    report = ingest_source(workspace, "moves")
    assert report.in_ == 1500
    assert sums(workspace, "moves") == (1500, report.accepted, 1500 - report.accepted)


def test_a_document_of_any_size_is_not_read(workspace, deliver, monkeypatch):
    monkeypatch.setattr("bluemirror.landing.read.DOCUMENT_BYTES", 1000)
    files = {"1.xml": XML, "2.xml": XML + " " * 1000}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    report = ingest_source(workspace, "report")
    assert f"{len(files['2.xml'])} bytes, at most 1000 are read" in report.warnings[0]
    assert sums(workspace, "report") == (2, 1, 1)


def test_a_file_that_cannot_be_opened(workspace, deliver, monkeypatch):
    deliver("report", DAY, {"1.xml": XML, "2.json": json.dumps(report_json(2))}, {"1.xml": 1, "2.json": 1})
    opened = Path.read_bytes

    def refuse(path):
        if path.suffix == ".xml":
            raise PermissionError("not yours")
        return opened(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = ingest_source(workspace, "report")
    assert "the file cannot be opened (PermissionError)" in report.warnings[0]
    assert sums(workspace, "report") == (2, 1, 1)


def test_the_parser_is_closed_to_the_outside():
    with pytest.raises(ValueError, match="document type declaration at line 2"):
        xml_format.parse_xml(
            b'<?xml version="1.0"?>\n<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><d>&e;</d>'
        )
    with pytest.raises(ValueError, match="not well-formed"):
        xml_format.parse_xml(b"<d>&undeclared;</d>")
