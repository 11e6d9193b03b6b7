"""The simulation's loop: month by month what happens, is asked, decided, repaid and delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace
from simulator import applications as ap
from simulator import behaviour, bureau, ledgers, loans, pboc_files, transactions, truth
from simulator import customers as master_data
from simulator.assumptions import Assumptions
from simulator.batch import apply_batch, monitor, take_pending
from simulator.companies import advance_companies
from simulator.configuration import read_configuration
from simulator.fingerprints import fingerprint_rows
from simulator.networks import networks_of
from simulator.population import advance
from simulator.standing import fingerprint, prepare
from simulator.timeline import START, first_day, last_day, month_name, month_of
from simulator.world import World, begin, delivering, live_elsewhere, live_history


def land(
    workspace: Workspace,
    customers: int = 10_000,
    months: int = 36,
    seed: int = 20230101,
    until: dt.date | str | None = None,
    log: Callable[[str], None] | None = None,
    assume: Assumptions | None = None,
) -> dict[str, int]:
    """Write the landing files of a simulated bank, and the truth behind them.

    Parameters
    ----------
    workspace
        Where: files go to ``workspace.landing``, the truth to ``workspace.data / "truth"``.
    customers, months, seed
        How many people, how many months from January 2023 on, and the seed. What a day brings does not
        depend on ``months``.
    until
        Last delivery day to write; the default is the end of the last month. A landing folder that holds the same
        simulation up to an earlier day is added to; one that holds another simulation is emptied first.
    log
        Receives a line of progress a month.
    assume
        The bank's assumptions, see ``simulator.assumptions``; the default is what the workspace's
        ``simulation.yaml`` makes of them.

    Returns
    -------
    dict
        Records written by source.

    Raises
    ------
    bluemirror.errors.WorkspaceError
        If there are fewer than 50 customers, less than one month, no day before ``until``, or ``simulation.yaml``
        is written wrongly.
    """
    last = _last_day(months, until)
    if customers < 50 or months < 1:
        raise WorkspaceError(
            f"a simulation of {customers} customers over {months} months is too small",
            field="customers" if customers < 50 else "months",
            rule="at least 50 customers and one month",
            fix="ask for more",
        )
    say = log or (lambda _text: None)
    configured = read_configuration(workspace)
    if assume is not None:
        configured = replace(configured, bank=assume)
    folder = workspace.data / "truth"
    settings: dict[str, object] = {
        "customers": customers, "seed": seed, "end": str(last),
        "code": fingerprint(workspace.contracts_dir, configured),
    }  # fmt: skip
    there = prepare(workspace.landing, folder, delivering(workspace), settings)
    if there is not None:
        say(f"the landing folder holds this simulation up to {last} already: nothing to do")
        return there
    world = begin(workspace, customers, months, seed, last, configured)
    live_history(world)
    say(f"{customers:,} customers with {world.accounts.count:,} accounts elsewhere at the start")
    for month in range(START, int(month_of(last)) + 1):
        _month(world, month)
        world.deliveries.flush(month)
        written = world.deliveries.counts
        say(
            f"{month_name(month)}: {world.applications:,} applications,"
            f" {written.get('pboc_person', 0):,} reports so far"
        )
    _write_truth(world, folder, settings)
    return dict(sorted(world.deliveries.counts.items()))


def _last_day(months: int, until: dt.date | str | None) -> np.datetime64:
    """Last delivery day: the end of the last month, or ``until`` if that is earlier."""
    end = last_day(START + max(months, 1) - 1)
    if until is None or until == "":
        return end
    try:
        day = np.datetime64(str(until)[:10], "D")
    except ValueError as error:
        raise WorkspaceError(
            f"{until!r} is not a day",
            field="until",
            rule="until is yyyy-MM-dd",
            fix="write it like 2025-12-15",
        ) from error
    if day < first_day(START):
        raise WorkspaceError(
            f"nothing is simulated up to {day}", field="until", rule=f"the simulation starts on {first_day(START)}",
            fix="name a later day",
        )  # fmt: skip
    return min(day, end)


def _month(world: World, month: int) -> None:
    people, master, streams = world.people, world.master, world.streams
    changed = advance(people, month, streams, world.assume)
    world.jobs.record(people, month)
    world.past.record(people, month)
    advance_companies(world.companies, people, month, streams, world.assume)
    _tell(world, changed, month)
    live_elsewhere(world, month)
    borrower = np.zeros(people.size, bool)
    open_loans = (world.loans.loan["closed"] == 0) & (world.loans.loan["gone"] == 0)
    borrower[world.loans.loan["cust"][open_loans]] = True
    _everyday_sessions(world, borrower, month)
    who, at = ap.wish(people, borrower, month - world.rejected_at <= 2, month, streams, world.assume)
    again, again_at = take_pending(world, month)
    fresh = ~np.isin(who, again)
    who, at = np.concatenate([who[fresh], again]), np.concatenate([at[fresh], again_at])
    apply_batch(world, who, at, borrower, month, 0)
    again, again_at = take_pending(world, month)
    apply_batch(world, again, again_at, borrower, month, 1)
    world.deliveries.add(
        "own_txn",
        transactions.month_rows(
            world.ledger, people, master, world.noises["txn"], month, streams, world.assume
        ),
        month,
    )
    world.deliveries.add("own_customer", master_data.customer_rows(master, people), month, may_be_late=False)
    _repay(world, month)
    monitor(world, borrower, month)
    for source in world.outside.values():
        source.live(world, month)
    world.applied.clear()
    world.tables.setdefault("person_months", []).append(truth.state_truth(people, master, month))


def _tell(world: World, changed: dict[str, np.ndarray], month: int) -> None:
    """Most customers tell the bank of a change early in the month in which it happens; others when they apply."""
    people, master = world.people, world.master
    world.files.known.learn(people, changed, month)
    who = np.unique(np.concatenate([changed["phone"], changed["address"], changed["employer"]]))
    draws = world.streams.of("telling", month).random((3, people.size))[:, who]
    tells = (draws[0] < 0.6) & ~np.isnat(master.since[who])
    who, draws = who[tells], draws[:, tells]
    start = np.datetime64(month_name(month), "M").astype("datetime64[s]")
    at = start + (draws[1] * 12 * 86_400).astype("timedelta64[s]")
    lag = (draws[2] ** 2 * 12 * 86_400).astype("timedelta64[s]")
    master_data.record_changes(master, people, who, at, lag)


def _everyday_sessions(world: World, borrower: np.ndarray, month: int) -> None:
    people, master, streams = world.people, world.master, world.streams
    sessions = behaviour.visit_sessions(
        people, master, borrower, month, streams, world.assume, world.sessions + 1
    )
    world.sessions += len(sessions.cust)
    events, start = behaviour.events_of(
        sessions, False, people, borrower, world.noises["app"], None, "visit", month, streams
    )
    received = behaviour.received_hourly(events, month, streams)
    world.deliveries.add(
        "app_event", behaviour.event_rows(sessions, events, received, people, master, month), month
    )
    network = networks_of(sessions.number, sessions.cust, people, month, streams)
    prints = fingerprint_rows(
        sessions, network, start, people, master, world.noises["device"], "visit", month, streams
    )
    world.deliveries.add("device_fp", prints, month)


def _repay(world: World, month: int) -> None:
    """Month's end: accounts elsewhere, own loans, and what the loan system delivers."""
    people, streams, assume = world.people, world.streams, world.assume
    bureau.open_accounts(world.accounts, people, month, streams, assume)
    bureau.step(world.accounts, people, world.noises["bureau"], month, streams, assume)
    versions = loans.live_month(world.loans, people, month, streams, assume)
    loans.report_to_bureau(world.loans, world.accounts, month)
    pboc_files.live(world, month)
    rows = ledgers.instalment_rows(versions, world.loans, world.master, world.loan_apply)
    world.deliveries.add("own_repay", rows, month, may_be_late=False)
    late = versions["dpd"] >= 30
    for loan, day in zip(versions["loan"][late].tolist(), versions["snapshot_date"][late], strict=True):
        world.first_30[loan] = min(day, world.first_30.get(loan, day))


def _write_truth(world: World, folder: Path, settings: dict[str, object]) -> None:
    loan = world.loans.loan
    n = world.loans.count
    first = np.array(
        [world.first_30.get(number, np.datetime64("NaT", "D")) for number in range(n)], "datetime64[D]"
    )
    tables = {name: pl.concat(parts) for name, parts in world.tables.items()}
    tables["persons"] = truth.person_truth(world.people, world.master, world.noises)
    tables["loans"] = pl.DataFrame(
        {
            "loan_id": [f"L{number + 1:09d}" for number in range(n)],
            "apply_id": pl.Series(world.loan_apply, dtype=pl.String),
            "person_id": pl.Series(world.master.person).gather(loan["cust"]), "loan_date": loan["date"],
            "term": loan["term"], "first_dpd30": first,
        }
    )  # fmt: skip
    tables["companies"] = truth.company_truth(world.companies, world.master)
    tables["identifiers"] = truth.identifiers(world)
    tables["spellings"] = truth.spellings_truth(world)
    tables["registrations"] = truth.registrations_truth(world)
    for source in world.outside.values():
        tables |= source.truth(world)
    done = world.deliveries
    truth.write_truth(
        folder, tables, settings | {"written": done.counts, "planted": done.planted, "deliveries": done.made}
    )
