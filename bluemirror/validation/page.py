"""The validation report: one HTML page that needs nothing from outside and prints on A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import Any

from bluemirror.offline_page import document, resource
from bluemirror.validation.charts import charts
from bluemirror.validation.checks import ALARM, AREAS, LOOK, NOT_JUDGED, PASS, STOP, Finding
from bluemirror.validation.documentation import NEEDED
from bluemirror.validation.pack import Pack, by_area
from bluemirror.validation.ranking import auc, ks

VERDICTS = {
    PASS: ("通过", "pass"),
    LOOK: ("需解释", "look"),
    STOP: ("否决", "stop"),
    NOT_JUDGED: ("未评", "not judged"),
}
SHOWN = 40
"""Rows of a table that are shown; the figures of all of them are in ``validation.json``."""
SHARES = ("rate", "share", "predicted", "observed", "approved", "missing", "behind")
SCRIPT = """addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(one => one.open = true));
"""


def page_html(pack: Pack) -> str:
    """The whole report, a complete HTML document in UTF-8; everything from data is escaped."""
    d = pack.evidence.description
    title = f"模型验证 Validation · {d.title_zh} {d.title_en} · {d.name} {d.version}"
    chapters = "".join(
        _chapter(area, found) for area, found in zip(AREAS, by_area(pack).values(), strict=True)
    )
    body = (
        f"\n{_head(pack)}\n<main>\n{_open_points(pack)}\n{_figures(pack)}\n{_pictures(pack)}\n{chapters}\n"
        f"{_inputs(pack)}\n{_flow(pack)}\n{_texts(pack)}\n{_limits(pack)}\n</main>\n"
    )
    return document(title, body, style=resource("bluemirror.validation", "page.css"), script=SCRIPT)


def summary_html(pack: Pack) -> str:
    """What a notebook shows: the counts and the alarms."""
    counts = " · ".join(f"{n} {VERDICTS[key][1]}" for key, n in pack.counts.items())
    lines = "".join(
        f"<tr><td><b>{escape(VERDICTS[one.severity][1])}</b></td><td>{escape(one.label_en)}</td>"
        f"<td>{escape(one.sentence)}</td></tr>"
        for one in pack.alarms
    )
    name = escape(pack.evidence.description.name)
    return f"<div><p>Validation of {name}: {escape(counts)}</p><table>{lines}</table></div>"


def verdict_of(finding: Finding) -> str:
    """The key of ``VERDICTS`` for a finding: an alarm is told by its severity."""
    return finding.severity if finding.verdict == ALARM else finding.verdict


def _head(pack: Pack) -> str:
    d, counts = pack.evidence.description, pack.counts
    whole = (
        ("stop", "有否决项 speaks against scoring")
        if counts[STOP]
        else ("look", "待解释 to be explained")
        if counts[LOOK]
        else ("pass", "全部通过 all passed")
    )
    tiles = "".join(
        f'<div class="{key.replace(" ", "-")}"><b>{n}</b><span>{zh} {en}</span></div>'
        for key, n in counts.items()
        for zh, en in [VERDICTS[key]]
    )
    told = [f"版本 version {d.version}" if d.version else "", f"数据 data as of {d.as_of}" if d.as_of else ""]
    told += [f"训练 trainer {d.trainer}", f"审阅 reviewers {', '.join(d.reviewers) or '-'}"]
    return (
        f"<header><h1>{escape(d.title_zh)}<small>{escape(d.title_en)} · {escape(d.name)}</small></h1>"
        f'<p class="soft">{escape(" · ".join(one for one in told if one))}</p>'
        f'<div class="tiles"><div class="whole {whole[0]}"><b>{escape(whole[1])}</b>'
        f"<span>结论 verdict</span></div>{tiles}</div></header>"
    )


def _open_points(pack: Pack) -> str:
    top = _heading("open", "待处理", "What a reviewer has to answer")
    if not pack.alarms:
        return f'{top}<p class="soft">无。 None: no check raises an alarm.</p>'
    boxes = "".join(
        f'<section class="point {one.severity}"><h3><span class="tag {one.severity}">'
        f"{' '.join(VERDICTS[one.severity])}</span> {escape(one.label_zh)}<small>{escape(one.label_en)}</small></h3>"
        f'<p>{escape(one.sentence)}</p><p class="soft">限值 limit: {escape(one.threshold)}</p></section>'
        for one in sorted(pack.alarms, key=lambda one: one.severity != STOP)
    )
    return f'{top}<div class="points">{boxes}</div>'


def _figures(pack: Pack) -> str:
    e = pack.evidence.fair
    lines = []
    for name, side, probability in (
        ("训练 training", e.train, e.train.probability),
        ("验证 judging", e.judging, e.judging.probability),
        ("冠军 champion, judging rows", e.judging, e.champion),
        ("挑战者 challenger, judging rows", e.judging, e.challenger),
    ):
        if probability is None:
            continue
        area = auc(side.bad, probability)
        low, high = area.interval()
        lines.append(
            {
                "": name,
                "rows": len(side),
                "bads": int(side.bad.sum()),
                "bad_rate": float(side.bad.mean()),
                "mean predicted": float(probability.mean()),
                "auc": area.value,
                "95 % interval": f"{low:.3f} – {high:.3f}",
                "gini": 2 * area.value - 1,
                "ks": ks(side.bad, probability),
                "months": f"{side.month.min()} – {side.month.max()}",
            }
        )
    return f"{_heading('figures', '核心指标', 'Main figures')}{table_html(lines)}"


def _pictures(pack: Pack) -> str:
    drawn = "".join(
        f"<figure><figcaption>{escape(one.zh)} <small>{escape(one.en)}</small></figcaption>{one.svg}"
        f'<p class="soft">{escape(one.reading)}</p></figure>'
        for one in charts(pack)
    )
    return f'<div class="pictures">{drawn}</div>'


def _chapter(area: Any, found: Sequence[Finding]) -> str:
    if not found:
        return ""
    lines = "".join(
        f"<tr><td>{_tag(verdict_of(one))}</td>"
        f"<td>{escape(one.label_zh)}<br><small>{escape(one.label_en)}</small></td>"
        f'<td class="n">{number(one.statistic)}</td><td class="limit">{escape(one.threshold)}</td>'
        f"<td>{escape(one.sentence)}<br><small>{escape(one.source)}</small></td></tr>"
        for one in found
    )
    tables = "".join(
        f"<details{' open' if one.verdict == ALARM else ''}><summary>{escape(one.label_zh)} "
        f"<small>{escape(one.label_en)}</small></summary>{table_html(one.rows)}</details>"
        for one in found
        if one.rows
    )
    return (
        f"{_heading(area.name, area.zh, area.en)}"
        '<table class="checks"><thead><tr><th>结论 verdict</th><th>检验 check</th><th class="n">数值 figure</th>'
        f"<th>限值 limit</th><th>说明 in words; source of the formula</th></tr></thead><tbody>{lines}</tbody></table>"
        f"{tables}"
    )


def _tag(key: str) -> str:
    return f'<span class="tag {key.replace(" ", "-")}">{" ".join(VERDICTS[key])}</span>'


def _inputs(pack: Pack) -> str:
    lines = [
        {
            "variable": name,
            "标签 label": f"{told.label_zh} · {told.label_en}",
            "来源 source": told.source,
            "风险方向 risk": {1: "rises with it", -1: "falls with it"}.get(told.direction, "not declared"),
        }
        for name, told in pack.evidence.variables.items()
    ]
    return f"{_heading('variables', '变量', 'Inputs')}{table_html(lines)}" if lines else ""


def _flow(pack: Pack) -> str:
    flow = pack.evidence.description.flow
    return f"{_heading('flow', '样本流转', 'Population flow')}{table_html(flow)}" if flow else ""


def _texts(pack: Pack) -> str:
    texts = pack.evidence.description.texts
    told = "".join(
        f"<dt>{escape(NEEDED.get(name, ''))} <small>{escape(name)}</small></dt><dd>{escape(text)}</dd>"
        for name, text in texts.items()
    )
    return f"{_heading('texts', '模型文档', 'Model card')}<dl>{told}</dl>" if told else ""


def _limits(pack: Pack) -> str:
    limits = pack.evidence.limits
    told = "".join(
        f"<span><b>{escape(one.name.replace('_', ' '))}</b> {escape(str(getattr(limits, one.name)))}</span>"
        for one in fields(limits)
    )
    said = (
        "A difference is an alarm only if it is both certain (its test is below alpha, shared among the parts looked "
        "at) and large enough to matter (its limit)."
    )
    return f'{_heading("limits", "限值", "Limits")}<p class="soft">{said}</p><div class="limits">{told}</div>'


def table_html(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table of rows of equal keys; numbers stand to the right, shares as percent."""
    if not rows:
        return ""
    keys = list(rows[0])
    numeric = {key for key in keys if all(isinstance(row[key], int | float | None) for row in rows)}
    head = "".join(
        f"<th{' class=n' if key in numeric else ''}>{escape(key.replace('_', ' '))}</th>" for key in keys
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{number(row[key], key)}</td>'
            if key in numeric
            else f"<td>{escape(str(row[key]))}</td>"
            for key in keys
        )
        + "</tr>"
        for row in rows[:SHOWN]
    )
    more = f'<p class="soft">+{len(rows) - SHOWN:,} more in validation.json</p>' if len(rows) > SHOWN else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def number(value: float | None, name: str = "") -> str:
    """A number as it reads best: whole ones whole, shares as percent, small ones in powers of ten."""
    if value is None or value != value:  # noqa: PLR0124 (NaN)
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if any(word in name for word in SHARES) and abs(value) <= 1:
        return f"{value:.2%}"
    if value == int(value) and abs(value) < 1e12:
        return f"{value:,.0f}"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _heading(anchor: str, zh: str, en: str) -> str:
    return f'<h2 id="{anchor}">{escape(zh)}<small>{escape(en)}</small></h2>'
