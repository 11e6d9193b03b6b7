"""The units of the bureau report beyond accounts and queries: they follow from one another and from one population."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from typing import Any

import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import read_contract
from bluemirror.mart import ingest_source
from bluemirror.workspace import Workspace
from simulator.world import INNER

NOTED = ("PDA", "PCA", "PCR", "PND", "POT", "PCJ", "PCE", "PAP", "PHF", "PBS", "PPQ", "PAH")
WRAPPED = {
    "PDA": "PD01", "PCA": "PD02", "PCR": "PD03", "PND": "PE01", "POT": "PF01", "PCJ": "PF02", "PCE": "PF03",
    "PAP": "PF04", "PHF": "PF05", "PBS": "PF06", "PPQ": "PF07", "PAH": "PF08", "POS": "PG01", "PMM": "PB02",
    "PRM": "PB03", "POM": "PB04",
}  # fmt: skip
ABSENT = (None, "", "--")


def units(report: dict[str, Any], wrapper: str) -> list[dict[str, Any]]:
    """The units in a wrapper that repeat."""
    inside = report.get(wrapper)
    found = inside.get(WRAPPED[wrapper]) if isinstance(inside, dict) else None
    return [] if found in ABSENT else found if isinstance(found, list) else [found]


def rows(node: Any, name: str) -> list[dict[str, Any]]:
    found = node.get(name) if isinstance(node, dict) else None
    return [] if found in ABSENT else found if isinstance(found, list) else [found]


def at(node: Any, *names: str) -> Any:
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    return None if node in ABSENT else node


def number(node: Any, *names: str) -> int:
    return int((at(node, *names) or "0").replace(",", ""))


def day_of(report: dict[str, Any]) -> dt.date:
    return dt.datetime.fromisoformat(at(report, "PRH", "PA01", "PA01A", "PA01AR01")).date()


def person(report: dict[str, Any]) -> str:
    return at(report, "PRH", "PA01", "PA01B", "PA01BI01")


def drawn(account: dict[str, Any]) -> int:
    kind = at(account, "PD01A", "PD01AD01")
    return number(account, "PD01C", "PD01CJ02" if kind == "R2" else "PD01CJ01")


def test_9_accounts_stand_under_their_agreements(reports: list[Any]) -> None:
    two_currencies = 0
    for report in reports:
        agreements = {at(unit, "PD02A", "PD02AI03"): unit["PD02A"] for unit in units(report, "PCA")}
        assert len(agreements) == len(units(report, "PCA"))
        under: dict[str, list[Any]] = defaultdict(list)
        for account in units(report, "PDA"):
            key = at(account, "PD01A", "PD01AI04")
            if key and at(account, "PD01B", "PD01BD01") is None:
                under[key].append(account)
        assert under.keys() == agreements.keys()
        for key, accounts in under.items():
            agreement = agreements[key]
            assert {at(one, "PD01A", "PD01AI02") for one in accounts} == {agreement["PD02AI02"]}
            assert number(agreement, "PD02AJ04") == sum(map(drawn, accounts))
            assert all(number(one, "PD01A", "PD01AJ02") <= number(agreement, "PD02AJ01") for one in accounts)
            assert agreement["PD02AR01"] <= day_of(report).isoformat() < agreement["PD02AR02"]
            kind = at(accounts[0], "PD01A", "PD01AD01")
            usage = {"R4": "10", "R1": "10", "D1": "20"}.get(kind) or ("30" if len(accounts) > 1 else "31")
            assert agreement["PD02AD02"] == usage
            two_currencies += {"CNY", "USD"} == {at(one, "PD01A", "PD01AD04") for one in accounts}
    assert two_currencies > 3


def test_7_recovery_and_responsibility_summaries(reports: list[Any]) -> None:
    for report in reports:
        claims = Counter(
            "1" if at(one, "PD01A", "PD01AD03") == "A1" else "2"
            for one in units(report, "PDA")
            if at(one, "PD01A", "PD01AD01") == "C1" and at(one, "PD01B", "PD01BD01") == "1"
        )
        summary = at(report, "PCO", "PC02", "PC02B")
        assert claims == {row["PC02BD01"]: int(row["PC02BS03"]) for row in rows(summary, "PC02BH")}
        want: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for unit in units(report, "PCR"):
            total = want[unit["PD03A"]["PD03AD08"], unit["PD03A"]["PD03AD03"]]
            for place, value in enumerate(
                (1, number(unit, "PD03A", "PD03AJ01"), number(unit, "PD03A", "PD03AJ02"))
            ):
                total[place] += value
        got = {
            (row["PC02KD01"], row["PC02KD02"]): [
                int(row["PC02KS02"]),
                number(row, "PC02KJ01"),
                number(row, "PC02KJ02"),
            ]
            for row in rows(at(report, "PCO", "PC02", "PC02K"), "PC02KH")
        }
        assert got == want


def test_7_postpaid_and_public_summaries(reports: list[Any]) -> None:
    for report in reports:
        owing: dict[str, list[int]] = defaultdict(list)
        for unit in units(report, "PND"):
            if number(unit, "PE01A", "PE01AJ01"):
                kind = {"TE": "1", "UE": "2"}[unit["PE01A"]["PE01AD01"]]
                owing[kind].append(number(unit, "PE01A", "PE01AJ01"))
        got = {
            row["PC030D01"]: (int(row["PC030S02"]), number(row, "PC030J01"))
            for row in rows(at(report, "PNO", "PC03"), "PC030H")
        }
        assert got == {kind: (len(sums), sum(sums)) for kind, sums in owing.items()}
        want = {}
        for code, wrapper, unit in (
            ("1", "POT", "PF01"),
            ("2", "PCJ", "PF02"),
            ("3", "PCE", "PF03"),
            ("4", "PAP", "PF04"),
        ):
            sums = [number(one, f"{unit}A", f"{unit}AJ01") for one in units(report, wrapper)]
            if sums:
                want[code] = (len(sums), sum(sums))
        got = {
            row["PC040D01"]: (int(row["PC040S02"]), number(row, "PC040J01"))
            for row in rows(at(report, "PPO", "PC04"), "PC040H")
        }
        assert got == want


def test_13_what_is_told_of_persons_and_of_organisations(reports: list[Any]) -> None:
    for report in reports:
        for unit in units(report, "PCR"):
            told = unit["PD03A"]
            organisation = told["PD03AD08"] == "2"
            assert (at(told, "PD03AD07") is None) == organisation
            assert (at(told, "PD03AS01") is None) != organisation


def test_14_the_last_of_24_characters_is_the_billing_month(reports: list[Any]) -> None:
    seen = Counter()
    for report in reports:
        before = day_of(report).replace(day=1) - dt.timedelta(days=1)
        for unit in units(report, "PND"):
            told = unit["PE01A"]
            marks = told["PE01AQ02"]
            assert len(marks) == 24
            assert told["PE01AR02"] == before.isoformat()[:7]
            assert (marks[-1] in "0123456") == (number(told, "PE01AJ01") > 0)
            assert told["PE01AD03"] == ("1" if marks[-1] in "0123456" else "0")
            for earlier, later in itertools.pairwise(marks):
                if later in "0123456":
                    steps = ("#N*", "0123456")
                    assert later == "0" if earlier in steps[0] else int(later) == min(int(earlier) + 1, 6)
            seen.update(marks)
    assert seen["N"] > 100 * seen["3"] > 0


def test_15_score_or_why_there_is_none(reports: list[Any]) -> None:
    scores, reasons = [], Counter()
    for report in reports:
        told = at(report, "PSM", "PC01")
        codes = told["PC010D01"] if isinstance(told["PC010D01"], list) else told["PC010D01"].split(",")
        assert len(codes) == int(told["PC010S01"]) <= 2
        score = at(told, "PC010Q01")
        assert (score is None) == bool({"91", "92", "93"} & set(codes))
        accounts = [one for one in units(report, "PDA") if at(one, "PD01A", "PD01AD01") != "C1"]
        assert ("91" in codes) == (not accounts)
        if score is not None:
            assert 0 <= int(score) <= 1000
            assert 1 <= int(at(told, "PC010Q02")) <= 99
            scores.append(int(score))
        reasons.update(codes)
    assert max(scores) - min(scores) > 150
    assert len(reasons) > 8


def test_disputes_are_counted_and_notes_precede_the_report(reports: list[Any]) -> None:
    noted = 0
    for report in reports:
        notes = [
            (note[f"{WRAPPED[wrapper]}ZD01"], note[f"{WRAPPED[wrapper]}ZR01"])
            for wrapper in NOTED
            for unit in units(report, wrapper)
            for note in rows(unit.get(f"{WRAPPED[wrapper]}Z"), f"{WRAPPED[wrapper]}ZH")
        ]
        notes += [
            (note["PG010D03"], note["PG010R01"])
            for unit in units(report, "POS")
            for note in rows(unit, "PG010H")
        ]
        assert number(report, "PRH", "PA01", "PA01E", "PA01ES01") == sum(kind == "1" for kind, _ in notes)
        assert all(day < day_of(report).isoformat() for _, day in notes)
        noted += bool(notes)
    assert noted > 5


def test_marriages_are_mutual_and_partners_fit(landed: Workspace, reports: list[Any]) -> None:
    named = {person(report): units(report, "PMM")[0] for report in reports}
    households = dict(
        pl.read_parquet(landed.data / "truth" / "persons.parquet").select("id_no", "household").iter_rows()
    )
    met = 0
    for who, told in named.items():
        other = at(told, "PB020I01")
        assert (other is not None) == (told["PB020D01"] == "20")
        if other is None:
            continue
        assert other.startswith("99")
        assert int(other[16]) % 2 != int(who[16]) % 2  # of another sex
        if other in households:
            assert households[other] == households[who]
            if other in named:
                assert at(named[other], "PB020I01") == who
                met += 1
    assert met > 0


def test_where_people_live_and_work_goes_back_in_time(reports: list[Any]) -> None:
    several = Counter()
    for report in reports:
        for wrapper, code in (("PRM", "PB030R01"), ("POM", "PB040R02")):
            days = [unit[code] for unit in units(report, wrapper)]
            assert days
            assert days == sorted(days, reverse=True)
            assert len(days) <= 5
            assert days[0] <= day_of(report).isoformat()
            several[wrapper] += len(days) > 1
    assert min(several.values()) > len(reports) / 10


def test_the_housing_fund_follows_income_and_job(landed: Workspace, reports: list[Any]) -> None:
    income = dict(
        pl.read_parquet(landed.data / "truth" / "persons.parquet").select("id_no", "income").iter_rows()
    )
    bases = []
    for report in reports:
        works = at(units(report, "POM")[0], "PB040Q01") is not None
        for unit in units(report, "PHF"):
            told = unit["PF05A"]
            both = int(told["PF05AQ02"]) + int(told["PF05AQ03"])
            assert 10 <= both <= 24
            assert told["PF05AR02"] <= told["PF05AR03"] < day_of(report).isoformat()[:7]
            if told["PF05AD01"] == "1":
                assert works
                bases.append((number(told, "PF05AJ01") * 100 / both, income[person(report)]))
    assert len(bases) > len(reports) / 10
    # the base is a part of the wage within the city's bounds
    assert all(0.5 * 6_500 < base < 3 * 11_000 for base, _ in bases)
    frame = pl.DataFrame(bases, schema=["base", "income"], orient="row")
    assert frame.select(pl.corr("base", "income", method="spearman")).item() > 0.5


def test_nothing_raw_is_behind_the_door(landed: Workspace, tmp_path: Any) -> None:
    """Every text of every bureau table against every raw value that the simulation ever used, and its free texts."""
    bank = Workspace(
        root=landed.root,
        name=landed.name,
        data=tmp_path / "data",
        landing=landed.landing,
        land_hook=landed.land_hook,
    )
    ingest_source(bank, "pboc_person")
    raw = set(pl.read_parquet(landed.data / "truth" / "identifiers.parquet")["value"])
    contract = read_contract(bank.contracts_dir / "pboc_person.odcs.yaml")
    told = set()
    with bluemirror.connect(bank) as connection:
        for table in contract.tables:
            texts = [name for name, kind in table.columns if kind == "string"]
            frame = pl.DataFrame(connection.sql(f"SELECT * FROM {table.name}").to_arrow_table()).select(texts)
            for name in texts:
                told |= set(frame[name].drop_nulls())
    assert len(told) > 1000
    assert not told & raw
    assert not [text for text in told if "样例异议" in text or "样例本人" in text or "mail.invalid" in text]


@pytest.mark.slow
def test_two_thousand_reports_keep_every_rule_and_fill_every_table(fresh: Workspace) -> None:
    from simulator import land

    for path in fresh.contracts_dir.glob("*.odcs.yaml"):
        if path.name.split(".")[0] not in (*INNER, "court_case", "court_enforce"):
            path.unlink()
    land(fresh, customers=1_500, months=36, seed=5)
    told = ingest_source(fresh, "pboc_person")
    assert told.in_ > 2_000
    assert told.quarantined < 10  # those with an unknown reason
    assert not [text for text in told.warnings if "severity warning" in text]
    contract = read_contract(fresh.contracts_dir / "pboc_person.odcs.yaml")
    with bluemirror.connect(fresh) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        counts = {table.name: ask(f"SELECT count(*) FROM {table.name}")[0][0] for table in contract.tables}
        notes = [count for name, count in counts.items() if name.endswith("annotation")]
        bare = {name for name, count in counts.items() if not count and not name.endswith("annotation")}
        assert not bare
        assert sum(count > 0 for count in notes) > len(notes) / 2
        types = {row[0] for row in ask("SELECT DISTINCT trade_type FROM pboc_special_trade")}
        assert types >= {"1", "2", "4", "5", "8", "9", "11", "13", "14", "16"}
        assert {row[0] for row in ask("SELECT DISTINCT event_type FROM pboc_special_event")} == {
            "11",
            "12",
            "21",
        }
        kinds = {row[0] for row in ask("SELECT DISTINCT biz_kind FROM pboc_account WHERE acct_type = 'C1'")}
        assert kinds == {"A1", "B1"}
        # a guarantee is told on both sides: by the guarantor's report and by the borrower's
        both = ask(
            "SELECT count(*), count(*) FILTER (WHERE a.guarantee IN ('3', '5', '7') AND a.loan_amount = r.resp_amount)"
            " FROM pboc_responsibility r JOIN pboc_account a ON a.acct_key = 'ZH' || substr(r.contract_no, 3)"
            " WHERE r.borrower_class = '1'"
        )[0]
        assert both[0] == both[1] > 0
        risk = pl.read_parquet(fresh.data / "truth" / "persons.parquet").select("person_id", "id_no", "risk")
        people = pl.DataFrame(connection.sql(
            "SELECT DISTINCT r.id_no, j._doc IS NOT NULL AS sued FROM pboc_report r"
            " LEFT JOIN pboc_judgment j USING (_doc)"
        ).to_arrow_table())  # fmt: skip
        assert people["sued"].sum() > 30
        assert risk.height == 1_500
    # who is sued is the riskier, seen from the landing files, where people are not hashed
    from tests import report_files

    sued: dict[bool, list[float]] = {True: [], False: []}
    of = dict(risk.select("id_no", "risk").iter_rows())
    for path in (fresh.landing / "pboc_person").glob("*/[!_]*"):
        for report in report_files.reports(path):
            sued[bool(units(report, "PCJ"))].append(of[person(report)])
    assert sum(sued[True]) / len(sued[True]) > sum(sued[False]) / len(sued[False]) + 0.2
