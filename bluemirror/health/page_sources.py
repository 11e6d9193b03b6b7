"""The sources of the page: one row each, sortable and filterable, readable without the script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from bluemirror.desk.figures import NONE, count, percent
from bluemirror.desk.page import heading
from bluemirror.desk.sparkline import sparkline
from bluemirror.health.alerts import KINDS
from bluemirror.health.stability import WORTH_A_LOOK
from bluemirror.health.tables import BLOCKS, REASON_COLUMNS

if TYPE_CHECKING:
    from bluemirror.health.nightly import Night
    from bluemirror.workspace import Workspace

NIGHTS = 60
"""Newest nights of the trend."""

COLUMNS = (
    ("状态", "", False),
    ("数据源", "source", False),
    ("变量", "variables", True),
    ("观察", "rows", True),
    ("应答 / 缺失原因", "answered, or why not", False),
    ("应答率", "answered", True),
    ("上周", "last week", True),
    ("训练", "training", True),
    ("PSI 上周中位", "median, week", True),
    ("最高", "highest", True),
    ("突变", "moved", True),
    ("PSI 训练中位", "median, training", True),
    ("最高", "highest", True),
    ("偏离", "away", True),
    ("每晚突变", "moved a night", False),
)
LABELS = {
    "answered": "应答 answered",
    "no_hit": "无记录 no hit",
    "error": "错误 error",
    "not_queried": "未查询 not queried",
    "not_applicable": "不适用 not applicable",
}
_ORDER = {"error": "0", "warn": "1", "ok": "2"}


def sources_html(workspace: Workspace, made: Night, names: Mapping[str, str]) -> str:
    """Tools and table; a row for each source, and one for what compares several."""
    rows = source_rows(made)
    trend = _trends(workspace, made)
    states = dict(zip(made.alerts["source"], made.alerts.select("severity", "kind").iter_rows(), strict=True))
    order = sorted(rows, key=lambda row: (_ORDER[states.get(row["source"], ("ok", ""))[0]], row["source"]))
    body = "\n".join(
        _row(row, names, states.get(row["source"]), trend.get(row["source"], ())) for row in order
    )
    head = "".join(
        f'<th{" class=n" if number else ""} scope="col">{escape(zh)}<br>{escape(en)}</th>'
        for zh, en, number in COLUMNS
    )
    sets = "".join(f"<option>{escape(one)}</option>" for one in made.manifest["sets"])
    legend = "".join(f'<i class="{name}"></i>{escape(label)}' for name, label in LABELS.items())
    return (
        f"{heading('overview', '来源', 'Sources: whether they answer, and how far their variables moved')}"
        '<div class="tools"><input id="filter-text" type="search" aria-label="filter" placeholder="筛选 filter">'
        '<select id="filter-state" aria-label="state"><option value="">全部 all</option>'
        '<option value="alerts">有提示 with alerts</option><option value="error">严重 errors</option>'
        '<option value="ok">正常 fine</option></select><select id="filter-domain" aria-label="set">'
        f'<option value="">所有观察集 all sets</option>{sets}'
        f'</select><span class="soft"><span id="shown">{len(rows)}</span> / {len(rows)}</span></div>'
        f'<div class="legend">{legend}</div>'
        f'<div class="wide"><table class="overview"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def source_rows(made: Night) -> list[dict[str, Any]]:
    """Each source with its rows by reason, now and before, and the PSI of its variables."""
    reasons = made.blocks.group_by("source").agg(
        pl.col("observation_set").first(),
        pl.col("observations").max(),
        *(
            pl.col(f"{prefix}{name}").sum()
            for prefix in ("", "week_", "training_")
            for name in REASON_COLUMNS
        ),
    )
    moved = made.variables.group_by(pl.col("source")).agg(
        pl.len().alias("variables"),
        pl.col("moved_week", "moved_training").sum(),
        *(pl.col(f"psi_{one}").median().alias(f"median_{one}") for one in ("week", "training")),
        *(pl.col(f"psi_{one}").max().alias(f"highest_{one}") for one in ("week", "training")),
    )
    joined = moved.join(reasons, on="source", how="left")
    rows = joined.filter(~pl.col("source").str.contains("+", literal=True)).to_dicts()
    for row in rows:
        for prefix in ("", "week_", "training_"):
            asked = sum(row[f"{prefix}{name}"] or 0 for name in REASON_COLUMNS)
            row[f"{prefix}share"] = (row[f"{prefix}answered"] or 0) / asked if asked else None
    return rows


def _trends(workspace: Workspace, made: Night) -> dict[str, list[float | None]]:
    """Moved variables a night of each source, over the newest nights up to this one."""
    from bluemirror.health.nightly import table_part

    folder = table_part(workspace, BLOCKS, made.as_of).parent
    nights = [path for path in sorted(folder.glob("part-*.parquet")) if path.stem < f"part-{made.as_of}"]
    frames = [pl.read_parquet(path, columns=["source", "moved_week"]) for path in nights[1 - NIGHTS :]]
    frames.append(made.blocks.select("source", "moved_week"))
    found: dict[str, list[float | None]] = {}
    for number, frame in enumerate(frames):
        for source, moved in frame.group_by("source").agg(pl.col("moved_week").sum()).iter_rows():
            found.setdefault(source, [None] * len(frames))[number] = float(moved)
    return found


def _row(
    row: Mapping[str, Any],
    names: Mapping[str, str],
    alert: tuple[str, str] | None,
    trend: Sequence[float | None],
) -> str:
    source = escape(row["source"])
    state, kind = alert or ("ok", "")
    label = KINDS[kind].en if kind else ""
    name_zh = escape(names.get(row["source"], ""))
    link = f'<a href="#variables-of-{source}"><b>{source}</b></a>'
    cells = [
        f'<td data-v="{_ORDER[state]}"><span class="state {state}" title="{escape(label)}"></span></td>',
        f'<td class="name" data-v="{source}">{link}<span>{name_zh}</span></td>',
        _number(count(row["variables"]), row["variables"]),
        _number(count(row["observations"]), row["observations"]),
        f'<td data-v="{row["share"] or 0:.4f}">{_reasons(row)}</td>',
        *(
            _number(percent(row[f"{prefix}share"]), row[f"{prefix}share"])
            for prefix in ("", "week_", "training_")
        ),
    ]
    for one in ("week", "training"):
        cells += [
            _psi(row[f"median_{one}"], "odd" if (row[f"median_{one}"] or 0) >= WORTH_A_LOOK else ""),
            # The highest of a thousand is high by chance alone: whether any of them moved stands beside it.
            _psi(row[f"highest_{one}"]),
            _number(
                count(row[f"moved_{one}"]), row[f"moved_{one}"], "bad" if row[f"moved_{one}"] else "none"
            ),
        ]
    cells.append(f"<td>{sparkline(trend, f'{source}: moved variables a night', width=96, height=22)}</td>")
    text = escape(f"{row['source']} {names.get(row['source'], '')} {label}".lower())
    of = escape(row["observation_set"] or "")
    return f'<tr data-state="{state}" data-domain="{of}" data-text="{text}">{"".join(cells)}</tr>'


def _number(shown: str, value: float | None, kind: str = "") -> str:
    text = "" if value is None else f"{value:.6g}"
    return f'<td class="n {"none" if shown == NONE else kind}" data-v="{text}">{escape(shown)}</td>'


def _psi(value: float | None, kind: str = "") -> str:
    return _number(NONE if value is None else f"{value:.3f}", value, kind)


def _reasons(row: Mapping[str, Any], width: int = 150, height: int = 11) -> str:
    """A bar of the rows by reason."""
    total = sum(row[name] or 0 for name in LABELS)
    if not total:
        return f'<span class="none">{NONE}</span>'
    parts, x = [], 0.0
    for name, label in LABELS.items():
        share = (row[name] or 0) / total * width
        if share:
            parts.append(
                f'<rect class="{name}" x="{x:.1f}" width="{share:.1f}" height="{height}">'
                f"<title>{escape(label)}: {row[name]:,}</title></rect>"
            )
        x += share
    return f'<svg class="why" width="{width}" height="{height}" role="img">{"".join(parts)}</svg>'
