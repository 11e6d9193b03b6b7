"""Everything that the bureau keeps besides accounts and queries, and how it grows month by month."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulator import company_credit, identities, pboc_postpaid, pboc_public
from simulator.company_credit import CompanyLoans
from simulator.pboc_known import (
    Couples,
    Known,
    draw_couples,
    draw_helpers,
    employer_dwelling,
    landline,
    open_known,
    other_paper,
)
from simulator.pboc_luck import Luck
from simulator.pboc_people import PAPERS
from simulator.pboc_postpaid import Postpaid
from simulator.pboc_public import PublicRecords
from simulator.timeline import START

if TYPE_CHECKING:
    from simulator.assumptions import Assumptions
    from simulator.population import Population
    from simulator.streams import Streams
    from simulator.world import World

DRAWS = 10
_BEFORE = 36
"""Months before the start from which companies borrow, bills are paid and records made."""


@dataclass
class Files:
    """The bureau's other files. ``couples`` and ``helper`` are known once the bank's customer master is open."""

    known: Known
    draws: np.ndarray
    postpaid: Postpaid
    couples: Couples | None = None
    helper: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    luck: Luck = field(default_factory=Luck)
    public: PublicRecords = field(default_factory=PublicRecords)
    companies: CompanyLoans = field(default_factory=CompanyLoans)


def open_files(people: Population, streams: Streams, assume: Assumptions) -> Files:
    """The files as they are in January 2018."""
    draws = np.round(streams.of("bureau register").random((DRAWS, people.size)), 6)
    return Files(
        open_known(people), draws, pboc_postpaid.open_postpaid(people, streams, assume.postpaid_shares)
    )


def live(world: World, month: int) -> None:
    """The end of ``month``, when accounts have been paid or missed."""
    files, streams, assume = world.files, world.streams, world.assume
    if month >= START - _BEFORE:
        company_credit.live(
            files.companies, world.companies, month, streams, assume.company_loans, assume.company_miss
        )
        pboc_postpaid.live(files.postpaid, world.people, month, streams, assume.postpaid_level)
        pboc_public.live(world, files.public, month)
    if files.couples is not None:
        files.luck.fill(world.accounts, files.couples.partner, files.helper, month, streams, assume)


def meet(world: World) -> None:
    """Once the customer master is open: who is married to whom, and who would answer for whom."""
    files = world.files
    files.couples = draw_couples(world.people, world.master, world.streams)
    files.helper = draw_helpers(
        world.people, files.couples, world.streams, world.assume.friends_who_guarantee
    )
    files.luck.fill(
        world.accounts, files.couples.partner, files.helper, START - 1, world.streams, world.assume
    )


def identifiers(world: World) -> dict[str, list[str]]:
    """Raw values by which only the bureau's reports name somebody, by entity."""
    files, size = world.files, world.people.size
    papers = files.couples.papers if files.couples else {}
    firms = range(len(world.people.employer_bad_until))
    homes = range(world.people.next_address)
    return {
        "id_no": [number for number, _, _ in papers.values()],
        "name": [name for _, name, _ in papers.values()],
        "phone": [
            *(phone for _, _, phone in papers.values()),
            *(landline(4_000_000 + firm) for firm in firms),
            *(landline(number) for number in homes),
        ],
        "other_id": [other_paper(kind, who) for who in range(size) for kind in (*PAPERS, "X")],
        "address": [identities.address(employer_dwelling(firm)) for firm in firms],
        "email": [f"sample{100_000 + who}@mail.invalid" for who in range(size)],
    }
