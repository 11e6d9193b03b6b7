"""The consistency rules of the bureau report, checked slowly on the files by code of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import Any

import pytest

from simulator.assumptions import DEFAULT

DIGITS = set("1234567")
OWN = "BM990000000001"
ABSENT = (None, "", "--")


def rows(node: Any) -> list[Any]:
    """A repeating group: nothing, an object of one, or a list."""
    if node in ABSENT:
        return []
    return node if isinstance(node, list) else [node]


def part(node: Any, name: str) -> dict[str, Any]:
    """A segment; an empty one is an empty dict."""
    value = node.get(name) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def text(node: dict[str, Any], name: str) -> str | None:
    value = node.get(name)
    return None if value in ABSENT else value


def number(node: dict[str, Any], name: str) -> int:
    value = text(node, name)
    return 0 if value is None else int(value.replace(",", ""))


def accounts(report: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(part(report, "PDA").get("PD01"))


def queries(report: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(part(report, "POQ").get("PH01"))


def kind(account: dict[str, Any]) -> str:
    return account["PD01A"]["PD01AD01"]


def history(account: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [
        (row["PD01ER03"], row["PD01ED01"], text(row, "PD01EJ01"))
        for row in rows(part(account, "PD01E").get("PD01EH"))
    ]


def month_number(name: str) -> int:
    return int(name[:4]) * 12 + int(name[5:7])


def day_of(report: dict[str, Any]) -> dt.date:
    return dt.datetime.fromisoformat(report["PRH"]["PA01"]["PA01A"]["PA01AR01"]).date()


def months_before(day: dt.date, months: int) -> dt.date:
    index = day.year * 12 + day.month - 1 - months
    last = (dt.date((index + 1) // 12, (index + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(index // 12, index % 12 + 1, min(day.day, last))


def test_there_are_reports_of_every_form_with_accounts_of_every_kind(landed: Any, reports: list[Any]) -> None:
    files = list((landed.landing / "pboc_person").glob("*/[!_]*"))
    spelt = [path for path in files if path.suffix == ".json" and "accountInfos" in path.read_text()]
    shares = {
        "xml": sum(path.suffix == ".xml" for path in files),
        "json": sum(path.suffix == ".json" for path in files) - len(spelt),
        "camel": len(spelt),
        "zip": len(reports) - sum(path.suffix != ".zip" for path in files),
    }
    for form, share in DEFAULT.report_forms.items():
        assert abs(shares[form] / len(reports) - share) < 0.07, form
    shown = [len(accounts(report)) for report in reports]
    assert 3 < sum(shown) / len(shown) < 7
    assert {kind(account) for report in reports for account in accounts(report)} >= {"D1", "R4", "R1", "R2"}


def test_1_status_and_month_block_are_alternatives(reports: list[Any]) -> None:
    for report in reports:
        for account in accounts(report):
            live = bool(part(account, "PD01C"))
            assert live == (text(part(account, "PD01B"), "PD01BD01") is None)
            assert not (live and kind(account) == "C1")


def test_3_and_5_histories_cover_their_months_agree_and_step(reports: list[Any]) -> None:
    for report in reports:
        last = month_number(day_of(report).isoformat()) - 1
        for account in accounts(report):
            block = part(account, "PD01E")
            if not block:
                continue
            story = history(account)
            months = [month_number(month) for month, _, _ in story]
            assert months == list(range(month_number(block["PD01ER01"]), month_number(block["PD01ER02"]) + 1))
            assert int(block["PD01ES01"]) == len(months) <= 60
            assert last - 60 < months[0]
            assert months[-1] <= last
            marks = dict(zip(months, (mark for _, mark, _ in story), strict=True))
            two_years = part(account, "PD01D")
            if two_years:
                recent = [
                    (month_number(row["PD01DR03"]), row["PD01DD01"]) for row in rows(two_years["PD01DH"])
                ]
                assert [month for month, _ in recent] == list(range(last - 23, last + 1))
                for month, mark in recent:
                    assert mark == marks.get(month, "/")
            before = None
            for mark in marks.values():
                assert before not in ("C", "G") or mark == before
                if mark in DIGITS and before is not None and before not in "#/AB":
                    assert int(mark) <= (int(before) if before in DIGITS else 0) + 1
                before = mark
            closed = text(part(account, "PD01B"), "PD01BR01")
            assert (closed is not None) == (before in ("C", "G"))


def test_4_overdue_amounts_stand_in_overdue_months_only(reports: list[Any]) -> None:
    for report in reports:
        for account in accounts(report):
            for _, mark, amount in history(account):
                owed = 0 if amount is None else int(amount.replace(",", ""))
                assert owed == 0 or mark in DIGITS | {"B", "D", "G"}
                assert owed > 0 or mark not in DIGITS
                assert mark != "#" or amount is None


def test_6_7_8_summaries_follow_from_the_details(reports: list[Any]) -> None:
    for report in reports:
        summary = part(report, "PCO")["PC02"]
        shown = [account for account in accounts(report) if kind(account) != "C1"]
        assert number(part(summary, "PC02A"), "PC02AS01") == len(shown)
        assert sum(number(row, "PC02AS03") for row in rows(part(summary, "PC02A").get("PC02AH"))) == len(
            shown
        )
        for letter, wanted in (("E", "D1"), ("F", "R4"), ("G", "R1"), ("H", "R2"), ("I", "R3")):
            live = [account for account in shown if kind(account) == wanted and part(account, "PD01C")]
            segment = part(summary, f"PC02{letter}")
            assert number(segment, f"PC02{letter}S02") == len(live)
            assert number(segment, f"PC02{letter}S01") == len(
                {account["PD01A"]["PD01AI02"] for account in live}
            )
            amount = "PD01AJ01" if wanted in ("D1", "R4") else "PD01AJ02"
            assert number(segment, f"PC02{letter}J01") == sum(
                number(account["PD01A"], amount) for account in live
            )
            if letter in "EFG":
                owed = sum(number(account["PD01C"], "PD01CJ01") for account in live)
                assert number(segment, f"PC02{letter}J02") == owed
            if letter == "H":
                assert number(segment, "PC02HJ04") == sum(
                    number(account["PD01C"], "PD01CJ02") for account in live
                )
                assert number(segment, "PC02HJ05") == sum(
                    number(account["PD01C"], "PD01CJ12") for account in live
                )


def test_6_and_12_overdue_summary(reports: list[Any]) -> None:
    met = 0
    for report in reports:
        want: dict[str, list[int]] = {}
        by_month: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for account in accounts(report):
            digits = DIGITS - {"1", "2"} if kind(account) == "R3" else DIGITS
            code = {"D1": "1", "R4": "2", "R1": "3", "R2": "4", "R3": "5"}.get(kind(account), "")
            run = longest = months = 0
            for month, mark, amount in history(account):
                run = run + 1 if mark in digits else 0
                months += run > 0
                longest = max(longest, run)
                if run:
                    by_month[code][month] += int((amount or "0").replace(",", ""))
            if months:
                row = want.setdefault(code, [0, 0, 0])
                want[code] = [row[0] + 1, row[1] + months, max(row[2], longest)]
        segment = part(part(report, "PCO")["PC02"], "PC02D")
        got = {
            row["PC02DD01"]: [number(row, "PC02DS02"), number(row, "PC02DS03"), number(row, "PC02DS04")]
            for row in rows(segment.get("PC02DH"))
        }
        assert got == want
        for row in rows(segment.get("PC02DH")):
            assert number(row, "PC02DJ01") == max(by_month[row["PC02DD01"]].values())
        met += bool(want)
    assert met > 10


def test_7_query_summary(reports: list[Any]) -> None:
    for report in reports:
        day = day_of(report)
        got = part(report, "PQO")["PC05"]
        found = [
            (dt.date.fromisoformat(query["PH010R01"]), query["PH010Q02"], query["PH010Q03"])
            for query in queries(report)
        ]
        assert all(months_before(day, 24) < when < day for when, _, _ in found)
        recent = [entry for entry in found if entry[0] > months_before(day, 1)]
        for position, reason in ((1, "02"), (2, "03")):
            mine = [entry for entry in recent if entry[2] == reason]
            assert number(got["PC05B"], f"PC05BS{position:02d}") == len({org for _, org, _ in mine})
            assert number(got["PC05B"], f"PC05BS{position + 2:02d}") == len(mine)
        for position, reason in ((6, "01"), (7, "08"), (8, "19")):
            assert number(got["PC05B"], f"PC05BS{position:02d}") == sum(entry[2] == reason for entry in found)
        last = part(got, "PC05A")
        assert bool(last) == bool(found)
        if found:
            assert last["PC05AR01"] == max(entry[0] for entry in found).isoformat()


def test_10_and_11_institutions_and_merged_loans(reports: list[Any]) -> None:
    for report in reports:
        for account in accounts(report):
            head = account["PD01A"]
            assert head["PD01AI02"] == OWN or (len(head["PD01AI02"]) == 2 and head["PD01AI02"].isupper())
            assert text(head, "PD01AD05") != "90" or head["PD01AD06"] == "03"


def test_reports_of_one_person_tell_one_story(reports: list[Any]) -> None:
    story: dict[tuple[str, str], tuple[Any, ...]] = {}
    marks: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    again = own = 0
    for report in reports:
        person = report["PRH"]["PA01"]["PA01B"]["PA01BI01"]
        for account in accounts(report):
            head = account["PD01A"]
            key = (person, text(head, "PD01AI03") or "")
            own += head["PD01AI02"] == OWN
            if not key[1]:
                continue
            amount = number(head, "PD01AJ01") + number(head, "PD01AJ02")
            fixed = (head["PD01AD01"], head["PD01AI02"], head["PD01AR01"], amount)
            again += key in story
            assert story.setdefault(key, fixed) == fixed
            for month, mark, _ in history(account):
                assert marks[key].setdefault(month, mark) == mark
    assert again > 50
    assert own > 20


def test_json_has_the_quirks_of_converters(landed: Any) -> None:
    both = [path.read_text() for path in (landed.landing / "pboc_person").glob("*/[0-9]*.json")]
    texts = [whole for whole in both if "accountInfos" not in whole]
    trees = [json.loads(whole) for whole in texts]
    assert any(isinstance(part(tree, "PDA").get("PD01"), dict) for tree in trees)
    assert all(
        len(part(tree, "PDA")["PD01"]) > 1
        for tree in trees
        if isinstance(part(tree, "PDA").get("PD01"), list)
    )
    assert all('"PAH":null' in whole or '"PAH":{' in whole for whole in texts)
    assert sum('"PAH":null' in whole for whole in texts) > 0.9 * len(texts)
    for quirk in ('"PD01CR03":""', '"PD01AJ02":null', '"PD01AJ02":"--"', '"PD01AJ01":"1,'):
        assert any(quirk in whole for whole in texts), quirk
    assert all(isinstance(tree["PRH"]["PA01"]["PA01A"]["PA01AI01"], str) for tree in trees)


@pytest.mark.parametrize("wrapper", ["PRH", "PIM", "PMM", "PRM", "POM", "PSM", "PQO"])
def test_every_report_has_its_units(reports: list[Any], wrapper: str) -> None:
    assert all(isinstance(report[wrapper], dict) for report in reports)
