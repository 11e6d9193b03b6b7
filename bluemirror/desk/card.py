"""The scorecard of the sources on one day, and of one source in it, as frozen values: drawing never computes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from bluemirror.desk.alerts import ERROR, Alert
from bluemirror.desk.bills import BillCheck
from bluemirror.desk.calls import CallDay, CallFigures
from bluemirror.desk.drift import FieldDrift
from bluemirror.desk.freshness import FRESH, Freshness
from bluemirror.desk.overlap import Overlap
from bluemirror.desk.rejected import Rejected
from bluemirror.desk.repeats import SameAnswer
from bluemirror.desk.spending import Spending


@dataclass(frozen=True)
class Promised:
    """What the contract promises and asks, as the desk shows it; None for what it does not state."""

    p50_ms: float | None
    p99_ms: float | None
    hit_low: float | None
    hit_high: float | None
    error_rate: float | None
    frequency: str
    latency: str
    prices: Mapping[str, float]
    monthly_fee: float


@dataclass(frozen=True)
class Arrived:
    """Landed records of one delivery, and those that went to quarantine."""

    day: dt.date
    records: int
    quarantined: int


@dataclass(frozen=True)
class SourceCard:
    """One source on one day.

    Parameters
    ----------
    source, name_zh, name_en, domain, contract_version, stages, purpose, legal_basis, authorisation
        From its contract.
    promised
        Service levels and prices of its contract.
    deliveries, in_, accepted, quarantined
        All deliveries up to the day, and their records: ``in_ == accepted + quarantined``.
    waiting
        Days of deliveries without their completing file.
    freshness, rejected, arrived
        How it came, what the gate kept out, and each delivery of the last 13 weeks.
    asked
        Whether the call ledger knows it.
    total, today, week, month, baseline, to_date
        Calls over all time, on the day, in the last 7 and 28 days, in the eight weeks before the week, and in the day's
        calendar month so far.
    spending
        Cost beside applications and approvals, in the last 28 days.
    days
        Figures of each day with calls in the last 13 weeks.
    bills
        The last closed months against the ledger.
    drift, same, repeated_requests
        Fields against the weeks before; the content that repeats most; calls that share a request id.
    """

    source: str
    name_zh: str
    name_en: str
    domain: str
    contract_version: str
    stages: tuple[str, ...]
    purpose: str
    legal_basis: str
    authorisation: str
    promised: Promised
    deliveries: int
    in_: int
    accepted: int
    quarantined: int
    waiting: tuple[dt.date, ...]
    freshness: Freshness
    rejected: Rejected
    arrived: tuple[Arrived, ...]
    asked: bool
    total: CallFigures = field(default_factory=CallFigures)
    today: CallFigures = field(default_factory=CallFigures)
    week: CallFigures = field(default_factory=CallFigures)
    month: CallFigures = field(default_factory=CallFigures)
    baseline: CallFigures = field(default_factory=CallFigures)
    to_date: CallFigures = field(default_factory=CallFigures)
    spending: Spending = field(default_factory=Spending)
    days: tuple[CallDay, ...] = ()
    bills: tuple[BillCheck, ...] = ()
    drift: tuple[FieldDrift, ...] = ()
    same: SameAnswer | None = None
    repeated_requests: int = 0

    @property
    def fresh(self) -> bool:
        """Whether it came in time, the hours that the contract grants among them."""
        return self.freshness.state in {FRESH, "due"}

    @property
    def month_to_date_yuan(self) -> float:
        """Expected bill of the month so far: calls by the price table, and the monthly fee."""
        return round(self.to_date.expected_yuan + self.promised.monthly_fee, 2)

    @property
    def last_bill(self) -> BillCheck | None:
        """The newest closed month."""
        return self.bills[-1] if self.bills else None


@dataclass(frozen=True)
class Scorecard:
    """All sources of a workspace as known at the end of ``as_of``.

    Parameters
    ----------
    workspace
        Its name.
    as_of
        The day.
    fingerprint
        Changes when, and only when, something that the figures are made from does.
    sources
        One card a contract, by name.
    alerts
        Errors first.
    overlap
        Who is found by which of two sources.
    """

    workspace: str
    as_of: dt.date
    fingerprint: str
    sources: tuple[SourceCard, ...]
    alerts: tuple[Alert, ...]
    overlap: Overlap = field(default_factory=Overlap)

    def source(self, name: str) -> SourceCard:
        """The card of the source ``name``; KeyError if there is none."""
        for card in self.sources:
            if card.source == name:
                return card
        raise KeyError(name)

    def alerts_of(self, source: str) -> tuple[Alert, ...]:
        """Alerts of one source, errors first."""
        return tuple(alert for alert in self.alerts if alert.source == source)

    def status(self, source: str) -> str:
        """``error``, ``warn`` or ``ok``: the worst of a source's alerts."""
        severities = {alert.severity for alert in self.alerts_of(source)}
        return ERROR if ERROR in severities else "warn" if severities else "ok"

    @property
    def overlap_pairs(self) -> int:
        """Pairs of sources that were asked about the same person."""
        return len(self.overlap.pairs)

    def __repr__(self) -> str:
        bad = sum(alert.severity == ERROR for alert in self.alerts)
        return (
            f"Scorecard({self.workspace!r}, {self.as_of}: {len(self.sources)} sources, "
            f"{bad} errors, {len(self.alerts) - bad} warnings)"
        )

    def _repr_html_(self) -> str:
        from bluemirror.desk.notebook import scorecard_html

        return scorecard_html(self)
