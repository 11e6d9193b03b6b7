"""The morning as one HTML page that needs nothing from outside."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bluemirror.clock import ZONE
from bluemirror.desk.alerts import ERROR
from bluemirror.desk.figures import NONE, count, table, yuan
from bluemirror.desk.page import heading
from bluemirror.night.morning import ACT, FINE, LOOK, Morning, spent
from bluemirror.offline_page import document, resource

if TYPE_CHECKING:
    from bluemirror.night.record import Step

STATES = {FINE: ("正常", "fine", "ok"), LOOK: ("需查看", "look", "warn"), ACT: ("需处理", "act", "error")}
LINKS = (
    ("desk/sources.html", "数据源管理台", "data-source desk"),
    ("health/variables.html", "变量健康", "health of variables"),
)
"""Pages beside this one, from the data folder on."""
STEPS = 15
"""Steps that are shown, the longest ones."""


def page_html(made: Morning, links: tuple[str, ...] = ()) -> str:
    """The whole page, a complete HTML document in UTF-8.

    Parameters
    ----------
    links
        Pages of :data:`LINKS` that are there.
    """
    title = f"晨报 Morning · {made.workspace} · {made.run.started[:10]}"
    body = (
        f"\n{_head(made)}\n<main>\n{_failed(made)}{_alerts(made)}{_sources(made)}{_scores(made)}{_steps(made)}"
        f"{_links(links)}\n</main>\n"
    )
    return document(title, body, style=resource("bluemirror.desk", "page.css"), script="")


def local(moment: str) -> str:
    """A moment (ISO 8601) as wall time of the bank."""
    return f"{dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}"


def _head(made: Morning) -> str:
    zh, en, kind = STATES[made.state]
    run = made.run
    errors = sum(alert.severity == ERROR for alert in made.alerts)
    out = sum(one.week_quarantined for one in made.quarantined)
    seconds = NONE if run.seconds is None else spent(run.seconds)
    tiles = (
        (f"{zh} {en}", run.outcome, "" if kind == "ok" else kind),
        (seconds, "用时 time taken", ""),
        (count(len(made.failed)), "未通过 failed", "error" if made.failed else ""),
        (count(errors), "严重提示 serious alerts", "error" if errors else ""),
        (count(len(made.late)), "迟到 not in time", "warn" if made.late else ""),
        (count(out), "本周隔离 quarantined, week", ""),
        (yuan(made.cost_day), "当日费用(元) cost of the day", ""),
        (yuan(made.cost_month, 0), "本月费用(元) month to date", ""),
    )
    shown = "".join(
        f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label, kind in tiles
    )
    return (
        f"<header><h1>晨报<small>Morning · {escape(made.workspace)} · {escape(run.job)} · "
        f"{escape(local(run.started))} ({ZONE})</small></h1>"
        f'<p><b>{escape(made.headline)}</b></p><div class="tiles">{shown}</div></header>'
    )


def _failed(made: Morning) -> str:
    if not made.failed and not made.run.told:
        return ""
    told = f"<pre>{escape(made.run.told)}</pre>" if made.run.told else ""
    items = "".join(f"<li>{escape(one)}</li>" for one in made.failed)
    return f"{heading('failed', '未通过', 'What failed')}{told}<ul>{items}</ul>\n"


def _alerts(made: Morning) -> str:
    top = heading("alerts", "提示", "Alerts of sources and variables, the serious ones first")
    if not made.alerts:
        return f'{top}<p class="soft">无。 None.</p>\n'
    rows = [(alert.severity, alert.about, alert.check, alert.cause) for alert in made.alerts]
    return f"{top}{table(('severity', 'source', 'check', 'cause'), rows)}\n"


def _sources(made: Morning) -> str:
    shown = {one.source: one for one in (*made.late, *made.quarantined)}
    top = heading(
        "sources", "交付", f"Deliveries that are late or in part kept out, as of {made.as_of or NONE}"
    )
    if not shown:
        return f'{top}<p class="soft">无。 None: every source came in time, whole.</p>\n'
    rows = [
        (
            one.source,
            one.freshness,
            one.last_delivery or NONE,
            count(one.late_hours),
            count(one.week_records),
            count(one.week_quarantined),
        )
        for _, one in sorted(shown.items())
    ]
    head = ("source", "state", "last delivery", "hours late", "records, week", "quarantined")
    return f"{top}{table(head, rows, numbers=3)}\n"


def _scores(made: Morning) -> str:
    top = heading("scores", "评分", "Scores that are out")
    if not made.scores:
        return f'{top}<p class="soft">无。 None: no version is champion, or nobody was to be scored.</p>\n'
    rows = [(one.model, one.version, one.day, count(one.scores)) for one in made.scores]
    return f"{top}{table(('model', 'version', 'newest day', 'scores'), rows, numbers=1)}\n"


def _steps(made: Morning) -> str:
    usual = {one.step: one.usual for one in made.slow}
    longest = made.run.longest(STEPS)
    top = heading(
        "steps",
        "步骤",
        f"The longest of {len(made.run.steps)} steps, and what they used to take if it was less",
    )
    head = ("step", "rows", "usual, s", "seconds", "processor, s", "peak MiB")
    return f"{top}{table(head, [_step(step, usual) for step in longest], numbers=5)}\n"


def _step(step: Step, usual: dict[str, float]) -> tuple[str, ...]:
    rows = step.facts.get("accepted") or step.facts.get("observations") or step.facts.get("rows")
    before = usual.get(step.title)
    return (
        step.title + (f" ({step.error})" if step.error else ""),
        count(rows),
        NONE if before is None else f"{before:.1f}",
        f"{step.seconds:.1f}",
        f"{step.cpu_seconds:.1f}",
        count(step.peak_rss_mib),
    )


def _links(there: tuple[str, ...]) -> str:
    known = [(path, zh, en) for path, zh, en in LINKS if path in there]
    items = "".join(
        f'<li><a href="../{escape(path)}">{escape(zh)} {escape(en)}</a></li>' for path, zh, en in known
    )
    items += (
        "<li><code>bluemirror ui</code>: runs and assets (Dagster), versions (MLflow), views (Feast)</li>"
    )
    return f"{heading('more', '更多', 'More')}<ul>{items}</ul>"
