"""The catalogue as one HTML page that needs nothing from outside, filtered by the browser itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from bluemirror.offline_page import document, resource

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.variable import Variable

BODY = """
<header><h1>{title}<small>{total} 个变量 variables</small></h1>
<form onsubmit="return false">
<input id="words" type="search" placeholder="名称、中文、英文 · name or words of a label" aria-label="search" autofocus>
<select id="block" aria-label="block"><option value="">全部数据块 all blocks</option></select>
<select id="window" aria-label="window"><option value="">全部窗口 all windows</option></select>
<select id="unit" aria-label="unit"><option value="">全部单位 all units</option></select>
<select id="stage" aria-label="stage"><option value="">全部阶段 all stages</option></select>
<output id="count"></output></form></header>
<div id="table"><div class="row head"><div>变量 variable</div><div>含义 label</div><div>单位 unit</div><div>窗口</div>
<div>数据源 source</div><div class="number">元 yuan</div></div><div id="rows"></div>
<div id="none" hidden>没有匹配的变量 No variable matches.</div></div>
<dialog id="card"><h2 id="title"></h2><dl id="facts"></dl></dialog>
"""


def page_html(title: str, blocks: Iterable[Block], variables: Sequence[Variable]) -> str:
    """The whole page, a complete HTML document in UTF-8.

    What many variables share (block, unit, window, what null means) stands once, so that 27,000 of them are a few
    megabytes. Search by words, block, window, unit and stage; a click shows all that is known of a variable.
    """
    body = BODY.format(title=escape(title), total=f"{len(variables):,}")
    package = "bluemirror.variables"
    return document(
        title,
        body,
        style=resource(package, "page.css"),
        script=resource(package, "page.js"),
        data=_data(blocks, variables),
    )


class _Places(dict[str, int]):
    """Numbers texts in the order in which they are first asked for."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def _data(blocks: Iterable[Block], variables: Sequence[Variable]) -> dict[str, Any]:
    labels = {block.name: block.label for block in blocks}
    units, windows, nulls, tables = _Places(), _Places(), _Places(), _Places()
    places: dict[tuple[str, str, tuple[str, ...], float, str], int] = {}
    rows = []
    for one in variables:
        # Families of one block may read further sources: they are told apart as what they cost and allow.
        block = (one.block, one.source, one.stages, one.cost_yuan, one.first_day)
        rows.append(
            [
                one.name,
                one.label_zh,
                one.label_en,
                units[one.unit],
                windows[one.window],
                places.setdefault(block, len(places)),
                one.family,
                nulls[one.null_means],
                one.meaning,
                ", ".join(one.columns),
                tables[one.table],
            ]
        )
    return {
        "blocks": [
            {
                "name": name,
                "zh": labels[name].zh,
                "en": labels[name].en,
                "source": source,
                "stages": list(stages),
                "cost": cost,
                "first": first,
            }
            for name, source, stages, cost, first in places
        ],
        "units": list(units),
        "windows": list(windows),
        "nulls": list(nulls),
        "tables": list(tables),
        "stages": sorted({stage for _, _, stages, _, _ in places for stage in stages}),
        "rows": rows,
    }
