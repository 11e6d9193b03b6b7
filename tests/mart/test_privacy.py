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


def test_the_flagship_holds_no_raw_value(flagship):
    """Every raw identifier of the simulation, and every key that its sources sent, over every file behind the door."""
    from bluemirror.privacy import Needles, search

    truth = flagship.data / "truth"
    listed = dict(pl.read_parquet(truth / "identifiers.parquet").select("value", "entity").iter_rows())
    sent = keys_that_were_sent(flagship)
    needles = Needles({**sent, **listed})
    assert len(needles) > 2_000
    assert len({*listed.values(), *sent.values()}) >= 8
    behind = search(flagship.data, needles, [truth])
    assert behind.parquet > 100
    assert behind.findings == []
    # the same search finds them before the door, so it can find
    before = search(flagship.landing / "own_customer", needles)
    assert {"id_no", "phone", "name"} <= {finding.entity for finding in before.findings}


def keys_that_were_sent(workspace):
    """Value -> entity of every keyed field in the landing files, read as the platform reads them."""
    from bluemirror.contracts import read_contracts
    from bluemirror.landing.deliveries import deliveries
    from bluemirror.landing.landed import LandedFile
    from bluemirror.landing.plan import compile_plan
    from bluemirror.landing.read import read_chunks

    found = {}
    for contract in read_contracts(workspace.contracts_dir).values():
        plan = compile_plan(contract)
        paths = [each.folder / name for each in deliveries(workspace, contract) for name in each.present]
        files = [LandedFile(number, path, path.name, None) for number, path in enumerate(paths)]
        (read,) = read_chunks(plan, contract, [files], 0)
        for table_plan in plan.tables:
            table = contract.table(table_plan.name)
            for name, slot in table_plan.fields:
                key = table.field(name).key
                if key is not None:
                    values = read.scopes[table_plan.scope][slot].cast(pl.String).unique().drop_nulls()
                    found |= dict.fromkeys(
                        values.str.strip_chars().to_list(), f"{key.entity} sent {key.form}"
                    )
    return {value: entity for value, entity in found.items() if len(value) >= 8}
