"""A scorecard as rows: the tables in which the mart keeps every day's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bluemirror.desk.calls import CallFigures
from bluemirror.desk.card import Scorecard, SourceCard

if TYPE_CHECKING:
    import polars as pl

KEYS: Mapping[str, tuple[str, ...]] = {
    "source_scorecard": ("as_of", "source"),
    "source_alert": ("as_of", "source", "kind", "number"),
    "source_bill_check": ("as_of", "source", "month"),
    "source_drift": ("as_of", "source", "table", "field"),
    "source_overlap": ("as_of", "first", "second"),
}
"""Tables of the history and their keys; each has one part a day."""

_FIGURES: Mapping[str, type] = {
    "calls": int,
    "hit_rate": float,
    "match_rate": float,
    "error_rate": float,
    "timeouts": int,
    "cache_share": float,
    "p50_ms": float,
    "p99_ms": float,
    "cost_yuan": float,
    "cost_per_call": float,
}
WINDOWS = ("day", "month", "total")
"""Prefixes of the call figures: of the day, of four weeks, of all time."""

_COLUMNS: Mapping[str, Mapping[str, type]] = {
    "source_scorecard": {
        "as_of": dt.date,
        "source": str,
        "contract_version": str,
        "status": str,
        "last_delivery": dt.date,
        "due": dt.date,
        "late_hours": float,
        "freshness": str,
        "policy": str,
        "missing_days": int,
        "waiting": int,
        "accepted": int,
        "quarantined": int,
        "week_records": int,
        "week_quarantined": int,
        "asked": bool,
        **{f"{window}_{name}": kind for window in WINDOWS for name, kind in _FIGURES.items()},
        "cost_per_application": float,
        "cost_per_approval": float,
        "month_to_date_yuan": float,
        "last_bill_difference_yuan": float,
        "repeated_requests": int,
        "fields_shifted": int,
        "fields_emptied": int,
    },
    "source_alert": {
        "as_of": dt.date,
        "source": str,
        "kind": str,
        "number": int,
        "check": str,
        "severity": str,
        "cause": str,
        "since": dt.date,
    },
    "source_bill_check": {
        "as_of": dt.date,
        "source": str,
        "month": dt.date,
        "calls": int,
        "calls_billed": int,
        "expected_yuan": float,
        "billed_yuan": float,
        "difference_yuan": float,
        "agrees": bool,
        "reasons": str,
    },
    "source_drift": {
        "as_of": dt.date,
        "source": str,
        "table": str,
        "field": str,
        "label_zh": str,
        "label_en": str,
        "recent": int,
        "before": int,
        "empty": float,
        "empty_before": float,
        "psi": float,
        "limit": float,
        "usual": float,
        "shifted": bool,
        "emptied": bool,
        "moved": str,
    },
    "source_overlap": {
        "as_of": dt.date,
        "first": str,
        "second": str,
        "both": int,
        "only_first": int,
        "only_second": int,
        "neither": int,
    },
}


def history_frames(card: Scorecard) -> dict[str, pl.DataFrame]:
    """The rows of one day for every table of the history, sorted by key; without rows, the columns alone."""
    import polars as pl

    head = {"as_of": card.as_of}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in KEYS}
    for each in card.sources:
        own = head | {"source": each.source}
        rows["source_scorecard"].append(own | scorecard_row(card, each))
        rows["source_drift"] += [own | asdict(one) for one in each.drift]
        rows["source_bill_check"] += [
            own
            | asdict(check)
            | {
                "difference_yuan": check.difference_yuan,
                "agrees": check.agrees,
                "reasons": "; ".join(f"{one.yuan:+.2f} {one.kind}" for one in check.reasons),
            }
            for check in each.bills
        ]
    rows["source_alert"] = [
        head | asdict(alert) | {"number": number, "check": alert.check}
        for number, alert in enumerate(card.alerts)
    ]
    rows["source_overlap"] = [head | asdict(pair) for pair in card.overlap.pairs]
    frames = {}
    for name, columns in _COLUMNS.items():
        chosen = [{column: row[column] for column in columns} for row in rows[name]]
        frames[name] = pl.DataFrame(chosen, schema=dict(columns)).sort(KEYS[name])
    return frames


def scorecard_row(card: Scorecard, each: SourceCard) -> dict[str, Any]:
    """The figures of one source on one day as one flat row, without day and name."""
    fresh, kept, bill = each.freshness, each.rejected, each.last_bill
    row: dict[str, Any] = {
        "contract_version": each.contract_version,
        "status": card.status(each.source),
        "last_delivery": fresh.last,
        "due": fresh.due,
        "late_hours": fresh.late_hours,
        "freshness": fresh.state,
        "policy": fresh.policy,
        "missing_days": len(fresh.missing),
        "waiting": len(each.waiting),
        "accepted": each.accepted,
        "quarantined": each.quarantined,
        "week_records": kept.recent_in,
        "week_quarantined": kept.recent_out,
        "asked": each.asked,
    }
    for window, figures in zip(WINDOWS, (each.today, each.month, each.total), strict=True):
        row |= _figures(window, figures)
    return row | {
        "cost_per_application": each.spending.per_application,
        "cost_per_approval": each.spending.per_approval,
        "month_to_date_yuan": each.month_to_date_yuan,
        "last_bill_difference_yuan": bill.difference_yuan if bill else None,
        "repeated_requests": each.repeated_requests,
        "fields_shifted": sum(one.shifted for one in each.drift),
        "fields_emptied": sum(one.emptied for one in each.drift),
    }


def _figures(window: str, figures: CallFigures) -> dict[str, Any]:
    return {f"{window}_{name}": getattr(figures, name) for name in _FIGURES}
