"""How a scorecard shows itself in a notebook: counts, alerts, one line a source."""

from __future__ import annotations

from html import escape

from bluemirror.desk.alerts import KINDS
from bluemirror.desk.card import Scorecard
from bluemirror.desk.figures import NONE, count, milliseconds, percent, table, yuan


def scorecard_html(card: Scorecard) -> str:
    """An HTML fragment; every value escaped."""
    alerts = [
        [alert.severity, alert.source, f"{KINDS[alert.kind].zh} {alert.title}", alert.cause]
        for alert in card.alerts
    ]
    rows = [
        [
            each.source,
            each.name_zh,
            str(each.freshness.last or NONE),
            each.freshness.state,
            percent(each.rejected.share, 2),
            count(each.month.calls) if each.asked else NONE,
            percent(each.month.hit_rate),
            percent(each.month.error_rate, 2),
            milliseconds(each.month.p99_ms),
            yuan(each.month.cost_yuan) if each.asked else NONE,
        ]
        for each in card.sources
    ]
    head = ("source", "", "delivered", "", "quarantine", "calls", "hit rate", "errors", "p99 ms", "yuan")
    return (
        f"<h4>{escape(card.workspace)}, as of {card.as_of}: "
        f"{len(card.sources)} sources, {len(card.alerts)} alerts</h4>"
        + table(("", "source", "alert", "cause"), alerts)
        + table(head, rows, 6)
    )
