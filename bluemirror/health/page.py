"""The health of a night as one HTML page that needs nothing from outside: alerts, sources, every variable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from bluemirror.clock import ONE_DAY
from bluemirror.desk.alerts import ERROR, WARN
from bluemirror.desk.figures import count
from bluemirror.desk.page import heading, terms_html
from bluemirror.health.alerts import KINDS
from bluemirror.health.method import method
from bluemirror.health.page_data import page_data
from bluemirror.health.page_sources import sources_html
from bluemirror.health.windows import WEEK
from bluemirror.offline_page import document, resource

if TYPE_CHECKING:
    from bluemirror.health.nightly import Night
    from bluemirror.workspace import Workspace


def page_html(workspace: Workspace, made: Night) -> str:
    """The whole page, a complete HTML document in UTF-8.

    Everything that comes from declarations is escaped; nothing but trends of earlier nights is read here.
    """
    from bluemirror.contracts import read_contracts

    names = {name: each.name_zh for name, each in read_contracts(workspace.contracts_dir).items()}
    title = f"变量健康 Variable health · {made.workspace} · {made.as_of}"
    body = (
        f"\n{_head(made)}\n<main>\n{_windows(made)}\n{_alerts(made, names)}\n{sources_html(workspace, made, names)}\n"
        f"{_variables(made)}\n{heading('method', '口径', 'How the figures are made')}{terms_html(method())}\n"
        f"</main>\n{_foot(made)}\n"
    )
    return document(
        title,
        body,
        style=resource("bluemirror.desk", "page.css") + resource("bluemirror.health", "page.css"),
        script=resource("bluemirror.desk", "page.js") + resource("bluemirror.health", "page.js"),
        data=page_data(workspace, made),
    )


def _head(made: Night) -> str:
    severities = made.alerts["severity"].to_list()
    errors, warnings = severities.count(ERROR), severities.count(WARN)
    moved = [int(made.variables[name].sum()) for name in ("moved_week", "moved_training")]
    tiles = (
        (len(made.variables), "变量 variables", ""),
        (made.observations, "本周观察 observations", ""),
        (errors, "严重 errors", "error" if errors else ""),
        (warnings, "提示 warnings", "warn" if warnings else ""),
        (moved[0], "较上周突变 moved in a week", "error" if moved[0] else ""),
        (moved[1], "偏离训练窗口 away from training", ""),
    )
    shown = "".join(
        f'<div class="{kind}"><b>{count(value)}</b><span>{escape(label)}</span></div>'
        for value, label, kind in tiles
    )
    return (
        "<header><h1>变量健康<small>Variable health · "
        f"{escape(made.workspace)} · 截至 as of {made.as_of}</small></h1>"
        f'<div class="tiles">{shown}</div></header>\n'
        '<nav><main><a href="#alerts">待处理 Alerts</a><a href="#overview">来源 Sources</a>'
        '<a href="#variables">变量 Variables</a><a href="#method">口径 Method</a></main></nav>'
    )


def _windows(made: Night) -> str:
    lines = [
        f"<div><b>{escape(name)}</b>: {escape(said)}</div>"
        for name, said in ((name, window_text(one)) for name, one in made.manifest["sets"].items())
    ]
    return f'<div class="windows">{"".join(lines)}</div>'


def window_text(one: Mapping[str, Any]) -> str:
    """The three windows of a set and how many rows each has."""
    if one["last"] is None:
        return "nothing was described by then"
    last = dt.date.fromisoformat(one["last"])
    first = last - (WEEK - 1) * ONE_DAY
    of = f" ({one['training_of']})" if one["training_of"] else ""
    return (
        f"{one['recent']:,} rows of {first} to {last}, {one['before']:,} of the week before, "
        f"{one['reference']:,} of the training window {one['training'][0]} to {one['training'][1]}{of}"
    )


def _alerts(made: Night, names: Mapping[str, str]) -> str:
    top = heading("alerts", "待处理", "Alerts: what moved, a source each")
    if not len(made.alerts):
        return f'{top}<p class="soft">无。 None: every source looks as it did.</p>'
    boxes = []
    for row in made.alerts.iter_rows(named=True):
        kind, source = KINDS[row["kind"]], escape(row["source"])
        moved = "".join(f"<code>{escape(name)}</code> " for name in row["moved"])
        more = max(row["moved_week"], row["moved_training"]) - len(row["moved"])
        boxes.append(
            f'<section class="alert {row["severity"]}"><h3><a href="#variables-of-{source}">{source}</a>'
            f"<small>{escape(names.get(row['source'], ''))}</small></h3><ul><li>"
            f'<span class="tag {row["severity"]}">{escape(kind.zh)} {escape(kind.en)}</span> '
            f'<span class="soft">自 since {row["since"]}</span><p>{escape(row["cause"])}</p>'
            f'<p class="soft">{moved}{f"+{more:,}" if more > 0 else ""}</p>'
            f'<p class="todo">{escape(row["todo"])}</p></li></ul></section>'
        )
    return f'{top}<div class="alerts">{"".join(boxes)}</div>'


def _variables(made: Night) -> str:
    sources = sorted({part for name in made.variables["source"].unique() for part in name.split("+")})
    options = "".join(f"<option>{escape(name)}</option>" for name in sources)
    states = (
        ("all", "全部 all"),
        ("moved_week", "较上周突变 moved in a week"),
        ("moved_training", "偏离训练窗口 away from training"),
        ("look", "训练 PSI ≥ 0.1"),
        ("silent", "全部缺失 no value at all"),
        ("constant", "常数 constant"),
    )
    chosen = "moved_week" if bool(made.variables.select(pl.col("moved_week").any()).item()) else "all"
    what = "".join(
        f'<option value="{name}"{" selected" if name == chosen else ""}>{escape(label)}</option>'
        for name, label in states
    )
    heads = (
        ("variable", "变量 variable", ""),
        ("", "含义 label", ""),
        ("", "缺失 missing", ""),
        ("coverage", "覆盖率 coverage", "n"),
        ("", "均值 mean", "n"),
        ("zero_share", "零值 zeros", "n"),
        ("psi_week", "PSI 上周", "n"),
        ("psi_training", "PSI 训练", "n"),
    )
    head = "".join(
        f'<div class="{kind}">'
        + (
            f'<button data-by="{by}"{" aria-sort=descending" if by == "psi_week" else ""}>{label}</button>'
            if by
            else label
        )
        + "</div>"
        for by, label, kind in heads
    )
    return (
        f"{heading('variables', '变量', 'Every variable: click a row for all that is known, a heading to sort')}"
        '<div class="tools"><input id="words" type="search" aria-label="search" '
        'placeholder="名称、中文、英文 name or label">'
        f'<select id="source" aria-label="source"><option value="">所有来源 all sources</option>{options}</select>'
        f'<select id="what" aria-label="state">{what}</select><output id="found" class="soft"></output></div>'
        f'<div id="list"><div class="row head">{head}</div><div id="rows"></div>'
        '<div id="nothing" hidden>没有匹配的变量 No variable matches.</div></div>'
        '<dialog id="card"><h2 id="title"></h2><dl id="facts"></dl></dialog>'
    )


def _foot(made: Night) -> str:
    return (
        f"<footer>{escape(made.workspace)}, as of the end of {made.as_of} (Asia/Shanghai), from data "
        f"{escape(made.manifest['fingerprint'])}.</footer>"
    )
