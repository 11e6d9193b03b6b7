"""Every figure of the scorecard, against the slow way straight from the landing files."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import fields

import pytest

from bluemirror.desk.calls import CallFigures
from bluemirror.desk.drift import LEAST_RECENT
from bluemirror.desk.freshness import LATE
from tests.desk import oracle
from tests.desk.declarations import PRICES, VERDICTS
from tests.desk.world import AS_OF, ASKED, FEE, FEEDS

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(faulty):
    found = defaultdict(list)
    for row in oracle.calls(faulty.root, AS_OF):
        found[row["source"]].append(row)
    return found


def price_of(source: str):
    table = VERDICTS if ASKED[source][1].get("verifies") else PRICES
    return lambda result, cached: 0.0 if cached else table.get(result, 0.0)


def same(figures: CallFigures, expected: dict) -> None:
    for item in fields(figures):
        assert getattr(figures, item.name) == pytest.approx(expected[item.name]), item.name


@pytest.mark.parametrize("source", ASKED)
def test_calls_of_every_window(source, ledger, card):
    each, mine = card.source(source), ledger[source]
    windows = {
        "total": (dt.date.min, AS_OF),
        "today": (AS_OF, AS_OF),
        "week": (AS_OF - 6 * DAY, AS_OF),
        "month": (AS_OF - 27 * DAY, AS_OF),
        "baseline": (AS_OF - 62 * DAY, AS_OF - 7 * DAY),
        "to_date": (AS_OF.replace(day=1), AS_OF),
    }
    for name, (first, last) in windows.items():
        chosen = [row for row in mine if first <= row["day"] <= last]
        same(getattr(each, name), oracle.figures(chosen, price_of(source)))


def test_calls_day_by_day(ledger, card):
    for source in ("a_clean", "a_low", "a_outage"):
        by_day = defaultdict(list)
        for row in ledger[source]:
            by_day[row["day"]].append(row)
        days = {one.day: one.figures for one in card.source(source).days}
        assert min(days) <= AS_OF - 90 * DAY
        for day, figures in days.items():
            same(figures, oracle.figures(by_day[day], price_of(source)))
        assert set(days) == {day for day in by_day if day >= min(days)}


def test_rates_are_shares_of_what_they_say(ledger, card):
    mine = [row for row in ledger["a_match"] if row["day"] >= AS_OF - 27 * DAY]
    out = [row for row in mine if not row["cached"]]
    answered = [row for row in out if row["result"] not in {"error", "timeout"}]
    month = card.source("a_match").month
    assert month.hit_rate == pytest.approx(sum(row["result"] != "no_hit" for row in answered) / len(answered))
    verdicts = [row["result"] for row in answered if row["result"] != "no_hit"]
    assert month.match_rate == pytest.approx(verdicts.count("match") / len(verdicts))
    assert month.error_rate == pytest.approx(1 - len(answered) / len(out))
    assert month.cache_share == pytest.approx(sum(row["cached"] for row in mine) / len(mine))
    assert month.cost_per_call == pytest.approx(sum(row["paid"] for row in mine) / len(mine))


@pytest.mark.parametrize("source", ["a_clean", "a_outage", "a_price"])
def test_cost_an_application_and_an_approval(source, faulty, ledger, card):
    newest = {row["application"]: row["status"] for row in oracle.rows(faulty.root, "apply", AS_OF)}
    mine = [row for row in ledger[source] if row["day"] >= AS_OF - 27 * DAY and row["application"]]
    asked = {row["application"] for row in mine}
    won = {name for name in asked if newest.get(name) == "yes"}
    spent = card.source(source).spending
    assert (spent.applications, spent.approvals) == (len(asked), len(won))
    assert spent.per_application == pytest.approx(sum(row["paid"] for row in mine) / len(asked))
    assert spent.per_approval == pytest.approx(sum(row["paid"] for row in mine) / len(won))


def test_month_to_date_is_prices_and_the_fee(ledger, card):
    june = [row for row in ledger["a_clean"] if row["day"].month == 6]
    price = price_of("a_clean")
    expected = sum(price(row["result"], row["cached"]) for row in june) + FEE
    assert card.source("a_clean").month_to_date_yuan == pytest.approx(expected, abs=0.005)


def test_overlap_of_two_sources(ledger, card):
    first = AS_OF - 89 * DAY
    found, asked = defaultdict(set), defaultdict(set)
    for source, mine in ledger.items():
        for row in mine:
            if row["day"] >= first and row["result"] not in {"error", "timeout"}:
                asked[source].add(row["person"])
                if row["result"] != "no_hit":
                    found[source].add(row["person"])
    names = sorted(ledger)
    assert len(card.overlap.pairs) == len(names) * (len(names) - 1) // 2
    for pair in card.overlap.pairs:
        both = asked[pair.first] & asked[pair.second]
        a, b = found[pair.first] & both, found[pair.second] & both
        expected = (len(a & b), len(a - b), len(b - a), len(both - a - b))
        assert (pair.both, pair.only_first, pair.only_second, pair.neither) == expected
        assert pair.asked == len(both)
        assert pair.redundancy(pair.first) == pytest.approx(len(a & b) / len(a))
        assert pair.redundancy(pair.second) == pytest.approx(len(a & b) / len(b))


def test_finds_that_nobody_else_of_the_domain_has(ledger, card):
    first = AS_OF - 89 * DAY
    verdicts = [name for name in ledger if ASKED[name][1].get("verifies")]
    for source in verdicts:
        mine = defaultdict(dict)
        for name in verdicts:
            for row in ledger[name]:
                if row["day"] >= first and row["result"] not in {"error", "timeout"}:
                    hit = row["result"] != "no_hit"
                    mine[row["person"]][name] = mine[row["person"]].get(name, False) or hit
        alone = [
            person
            for person, seen in mine.items()
            if seen.get(source)
            and any(name != source for name in seen)
            and not any(hit for name, hit in seen.items() if name != source)
        ]
        assert card.overlap.alone[source] == len(alone)
        assert card.overlap.found[source] == sum(seen.get(source, False) for seen in mine.values())


@pytest.mark.parametrize("source", ["a_clean", "a_shift", "a_empty", "f_clean"])
def test_drift_of_every_field(source, faulty, card):
    asked = source in ASKED
    known = (lambda row: dt.date.fromisoformat(row["at"][:10])) if asked else (lambda row: row["_day"])
    every = [row for row in oracle.rows(faulty.root, source, AS_OF) if not asked or row["result"] == "hit"]
    now = [row for row in every if known(row) > AS_OF - 7 * DAY]
    before = [row for row in every if AS_OF - 63 * DAY < known(row) <= AS_OF - 7 * DAY]
    drifts = {one.field: one for one in card.source(source).drift}
    assert set(drifts) == set(every[0]) - {"_day", "result"}
    for name, drift in drifts.items():
        assert (drift.recent, drift.before) == (len(now), len(before))
        assert drift.empty == pytest.approx(sum(row[name] is None for row in now) / len(now))
        assert drift.empty_before == pytest.approx(sum(row[name] is None for row in before) / len(before))
        if (
            min(round((1 - drift.empty) * len(now)), round((1 - drift.empty_before) * len(before)))
            < LEAST_RECENT
        ):
            assert drift.psi is None
        elif name in {"grade", "form"}:
            index = oracle.psi(
                Counter(row[name] for row in before if row[name]),
                Counter(row[name] for row in now if row[name]),
            )
            assert drift.psi == pytest.approx(index)
            weeks = defaultdict(Counter)
            for row in before:
                if row[name]:
                    weeks[(AS_OF - known(row)).days // 7][row[name]] += 1
            usual = [
                oracle.psi(sum((c for at, c in weeks.items() if at != week), Counter()), weeks[week])
                for week in weeks
            ]
            assert len(usual) == 8 or not asked  # history of files came at once
            assert drift.usual == pytest.approx(max(usual))
        elif name in {"score", "size", "owed"}:
            fen = 100 if name == "owed" else 1
            values = [round(float(row[name]) * fen, 4) for row in before]
            edges = oracle.deciles(values)
            index = oracle.psi(
                Counter(oracle.decile(value, edges) for value in values),
                Counter(oracle.decile(round(float(row[name]) * fen, 4), edges) for row in now),
            )
            assert drift.psi == pytest.approx(index)
        else:
            assert drift.psi is None


def test_the_content_that_repeats_most(faulty, card):
    every = [row for row in oracle.rows(faulty.root, "a_same", AS_OF) if row["result"] == "hit"]
    contents = Counter(
        (row["grade"], row["score"], row["owed"]) for row in every if row["at"][:10] == str(AS_OF)
    )
    same_answer = card.source("a_same").same
    assert (same_answer.days, same_answer.answers) == (1, contents.total())
    assert same_answer.same == contents.most_common(1)[0][1]
    people = {row["id_hash"] for row in every if row["at"][:10] == str(AS_OF)}
    assert same_answer.people == len(people)


def test_repeated_requests(ledger, card):
    seen = Counter(
        row["req_id"]
        for row in ledger["a_request"]
        if not row["cached"] and row["req_id"] and row["day"] > AS_OF - 63 * DAY
    )
    assert card.source("a_request").repeated_requests == sum(count - 1 for count in seen.values()) > 0
    assert card.source("a_clean").repeated_requests == 0


def test_records_in_are_accepted_and_quarantined(faulty, card):
    for source in (*ASKED, *FEEDS):
        each = card.source(source)
        assert each.in_ == each.accepted + each.quarantined
        declared = sum(1 for _ in oracle.rows(faulty.root, source, AS_OF))
        assert each.in_ == declared
    kept = card.source("f_rules").rejected
    recent = [row for row in oracle.rows(faulty.root, "f_rules", AS_OF) if row["_day"] > AS_OF - 7 * DAY]
    broken = sum(float(row["size"]) < 0 for row in recent)
    assert (kept.recent_in, kept.recent_out) == (len(recent), broken)
    assert sum(kept.by_rule.values()) == broken


def test_lateness_follows_the_promise(card):
    late = card.source("f_late").freshness
    assert (late.last, late.due, late.late_hours, late.state) == (
        AS_OF - 4 * DAY,
        AS_OF - 3 * DAY,
        72.0,
        LATE,
    )
    assert card.source("f_due").freshness.state == "due"
    assert card.source("f_due").fresh
    assert not card.source("f_late").fresh
    assert card.source("f_missing").freshness.missing == (AS_OF - 3 * DAY,)
    assert card.source("f_waiting").waiting == (AS_OF,)
    assert card.source("f_never").freshness.last is None


def test_bills_explain_their_difference(card):
    for source in ASKED:
        for check in card.source(source).bills:
            if check.billed_yuan is None:
                continue
            assert sum(reason.yuan for reason in check.reasons) == pytest.approx(
                check.difference_yuan, abs=0.011
            )
    kinds = {
        name: {reason.kind for reason in card.source(name).bills[-1].reasons}
        for name in ("b_cached", "b_twice", "b_price")
    }
    assert kinds == {"b_cached": {"cached calls"}, "b_twice": {"charged twice"}, "b_price": {"price"}}
    assert all(check.difference_yuan == 0 for check in card.source("a_clean").bills)
