"""Everything that lives from month to month, and the five years of history before the first month."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bluemirror.workspace import Workspace
from simulator import bureau, calls, customers, loans, lookups, pboc_files, transactions
from simulator.assumptions import Assumptions
from simulator.companies import Companies, advance_companies, draw_companies
from simulator.configuration import Configuration
from simulator.deliveries import Deliveries
from simulator.jobs import Jobs, open_jobs
from simulator.outside import Source
from simulator.past import Past, open_past
from simulator.population import Population, advance, draw_population
from simulator.rules import SourceRules, read_rules
from simulator.sources import outside_sources
from simulator.spoiling import PLANTS
from simulator.streams import Streams
from simulator.timeline import START

if TYPE_CHECKING:
    from simulator.asking import Asking

LINES = (
    "own_customer", "source_call", "own_apply", "own_repay", "own_txn", "ml_apply", "ml_overdue", "telco_tenure",
    "device_fp", "app_event",
)  # fmt: skip
DOCUMENTS = ("pboc_person",)
DOCUMENT_FORMATS = ("xml", "json", "zip")
INNER = (*LINES, *DOCUMENTS)
"""Sources that the course of the bank's business makes or needs; all others are modules of ``simulator.sources``."""


@dataclass
class World:
    """Everything that lives from month to month."""

    people: Population
    master: customers.Master
    companies: Companies
    jobs: Jobs
    past: Past
    accounts: bureau.Bureau
    loans: loans.LoanBook
    ledger: transactions.Ledger
    files: pboc_files.Files
    noises: dict[str, np.ndarray]
    covered: np.ndarray
    streams: Streams
    assume: Assumptions
    rules: dict[str, SourceRules]
    deliveries: Deliveries
    queries: lookups.Log = field(default_factory=lookups.Log)
    elsewhere: lookups.Log = field(default_factory=lookups.Log)
    overdue: lookups.Log = field(default_factory=lookups.Log)
    caches: dict[str, calls.Cache] = field(default_factory=dict)
    rejected_at: np.ndarray = field(default_factory=lambda: np.zeros(0))
    pending: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    outside: dict[str, Source] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    monitored: int = 0
    called: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    """Month of the question -> source -> calls that went out, by result; the last number is what the cache served."""
    applied: list[Asking] = field(default_factory=list)
    """The applications of the current month, a batch each."""
    booked: list[dict[str, np.ndarray]] = field(default_factory=list)
    loan_apply: list[str] = field(default_factory=list)
    first_30: dict[int, np.datetime64] = field(default_factory=dict)
    applications: int = 0
    sessions: int = 0
    tables: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def cache(self, source: str) -> calls.Cache:
        """The bank's own copies of a source's answers."""
        return self.caches.setdefault(source, calls.empty_cache(self.people.size))

    def drift(self, source: str, month: int) -> float:
        """How far a source has drifted by ``month``, in units of its own spread."""
        months = max(month - START - self.assume.drift_from, 0)
        return self.assume.drift.get(source, 0.0) * months / 12

    def noise(self, source: str) -> np.ndarray:
        """What a source mistakes about each customer, for good; one number a customer."""
        if source not in self.noises:
            draws = self.streams.of(f"noise {source}").standard_normal(self.people.size)
            self.noises[source] = self.assume.source_noise * draws
        return self.noises[source]


def delivering(workspace: Workspace) -> tuple[str, ...]:
    """Every source that the simulation delivers into this workspace."""
    folder = workspace.contracts_dir
    return (*INNER, *(name for name in outside_sources() if (folder / f"{name}.odcs.yaml").is_file()))


def begin(
    workspace: Workspace,
    size: int,
    months: int,
    seed: int,
    until: np.datetime64 | None,
    configured: Configuration,
) -> World:
    """A world at January 2018, before anything has happened."""
    streams, assume = Streams(seed), configured.bank
    rules = read_rules(workspace)
    people = draw_population(size, streams, assume)
    noises = {
        name: assume.source_noise * streams.of(f"noise {name}").standard_normal(size)
        for name in ("bureau", "lenders", "overdue", "telco", "device", "app", "txn")
    }
    companies = draw_companies(people, streams, assume)
    outside = {
        name: type(source)(configured.sources[name]) if name in configured.sources else source
        for name, source in outside_sources().items()
        if name in rules
    }
    papers = tuple(name for name in (*DOCUMENTS, *outside) if rules[name].formats[0] in DOCUMENT_FORMATS)
    suffix = {name: rules[name].formats[0] for name in (*LINES, *outside) if name not in papers}
    planted = {name: source.plant for name, source in outside.items() if source.plant is not None}
    return World(
        people=people,
        master=None,  # type: ignore[arg-type]  # opened when history has been lived through
        companies=companies,
        jobs=open_jobs(size, START + months),
        past=open_past(size, START + months),
        accounts=bureau.empty_bureau(size, START + months + 1),
        loans=loans.empty_loans(),
        ledger=transactions.open_ledger(people, streams),
        files=pboc_files.open_files(people, streams, assume),
        noises=noises,
        covered=streams.of("coverage").random(size) < assume.lender_coverage,
        streams=streams,
        assume=assume,
        rules=rules,
        deliveries=Deliveries(
            workspace.landing, suffix, streams, assume, until, papers,
            {name: rules[name].every for name in (*suffix, *papers)}, PLANTS | planted,
        ),
        outside=outside,
        rejected_at=np.full(size, -99),
    )  # fmt: skip


def live_history(world: World) -> None:
    """The five years before the start: accounts, queries, applications elsewhere; nobody is a customer yet."""
    for month in range(START):
        changed = advance(world.people, month, world.streams, world.assume)
        world.files.known.learn(world.people, changed, month)
        world.jobs.record(world.people, month)
        world.past.record(world.people, month)
        advance_companies(world.companies, world.people, month, world.streams, world.assume)
        if month >= START - 27:
            live_elsewhere(world, month)
        bureau.open_accounts(world.accounts, world.people, month, world.streams, world.assume)
        bureau.step(world.accounts, world.people, world.noises["bureau"], month, world.streams, world.assume)
        pboc_files.live(world, month)
    world.master = customers.open_master(world.people, world.streams)
    customers.record_opening(world.master)
    pboc_files.meet(world)
    for source in world.outside.values():
        source.begin(world)


def live_elsewhere(world: World, month: int) -> None:
    """What other lenders do about the customers in a month."""
    people, noises = world.people, world.noises
    world.queries.add(
        month,
        lookups.draw_queries(world.accounts, people, noises["bureau"], month, world.streams, world.assume),
    )
    world.elsewhere.add(
        month,
        lookups.draw_applications_elsewhere(
            people, world.covered, noises["lenders"], month, world.streams, world.assume
        ),
    )
    world.overdue.add(
        month, lookups.draw_overdue(people, noises["overdue"], month, world.streams, world.assume)
    )
