"""How a block and its families show themselves, as text and as HTML: what is declared, and the variables it yields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from bluemirror.variables.declarations import Block, Family, Group, Measure
from bluemirror.variables.plan import block_variables
from bluemirror.variables.variable import Variable

LISTED = 12
"""Variables listed."""

FAMILIES = 8
"""Families of a block that are described."""

LEFT = "style='text-align:left;vertical-align:top'"
TITLES = ("name", "名称", "label", "unit", "null means")

Row = tuple[str, str]


def family_text(family: Family) -> str:
    """A family as lines."""
    return _lines(_family_rows(family))


def family_html(family: Family) -> str:
    """A family as a table."""
    return f"<div>{_table(_family_rows(family))}</div>"


def block_text(block: Block) -> str:
    """A block as lines: what it declares and its first variables."""
    variables = block_variables(block)
    names = [one.name for one in variables[:LISTED]]
    width = max(map(len, names), default=0)
    lines = [_lines(_block_rows(block)), "", f"{len(variables):,} variables:"]
    lines += [
        f"  {one.name.ljust(width)}  {one.label_zh} / {one.label_en} [{one.unit}]"
        for one in variables[:LISTED]
    ]
    more = len(variables) - LISTED
    return "\n".join([*lines, f"  ... and {more:,} more"] if more > 0 else lines)


def block_html(block: Block) -> str:
    """A block as tables: what it declares and its first variables."""
    variables = block_variables(block)
    heads = "".join(f"<th {LEFT}>{one}</th>" for one in TITLES)
    body = "".join(
        f"<tr>{''.join(f'<td {LEFT}>{escape(cell)}</td>' for cell in _cells(one))}</tr>"
        for one in variables[:LISTED]
    )
    more = len(variables) - LISTED
    return (
        f"<div>{_table(_block_rows(block))}<p><b>{len(variables):,} variables</b></p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        + (f"<p>... and {more:,} more</p>" if more > 0 else "")
        + "</div>"
    )


def _cells(one: Variable) -> tuple[str, ...]:
    return one.name, one.label_zh, one.label_en, one.unit, one.null_means


def _lines(rows: Sequence[Row]) -> str:
    width = max(len(heading) for heading, _ in rows)
    return "\n".join(f"{heading.ljust(width)}  {text}" for heading, text in rows)


def _table(rows: Iterable[Row]) -> str:
    cells = "".join(
        f"<tr><th {LEFT}>{escape(heading.strip())}</th><td {LEFT}>{escape(text)}</td></tr>"
        for heading, text in rows
    )
    return f"<table>{cells}</table>"


def _block_rows(block: Block) -> list[Row]:
    rows = [("block", f"{block.name}: {block.label.zh} / {block.label.en}"), ("describes", block.entity)]
    if block.source:
        rows.append(("source", block.source))
    for one in block.families[:FAMILIES]:
        rows += _family_rows(one)
    rest = len(block.families) - FAMILIES
    if rest > 0:
        names = ", ".join(one.name for one in block.families[FAMILIES:])
        rows.append((f"{rest} more", f"families {names}"))
    made = block.combinations[:FAMILIES]
    rows += [(f"combined {one.name}", f"{one.operator} of {one.left} and {one.right}") for one in made]
    rest = len(block.combinations) - FAMILIES
    return [*rows, (f"{rest} more", "combinations")] if rest > 0 else rows


def _family_rows(one: Family) -> list[Row]:
    """What a family says, heading by heading."""
    windows = (
        ", ".join(each.token for each in one.windows.members) if one.windows.sizes else "all of the past"
    )
    if one.windows.along:
        windows += f" along {one.windows.along}"
    where = f", where {one.where}" if one.where else ""
    rows = [
        (f"family {one.name}", f"{one.label.zh} / {one.label.en}"),
        ("  rows", f"{one.table}, {one.match[0]} = {one.match[1]}{where}"),
    ]
    if one.via is not None:
        rows.append(("  of", f"{one.via.label.en}, through {one.via.through} of {one.via.table}"))
    if one.per is not None:
        rows.append(("  per", f"{one.per.table or one.per.key} ({one.per.label.zh} / {one.per.label.en})"))
    rows.append(("  windows", windows))
    slices = (*one.slices, *(one.per.slices if one.per else ()))
    rows.extend((f"  by {each.name}", ", ".join(map(_group, each.groups))) for each in slices)
    if one.slices:
        rows.append(("  crosses", "; ".join(" x ".join(cross) or "all rows" for cross in one.crosses)))
    rows.extend(("  measures", f"{', '.join(each.aggs)}{_of(each)}") for each in one.measures)
    rows.extend(
        ("  attribute", f"{each.column}: {each.label.zh} / {each.label.en}") for each in one.attributes
    )
    return rows


def _group(group: Group) -> str:
    if group.is_all:
        return f"{group.name} (every row)"
    if group.band is not None:
        low, high = group.band
        least = "" if low is None else f"{low:g} or more"
        below = "" if high is None else f"below {high:g}"
        return f"{group.name} ({', '.join(one for one in (least, below) if one)})"
    codes = group.codes or ()
    return f"{group.name} ({' '.join(codes[:6])}{' ...' if len(codes) > 6 else ''})"


def _of(measure: Measure) -> str:
    text = f" of {measure.of}" if measure.of else ""
    text += f" by {measure.by}" if measure.by else ""
    pairs = [f"{short}/{long}" for short, long in (*measure.ratios, *measure.growth)]
    text += f"; ratios {', '.join(pairs)}" if pairs else ""
    text += f"; shares of {', '.join(measure.shares)}" if measure.shares else ""
    return text + (f"; over units: {', '.join(measure.over)}" if measure.over else "")
