"""The detail of one source on the page: trends, promises, prices, bills, quarantine, drift, and its legal ground."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from bluemirror.desk.alerts import KINDS
from bluemirror.desk.calls import CallFigures
from bluemirror.desk.card import Scorecard, SourceCard
from bluemirror.desk.figures import NONE, count, milliseconds, percent, short, table, yuan
from bluemirror.desk.page_overview import days_of
from bluemirror.desk.sparkline import sparkline

FIELDS_SHOWN = 15
"""Fields of the drift table, those that moved most."""


def source_html(card: Scorecard, each: SourceCard) -> str:
    """A closed ``details`` element with everything about one source."""
    state = card.status(each.source)
    alerts = card.alerts_of(each.source)
    tags = " ".join(
        f'<span class="tag {alert.severity}">{escape(KINDS[alert.kind].zh)} {escape(alert.title)}</span>'
        for alert in alerts
    )
    causes = "".join(
        f"<p>{escape(alert.cause)} <span class='soft'>→ {escape(alert.todo)}</span></p>" for alert in alerts
    )
    sections = [_facts(each), _promises(each), _bills(each), _spending(each), _quarantine(each), _drift(each)]
    return (
        f'<details class="source" id="source-{escape(each.source)}"><summary>'
        f'<span class="state {state}"></span><b>{escape(each.source)}</b>'
        f"<span>{escape(each.name_zh)} <span class='soft'>{escape(each.name_en)}</span></span>{tags}</summary>"
        f'<div class="detail">{causes}{_trends(card, each)}'
        f'<div class="columns">{"".join(sections)}</div></div></details>'
    )


def _section(zh: str, en: str, inner: str) -> str:
    return f"<section><h4>{escape(zh)} {escape(en)}</h4>{inner}</section>" if inner else ""


def _trends(card: Scorecard, each: SourceCard) -> str:
    days = days_of(card)
    figures: list[tuple[str, str, str]] = []
    records = {one.day: float(one.records) for one in each.arrived}
    if each.asked:
        by_day = {day.day: day.figures for day in each.days}

        def line(get: Callable[[CallFigures], float | None], empty: float | None) -> list[float | None]:
            return [get(by_day[day]) if day in by_day else empty for day in days]

        promised = each.promised
        figures += [
            (
                "调用/日 calls a day",
                count(each.today.calls),
                sparkline(line(lambda f: float(f.calls), 0.0), "calls a day"),
            ),
            (
                "命中率 hit rate",
                percent(each.today.hit_rate),
                sparkline(
                    line(lambda f: f.hit_rate, None),
                    "hit rate",
                    promised=promised.hit_low,
                    least=0.0,
                    most=1.0,
                ),
            ),
            (
                "p99 毫秒 ms",
                milliseconds(each.today.p99_ms),
                sparkline(line(lambda f: f.p99_ms, None), "p99 latency, ms", promised=promised.p99_ms),
            ),
            (
                "错误率 error rate",
                percent(each.today.error_rate),
                sparkline(line(lambda f: f.error_rate, None), "error rate", promised=promised.error_rate),
            ),
            (
                "费用/日(元) yuan a day",
                yuan(each.today.cost_yuan),
                sparkline(line(lambda f: f.cost_yuan, 0.0), "yuan a day"),
            ),
        ]
    newest = each.arrived[-1].records if each.arrived else None
    figures.append(
        (
            "记录/交付 records a delivery",
            short(newest),
            sparkline([records.get(day) for day in days], "records a delivery"),
        )
    )
    return (
        '<div class="trends">'
        + "".join(
            f"<figure><figcaption>{escape(label)} <b>{escape(value)}</b></figcaption>{drawing}</figure>"
            for label, value, drawing in figures
        )
        + "</div>"
    )


def _rows(facts: list[tuple[str, str]]) -> str:
    return (
        '<table class="facts"><tbody>'
        + "".join(
            f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>' for label, value in facts
        )
        + "</tbody></table>"
    )


def _facts(each: SourceCard) -> str:
    fresh = each.freshness
    late = f"{fresh.late_hours:g} h" if fresh.late_hours else "0"
    inner = _rows(
        [
            ("合同版本 contract", each.contract_version),
            ("用途 purpose", each.purpose),
            ("类别 domain", each.domain),
            ("阶段 stages", ", ".join(each.stages)),
            ("合法基础 legal basis", each.legal_basis),
            ("授权 authorisation", each.authorisation),
            ("最近交付 last delivery", str(fresh.last or NONE)),
            ("下次应到 next due", f"{fresh.due or NONE}; 迟 late: {late}"),
            ("迟到处理 if late", f"{fresh.policy}, after {fresh.granted_hours:g} h"),
            ("交付 deliveries", f"{each.deliveries:,}"),
            (
                "记录 records",
                f"{each.in_:,} = {each.accepted:,} 接收 accepted + {each.quarantined:,} 隔离 quarantined",
            ),
        ]
    )
    link = f'<p><a href="contracts/{escape(each.source)}.html">合同全文 the whole contract</a></p>'
    return _section("合同", "contract", inner + link)


def _promises(each: SourceCard) -> str:
    """Promised against today, four weeks and the weeks before the last."""
    promised, rows = each.promised, []
    rows.append(
        ["交付周期 delivered every", promised.frequency or NONE, str(each.freshness.last or NONE), "", ""]
    )
    if each.asked:
        windows = (each.today, each.month, each.baseline)

        def row(label: str, level: str, get: Callable[[CallFigures], str]) -> list[str]:
            return [label, level, *(get(window) for window in windows)]

        band = (
            NONE
            if promised.hit_low is None
            else f"{percent(promised.hit_low, 0)} – {percent(promised.hit_high, 0)}"
        )
        rows += [
            row("调用 calls", "", lambda f: count(f.calls)),
            row("命中率 hit rate", band, lambda f: percent(f.hit_rate)),
            row(
                "错误率 errors",
                f"≤ {percent(promised.error_rate)}" if promised.error_rate is not None else NONE,
                lambda f: percent(f.error_rate, 2),
            ),
            row(
                "p50 ms",
                f"≤ {milliseconds(promised.p50_ms)}" if promised.p50_ms else NONE,
                lambda f: milliseconds(f.p50_ms),
            ),
            row(
                "p99 ms",
                f"≤ {milliseconds(promised.p99_ms)}" if promised.p99_ms else NONE,
                lambda f: milliseconds(f.p99_ms),
            ),
            row("缓存 cached", "", lambda f: percent(f.cache_share)),
        ]
        if each.month.matches or each.month.mismatches or each.baseline.matches:
            rows.insert(3, row("一致率 match rate", "", lambda f: percent(f.match_rate)))
    head = ("服务水平 service level", "承诺 promised", "当日 day", "四周 4 weeks", "此前八周 8 weeks before")
    return _section("承诺与实际", "promised and seen", table(head, rows, 4))


def _bills(each: SourceCard) -> str:
    prices = ", ".join(f"{result} {price:g}" for result, price in each.promised.prices.items() if price)
    fee = f"; 月费 monthly fee {each.promised.monthly_fee:g}" if each.promised.monthly_fee else ""
    if not prices and not fee and not each.bills:
        return ""
    told = (
        f"<p>价格(元) prices, yuan: {escape(prices or '0')}{escape(fee)}; "
        f"本月应付 month to date {yuan(each.month_to_date_yuan)}</p>"
    )
    rows, reasons = [], []
    for check in each.bills:
        difference = check.difference_yuan
        rows.append(
            [
                f"{check.month:%Y-%m}",
                count(check.calls),
                count(check.calls_billed) if check.billed_yuan is not None else NONE,
                yuan(check.expected_yuan),
                yuan(check.billed_yuan),
                NONE if difference is None else f"{difference:+,.2f}",
            ]
        )
        reasons += [
            [f"{check.month:%Y-%m}", reason.kind, reason.text, f"{reason.yuan:+,.2f}"]
            for reason in check.reasons
        ]
    head = (
        "月 month",
        "台账次数 calls",
        "计费次数 billed",
        "应付 expected",
        "账单 billed",
        "差额 difference",
    )
    return _section(
        "账单核对",
        "bill and ledger",
        told + table(head, rows, 5) + table(("月 month", "原因 reason", "", "元 yuan"), reasons, 1),
    )


def _spending(each: SourceCard) -> str:
    if not each.asked:
        return ""
    spent, month = each.spending, each.month
    inner = _rows(
        [
            ("四周费用 4 weeks, yuan", yuan(month.cost_yuan)),
            ("每次调用 a call", yuan(month.cost_per_call, 4)),
            ("每笔申请 an application", f"{yuan(spent.per_application)} ({spent.applications:,})"),
            ("每笔通过 an approval", f"{yuan(spent.per_approval)} ({spent.approvals:,})"),
            ("累计 all time", f"{yuan(each.total.cost_yuan)} yuan, {each.total.calls:,} calls"),
        ]
    )
    return _section("费用", "cost", inner)


def _quarantine(each: SourceCard) -> str:
    kept = each.rejected
    inner = ""
    if kept.by_rule or kept.rules_before:
        rules = sorted({*kept.by_rule, *kept.rules_before}, key=lambda rule: -kept.by_rule.get(rule, 0))
        inner += table(
            ("规则 rule", "本周 week", "占比 share", "此前八周 8 weeks before"),
            [
                [
                    rule,
                    count(kept.by_rule.get(rule, 0)),
                    percent(kept.by_rule.get(rule, 0) / kept.recent_in if kept.recent_in else None, 2),
                    count(kept.rules_before.get(rule, 0)),
                ]
                for rule in rules
            ],
            3,
        )
    inner += table(
        ("字段 field", "未知代码 unknown code", "首见 first", "本周 week", "此前 before"),
        [
            [f"{c.table}.{c.field}", c.value, str(c.first), count(c.recent), count(c.before)]
            for c in kept.codes
        ],
        2,
    )
    inner += table(
        ("日 day", "文件 file", "规则 rule", "发现 found", "记录 records"),
        [[str(h.day), h.file, h.rule, h.found, count(h.records)] for h in kept.held],
        1,
    )
    return _section("隔离", "quarantine", inner)


def _drift(each: SourceCard) -> str:
    if not each.drift:
        return ""
    ranked = sorted(
        each.drift,
        key=lambda one: (
            not (one.shifted or one.emptied),
            -(one.psi or 0.0),
            -abs(one.empty - one.empty_before),
        ),
    )
    rows = [
        [
            one.field,
            one.label_zh,
            NONE if one.psi is None else f"{one.psi:.3f}{' !' if one.shifted else ''}",
            one.moved,
            f"{percent(one.empty)}{' !' if one.emptied else ''}",
            percent(one.empty_before),
        ]
        for one in ranked[:FIELDS_SHOWN]
    ]
    more = f"<p class='soft'>共 {len(ranked)} 个字段 fields; those that moved most are shown.</p>"
    head = ("字段 field", "", "PSI", "变化最大 moved most", "空值 empty", "此前 before")
    return _section("漂移", "drift, week against 8 weeks", table(head, rows) + more)
