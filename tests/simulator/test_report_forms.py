"""One report, four serialisations: XML, tree JSON, camel-case JSON and relational copy give identical mart rows."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import Contract, read_contract
from bluemirror.mart import ingest_source
from bluemirror.workspace import Workspace
from simulator.pboc_form import ABSENT, SUFFIX, Form
from simulator.pboc_relational import Sheets
from simulator.pboc_tree import Months, Report, Segment
from simulator.reports import written
from tests import report_files

KINDS = tuple(SUFFIX)
DAY = "2026-01-31"
"""A delivery after the last simulated report."""


def made_up() -> list[Report]:
    """Reports at the edges: nothing but a header; groups of one; no values where there could be some."""
    head = Segment("PA01A", ("9" * 20 + "01", "2025-05-05T05:05:05"))
    person = Segment("PA01B", ("测星岚", "10", "990001199001011234", "BM990000000001", "02"))
    counts = Segment("PC05B", (0,) * 8)
    empty = Report(
        "9" * 20 + "01", 90_000_001, {"PRH": [[head, person]], "PQO": [[Segment("PC05A"), counts]]}
    )
    single = Report(
        "9" * 20 + "02", 90_000_002, {
            "PRH": [[replace(head, values=("9" * 20 + "02", "2025-05-05T05:05:05")), person,
                     Segment("PA01C", (1,), [("2", "ZZ9, 1")])]],
            "PIM": [[Segment("PB01B", (1,), [("12000000001", "2025-01-01")])]],
            "PSM": [[Segment("PC01", (None, None, 1, ("91",)))]],
            "PQO": [[Segment("PC05A", ("2025-05-01", "11", "AB", "02")), Segment("PC05B", (1, 0, 1, 0, 0, 0, 0, 0))]],
            "PRM": [[Segment("PB03", ("1", None, None, "2025-01-01"))]],
            "POQ": [[Segment("PH01", ("2025-05-01", "11", "AB", "02"))]],
            "PAH": [[Segment("PF08A", ("样例", None, "2024-01", None)), Segment("PF08Z")]],
        },
    )  # fmt: skip
    return [empty, single]


@pytest.fixture(scope="module")
def reports(said: list[Report]) -> list[Report]:
    return [*said, *made_up()]


def test_the_reports_have_the_edges_in_them(reports: list[Report]) -> None:
    accounts = [len(report.units.get("PDA", [])) for report in reports]
    assert {0, 1} <= set(accounts)
    assert max(accounts) > 10
    ended = [
        all(unit[1].values[0] is not None for unit in report.units["PDA"])
        for report in reports
        if report.units.get("PDA")
    ]
    assert any(ended)  # closed accounts alone
    histories = [segment for report in reports for unit in report.units.get("PDA", []) for segment in unit]
    lengths = {len(segment.marks) for segment in histories if isinstance(segment, Months)}
    assert {1, 24, 60} <= lengths


def land_as(folder: Path, workspace: Workspace, kind: str, reports: list[Report]) -> Workspace:
    """All reports in one form, in one delivery, with every way to write an absent value."""
    bank = replace(workspace, data=folder / "data", landing=folder / "landing")
    target = bank.landing / "pboc_person" / DAY
    target.mkdir(parents=True)
    ways = itertools.cycle([Form(kind, absent, commas) for absent in ABSENT for commas in (False, True)])
    files, pages = {}, []
    for report, form in zip(reports, ways, strict=False):
        content = written(report, form)
        if isinstance(content, Sheets):
            pages.append(content)
            continue
        name = f"{report.number}.{SUFFIX[kind]}"
        (target / name).write_text(content, encoding="utf-8")
        files[name] = {"rows": 1}
    if pages:
        (target / "all.zip").write_bytes(pages[0].packed(pages[1:]))
        files["all.zip"] = {"rows": len(pages)}
    (target / "_DONE.json").write_text(json.dumps({"files": files}), encoding="utf-8")
    return bank


@pytest.fixture(scope="module")
def contract(landed: Workspace) -> Contract:
    return read_contract(landed.contracts_dir / "pboc_person.odcs.yaml")


@pytest.fixture(scope="module")
def marts(
    tmp_path_factory: pytest.TempPathFactory, landed: Workspace, contract: Contract, reports: list[Report]
) -> dict[str, dict[str, pl.DataFrame]]:
    """By form, the tables of the mart with the report's number in place of where a row came from."""
    found = {}
    for kind in KINDS:
        bank = land_as(tmp_path_factory.mktemp(kind), landed, kind, reports)
        told = ingest_source(bank, "pboc_person")
        spoiled = sum(report.units["PRH"][0][1].values[4] == "77" for report in reports)
        assert (told.in_, told.quarantined) == (len(reports), spoiled), told.warnings
        assert not [text for text in told.warnings if "severity warning" in text]
        with bluemirror.connect(bank) as connection:
            found[kind] = {
                table.name: pl.DataFrame(
                    connection.sql(
                        f"SELECT h.report_id AS report, t.* EXCLUDE (_doc, _file, _line, _delivery) FROM {table.name} t"
                        f" JOIN pboc_report h USING (_doc) ORDER BY h.report_id, t._seq"
                    ).to_arrow_table()
                )
                for table in contract.tables
            }
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "xml"])
def test_every_form_gives_the_rows_of_the_xml(marts: dict[str, dict[str, pl.DataFrame]], kind: str) -> None:
    assert marts["xml"].keys() == marts[kind].keys()
    for name, rows in marts["xml"].items():
        assert rows.columns == marts[kind][name].columns
        assert rows.equals(marts[kind][name], null_equal=True), name


def test_the_rows_are_those_that_were_said(
    marts: dict[str, dict[str, pl.DataFrame]], reports: list[Report]
) -> None:
    """Not identical because all are empty: the rows of each wrapper are as many as its units."""
    good = [report for report in reports if report.units["PRH"][0][1].values[4] != "77"]
    for wrapper, table in {
        "PRH": "report", "PMM": "spouse", "PRM": "residence", "POM": "occupation", "PDA": "account", "PCA": "agreement",
        "PCR": "responsibility", "PND": "postpaid", "PCJ": "judgment", "PHF": "housing_fund", "POQ": "inquiry",
    }.items():  # fmt: skip
        units = sum(len(report.units.get(wrapper, [])) for report in good)
        assert marts["xml"][f"pboc_{table}"].height == units > 0
    months = [
        len(segment.marks)
        for report in good
        for unit in report.units.get("PDA", [])
        for segment in unit
        if isinstance(segment, Months) and segment.name == "PD01E"
    ]
    assert marts["zip"]["pboc_account_month60"].height == sum(months)


def test_plain_readers_agree_too(tmp_path: Path, reports: list[Report]) -> None:
    """The same trees come out of the four files by readers that share no code with the library."""
    some = reports[:40] + reports[-2:]
    forms = {kind: Form(kind, "missing", commas=False) for kind in KINDS}
    trees: dict[str, list[Any]] = {}
    for kind, form in forms.items():
        contents = [written(report, form) for report in some]
        pages = [content for content in contents if isinstance(content, Sheets)]
        if pages:
            path = tmp_path / "all.zip"
            path.write_bytes(pages[0].packed(pages[1:]))
            trees[kind] = report_files.reports(path)
            continue
        trees[kind] = []
        for number, content in enumerate(contents):
            path = tmp_path / f"{number}.{SUFFIX[kind]}"
            path.write_text(content, encoding="utf-8")
            trees[kind] += report_files.reports(path)
    for kind in KINDS:
        assert [plain(tree) for tree in trees[kind]] == [plain(tree) for tree in trees["xml"]]


def plain(value: Any) -> Any:
    """A tree without what is empty, where a list of one is that one."""
    if isinstance(value, list):
        items = [plain(item) for item in value]
        if all(isinstance(item, str) for item in items):
            return ",".join(items)  # an item that repeats, as the other forms write it
        return items[0] if len(items) == 1 else items
    if isinstance(value, dict):
        inside = {name: plain(item) for name, item in value.items()}
        return {name: item for name, item in inside.items() if item not in (None, "", {}, [])}
    return value
