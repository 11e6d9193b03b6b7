"""The desk as one HTML page that needs nothing from outside: style, script and drawings are in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from bluemirror.desk.alerts import ERROR, KINDS, Alert
from bluemirror.desk.card import Scorecard
from bluemirror.desk.figures import count, yuan
from bluemirror.desk.method import method
from bluemirror.desk.page_matrix import overlap_html
from bluemirror.desk.page_overview import overview_html
from bluemirror.desk.page_source import source_html
from bluemirror.offline_page import document, resource


def page_html(card: Scorecard) -> str:
    """The whole page, a complete HTML document in UTF-8.

    Everything that comes from contracts, ledger or files is escaped; nothing is computed here.
    """
    title = f"数据源管理台 Data-source desk · {card.workspace} · {card.as_of}"
    body = (
        f"\n{_head(card)}\n<main>\n{_alerts(card)}\n{overview_html(card)}\n{overlap_html(card)}\n{_details(card)}\n"
        f"{_method()}\n</main>\n{_foot(card)}\n"
    )
    package = "bluemirror.desk"
    return document(title, body, style=resource(package, "page.css"), script=resource(package, "page.js"))


def heading(anchor: str, zh: str, en: str) -> str:
    """A section's heading in both languages."""
    return f'<h2 id="{anchor}">{escape(zh)}<small>{escape(en)}</small></h2>'


def _head(card: Scorecard) -> str:
    errors = sum(alert.severity == ERROR for alert in card.alerts)
    states = [each.freshness.state for each in card.sources]
    to_date = sum(each.month_to_date_yuan for each in card.sources)
    calls = sum(each.today.calls for each in card.sources)
    tiles = (
        (count(len(card.sources)), "数据源 sources", ""),
        (count(states.count("fresh")), "按时到达 on time", ""),
        (count(errors), "严重 errors", "error" if errors else ""),
        (count(len(card.alerts) - errors), "提示 warnings", "warn" if len(card.alerts) > errors else ""),
        (count(calls), "当日调用 calls today", ""),
        (yuan(to_date, 0), "本月应付(元) month to date, yuan", ""),
    )
    shown = "".join(
        f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label, kind in tiles
    )
    return (
        "<header><h1>数据源管理台<small>Data-source desk · "
        f"{escape(card.workspace)} · 截至 as of {card.as_of}</small></h1>"
        f'<div class="tiles">{shown}</div></header>\n'
        '<nav><main><a href="#alerts">待处理 Alerts</a><a href="#overview">总览 Overview</a>'
        '<a href="#overlap">重叠 Overlap</a><a href="#sources">明细 Sources</a>'
        '<a href="#method">口径 Method</a></main></nav>'
    )


def _alerts(card: Scorecard) -> str:
    top = heading("alerts", "待处理", "Alerts: what is wrong, and what to do")
    if not card.alerts:
        return f'{top}<p class="soft">无。 None: every source came in time and looks as it did.</p>'
    names = {each.source: f"{each.name_zh} {each.name_en}" for each in card.sources}
    order = {alert.source: position for position, alert in reversed(list(enumerate(card.alerts)))}
    ordered = sorted(card.alerts, key=lambda alert: order[alert.source])
    boxes = []
    for source, group in groupby(ordered, key=lambda alert: alert.source):
        each = list(group)
        worst = ERROR if any(alert.severity == ERROR for alert in each) else "warn"
        boxes.append(
            f'<section class="alert {worst}"><h3><a href="#source-{escape(source)}">{escape(source)}</a>'
            f"<small>{escape(names.get(source, ''))}</small></h3><ul>{''.join(map(alert_html, each))}</ul></section>"
        )
    return f'{top}<div class="alerts">{"".join(boxes)}</div>'


def alert_html(alert: Alert) -> str:
    """One alert as a list item: label, since when, cause, what to do."""
    kind = KINDS[alert.kind]
    since = f' <span class="soft">自 since {alert.since}</span>' if alert.since else ""
    return (
        f'<li><span class="tag {alert.severity}">{escape(kind.zh)} {escape(kind.en)}</span>{since}'
        f'<p>{escape(alert.cause)}</p><p class="todo">{escape(kind.todo)}</p></li>'
    )


def _details(card: Scorecard) -> str:
    top = heading("sources", "明细", "Every source")
    return top + "\n".join(source_html(card, each) for each in card.sources)


def _method() -> str:
    return heading("method", "口径", "How the figures are made") + terms_html(method())


def terms_html(terms: Iterable[Sequence[str]]) -> str:
    """Words and what they mean, as a list."""
    return (
        '<dl class="method">'
        + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in terms)
        + "</dl>"
    )


def _foot(card: Scorecard) -> str:
    return (
        f"<footer>{escape(card.workspace)}, as of the end of {card.as_of} (Asia/Shanghai), "
        f"from data {escape(card.fingerprint)}. "
        "Only what was delivered and known by then counts; what comes later changes later pages.</footer>"
    )
