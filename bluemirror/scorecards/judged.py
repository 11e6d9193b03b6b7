"""Judging the variables of a draft: are they there, do they tell anything, has somebody told it before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError
from bluemirror.variables.structure import judge_columns, told_apart

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.variables.preview import Preview

BARS = "▁▂▃▄▅▆▇█"
PARTS = 10
"""Parts of a drawn distribution, of equal width between the 1st and the 99th percentile."""

SHOWN = 20
"""Variables shown, against a label the most telling first; all of them are in ``table``."""

NUMBERS = ("coverage", "zero", "mean", "p05", "p50", "p95")
AGAINST = ("iv", "iv_net", "auc", "ks")


@dataclass(frozen=True)
class Judged:
    """What was found of each variable of a draft.

    Attributes
    ----------
    table
        variable, label, coverage (share of observations with a value), zero (share of the values), mean, p05, p50, p95,
        distribution (drawn), constant, twin_of (the first variable with the same values: of the draft, or stored under
        the same source), and against a label iv, iv_net (above what chance shows), auc, ks.
    """

    table: pl.DataFrame
    observations: int
    bads: int | None

    @property
    def useful(self) -> pl.DataFrame:
        """The variables that are neither constant nor a twin, the most telling first if there was a label."""
        import polars as pl

        left = self.table.filter(~pl.col("constant") & pl.col("twin_of").is_null())
        return left if self.bads is None else left.sort("iv_net", descending=True)

    @property
    def _first(self) -> pl.DataFrame:
        ordered = (
            self.table if self.bads is None else self.table.sort("iv_net", descending=True, nulls_last=True)
        )
        return ordered.head(SHOWN)

    @property
    def _more(self) -> str:
        return f"and {len(self.table) - SHOWN} more in .table" if len(self.table) > SHOWN else ""

    @property
    def _head(self) -> str:
        constant = int(self.table["constant"].sum())
        twins = len(self.table) - self.table["twin_of"].null_count()
        text = f"{len(self.table)} variables on {self.observations:,} observations: {constant} constant, {twins} twins"
        return text if self.bads is None else f"{text}; against a label with {self.bads:,} bads"

    def __repr__(self) -> str:
        lines = [self._head]
        for row in self._first.iter_rows(named=True):
            told = ", ".join(
                f"{name} {_number(row[name])}" for name in (*NUMBERS, *AGAINST) if row.get(name) is not None
            )
            lines.append(f"  {row['variable']} {row['distribution']} {told}{_verdict(row)}")
        return "\n".join([*lines, self._more] if self._more else lines)

    def _repr_html_(self) -> str:
        shown = [name for name in (*NUMBERS, *AGAINST) if name in self.table.columns]
        heads = "".join(f"<th>{one}</th>" for one in ("variable", "distribution", *shown, "verdict"))
        body = "".join(_row(row, shown) for row in self._first.iter_rows(named=True))
        return (
            f"<div><p>{escape(self._head)}</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table><p>{self._more}</p></div>"
        )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["constant"]:
        return "; constant"
    return f"; twin of {row['twin_of']}" if row["twin_of"] else ""


def _row(row: Mapping[str, Any], shown: Iterable[str]) -> str:
    cells = [
        f"<td style='text-align:left'><b>{escape(row['variable'])}</b><br>{escape(row['label'])}</td>",
        f"<td style='font-size:120%;white-space:pre'>{row['distribution']}</td>",
        *(f"<td style='text-align:right'>{_number(row[name])}</td>" for name in shown),
        f"<td style='text-align:left'>{escape(_verdict(row).removeprefix('; '))}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def judge(preview: Preview, label: pl.DataFrame | None = None, bad: str = "bad") -> Judged:
    """Judge every variable of ``preview``: coverage, distribution, constants, twins, how well it tells bad from good.

    Parameters
    ----------
    label
        observation_id and ``bad`` (0 or 1) of some of the previewed observations, such as the rows of a model's
        population.

    Returns
    -------
    Judged
        On a sample: what is constant or twin here may not be so on more observations.

    Raises
    ------
    ModelError
        If none of the previewed observations has a label, or all labels are the same.
    """
    import polars as pl

    names = list(preview.labels)
    columns = [told_apart(name, preview[name]) for name in names]
    constants, twins = judge_columns(columns)
    # Of drafted twins the first one, which is not called a twin, is held against what is stored.
    stored = _stored_twins(preview, {one.digest: one.name for one in reversed(columns) if not one.constant})
    rows = [
        {
            "variable": name,
            "label": preview.labels[name],
            **_numbers(preview[name]),
            "constant": name in constants,
            "twin_of": twins.get(name) or stored.get(name),
        }
        for name in names
    ]
    table = pl.DataFrame(rows, schema_overrides={"twin_of": pl.String})
    if label is None:
        return Judged(table, len(preview), None)
    joined = preview.values.join(label.select("observation_id", bad), on="observation_id", how="inner")
    bads = int(joined[bad].sum()) if len(joined) else 0
    if not 0 < bads < len(joined):
        raise ModelError(
            f"{len(joined)} of the previewed observations have a label, {bads} of them bad",
            field=bad,
            rule="telling bad from good needs both",
            fix="preview labelled observations: draft.preview(sample=2000, observations=population.rows)",
        )
    return Judged(table.join(_against(joined, names, bad), on="variable", how="left"), len(preview), bads)


def _numbers(values: pl.Series) -> dict[str, Any]:
    present = values.drop_nulls()
    if not len(present):
        return dict.fromkeys(NUMBERS, None) | {"coverage": 0.0, "distribution": ""}
    return {
        "coverage": len(present) / len(values),
        "zero": int((present == 0).sum()) / len(present),
        "mean": present.mean(),
        "p05": present.quantile(0.05),
        "p50": present.quantile(0.5),
        "p95": present.quantile(0.95),
        "distribution": _drawn(present.to_numpy()),
    }


def _drawn(values: Any) -> str:
    """A distribution as ten bars; what lies outside the 1st and 99th percentiles stands in the outer ones."""
    low, high = np.quantile(values, (0.01, 0.99))
    counts, _ = np.histogram(
        np.clip(values, low, high), bins=PARTS, range=(low, high) if high > low else None
    )
    tallest = counts.max()
    # The square root keeps the rare visible beside a heap of zeros.
    return "".join(
        BARS[min(int(np.sqrt(one / tallest) * len(BARS)), len(BARS) - 1)] if one else " " for one in counts
    )


def _stored_twins(preview: Preview, digests: Mapping[bytes, str]) -> dict[str, str]:
    """Drafted variable -> a stored one of a block of the same source with the same values."""
    import polars as pl

    from bluemirror.variables import load_blocks, variable_files

    found: dict[str, str] = {}
    asked = preview.frame.select("observation_id")
    for block in load_blocks(preview.workspace):
        files = variable_files(preview.workspace, preview.observation_set, block.name)
        if not files or not block.source or block.source != preview.block.source or not len(asked):
            continue
        kept = pl.scan_parquet(files).join(asked.lazy(), on="observation_id", how="semi")
        frame = kept.collect().sort("observation_id")
        if not frame["observation_id"].equals(asked["observation_id"]):
            continue
        for name in frame.columns[3:]:
            drafted = digests.get(told_apart(name, frame[name]).digest)
            if drafted is not None and drafted != name:
                found.setdefault(drafted, name)
    return found


def _against(joined: pl.DataFrame, names: list[str], bad: str) -> pl.DataFrame:
    """Information value, AUC and KS of each variable against the label."""
    from bluemirror.scorecards.screen import Chunk, screen

    values = np.ascontiguousarray(joined.select(names).fill_null(float("nan")).to_numpy().T, dtype=np.float32)
    report = screen([Chunk(tuple(names), values)], joined[bad].to_numpy())
    return report.table.select("variable", *AGAINST)
