"""Nothing raw behind the door: planted values are looked for in every byte and every decoded cell."""

from __future__ import annotations

import json

import polars as pl

from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.state import source_state
from tests.mart.samples import answer, lines, people_csv, person, report_json, report_xml

DAY = "2024-01-02"
RAW = (
    "110101199001011234",  # identity number
    "13987654321",  # phones
    "13912345678",
    "planted.mail@example.test",
    "Planted Name",
    "6222020000112233445",  # a card number in a field that should hold a city
    "0123456789abcdef0123456789abcdef",  # a vendor's hash of an identity number
)


def test_no_raw_value_is_written_or_said(workspace, deliver, capsys):
    said = []
    good = person(1, id_no=RAW[0], phone=RAW[1], email=RAW[3])
    bad = [
        person(2, id_no=RAW[0] + "9", phone=RAW[1], email=RAW[3]),  # breaks the pattern
        person(3, id_no=RAW[0], phone=RAW[1], city=RAW[5]),  # a card number as city code
        person(4, id_no=RAW[0], phone=RAW[1], income=RAW[2]),  # a phone as income
        person(5, id_no=RAW[0], phone=RAW[1], since=RAW[0]),  # an identity number as date
        person(
            6, id_no=RAW[0], phone=RAW[1], since="2024-01-02", recorded_ts="2024-01-01T00:00:00"
        ),  # row rule
        person(1, id_no=RAW[0], phone=RAW[1]),  # duplicate
    ]
    deliver(
        "people",
        DAY,
        {"a.csv": people_csv([good, *bad]), "b.csv": people_csv([good]).replace("city", RAW[0], 1)},
        {"a.csv": 7, "b.csv": 1},
    )
    deliver("people", "2024-01-03", {"c.csv": people_csv([good]) + f'{RAW[0]},"{RAW[1]}\n'}, {"c.csv": 2})
    cut = lines([answer(1, id_hash=RAW[6])]).strip()
    deliver(
        "asked",
        DAY,
        {"a.jsonl": f"{cut[:-4]}\n{lines([answer(2, id_hash=RAW[6]), answer(3, id_hash=RAW[6].upper())])}"},
        {"a.jsonl": 3},
    )
    named = (
        report_xml(1)
        .replace("Somebody 1", RAW[4])
        .replace("m1@example.test", RAW[3])
        .replace("13900000001", RAW[2])
    )
    wrong = report_json(2)
    wrong["HEAD"]["P"]["PH"] = RAW[2]
    files = {
        "1.xml": named,
        "2.xml": named[:-30],
        "3.json": json.dumps(wrong),
        "4.xml": named.replace("<ST>N<", f"<ST>{RAW[4]}<"),
    }
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    for source in ("people", "asked", "report"):
        report = ingest_source(workspace, source, log=said.append)
        said += [str(report), *report.warnings, *report.errors]
        assert report.quarantined
    said += [str(source_state(workspace)), *capsys.readouterr()]
    for path in sorted(workspace.data.rglob("*")):
        if path.is_file():
            content = path.read_bytes().decode("latin-1")
            if path.suffix == ".parquet":
                content += pl.read_parquet(path).write_csv()
            said.append(content)
    everything = "\n".join(said)
    for value in RAW:
        assert value not in everything, f"a raw value of {len(value)} characters got through"
        assert value[:12] not in everything
    assert "<19 characters>" in everything
