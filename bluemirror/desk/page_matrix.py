"""The overlap of sources on the page: a matrix of shares, and what could stand in for what."""

from __future__ import annotations

from html import escape

from bluemirror.desk.card import Scorecard
from bluemirror.desk.figures import count, percent, table, yuan
from bluemirror.desk.overlap import Pair

LEAST_FOUND = 20
"""Finds among persons asked at both, from which on a share is shown."""
EXIT = 0.90
"""Share of a source's finds that another one of its domain has too, from which on one may ask whether it must stay."""


def overlap_html(card: Scorecard) -> str:
    """Section with the matrix; empty text in it where no person was asked at two sources."""
    top = (
        '<h2 id="overlap">重叠<small>Overlap: percent of the row\'s finds that the column has too, '
        "of persons asked at both in 90 days</small></h2>"
    )
    pairs = {(pair.first, pair.second): pair for pair in card.overlap.pairs}
    domains = {each.source: each.domain for each in card.sources}
    asked = {name for pair in card.overlap.pairs for name in (pair.first, pair.second)}
    names = sorted(asked, key=lambda name: (domains.get(name, ""), name))
    if not names:
        return f'{top}<p class="soft">无。 No person was asked at two sources.</p>'
    starts = {
        name
        for before, name in zip(["", *names], names, strict=False)
        if domains.get(before) != domains.get(name)
    }

    def kind(name: str, more: str = "") -> str:
        text = " ".join(part for part in ("domain" if name in starts else "", more) if part)
        return f' class="{text}"' if text else ""

    head = "".join(f"<th{kind(name)} scope=col><span>{escape(name)}</span></th>" for name in names)
    rows = []
    for row in names:
        cells = []
        for column in names:
            if row == column:
                cells.append(f"<td{kind(column, 'self')}></td>")
                continue
            pair = pairs.get((row, column)) or pairs.get((column, row))
            cells.append(_cell(row, column, pair, kind))
        rows.append(f"<tr><th scope=row>{escape(row)}</th>{''.join(cells)}</tr>")
    return (
        f'{top}<div class="wide"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>" + _exits(card)
    )


def _cell(row: str, column: str, pair: Pair | None, kind: object) -> str:
    assert callable(kind)
    if pair is None:
        return f"<td{kind(column)}></td>"
    share = pair.redundancy(row)
    found = pair.both + (pair.only_first if row == pair.first else pair.only_second)
    told = (
        f"{row} / {column}: asked at both {pair.asked:,}; found by both {pair.both:,}, "
        f"only {pair.first} {pair.only_first:,}, only {pair.second} {pair.only_second:,}, by none {pair.neither:,}"
    )
    if share is None or found < LEAST_FOUND:
        return f'<td{kind(column)} title="{escape(told)}"></td>'
    dark = "dark" if share > 0.55 else ""
    return (
        f'<td{kind(column, dark)} style="background:rgba(31,95,158,{0.06 + 0.84 * share:.2f})" title="{escape(told)}">'
        f"{100 * share:.0f}</td>"
    )


def _exits(card: Scorecard) -> str:
    """Sources whose finds one other source of the domain has nearly all, dearest first."""
    by_name = {each.source: each for each in card.sources}
    found = []
    for pair in card.overlap.pairs:
        if pair.first not in by_name or pair.second not in by_name:
            continue
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            share = pair.redundancy(one)
            own = pair.both + (pair.only_first if one == pair.first else pair.only_second)
            alike = by_name[one].domain == by_name[other].domain
            if alike and share is not None and own >= LEAST_FOUND and share >= EXIT:
                found.append((by_name[one].month.cost_yuan, one, other, share, pair))
    if not found:
        return ""
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    alone = card.overlap.alone or {}
    rows = [
        [one, other, percent(share), count(pair.asked), count(alone.get(one)), yuan(cost)]
        for cost, one, other, share, pair in found
    ]
    return "<h4>可替代 nearly all finds are another source's too (same domain)</h4>" + table(
        (
            "数据源 source",
            "替代 other",
            "共有 shared",
            "两处均查 asked at both",
            "独有 found by it alone",
            "四周费用 cost, 4 weeks",
        ),
        rows,
        4,
    )
