"""The overview table of the page: one row a source, sortable and filterable, readable without the script."""

from __future__ import annotations

import datetime as dt
from html import escape

from bluemirror.clock import ONE_DAY
from bluemirror.desk.card import Scorecard, SourceCard
from bluemirror.desk.figures import NONE, count, milliseconds, percent, yuan
from bluemirror.desk.sparkline import sparkline
from bluemirror.desk.windows import SERIES_DAYS

COLUMNS = (
    ("状态", "", False),
    ("数据源", "source", False),
    ("十三周", "13 weeks", False),
    ("类别", "domain", False),
    ("最近交付", "delivered", False),
    ("记录/周", "records, w", True),
    ("隔离", "quarantine", True),
    ("调用/四周", "calls, 4 w", True),
    ("命中率", "hit rate", True),
    ("错误率", "errors", True),
    ("响应毫秒", "p50 · p99 ms", True),
    ("缓存", "cached", True),
    ("元/次", "a call", True),
    ("元/申请", "a case", True),
    ("元/通过", "approval", True),
    ("本月应付", "to date", True),
    ("账单差额", "last bill", True),
)
_ORDER = {"error": "0", "warn": "1", "ok": "2"}


def overview_html(card: Scorecard) -> str:
    """Tools and table."""
    head = "".join(
        f'<th{" class=n" if number else ""} scope="col">{escape(zh)}<br>{escape(en)}</th>'
        for zh, en, number in COLUMNS
    )
    ordered = sorted(card.sources, key=lambda each: (_ORDER[card.status(each.source)], each.source))
    rows = "\n".join(_row(card, each) for each in ordered)
    domains = "".join(
        f"<option>{escape(name)}</option>" for name in sorted({each.domain for each in card.sources})
    )
    return (
        '<h2 id="overview">总览<small>Overview: rates and costs of four weeks, records of one; '
        "click a heading to sort</small></h2>"
        '<div class="tools"><input id="filter-text" type="search" aria-label="filter" '
        'placeholder="筛选 filter: name, domain, alert">'
        '<select id="filter-state" aria-label="state"><option value="">全部 all</option>'
        '<option value="alerts">有提示 with alerts</option><option value="error">严重 errors</option>'
        '<option value="ok">正常 fine</option></select>'
        '<select id="filter-domain" aria-label="domain"><option value="">所有类别 all domains</option>'
        f"{domains}</select>"
        f'<span class="soft"><span id="shown">{len(card.sources)}</span> / {len(card.sources)}</span></div>'
        f'<div class="wide"><table class="overview"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def days_of(card: Scorecard) -> list[dt.date]:
    """The days of the trends, oldest first."""
    return [card.as_of - step * ONE_DAY for step in range(SERIES_DAYS - 1, -1, -1)]


def _row(card: Scorecard, each: SourceCard) -> str:
    state = card.status(each.source)
    alerts = card.alerts_of(each.source)
    month = each.month
    labels = ", ".join(alert.title for alert in alerts)
    names = f"{each.source} {each.name_zh} {each.name_en} {each.domain} {labels}".lower()
    words = {"error": "严重 error", "warn": "提示 warning", "ok": "正常 fine"}
    bill = each.last_bill
    difference = bill.difference_yuan if bill else None
    low, high = each.promised.hit_low, each.promised.hit_high
    rate = month.hit_rate
    off = rate is not None and ((low is not None and rate < low) or (high is not None and rate > high))
    cells = [
        _cell(
            f'<span class="state {state}" title="{escape(f"{words[state]} {labels}".strip())}"></span>',
            _ORDER[state],
        ),
        _name(each),
        f"<td>{_trend(card, each)}</td>",
        _cell(escape(each.domain), each.domain),
        _cell(_delivered(each), str(each.freshness.last or "")),
        _number(count(each.rejected.recent_in), each.rejected.recent_in),
        _number(
            percent(each.rejected.share, 2), each.rejected.share, "bad" if _has(alerts, "quarantine") else ""
        ),
        _number(count(month.calls) if each.asked else NONE, month.calls if each.asked else None),
        _number(percent(rate), rate, "bad" if _has(alerts, "hit_rate") else "odd" if off else ""),
        _number(percent(month.error_rate, 2), month.error_rate, "bad" if _has(alerts, "error_rate") else ""),
        _latency(each),
        _number(percent(month.cache_share, 0), month.cache_share),
        _number(yuan(month.cost_per_call, 3), month.cost_per_call),
        _number(yuan(each.spending.per_application), each.spending.per_application),
        _number(yuan(each.spending.per_approval), each.spending.per_approval),
        _number(
            yuan(each.month_to_date_yuan) if each.asked or each.promised.monthly_fee else NONE,
            each.month_to_date_yuan,
        ),
        _number(
            NONE if difference is None else f"{difference:+,.2f}",
            difference,
            "bad" if bill is not None and not bill.agrees else "",
        ),
    ]
    data = f'data-state="{state}" data-domain="{escape(each.domain)}" data-text="{escape(names)}"'
    return f"<tr {data}>{''.join(cells)}</tr>"


def _name(each: SourceCard) -> str:
    source = escape(each.source)
    return (
        f'<td class="name" data-v="{source}"><a href="#source-{source}"><b>{source}</b></a>'
        f'<span title="{escape(each.name_en)}">{escape(each.name_zh)}</span></td>'
    )


def _has(alerts: tuple[object, ...], check: str) -> bool:
    return any(getattr(alert, "check", "") == check for alert in alerts)


def _cell(inner: str, value: str) -> str:
    return f'<td data-v="{escape(value)}">{inner}</td>'


def _number(shown: str, value: float | None, kind: str = "") -> str:
    text = "" if value is None else f"{value:.6g}"
    quiet = "none" if shown == NONE else kind
    return f'<td class="n {quiet}" data-v="{text}">{escape(shown)}</td>'


def _latency(each: SourceCard) -> str:
    month, promised = each.month, each.promised
    over = any(
        seen is not None and level is not None and seen > level
        for seen, level in ((month.p50_ms, promised.p50_ms), (month.p99_ms, promised.p99_ms))
    )
    shown = NONE if month.p99_ms is None else f"{milliseconds(month.p50_ms)} · {milliseconds(month.p99_ms)}"
    return _number(shown, month.p99_ms, "odd" if over else "")


def _delivered(each: SourceCard) -> str:
    fresh = each.freshness
    if fresh.last is None:
        return '<span class="odd">从未 never</span>'
    late = ""
    if fresh.late_hours:
        kind = "bad" if fresh.state == "late" else "odd"
        late = f' <span class="{kind}">+{fresh.late_hours / 24:g}d</span>'
    return f"{fresh.last:%m-%d}{late}"


def _trend(card: Scorecard, each: SourceCard) -> str:
    """Calls a day of a source that is asked, records a day of one that sends files."""
    if each.asked:
        calls = {day.day: float(day.figures.calls) for day in each.days}
        return sparkline(
            [calls.get(day, 0.0) for day in days_of(card)],
            f"{each.source}: calls a day",
            width=96,
            height=22,
        )
    records = {one.day: float(one.records) for one in each.arrived}
    ordered = sorted(records.values())
    # History that came at once would flatten all the days after it.
    most = ordered[int(0.9 * (len(ordered) - 1))] if ordered else None
    return sparkline(
        [records.get(day) for day in days_of(card)],
        f"{each.source}: records a delivery",
        width=96,
        height=22,
        most=most,
    )
