"""What a family measures, as its file writes it: aggregates of rows and columns, attributes of the newest row."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from bluemirror.variables.axes import AxisReader, code_text
from bluemirror.variables.declarations import Attribute, Label, Measure, Slice
from bluemirror.variables.operators import OPERATORS, OUTER, WEIGHTED

MEASURE_KEYS = (
    "agg",
    "of",
    "as",
    "label",
    "unit",
    "scale",
    "crosses",
    "windows",
    "over",
    "ratios",
    "growth",
    "shares",
    "by",
)
ATTRIBUTE_KEYS = ("column", "as", "label", "unit", "codes", "one_hot", "labels", "scale")


class QuantityReader(AxisReader):
    """Turns measures and attributes into declarations."""

    def measure(self, body: Mapping[str, Any], slices: tuple[Slice, ...], two_levels: bool) -> Measure:
        """One entry of ``measures:``."""
        self.known(body, MEASURE_KEYS, "a measure")
        aggs = self.need(body, "agg", "a measure")
        aggs = tuple(aggs) if isinstance(aggs, list) else (str(aggs),)
        of = body.get("of")
        for agg in aggs:
            operator = OPERATORS.get(agg)
            if operator is None:
                near = difflib.get_close_matches(agg, OPERATORS, 1)
                self.fail(
                    body,
                    f"the aggregate {agg!r} does not exist",
                    field="agg",
                    rule=f"aggregates are {', '.join(OPERATORS)}",
                    fix=f"write {near[0]}" if near else "choose one of them",
                )
            if operator.column is True and not of:
                self.fail(
                    body,
                    f"{agg} does not say of which column",
                    field="of",
                    rule=f"{agg} aggregates a column",
                    fix="add of: COLUMN",
                )
            if operator.column is False and of:
                self.fail(
                    body,
                    f"{agg} does not aggregate a column",
                    field="of",
                    rule=f"{agg} aggregates the rows themselves",
                    fix="remove of:, or choose distinct or sum",
                )
        by = body.get("by")
        if (by is None and "ratio" in aggs) or (by is not None and set(aggs) - set(WEIGHTED)):
            self.fail(
                body,
                "by: and the aggregate do not go together",
                field="by",
                rule=f"a ratio is of: one column by: another; by: is also the weight of {', '.join(WEIGHTED[1:])}",
                fix="write {agg: ratio, of: COLUMN, by: COLUMN}" if by is None else "remove by:",
            )
        if "ratio" in aggs and len(aggs) > 1:
            self.fail(
                body,
                "a ratio stands alone",
                field="agg",
                rule="by: is the denominator of a ratio, and the weight of everything else",
                fix="write a measure of its own for the ratio",
            )
        over = tuple(body.get("over") or ())
        for one in over:
            if one not in OUTER:
                self.fail(
                    body,
                    f"over {one!r} does not exist",
                    field="over",
                    rule=f"aggregates from the middle level are {', '.join(OUTER)}",
                    fix="choose one of them",
                )
        if bool(over) != two_levels:
            self.fail(
                body,
                "over: and per: go together",
                field="over",
                rule="a two-level family says how units are folded into the entity; another does not",
                fix="add over: [max, sum]" if two_levels else "remove over:",
            )
        crosses = body.get("crosses")
        label = self.label(body, "a measure") if "label" in body else None
        return Measure(
            aggs=aggs,
            of=of,
            token=body.get("as"),
            label=label,
            unit=str(body.get("unit", "count")),
            scale=float(body.get("scale", 1.0)),
            crosses=None if crosses is None else self.crosses(body, slices, crosses),
            windows=None
            if body.get("windows") is None
            else tuple(None if size == "all" else int(size) for size in body["windows"]),
            over=over,
            ratios=tuple((int(short), int(long)) for short, long in body.get("ratios") or ()),
            growth=tuple((int(short), int(long)) for short, long in body.get("growth") or ()),
            by=None if by is None else str(by),
            shares=tuple(body.get("shares") or ()),
        )

    def attribute(self, body: Mapping[str, Any]) -> Attribute:
        """One entry of ``attributes:``."""
        self.known(body, ATTRIBUTE_KEYS, "an attribute")
        column = str(self.need(body, "column", "an attribute"))
        labels = body.get("labels") or {}
        one_hot = []
        for code in body.get("one_hot") or ():
            text = labels.get(str(code)) or labels.get(code_text(code))
            if text is None:
                self.fail(
                    body,
                    f"flag {code!r} of {column} has no label",
                    field="labels",
                    rule="every flag has a label in Chinese and English",
                    fix=f"add labels: {{'{code}': {{zh: ..., en: ...}}}}",
                )
            one_hot.append((code_text(code), Label(str(text["zh"]), str(text["en"]))))
        codes = body.get("codes")
        return Attribute(
            column=column,
            name=str(body.get("as", column)),
            label=self.label(body, f"attribute {column}"),
            unit=str(body.get("unit", "flag" if one_hot else "code" if codes else "number")),
            ordinal=None
            if codes is None
            else {code_text(code): float(value) for code, value in codes.items()},
            one_hot=tuple(one_hot),
            scale=float(body.get("scale", 1.0)),
        )
