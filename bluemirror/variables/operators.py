"""The operators of the family language: which kernel computes each, what it needs and how it is called."""

from __future__ import annotations

from dataclasses import dataclass

from bluemirror.variables.declarations import Label


@dataclass(frozen=True, slots=True)
class Operator:
    """One aggregate.

    Attributes
    ----------
    kernel
        ``fold``, ``value``, ``ordered`` or ``series``.
    column
        Whether it aggregates a column (True), the rows (False) or either (None).
    label
        Its part of a variable's label.
    unit
        Its unit; ``=`` is the unit of the column, ``age`` that of the family's windows.
    zero
        Whether an answered source without a matching row means 0; else the value is null.
    additive
        Whether short over long windows and group over all make sense as a ratio.
    """

    kernel: str
    column: bool | None
    label: Label
    unit: str
    zero: bool = False
    additive: bool = False


OPERATORS: dict[str, Operator] = {
    "count": Operator("fold", False, Label("次数", "count"), "count", zero=True, additive=True),
    "any": Operator("fold", False, Label("是否有", "any"), "flag", zero=True),
    "sum": Operator("fold", True, Label("合计", "sum"), "=", zero=True, additive=True),
    "mean": Operator("fold", True, Label("均值", "mean"), "="),
    "min": Operator("fold", True, Label("最小值", "minimum"), "="),
    "max": Operator("fold", True, Label("最大值", "maximum"), "="),
    "std": Operator("fold", True, Label("标准差", "standard deviation"), "="),
    "cv": Operator("fold", True, Label("变异系数", "coefficient of variation"), "ratio"),
    "ratio": Operator("fold", True, Label("比率", "ratio"), "ratio"),
    "since_last": Operator("fold", False, Label("距最近一次时间", "time since the last"), "age"),
    "since_first": Operator("fold", False, Label("距最早一次时间", "time since the first"), "age"),
    "distinct": Operator("value", True, Label("去重数", "distinct"), "count", zero=True, additive=True),
    "hhi": Operator("value", True, Label("集中度", "concentration (HHI)"), "index"),
    "entropy": Operator("value", True, Label("熵", "entropy"), "nat"),
    "top1": Operator("value", True, Label("最大一个占比", "share of the largest"), "ratio"),
    "top3": Operator("value", True, Label("最大三个占比", "share of the 3 largest"), "ratio"),
    "top5": Operator("value", True, Label("最大五个占比", "share of the 5 largest"), "ratio"),
    "first": Operator("ordered", True, Label("最早值", "first value"), "="),
    "last": Operator("ordered", True, Label("最新值", "last value"), "="),
    "median": Operator("ordered", True, Label("中位数", "median"), "="),
    "p10": Operator("ordered", True, Label("10分位数", "10th percentile"), "="),
    "p25": Operator("ordered", True, Label("25分位数", "25th percentile"), "="),
    "p75": Operator("ordered", True, Label("75分位数", "75th percentile"), "="),
    "p90": Operator("ordered", True, Label("90分位数", "90th percentile"), "="),
    "gap_min": Operator("ordered", False, Label("最小间隔", "shortest gap"), "day"),
    "gap_max": Operator("ordered", False, Label("最大间隔", "longest gap"), "day"),
    "gap_mean": Operator("ordered", False, Label("平均间隔", "mean gap"), "day"),
    "gap_std": Operator("ordered", False, Label("间隔标准差", "deviation of gaps"), "day"),
    "months_active": Operator("series", None, Label("有发生月数", "months with any"), "month", zero=True),
    "month_mean": Operator("series", None, Label("月均", "monthly mean"), "=", zero=True),
    "month_max": Operator("series", None, Label("月最大", "monthly maximum"), "=", zero=True),
    "month_min": Operator("series", None, Label("月最小", "monthly minimum"), "=", zero=True),
    "month_std": Operator("series", None, Label("月标准差", "monthly deviation"), "=", zero=True),
    "month_cv": Operator("series", None, Label("月变异系数", "monthly coefficient of variation"), "ratio"),
    "month_slope": Operator("series", None, Label("月趋势斜率", "monthly slope"), "=", zero=True),
    "run_max": Operator("series", None, Label("最长连续月数", "longest run of months"), "month", zero=True),
    "run_now": Operator(
        "series", None, Label("至今连续月数", "months in a row up to now"), "month", zero=True
    ),
    "quiet_max": Operator(
        "series", None, Label("最长无发生月数", "longest run without any"), "month", zero=True
    ),
    "quiet_now": Operator(
        "series", None, Label("至今无发生月数", "months without any up to now"), "month", zero=True
    ),
}

WEIGHTED = ("ratio", "hhi", "entropy", "top1", "top3", "top5")
"""Aggregates that take a second column: a ratio's denominator, or the weight of a concentration."""

BACKWARD = ("since_last", "since_first", "first", "last", "gap_min", "gap_max", "gap_mean", "gap_std")
"""Aggregates that look back in time, as those of a series do: they do not go with forward windows."""

OUTER: dict[str, Label] = {
    "sum": Label("合计", "summed"),
    "max": Label("最大", "highest"),
    "min": Label("最小", "lowest"),
    "mean": Label("平均", "mean"),
    "any": Label("有发生数", "number with any"),
}
"""Aggregates from the middle level to the entity; ``any`` counts the units whose value is above zero."""

SERIES_DAYS = 30
"""Length of a month of a series in a family whose windows are days."""
