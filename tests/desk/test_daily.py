"""A day's scorecard: what was known by its end and nothing else; computed once; kept; shown without a raw character."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import shutil
from html.parser import HTMLParser

import polars as pl
import pytest

import bluemirror
from bluemirror.cli.console import _width
from bluemirror.cli.main import main
from bluemirror.cli.source_lines import WIDTH, detail_lines, overview_lines
from bluemirror.desk import publish, scorecard
from bluemirror.desk.history import KEYS
from bluemirror.desk.page import page_html
from bluemirror.errors import FamilyError, WorkspaceError
from bluemirror.mart import ingest_source
from bluemirror.workspace import Workspace
from tests.desk.world import AS_OF, ASKED, build, deliver

DAY = dt.timedelta(days=1)
SMALL = ("a_clean", "a_low", "a_verdict", "f_clean")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Four sources without a fault."""
    return build(tmp_path_factory.mktemp("desk") / "small", SMALL)


@pytest.fixture
def bank(small, tmp_path):
    """A copy of its own for the test."""
    root = tmp_path / "small"
    shutil.copytree(small.root, root)
    return Workspace.open(root)


def forgotten(workspace: Workspace) -> None:
    """Away with what was computed."""
    shutil.rmtree(workspace.data / "desk", ignore_errors=True)


def test_without_a_fault_nothing_is_told(small):
    assert scorecard(small.workspace).alerts == ()


def test_a_late_row_changes_later_days_only(bank):
    before = {day: scorecard(bank, day) for day in (AS_OF - 2 * DAY, AS_OF)}
    at = dt.datetime.combine(AS_OF - 3 * DAY, dt.time(12))
    rows = [
        {
            "call_id": f"late-{n}", "source": "a_low", "person": "P00001", "application": "L000001", "at": at,
            "result": "hit", "cached": False, "paid": 1.0, "ms": 90_000, "req_id": f"late-{n}", "written": at,
        }
        for n in range(40)
    ]  # fmt: skip
    deliver(bank.root, "ledger", AS_OF + DAY, pl.DataFrame(rows))
    assert ingest_source(bank, "ledger").accepted == 40
    forgotten(bank)
    for day, card in before.items():
        assert scorecard(bank, day) == card
    later = scorecard(bank, AS_OF + DAY)
    assert later.source("a_low").total.calls == before[AS_OF].source("a_low").total.calls + 40
    figures = {one.day: one.figures for one in later.source("a_low").days}
    known = {one.day: one.figures for one in before[AS_OF].source("a_low").days}
    assert figures[AS_OF - 3 * DAY].calls == known[AS_OF - 3 * DAY].calls + 40


def test_a_restated_row_counts_from_its_own_known_time_on(bank):
    """Delivered early, known later: a row dated ahead waits for its time."""
    before = scorecard(bank, AS_OF)
    at = dt.datetime.combine(AS_OF, dt.time(12))
    row = {
        "call_id": "ahead", "source": "a_low", "person": "P00001", "application": "L000001", "at": at, "result": "hit",
        "cached": False, "paid": 1.0, "ms": 5, "req_id": "ahead", "written": at + 5 * DAY,
    }  # fmt: skip
    deliver(bank.root, "ledger", AS_OF + 5 * DAY, pl.DataFrame([row]))
    ingest_source(bank, "ledger")
    forgotten(bank)
    assert scorecard(bank, AS_OF + 4 * DAY).source("a_low").total == before.source("a_low").total
    assert (
        scorecard(bank, AS_OF + 5 * DAY).source("a_low").total.calls == before.source("a_low").total.calls + 1
    )


def test_it_is_computed_once_and_read_back_the_same(bank, monkeypatch):
    first = scorecard(bank)
    assert first.as_of == AS_OF

    def again(*_, **__):
        raise AssertionError("computed again")

    with monkeypatch.context() as patched:
        patched.setattr("bluemirror.desk.daily.make", again)
        assert scorecard(bank) == first
        contract = bank.contracts_dir / "a_low.odcs.yaml"
        contract.write_text(contract.read_text(encoding="utf-8").replace("none", "some"), encoding="utf-8")
        with pytest.raises(AssertionError, match="computed again"):
            scorecard(bank)


def test_days_are_kept_in_the_mart_and_replaced_not_repeated(bank):
    for day in (AS_OF - DAY, AS_OF):
        assert publish(bank, day).changed
    stamps = {path: path.stat().st_mtime_ns for path in bank.mart.rglob("_written/**/*.parquet")}
    report = publish(bank, AS_OF)
    assert not report.changed
    assert {path: path.stat().st_mtime_ns for path in bank.mart.rglob("_written/**/*.parquet")} == stamps
    connection = bluemirror.connect(bank)
    for table, key in KEYS.items():
        columns = ", ".join(f'"{name}"' for name in key)
        total, distinct = connection.sql(
            f'SELECT count(*), count(DISTINCT ({columns})) FROM "{table}"'
        ).fetchall()[0]
        assert total == distinct, table
    days = connection.sql("SELECT as_of, count(*) FROM source_scorecard GROUP BY 1 ORDER BY 1").fetchall()
    assert days == [(AS_OF - DAY, len(report.card.sources)), (AS_OF, len(report.card.sources))]
    kept = connection.sql(
        f"SELECT month_hit_rate, total_calls, cost_per_approval FROM source_scorecard "
        f"WHERE source = 'a_clean' AND as_of = DATE '{AS_OF}'"
    ).fetchall()[0]
    each = report.card.source("a_clean")
    assert kept == (each.month.hit_rate, each.total.calls, each.spending.per_approval)


def test_a_day_is_a_day(bank):
    assert scorecard(bank, str(AS_OF)) == scorecard(bank, AS_OF)
    with pytest.raises(WorkspaceError, match="'yesterday' is not a day"):
        scorecard(bank, "yesterday")


@pytest.mark.parametrize(
    ("part", "change", "text"),
    [
        ("calls", {"table": "nowhere"}, "no contract has the table 'nowhere'"),
        ("calls", {"latency": "speed"}, "has no column 'speed'"),
        ("bills", {"table": "nowhere"}, None),
        ("applications", {"status": "state"}, "has no column 'state'"),
    ],
)
def test_a_spine_that_names_what_is_not_there(bank, part, change, text):
    path = bank.feature_repo / "spine.yaml"
    spine = json.loads(path.read_text(encoding="utf-8"))
    spine[part] |= change
    path.write_text(json.dumps(spine), encoding="utf-8")
    if text is None:
        assert scorecard(bank).source("a_clean").bills == ()
        return
    with pytest.raises(FamilyError, match=text) as error:
        scorecard(bank)
    assert "spine.yaml" in str(error.value)


def test_a_workspace_without_spine_has_deliveries_only(bank):
    (bank.feature_repo / "spine.yaml").unlink()
    card = scorecard(bank)
    assert not any(each.asked for each in card.sources)
    assert card.source("f_clean").accepted > 0
    assert card.source("f_clean").drift


class Checker(HTMLParser):
    """Counts elements, and whatever would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.outside: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            if name in {"src", "srcset", "action", "data"} or (name == "href" and ":" in (value or "")):
                self.outside.append(f"{tag} {name}={value}")
        if tag not in {"meta", "input", "br", "line", "polyline", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag, tag


def test_the_page_is_whole_offline_and_escaped(faulty, card):
    text = page_html(card)
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.outside == []
    assert checker.tags["script"] == 1  # none from the contracts' names, which try
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in re.sub(r'http-equiv="Content', "", text)
    assert "default-src 'none'" in text
    for each in card.sources:
        assert f'id="source-{each.source}"' in text
        assert html.escape(each.name_en) in text
        assert each.name_zh in text
    for alert in card.alerts:
        assert html.escape(alert.cause) in text
        assert html.escape(alert.todo) in text
    assert checker.tags["svg"] > len(card.sources)


def test_publishing_writes_the_page_and_what_it_links_to(bank):
    report = publish(bank)
    text = report.page.read_text(encoding="utf-8")
    links = set(re.findall(r'href="(contracts/[^"]+)"', text))
    assert len(links) == len(report.card.sources)
    assert all((report.page.parent / link).is_file() for link in links)


def test_the_terminal_shows_each_source_on_a_line_of_eighty_columns(card):
    lines = list(overview_lines(card))
    assert max(map(_width, lines)) <= WIDTH
    named = [line for line in lines if re.match(r"(!!|! |  ) [a-z]_?\w+ +(\d\d-\d\d|never)", line)]
    assert len(named) == len(card.sources)
    marked = [line for line in named if line.startswith("!")]
    assert marked == named[: len(marked)]  # alerts first
    assert len(marked) == len({alert.source for alert in card.alerts})


@pytest.mark.parametrize(
    "source", ["a_clean", "a_verdict", "b_cached", "f_columns", "f_rules", "f_never", "a_shift"]
)
def test_the_detail_of_a_source_fits_and_tells_its_alerts(card, source):
    lines = list(detail_lines(card, card.source(source)))
    assert max(map(_width, lines)) <= WIDTH + 40 * lines[0].startswith(source)
    told = " ".join(" ".join(lines).split())
    for alert in card.alerts_of(source):
        assert " ".join(alert.cause.split()) in told
    assert card.source(source).legal_basis in told


def test_the_verb_gives_one_object_with_the_promised_keys(bank, capsys):
    assert main(["--workspace", str(bank.root), "sources", "--json", "--html"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["as_of"] == str(AS_OF)
    keys = {
        "source",
        "contract_version",
        "last_delivery",
        "accepted",
        "quarantined",
        "hit_rate",
        "cost_yuan",
        "fresh",
    }
    assert all(keys <= set(row) for row in result["sources"])
    assert [row["source"] for row in result["sources"]] == sorted([*SMALL, "apply", "ledger"])
    assert result["alerts"] == []
    asked = next(row for row in result["sources"] if row["source"] == "a_clean")
    assert 0.5 < asked["hit_rate"] < 0.7
    assert asked["cost_yuan"] > 1000


def test_the_verb_shows_one_source_and_helps_with_its_name(bank, capsys):
    assert main(["--workspace", str(bank.root), "sources", "a_clean", "--as-of", str(AS_OF - DAY)]) == 0
    text = capsys.readouterr().out
    assert f"as of {AS_OF - DAY}" in text
    assert "legal basis" in text
    assert main(["--workspace", str(bank.root), "sources", "a_cleen"]) == 2
    assert "write a_clean" in capsys.readouterr().err


def test_in_a_notebook_it_shows_itself(card):
    shown = card._repr_html_()
    assert "<script>" not in shown
    for name in ASKED:
        assert name in shown
    assert "26 alerts" in shown or f"{len(card.alerts)} alerts" in shown
    assert "errors" in repr(card)
