"""A batch of applications, from the session in the app over the outside calls to the decision and the loan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from simulator import applications as ap
from simulator import behaviour, bureau, calls, customers, ledgers, loans, lookups, products, reports, vendors
from simulator.asking import Asking, asking_of
from simulator.fingerprints import fingerprint_rows
from simulator.networks import networks_of
from simulator.outside import AskedSource
from simulator.pboc_form import SUFFIX, form_of
from simulator.spoiling import SPOILED_REASON
from simulator.timeline import START, first_day, month_of
from simulator.world import World

LIST_SINCE = START + 3
"""The overdue list is asked from the fourth month on; before, it was not under contract."""


def apply_batch(
    world: World, who: np.ndarray, at: np.ndarray, borrower: np.ndarray, month: int, wave: int
) -> None:
    """A batch of applications from the session in the app to the decision."""
    if not len(who):
        return
    people, master, streams = world.people, world.master, world.streams
    apps = ap.fill_in(who, at, people, world.applications + 1, month, wave, streams, world.assume)
    world.applications += len(apps.cust)
    n = len(apps.cust)
    told = apps.apply_ts.astype("datetime64[s]") - np.timedelta64(30, "s")
    customers.record_changes(master, people, apps.cust, told, np.zeros(n, "timedelta64[s]"))
    sessions = behaviour.Sessions(apps.cust, apps.apply_ts, apps.device, world.sessions + 1 + np.arange(n))
    world.sessions += n
    events, start = behaviour.events_of(
        sessions, True, people, borrower, world.noises["app"], apps.apply_ts, f"apply {wave}", month, streams
    )
    # the form's events are sent with the submission, so the decision can use them
    received = np.maximum(apps.apply_ts[events["row"]], events["ts"]) + np.timedelta64(60, "ms")
    world.deliveries.add(
        "app_event", behaviour.event_rows(sessions, events, received, people, master, month), month
    )
    network = networks_of(sessions.number, apps.cust, people, month, streams)
    prints = fingerprint_rows(
        sessions, network, start, people, master, world.noises["device"], f"apply {wave}", month, streams
    )
    world.deliveries.add("device_fp", prints, month)

    asked = vendors.Asked(apps.cust, apps.device, apps.number)
    placed, facts = _ask(world, apps, asked, network, month, wave)
    complete = np.max([np.where(c.asked, c.response_ts, apps.apply_ts) for c in placed.values()], axis=0)
    rng = streams.of(f"decision {wave}", month)
    draws = rng.random((5, n))
    cancelled = draws[0] < 0.015
    approved, reason, score = ap.decide(apps, facts, month, wave, streams, world.assume)
    approved &= ~cancelled
    wait = np.where(draws[1] < 0.8, 400 + draws[2] * 3000, draws[2] * 20 * 3_600_000).astype(np.int64)
    decided = complete + wait.astype("timedelta64[ms]")
    granted = np.maximum((apps.amount * np.clip(0.55 + draws[3] * 0.6, 0.3, 1) / 500).astype(int) * 500, 1000)
    rate = ap.price(score)
    world.deliveries.add(
        "own_apply",
        ledgers.application_rows(
            apps,
            network,
            people,
            master,
            world.companies,
            complete,
            decided,
            cancelled,
            approved,
            reason,
            score,
            granted,
            rate,
        ),
        month,
        may_be_late=False,
    )
    drawn = approved & (draws[4] < 0.97)
    _book(world, apps, drawn, decided, granted, rate)
    no = ~approved & ~cancelled
    world.rejected_at[apps.cust[no]] = month
    _try_again(world, apps, no, decided, month, wave)
    world.tables.setdefault("applications", []).append(
        pl.DataFrame(
            {
                "apply_id": apps.ids, "person_id": pl.Series(master.person).gather(apps.cust),
                "apply_ts": apps.apply_ts,
                "complete_ts": complete, "approved": approved, "drawn": drawn, "cancelled": cancelled,
                "risk": people.risk[apps.cust], "stress": people.stress[apps.cust], "ring": people.ring[apps.cust],
                "log_odds": world.assume.default_level + loans.pressure_of(people, world.assume)[apps.cust],
                "device": apps.device, "score": score,
            }
        )
    )  # fmt: skip


def _ask(
    world: World, apps: ap.Applications, asked: vendors.Asked, network: np.ndarray, month: int, wave: int
) -> tuple[dict[str, calls.Calls], ap.Facts]:
    """Call the outside sources and deliver what they answer; what the policy needs comes back."""
    people, master, streams, assume = world.people, world.master, world.streams, world.assume
    n = len(apps.cust)
    rng = streams.of(f"asking {wave}", month)
    start = apps.apply_ts[None, :] + (80 + rng.random((4, n)) * 400).astype(np.int64).astype(
        "timedelta64[ms]"
    )
    everyone = np.ones(n, bool)
    placed: dict[str, calls.Calls] = {}

    def place(
        source: str, where: np.ndarray, when: np.ndarray, found: np.ndarray, key: np.ndarray
    ) -> calls.Calls:
        placed[source] = calls.place_calls(
            calls.LINES[source], apps.cust, where, when, np.where(found, calls.HIT, calls.NO_HIT), key, apps.number,
            world.cache(source), world.rules[source], streams, month, str(wave), assume,
        )  # fmt: skip
        return placed[source]

    known = rng.random(n) < 0.95
    telco = place("telco_tenure", everyone, start[0], known, master.phone[apps.cust])
    frame, dead = vendors.telco_rows(
        telco, asked, people, master, world.noises["telco"], month, wave, streams
    )
    world.deliveries.add("telco_tenure", frame, month)

    found = vendors.matches(asked, start[1], world.elsewhere, master, month)
    counts = np.bincount(found["at"].to_numpy(), minlength=n)
    recent = found.filter(pl.col("ts") > pl.col("report") - pl.duration(days=90))
    lender = place("ml_apply", everyone, start[1], counts > 0, apps.device)
    world.deliveries.add("ml_apply", vendors.apply_rows(lender, asked, found, people, master), month)

    shown = vendors.spells(asked, start[2].astype("datetime64[D]"), world.overdue, month)
    has = np.bincount(shown["at"].to_numpy(), minlength=n) > 0
    listed = place("ml_overdue", np.full(n, month >= LIST_SINCE), start[2], has, apps.cust)
    world.deliveries.add("ml_overdue", vendors.overdue_rows(listed, asked, shown, master), month)
    bad = shown.filter(~pl.col("settled")).with_columns(level=((pl.col("dpd") - 1) // 30 + 1))
    level = np.zeros(n, np.int64)
    np.maximum.at(level, bad["at"].to_numpy(), np.minimum(bad["level"].to_numpy(), 4))
    level[~listed.asked] = 0

    first = np.max([placed[name].response_ts for name in ("telco_tenure", "ml_apply", "ml_overdue")], axis=0)
    screened = ~dead & (level < 4)
    facts = _reports(world, apps, first, screened, month, wave, place)
    facts.lender_applications = np.bincount(recent["at"].to_numpy(), minlength=n)
    facts.list_open_level = level
    facts.dead_phone = dead
    asking = asking_of(world, apps, screened, network, month, wave)
    world.applied.append(asking)
    outside = ask_outside(world, asking)
    inner = [(done, calls.LINES[source]) for source, done in placed.items()]
    enter(world, [*inner, *outside], asking)
    return placed | {done.source: done for done, _ in outside}, facts


def ask_outside(world: World, asking: Asking) -> list[tuple[calls.Calls, calls.Line]]:
    """Ask every other source under contract about a batch."""
    placed = []
    for source in world.outside.values():
        if not isinstance(source, AskedSource) or asking.month < START + source.since:
            continue
        if asking.stage == "mid" and not source.monitors:
            continue
        placed.append((source.ask(asking), source.line))
    return placed


def enter(world: World, placed: list[tuple[calls.Calls, calls.Line]], asking: Asking) -> None:
    """Enter calls in the ledger, and count them as the sources' invoices will."""
    if not placed:
        return
    for done, _ in placed:
        out = done.asked & ~done.cached
        months = month_of(done.request_ts)
        for when in np.unique(months[done.asked]).tolist():
            here = months == when
            counts = np.append(
                np.bincount(done.result[out & here], minlength=len(calls.RESULTS)), (done.cached & here).sum()
            )
            tally = world.called.setdefault(when, {})
            tally[done.source] = tally.get(done.source, np.zeros(len(counts), np.int64)) + counts
    rows = ledgers.call_rows(placed, asking, world.master, world.rules)
    world.deliveries.add("source_call", rows, asking.month)


def monitor(world: World, borrower: np.ndarray, month: int) -> None:
    """Look again at a part of the borrowers: each comes up once in ``Assumptions.monitored_every`` months."""
    people = world.people
    who = np.flatnonzero(borrower)
    who = who[(who + month) % world.assume.monitored_every == 0]
    if not len(who):
        return
    n = len(who)
    start = first_day(month).astype("datetime64[ms]") + np.timedelta64(9 * 24 + 2, "h")
    asking = Asking(
        world=world, month=month, wave="0", stage="mid", cust=who, device=people.device[who],
        at=start + (np.arange(n) * 40).astype("timedelta64[ms]"), number=60_000_000 + world.monitored + np.arange(n),
        product=np.full(n, -1), amount=np.zeros(n), apply_ids=None, screened=np.ones(n, bool),
        network=people.address[who],
    )  # fmt: skip
    enter(world, ask_outside(world, asking), asking)
    world.monitored += n


def _reports(
    world: World,
    apps: ap.Applications,
    first: np.ndarray,
    screened: np.ndarray,
    month: int,
    wave: int,
    place: Callable[..., calls.Calls],
) -> ap.Facts:
    """Query the bureau for those who pass the first screen, write the reports, log the queries."""
    people = world.people
    n = len(apps.cust)
    rng = world.streams.of(f"reports {wave}", month)
    draws = rng.random((5, n))
    asked_at = first + (150 + draws[0] * 700).astype(np.int64).astype("timedelta64[ms]")
    view = reports.look(world, apps.cust, asked_at.astype("datetime64[D]"), month)
    visible = np.array([bool(mine) for mine in view.accounts], bool)
    found = ~people.thin[apps.cust] | visible
    done = place("pboc_person", screened, asked_at, found, apps.cust)
    answered = done.answered
    stamps = np.datetime_as_string(done.response_ts, unit="s").tolist()
    for at in np.flatnonzero(answered).tolist():
        digits = stamps[at].replace("-", "").replace("T", "").replace(":", "")
        report_id = f"{digits}{int(apps.number[at]):08d}"
        done.request[at] = report_id
        world.caches["pboc_person"].request[int(apps.cust[at])] = report_id
        if done.result[at] != calls.HIT:
            continue
        form = form_of(draws[1:4, at].tolist(), world.assume.report_forms)
        spoiled = bool(draws[4, at] < world.assume.spoiled_share)
        report = reports.report_of(
            world, view, at, report_id, int(apps.number[at]), stamps[at], int(draws[4, at] * 1.25), month,
            SPOILED_REASON if spoiled else "02",
        )  # fmt: skip
        day = done.response_ts[at].astype("datetime64[D]")
        world.deliveries.add_document(
            "pboc_person", day, f"{report_id}.{SUFFIX[form.kind]}", reports.written(report, form), spoiled
        )
    which = np.flatnonzero(answered)
    world.queries.add(month, {
        "cust": apps.cust[which], "day": done.response_ts[which].astype("datetime64[D]"),
        "org_type": np.zeros(len(which), np.int64), "org": np.full(len(which), products.OWN),
        "reason": np.full(len(which), lookups.REASONS.index("02")),
    })  # fmt: skip
    has_report = done.asked & (done.result == calls.HIT)
    loan = world.loans.loan
    live = (loan["closed"] == 0) & (loan["gone"] == 0)
    own = np.zeros(people.size, np.int64)
    np.add.at(own, loan["cust"][live], 1)
    late = np.zeros(people.size, np.int64)
    troubled = (loan["oldest"] > 0) | (loan["gone"] > 0)
    np.add.at(late, loan["cust"][troubled], 1)
    age = (apps.apply_ts.astype("datetime64[D]") - people.birth[apps.cust]).astype(np.int64) / 365.25
    return ap.Facts(
        has_report=has_report, overdue_now=np.where(has_report, view.overdue_now, 0),
        bad_debt=has_report & view.bad_debt, hard_queries=np.where(has_report, view.hard_queries, 0),
        lender_applications=np.zeros(n), list_open_level=np.zeros(n), dead_phone=np.zeros(n, bool),
        own_overdue=late[apps.cust], own_loans=own[apps.cust], age=age,
        stated_income=world.master.stated_income[apps.cust],
    )  # fmt: skip


def _book(
    world: World,
    apps: ap.Applications,
    drawn: np.ndarray,
    decided: np.ndarray,
    granted: np.ndarray,
    rate: np.ndarray,
) -> None:
    which = np.flatnonzero(drawn)
    day = decided[which].astype("datetime64[D]")
    numbers = loans.book_loans(
        world.loans,
        {
            "cust": apps.cust[which], "apply": apps.number[which], "amount": granted[which] * 100,
            "term": apps.term[which], "rate": rate[which], "date": day, "product": apps.product[which],
        },
    )  # fmt: skip
    ids = apps.ids
    world.loan_apply.extend(ids[at] for at in which)
    months = month_of(day)
    for month in np.unique(months).tolist():
        here = months == month
        rows = bureau.add_own(
            world.accounts, apps.cust[which][here], day[here], month,
            {
                "amount": granted[which][here], "term": apps.term[which][here],
                "due_day": world.loans.loan["due_day"][numbers[here]], "loan": numbers[here],
            },
        )  # fmt: skip
        world.loans.bureau_row[numbers[here]] = rows


def _try_again(
    world: World, apps: ap.Applications, no: np.ndarray, decided: np.ndarray, month: int, wave: int
) -> None:
    """Some of the rejected try again within weeks, once."""
    if wave:
        return
    draws = world.streams.of("trying again", month).random((2, len(apps.cust)))
    again = no & (draws[0] < world.assume.reapply_after_reject)
    wait = (3600 + -np.log1p(-draws[1] * 0.999) * 7 * 86_400).astype(np.int64) * 1000
    world.pending.append((apps.cust[again], (decided + wait.astype("timedelta64[ms]"))[again]))


def take_pending(world: World, month: int) -> tuple[np.ndarray, np.ndarray]:
    """Second tries whose time has come; the others stay."""
    if not world.pending:
        return np.zeros(0, np.int64), np.zeros(0, "datetime64[ms]")
    who = np.concatenate([part[0] for part in world.pending])
    at = np.concatenate([part[1] for part in world.pending])
    now = month_of(at) <= month
    world.pending = [(who[~now], at[~now])]
    return who[now], at[now]
