"""Screening: one pass over every candidate variable on quantised columns, then one representative a cluster.

A column of a few thousand rows is cut once into at most ``BINS`` bins of about equal size (plus one for missing
and one for each reason of missing); everything else is counting those codes: information value, AUC, KS, and the
stability of each month of the training window against the whole of it. No row of the judging side comes near.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.measures import chance_information_value, information_value, psi, woe
from bluemirror.scorecards.spec import Screening

if TYPE_CHECKING:
    import polars as pl

BINS = 10
"""Quantiles a column is cut at; ties can double an edge, so at most ``2 * BINS - 1`` bins hold values."""
VALUE_CODES = 2 * BINS
MISSING_CODE = VALUE_CODES
CODES = VALUE_CODES + 5
"""Values, then missing without a reason, then the reasons 1 to 4."""
MIN_MONTH_ROWS = 50
CORRELATION_ROWS = 20_000


@dataclass(frozen=True)
class Chunk:
    """Some columns of the training rows.

    ``values`` has shape (columns, rows), float32, NaN where null; ``reasons`` shape (rows,) holds why the
    chunk's source is silent (0 it answered, 1 to 4 as stored), or None.
    """

    names: tuple[str, ...]
    values: Any
    reasons: Any = None


@dataclass(frozen=True)
class ScreenReport:
    """What screening found: one row a variable, and the names that stay, best first."""

    table: pl.DataFrame
    kept: tuple[str, ...]
    rows: int

    @property
    def counts(self) -> dict[str, int]:
        """Number of variables by verdict."""
        found = self.table["verdict"].value_counts(sort=True)
        return dict(zip(found["verdict"], found["count"], strict=True))

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table(f"Screening: {len(self.kept)} of {self.table.height} kept", self.table.to_dicts())


def screen(
    chunks: Iterable[Chunk],
    bad: Any,
    month: Any = None,
    thresholds: Screening | None = None,
    threads: int = 2,
) -> ScreenReport:
    """Screen the columns of ``chunks`` against ``bad``.

    Parameters
    ----------
    chunks
        Columns of the training rows, a few hundred at a time; only their codes (one byte a value) are kept.
    bad
        Shape (rows,), 0 or 1, training rows only.
    month
        Shape (rows,), whole numbers; months with fewer than 50 rows are not compared. None: no stability.
    thresholds
        Limits; the IV compared is the one above chance (``iv_net``).

    Returns
    -------
    ScreenReport
        Table columns: variable, missing, distinct_bins, iv, iv_net, auc, ks, psi_max, psi_mean, cluster (the
        representative's name), verdict (kept, missing, constant, unstable, weak, cluster, surplus).
    """
    limits = thresholds or Screening()
    bad = np.asarray(bad).astype(bool)
    months = _month_index(month, bad.size)
    names: list[str] = []
    parts: list[dict[str, Any]] = []
    codes: list[Any] = []
    with ThreadPoolExecutor(threads) as pool:
        for chunk in chunks:
            if not chunk.names:
                continue
            halves = np.array_split(np.arange(len(chunk.names)), threads)
            found = list(
                pool.map(lambda h, c=chunk: _quantised(c.values[h], c.reasons), [h for h in halves if h.size])
            )
            coded = np.concatenate(found)
            stats = _statistics(coded, bad, months)
            fine = _first_verdict(stats, limits)
            names += chunk.names
            parts.append({**stats, "verdict": fine})
            codes += [coded[i] for i in np.flatnonzero(fine == "kept")]
    columns = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else _nothing()
    verdict = columns.pop("verdict").astype(object)
    cluster = np.array(names, dtype=object)
    candidates = np.flatnonzero(verdict == "kept")
    order = np.lexsort((np.array(names, dtype=str)[candidates], -columns["iv_net"][candidates]))
    leaders = _clusters(
        np.array(codes), order, columns["codes_woe"][candidates], limits, verdict, cluster, candidates, names
    )
    del columns["codes_woe"]
    kept = tuple(names[i] for i in leaders)
    return ScreenReport(_table(names, columns, cluster, verdict), kept, bad.size)


def _month_index(month: Any, rows: int) -> Any:
    if month is None:
        return np.zeros(rows, np.int64)
    return np.unique(np.asarray(month), return_inverse=True)[1]


def quantile_edges(sorted_values: Any) -> Any:
    """Edges that cut sorted values into about ``BINS`` parts; a value is in bin ``number of edges below it``.

    A value that is so frequent that it fills a whole part gets a bin of its own: an edge on it, one just below.
    """
    n = sorted_values.size
    picks = sorted_values[(np.arange(1, BINS) * n) // BINS]
    same = picks[1:][picks[1:] == picks[:-1]]
    if same.size:
        picks = np.concatenate([picks, np.nextafter(same, np.float32(-np.inf))])
    return np.unique(picks)


def _quantised(values: Any, reasons: Any) -> Any:
    """Codes of shape (columns, rows), uint8."""
    out = np.empty(values.shape, np.uint8)
    silent = MISSING_CODE + (
        np.zeros(values.shape[1], np.uint8) if reasons is None else np.asarray(reasons, np.uint8)
    )
    for i, column in enumerate(values):
        ordered = np.sort(column)  # NaN last
        present = int(np.searchsorted(ordered, np.inf, side="right"))
        if present == 0:
            out[i] = silent
            continue
        edges = quantile_edges(ordered[:present])
        out[i] = np.searchsorted(edges, column, side="left")
        if present < column.size:
            missing = np.isnan(column)
            out[i, missing] = silent[missing]
    return out


def _statistics(codes: Any, bad: Any, months: Any) -> dict[str, Any]:
    """Counts and measures of each column of ``codes`` (columns, rows)."""
    columns, rows = codes.shape
    n_months = int(months.max()) + 1 if months.size else 1
    offset = (months * 2 + bad).astype(np.int32) * CODES
    counts = np.stack([np.bincount(offset + c, minlength=n_months * 2 * CODES) for c in codes])
    counts = counts.reshape(columns, n_months, 2, CODES)
    good_n, bad_n = counts.sum(1)[:, 0], counts.sum(1)[:, 1]
    total = good_n + bad_n
    used = (total > 0).sum(1)
    iv = information_value(good_n, bad_n)
    month_counts = counts.sum(2)
    enough = month_counts[0].sum(1) >= MIN_MONTH_ROWS
    stability = (
        psi(total[:, None, :], month_counts[:, enough]) if enough.sum() > 1 else np.zeros((columns, 1))
    )
    value_good, value_bad = good_n[:, :VALUE_CODES], bad_n[:, :VALUE_CODES]
    area, distance = _ranking(value_good, value_bad)
    return {
        "missing": total[:, VALUE_CODES:].sum(1) / max(rows, 1),
        "distinct_bins": used,
        "iv": iv,
        "iv_net": iv - chance_information_value(used, float((~bad).sum()), float(bad.sum())),
        "auc": area,
        "ks": distance,
        "psi_max": stability.max(1),
        "psi_mean": stability.mean(1),
        "codes_woe": woe(good_n, bad_n).astype(np.float32),
    }


def _ranking(good: Any, bad: Any) -> tuple[Any, Any]:
    """AUC (over one half means risk rises with the value) and KS of ordered bins, over the rows with a value."""
    goods, bads = good.sum(1, keepdims=True), bad.sum(1, keepdims=True)
    below = np.cumsum(good, 1) - good
    with np.errstate(invalid="ignore", divide="ignore"):
        area = ((below + good / 2) * bad).sum(1) / (goods * bads)[:, 0]
        distance = np.abs(np.cumsum(good, 1) / goods - np.cumsum(bad, 1) / bads).max(1)
    none = ((goods == 0) | (bads == 0))[:, 0]
    return np.where(none, 0.5, area), np.where(none, 0.0, distance)


def _first_verdict(stats: dict[str, Any], limits: Screening) -> Any:
    verdict = np.full(stats["iv"].size, "kept", dtype="U8")
    verdict[stats["iv_net"] < limits.min_iv] = "weak"
    verdict[stats["psi_max"] > limits.max_psi] = "unstable"
    verdict[stats["missing"] > limits.max_missing] = "missing"
    verdict[stats["distinct_bins"] < 2] = "constant"
    return verdict


def _clusters(
    codes: Any,
    order: Any,
    weights: Any,
    limits: Screening,
    verdict: Any,
    cluster: Any,
    ids: Any,
    names: Sequence[str],
) -> list[int]:
    """Go through the columns by falling IV: join the first representative that is too alike, else become one.

    Likeness is the correlation of the weights of evidence, which is what the logistic regression will see.
    """
    leaders: list[int] = []
    step = max(1, -(-codes.shape[1] // CORRELATION_ROWS)) if codes.size else 1
    basis = np.empty((limits.keep, -(-codes.shape[1] // step) if codes.size else 0), np.float32)
    block = 128
    for start in range(0, order.size, block):
        part = order[start : start + block]
        seen = weights[part[:, None], codes[part][:, ::step]]
        seen -= seen.mean(1, keepdims=True)
        seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-12)
        within = np.abs(seen @ seen.T)
        before = len(leaders)
        with_leaders = np.abs(seen @ basis[:before].T)
        fresh: list[int] = []  # positions in this block that became leaders
        for p, candidate in enumerate(part):
            i = int(ids[candidate])
            alike = np.flatnonzero(with_leaders[p] > limits.max_correlation)
            near = [leaders[before + k] for k, q in enumerate(fresh) if within[p, q] > limits.max_correlation]
            if alike.size or near:
                verdict[i] = "cluster"
                cluster[i] = names[leaders[int(alike[0])] if alike.size else near[0]]
            elif len(leaders) < limits.keep:
                basis[len(leaders)] = seen[p]
                leaders.append(i)
                fresh.append(p)
            else:
                verdict[i] = "surplus"
    return leaders


def _nothing() -> dict[str, Any]:
    empty = {
        k: np.zeros(0)
        for k in ("missing", "distinct_bins", "iv", "iv_net", "auc", "ks", "psi_max", "psi_mean")
    }
    return {**empty, "codes_woe": np.zeros((0, CODES)), "verdict": np.zeros(0, dtype="U8")}


def _table(names: Sequence[str], columns: dict[str, Any], cluster: Any, verdict: Any) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame(
        {"variable": list(names), **columns, "cluster": list(cluster), "verdict": list(verdict)}
    )
    return frame.sort(["iv_net", "variable"], descending=[True, False])
