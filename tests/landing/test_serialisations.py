"""The same records as XML, as JSON, in another spelling of JSON and as tables in a ZIP: identical mart rows."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from bluemirror.contracts import read_contract
from bluemirror.errors import ContractError
from bluemirror.landing import limits
from bluemirror.landing.formats import json as json_format
from bluemirror.landing.formats import relational
from bluemirror.landing.landed import LandedFile
from bluemirror.landing.plan import compile_plan
from bluemirror.mart.connect import connect
from bluemirror.mart.ingest import ingest_source
from bluemirror.workspace import Workspace
from tests.landing.dossiers import HEADS, as_camel, as_json, as_rows, as_xml, as_zip, dossier

CONTRACT = Path(__file__).parent / "contracts" / "dossier.odcs.yaml"
TREES = [
    dossier(1),
    dossier(2, loans=1, months=1, alert=False),
    dossier(3, loans=0, notes=0),
    dossier(4, loans=3, months=3, notes=2, alert=False),
]
FORMS = {
    "xml": {f"{n}.xml": as_xml(tree) for n, tree in enumerate(TREES)},
    "json": {f"{n}.json": as_json(tree) for n, tree in enumerate(TREES)},
    "camel": {f"{n}.json": as_camel(tree) for n, tree in enumerate(TREES)},
    "zip": {"all.zip": as_zip(as_rows(TREES), folder="export/", **{"readme.txt": b"nothing"})},
}


@pytest.fixture(scope="module")
def compiled():
    contract = read_contract(CONTRACT)
    return contract, compile_plan(contract)


def workspace_of(root):
    (root / "data_contracts").mkdir(parents=True)
    shutil.copy(CONTRACT, root / "data_contracts")
    (root / "workspace.yaml").write_text("name: bank\n")
    return Workspace.open(root)


def deliver(workspace, day, files, rows):
    folder = workspace.landing / "dossier" / day
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "_DONE.json").write_text(json.dumps({"files": {name: {"rows": rows[name]} for name in files}}))


def mart(workspace):
    """All tables, in the order of the dossiers' numbers, without the columns that name file and line."""
    with connect(workspace) as connection:
        tables = {}
        for table in read_contract(CONTRACT).tables:
            query = (
                f"SELECT d.nr AS of_nr, t.* EXCLUDE (_doc, _file, _line) FROM {table.name} t"
                " JOIN dossier d ON d._doc = t._doc ORDER BY of_nr, t._seq"
            )
            tables[table.name] = pl.DataFrame(connection.sql(query).to_arrow_table())
        return tables


@pytest.fixture(scope="module")
def marts(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLUEMIRROR_KEY", "a key for tests")
        patch.delenv("BLUEMIRROR_DATA", raising=False)
        found = {}
        for form, files in FORMS.items():
            workspace = workspace_of(tmp_path_factory.mktemp("forms") / form)
            deliver(workspace, "2024-01-02", files, dict.fromkeys(files, 4 if form == "zip" else 1))
            report = ingest_source(workspace, "dossier")
            assert (report.in_, report.accepted, report.quarantined) == (4, 4, 0), report.warnings
            found[form] = mart(workspace)
        return found


@pytest.mark.parametrize("form", ["json", "camel", "zip"])
def test_every_serialisation_gives_the_same_rows(marts, form):
    for table, rows in marts["xml"].items():
        assert rows.equals(marts[form][table]), table


def test_the_rows_are_those_of_the_trees(marts):
    rows = marts["xml"]
    assert [rows[name].height for name in rows] == [4, 2, 4, 6, 4, 14, 23, 8]
    assert rows["dossier_alert"]["of_nr"].to_list() == ["D1", "D3"]
    state = rows["dossier_loan_state"].select("of_nr", "_parent", "balance").rows()
    assert state == [("D1", 0, 100050), ("D2", 0, 100050), ("D4", 0, 100050), ("D4", 2, 120050)]
    notes = rows["dossier_note"].filter(of_nr="D4")
    assert notes["note"][-1] == "2, 2 <1>"
    assert notes["_parent"].to_list() == [n // 2 for n in range(18)]
    assert rows["dossier_query"]["asked_why"].to_list() == [None, "02"] * 4
    assert rows["dossier"]["reasons"].to_list() == ["01,02"] * 4


def test_dialects_mix_in_one_delivery(tmp_path, monkeypatch, marts):
    monkeypatch.setenv("BLUEMIRROR_KEY", "a key for tests")
    workspace = workspace_of(tmp_path / "mixed")
    forms = ("camel", "json", "camel", "json")
    files = {f"{n}.json": FORMS[form][f"{n}.json"] for n, form in enumerate(forms)}
    deliver(workspace, "2024-01-02", files, dict.fromkeys(files, 1))
    ingest_source(workspace, "dossier")
    found = mart(workspace)
    assert all(rows.equals(found[table]) for table, rows in marts["xml"].items())


def test_a_dialect_below_a_root_element(compiled, tmp_path):
    contract, plan = compiled
    path = tmp_path / "0.json"
    path.write_text(json.dumps({"report": json.loads(as_camel(TREES[0]))}))
    found = json_format.read(plan, contract, [LandedFile(0, path, "0.json", 1)])
    assert found.scopes[0]["TOP/A/A01"].to_list() == ["D1"]


def read_zip(compiled, tmp_path, content):
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    return relational.read(compiled[1], compiled[0], [LandedFile(0, path, "all.zip", 4)])


def test_rows_of_a_zip_may_stand_in_any_order(compiled, tmp_path):
    rows = as_rows(TREES)
    upset = {
        name: list(reversed(part)) if name in {"CR_SUM", "CR_LOANS"} else part for name, part in rows.items()
    }
    ours, theirs = (read_zip(compiled, tmp_path, as_zip(part)) for part in (rows, upset))
    assert ours.scopes[0].equals(theirs.scopes[0])
    loans = theirs.scopes[3].filter(pl.col("_line") == 4)
    assert loans["L1/L101"].to_list() == ["A2", "A1", "A0"]
    months = theirs.scopes[4].filter(pl.col("_line") == 4)
    assert months["_up"].to_list() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert months["H02"].to_list() == ["N", "N", "1", "N", "1", "N", "1", "N", "N"]


def changed(table, change):
    rows = as_rows(TREES)
    rows[table] = change(rows[table])
    return as_zip(rows)


@pytest.mark.parametrize(
    ("content", "rule", "detail"),
    [
        (b"PK\x03\x04 cut", "readable_zip", "not a whole ZIP file (8 bytes)"),
        (FORMS["zip"]["all.zip"][:-40], "readable_zip", "not a whole ZIP file"),
        (as_zip(as_rows(TREES), {k: v for k, v in HEADS.items() if k != "CR_L3H"}), "columns", "no member for: CR_L3H"),
        (as_zip(as_rows(TREES), HEADS | {"CR_SUM": ("BATCH_ID", "ID", "S01", "X")}), "columns", "no column S02"),
        (as_zip(as_rows(TREES), **{"again/cr_sum.CSV": b"BATCH_ID"}), "columns", "two members hold the table CR_SUM"),
        (changed("CR_TOP", lambda rows: [*rows, rows[0]]), "relational_keys", "BATCH_ID is empty or repeated"),
        (changed("CR_TOP", lambda rows: rows[1:]), "relational_keys", "rows whose"),
        (changed("CR_LOANS", lambda rows: rows[1:]), "relational_keys", "CR_L3H: 2 rows whose PARENT_ID is nowhere"),
        (changed("CR_LOANS", lambda rows: [*rows, rows[0]]), "relational_keys", "ID is empty or repeated"),
        (as_zip(as_rows(TREES), {k: v for k, v in HEADS.items() if k != "CR_SUM"}, **{"CR_SUM.csv": b"BATCH_ID,ID,S01,S02\n\xff\xfe,1,1,1\n"}), "readable_csv", "bytes that are not UTF-8"),
        (as_zip(as_rows(TREES), {k: v for k, v in HEADS.items() if k != "CR_SUM"}, **{"CR_SUM.csv": b""}), "columns", "CR_SUM has no header line"),
    ],
)  # fmt: skip
def test_a_zip_that_cannot_be_tied_is_held_back_whole(compiled, tmp_path, content, rule, detail):
    found = read_zip(compiled, tmp_path, content)
    assert [fault.rule for fault in found.faults] == [rule]
    assert detail in found.faults[0].detail
    assert all(frame.height == 0 for frame in found.scopes.values())


def test_a_file_is_refused_alone(compiled, tmp_path):
    rows = as_rows(TREES)
    contents = [
        as_zip(rows),
        as_zip(rows | {"CR_L3H": rows["CR_L3H"][1:]}),
        as_zip(as_rows([])),
        as_zip(rows),
    ]
    files = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        files.append(LandedFile(number, path, path.name, 4))
    found = relational.read(compiled[1], compiled[0], files)
    assert [(fault.number, fault.rows) for fault in found.faults] == [(1, 4)]
    assert found.counts == {0: 4, 2: 0, 3: 4}
    first, last = (
        {n: frame.filter(pl.col("_file_no") == number).drop("_file_no") for n, frame in found.scopes.items()}
        for number in (0, 3)
    )
    assert all(first[number].equals(last[number]) for number in first)
    assert sum(frame.height for frame in first.values()) * 2 == sum(map(len, found.scopes.values()))


def test_two_rows_of_a_wrapper_reject_their_record_alone(compiled, tmp_path):
    found = read_zip(compiled, tmp_path, changed("CR_SUM", lambda rows: [*rows, rows[1]]))
    assert [(fault.line, fault.rule) for fault in found.lines] == [(2, "relational_keys")]
    assert found.counts == {0: 4}
    assert found.scopes[0].height == 4


def test_a_zip_bomb_is_not_unpacked(compiled, tmp_path, monkeypatch):
    monkeypatch.setattr(relational, "UNPACKED_BYTES", 4 << 20)
    bomb = as_zip(changed_rows := as_rows(TREES), HEADS)
    out = io.BytesIO(bomb)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("not_asked_for.csv", b"0" * (8 << 20))
    assert not read_zip(compiled, tmp_path, out.getvalue()).faults
    changed_rows["CR_NOTE"] = [["1000", "0" * (8 << 20)]]
    found = read_zip(compiled, tmp_path, as_zip(changed_rows))
    assert [(fault.rule, fault.field) for fault in found.faults] == [("unpacked_size", "CR_NOTE")]
    assert limits.UNPACKED_BYTES < 1 << 30


def test_a_packing_that_cannot_be_bounded_is_refused(compiled, tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        for table, head in HEADS.items():
            archive.writestr(f"{table}.csv", ",".join(head) + "\n")
    found = read_zip(compiled, tmp_path, out.getvalue())
    assert found.faults[0].detail.endswith("packed by another method than deflate")


WRONG = {
    "zip files and relational go together": ("landing", "formats", ["xml", "json"]),
    "dialects without JSON files": ("landing", "formats", ["xml", "zip"]),
    "dialects names no dialect": ("landing", "dialects", {}),
    "has no marker": ("landing", "dialects", {"camel": {"leaves": "lower"}}),
    "unknown leaves 'upper'": ("landing", "dialects", {"camel": {"marker": "x", "leaves": "upper"}}),
    "step is 'a..b'": ("landing", "dialects", {"camel": {"marker": "x", "steps": {"TOP": "a..b"}}}),
    "row is 'the id'": (
        "landing",
        "relational",
        {"prefix": "C", "document": "D", "row": "the id", "parent": "P"},
    ),
    "which is no group": ("landing", "dialects", {"camel": {"marker": "x", "steps": {"TIP": "tip"}}}),
    "two things stand": ("landing", "dialects", {"camel": {"marker": "x", "steps": {"SUM": "top.a.a01"}}}),
    "CR_PH has PARENT_ID twice": ("physicalName", 2, "PARENT_ID"),
    "two tables are called CR_NOTE": ("path", 2, "TOP/P/NOTE[]"),
    "'NR' stands at the top": ("physicalName", 0, "NR"),
}
"""Message -> what is changed, and into what."""


@pytest.mark.parametrize("message", WRONG)
def test_a_landing_that_is_declared_wrongly(tmp_path, message):
    what, where, new = WRONG[message]
    value = yaml.safe_load(CONTRACT.read_text())
    landing = next(item["value"] for item in value["customProperties"] if item["property"] == "landing")
    if what == "landing":
        landing[where] = new
    elif what == "path":
        value["schema"][where]["customProperties"][1]["value"] = new
    else:
        value["schema"][where]["properties"][0]["physicalName"] = new
    path = tmp_path / "dossier.odcs.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=True))
    with pytest.raises(ContractError, match=re.escape(message)):
        compile_plan(read_contract(path))


def test_without_a_relational_copy_nothing_is_compiled(compiled):
    contract = replace(compiled[0], landing=replace(compiled[0].landing, relational=None, dialects=()))
    plan = compile_plan(contract)
    assert plan.relational is None
    assert plan.markers == frozenset()
