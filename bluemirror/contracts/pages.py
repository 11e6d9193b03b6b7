"""A contract's documentation page: Markdown for the repository, self-contained HTML for a browser.

Drawing a page computes nothing and shows declarations only, never data.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from bluemirror.contracts.model import Contract, Field, Rule, ServiceLevel, Table, TimeRule
from bluemirror.contracts.service_levels import SHARES

_KINDS = {
    "event": "event / 事件: things that happened; of several versions the newest known counts",
    "answer": "answer / 应答: a document or reply; only the newest known one counts",
    "state": "state / 状态: attributes with validity",
}
_LEVELS = {
    "latency": "delivered within / 交付时限",
    "frequency": "delivered every / 交付周期",
    "retention": "kept for / 保存期限",
    "responseTimeP50": "half answered within / 应答时间中位数",
    "responseTimeP99": "99 of 100 answered within / 应答时间99分位",
    "hitRate": "share with a record / 命中率",
    "errorRate": "share that fails / 错误率",
    "availability": "share of time in service / 可用率",
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b2733 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
th, td { border: 1px solid #d5dde5; padding: .25rem .5rem; text-align: left; vertical-align: top }
th { background: #eef3f8 } code, pre { font: 13px/1.4 ui-monospace, monospace; background: #f5f7fa }
pre { padding: .75rem; overflow-x: auto } h2 { margin-top: 2.5rem; border-bottom: 2px solid #2f6db3 }
.personal { color: #a3301f } details > summary { cursor: pointer; color: #2f6db3 }
"""


def page(contract: Contract) -> str:
    """The page as Markdown."""
    parts = [
        f"# {_md(contract.name_zh)} / {_md(contract.name_en)}",
        "",
        f"`{contract.source}` {contract.version}, {contract.status}",
    ]
    for text in (contract.purpose, contract.limitations, contract.usage):
        parts += ["", _md(text)] if text else []
    parts.append("")
    parts += _md_table(("", ""), [(label, value) for label, value in _facts(contract)])
    for table in contract.tables:
        parts += ["", f"## {table.name}", "", _md(table.description), ""]
        parts += [f"- {_md(line)}" for line in _table_facts(table)]
        parts += ["", *_md_table(_COLUMNS, [_row(field) for field in table.fields])]
        coded = [field for field in table.fields if field.codes]
        if coded:
            parts += ["", "### Codes / 代码", ""]
            parts += _md_table(("field / 字段", "code / 代码", "meaning / 含义"), _code_rows(coded))
        if table.rules:
            parts += ["", "### Quality rules / 质量规则", ""]
            for rule in table.rules:
                parts += [
                    f"- **{rule.name}** ({_about(rule)})" + (f": {_md(rule.note)}" if rule.note else "")
                ]
                if rule.expression:
                    # indented, not fenced: nothing in the text can end the block
                    parts += ["", *(f"      {line}" for line in rule.expression.splitlines()), ""]
    return "\n".join(parts).rstrip() + "\n"


def page_html(contract: Contract) -> str:
    """The page as one HTML file without outside parts; everything from the contract is escaped."""
    title = html.escape(f"{contract.name_zh} / {contract.name_en}")
    return (
        f'<!doctype html>\n<html lang="zh"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{page_html_body(contract)}\n</body></html>\n"
    )


def page_html_body(contract: Contract) -> str:
    """The page as an HTML fragment, as a notebook shows a contract."""
    esc = html.escape
    parts = [
        f"<h1>{esc(contract.name_zh)} / {esc(contract.name_en)}</h1>",
        f"<p><code>{esc(contract.source)}</code> {esc(contract.version)}, {esc(contract.status)}</p>",
    ]
    parts += [
        f"<p>{esc(text)}</p>" for text in (contract.purpose, contract.limitations, contract.usage) if text
    ]
    parts.append(_html_table((), _facts(contract)))
    for table in contract.tables:
        parts += [f"<h2>{esc(table.name)}</h2>", f"<p>{esc(table.description)}</p>", "<ul>"]
        parts += [f"<li>{esc(line)}</li>" for line in _table_facts(table)]
        parts += ["</ul>", _html_table(_COLUMNS, [_row(field) for field in table.fields])]
        coded = [field for field in table.fields if field.codes]
        if coded:
            columns = ("field / 字段", "code / 代码", "meaning / 含义")
            parts.append(
                f"<details><summary>Codes / 代码</summary>{_html_table(columns, _code_rows(coded))}</details>"
            )
        if table.rules:
            parts.append("<details><summary>Quality rules / 质量规则</summary>")
            for rule in table.rules:
                parts.append(
                    f"<p><b>{esc(rule.name)}</b> ({esc(_about(rule))}){': ' + esc(rule.note) if rule.note else ''}</p>"
                )
                parts.append(f"<pre>{esc(rule.expression)}</pre>" if rule.expression else "")
            parts.append("</details>")
    return "\n".join(part for part in parts if part)


_COLUMNS = (
    "field / 字段",
    "中文",
    "English",
    "type / 类型",
    "unit / 单位",
    "required / 必填",
    "personal data / 个人信息",
    "source path / 源路径",
)


def _facts(contract: Contract) -> list[tuple[str, str]]:
    price = ", ".join(f"{result} {value:g}" for result, value in contract.price_by_result.items())
    facts = [
        ("domain / 领域", contract.domain),
        ("stages / 适用阶段", ", ".join(contract.stages)),
        ("legal basis / 合法性基础", contract.legal_basis),
        ("authorisation / 授权", contract.authorisation),
        (
            "delivery / 交付",
            f"{', '.join(contract.landing.formats)}; complete with {contract.landing.complete}",
        ),
        ("late / 迟到", f"{contract.lateness.policy} after {contract.lateness.after_hours:g} hours"),
        ("price, yuan / 价格(元)", price),
    ]
    if contract.answer_valid_days is not None:
        facts.append(("an answer counts for / 应答有效期", f"{contract.answer_valid_days} days / 天"))
    if contract.monthly_fee:
        facts.append(("monthly fee, yuan / 月费(元)", f"{contract.monthly_fee:g}"))
    return facts + [(_LEVELS.get(level.property, level.property), _level(level)) for level in contract.sla]


def _level(level: ServiceLevel) -> str:
    if level.property in SHARES:
        low = "at most" if level.property == "errorRate" else "at least"
        return f"{level.value} to {level.upper}" if level.upper is not None else f"{low} {level.value}"
    return f"{level.value} {level.unit or ''}".strip()


def _table_facts(table: Table) -> list[str]:
    lines = [_KINDS[table.kind]]
    if table.parent:
        lines.append(f"part of / 隶属 {table.parent}, at {table.path}")
    elif table.path:
        lines.append(f"at {table.path}")
    if table.business_key:
        lines.append(f"business key / 业务主键: {', '.join(table.business_key)}")
    for label, rule in (("happened / 发生时间", table.event_time), ("known / 知晓时间", table.known_time)):
        lines.append(f"{label}: {_time(rule) if rule else 'as ' + str(table.parent)}")
    if table.valid_to:
        lines.append(f"valid to / 失效: {table.valid_to}")
    if table.tombstone:
        lines.append(f"deleted where / 删除标记: {table.tombstone[0]} = {table.tombstone[1]}")
    if table.hit:
        lines.append(f"hit where / 命中: {table.hit[0]} in {', '.join(table.hit[1])}")
    return lines


def _time(rule: TimeRule) -> str:
    if rule.rule is not None:
        text = "end of the delivery day"
    else:
        text = f"{rule.at} of {rule.field}" if rule.at == "end" else str(rule.field)
    if rule.or_else:
        text += f", else {rule.or_else}"
    text += f", plus {rule.plus_days} days" if rule.plus_days else ""
    return text + (", may lie ahead" if rule.ahead else "")


def _row(field: Field) -> tuple[str, ...]:
    low, high = field.minimum, field.maximum
    kind = field.type
    if low is not None or high is not None:
        kind += f" [{'' if low is None else f'{low:g}'} .. {'' if high is None else f'{high:g}'}]"
    if field.pattern:
        kind += f" {field.pattern}"
    personal = field.classification or ""
    if field.key:
        forms = f", kept as {', '.join(field.key.forms)}" if field.key.forms else ""
        parts = f", taken apart as {field.key.parts}" if field.key.parts else ""
        personal += f" key {field.key.entity}, sent {field.key.form}{forms}{parts}"
    if field.drop:
        personal += " never stored"
    required = "yes" if field.required else f"since {field.since}" if field.since else ""
    return (
        field.name,
        field.label_zh,
        field.label_en,
        kind,
        field.unit or "",
        required,
        personal.strip(),
        field.physical,
    )


def _code_rows(fields: list[Field]) -> list[tuple[str, ...]]:
    return [(field.name, code, meaning) for field in fields for code, meaning in (field.codes or {}).items()]


def _about(rule: Rule) -> str:
    words = [rule.severity, *([rule.dimension] if rule.dimension else [])]
    if rule.kind == "document_sql":
        words.append("documents that this finds break it")
    if rule.fields:
        words.append(", ".join(rule.fields))
    return ", ".join(words)


def _md(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _md_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return lines + ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows]


def _html_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = f"<tr>{''.join(f'<th>{html.escape(c)}</th>' for c in columns)}</tr>" if columns else ""
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"
