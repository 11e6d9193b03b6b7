"""Housing fund in a report (PF05): the same employers, rates and bases as the fund's own office tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.jobs import FIRST
from simulator.payroll import Payroll
from simulator.pboc_known import SOURCE, learned
from simulator.pboc_notes import Notes
from simulator.pboc_tree import Segment, Unit, Value
from simulator.sources import housing_fund as office
from simulator.timeline import month_end, month_name

if TYPE_CHECKING:
    from simulator.world import World

BEHIND = 12
"""Months for which an employer in distress may be behind."""


def housing_funds(world: World, cust: np.ndarray, draws: np.ndarray, notes: Notes) -> list[list[Unit]]:
    """Units PF05 of each of ``cust``: the present employer's contributions, and the sealed account of the one before.

    ``draws`` are even numbers that stay with each of ``cust``.
    """
    month = notes.month
    jobs = [
        (at, place, firm, since, before)
        for at, who in enumerate(cust.tolist())
        for place, (firm, since, before) in enumerate(_jobs(world, who, month))
        if firm >= 0 and before - 1 >= FIRST and since + 1 <= before - 1
    ]
    found: list[list[Unit]] = [[] for _ in cust]
    if not jobs:
        return found
    at, place, firm, since, before = (np.array(column) for column in zip(*jobs, strict=True))
    who, last = cust[at], before - 1
    streams, payroll = world.streams, Payroll(world)
    assume = world.outside.get("housing_fund", office.SOURCE).assume
    pays = (streams.lot("fund employer", firm) < assume.paying_employers) & ~payroll.paid_in_cash(who)
    told = np.maximum(last[:, None] - np.arange(BEHIND), FIRST)
    employer, unpaid = world.jobs.at(who[:, None], told)
    paid = (employer == firm[:, None]) & ~(unpaid & (streams.lot("fund unpaid", employer, told) < 0.75))
    paid_to = np.maximum(last - np.argmax(paid, axis=1), since + 1)
    rate = office.RATES[(streams.lot("fund rate", firm) ** 1.4 * len(office.RATES)).astype(int)]
    base = payroll.base(who, last)
    rows = zip(
        at.tolist(), place.tolist(), firm.tolist(), (since + 1).tolist(), paid_to.tolist(),
        np.rint(rate * 100).astype(int).tolist(), np.rint(base * 2 * rate).astype(int).tolist(), pays.tolist(),
        world.master.city[who].tolist(), strict=True,
    )  # fmt: skip
    for person, order, payer, first, to, percent, amount, there, city in rows:
        if not there:
            continue
        values: tuple[Value, ...] = (
            f"虚构市样例{city + 1}区", learned(first), "1" if order == 0 else "2", month_name(first), month_name(to),
            str(percent), str(percent), amount, world.people.spelt.employer(payer, SOURCE, "fund"),
            month_end(month - 1),
        )  # fmt: skip
        luck = float(draws[person]) if order == 0 else 0.0
        found[person].append([Segment("PF05A", values), notes.on("PF05", luck, first)])
    return found


def _jobs(world: World, who: int, month: int) -> list[tuple[int, int, int]]:
    """The last two entries of employment: employer (-1: none), since when, and the month in which it was over."""
    entries = world.files.known.employers[who][:2]
    ends = [month, *(since for _, since, _ in entries)]
    return [(firm, since, end) for (firm, since, _), end in zip(entries, ends, strict=False)]
