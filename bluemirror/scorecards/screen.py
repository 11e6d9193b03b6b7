"""Screening: one pass over every candidate variable on quantised columns, then one representative a cluster.

A column is cut once into at most ``BINS`` bins of about equal size (plus one for missing and one for each reason of
missing); everything else is counting those codes by month and label: information value, AUC, KS, the stability of
each month against the whole and of what is told in it, and suspicion of leaks. No row of the judging side comes near.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.clusters import clusters, sampled, worth
from bluemirror.scorecards.constancy import MIN_CASES, slopes, tells_late_only
from bluemirror.scorecards.cutting import CODES, MISSING_CODE, VALUE_CODES, cut
from bluemirror.scorecards.measures import chance_information_value, information_value, psi, woe
from bluemirror.scorecards.spec import Screening

if TYPE_CHECKING:
    import polars as pl

MIN_MONTH_ROWS = 50
SILENCES = ("undefined", "not_applicable", "not_queried", "no_hit", "error")
"""Columns of the report: shares of rows that are missing although the source answered, then by its reason."""

TOO_GOOD = "too good"
LATE_ONLY = "only where it came after the outcome"

VERDICTS = {
    "kept": "speaks for its cluster",
    "cluster": "too alike a better one",
    "surplus": "beyond the number kept",
    "weak": "tells too little",
    "turning": "does not tell the same in every month",
    "unstable": "its values move between months",
    "suspect": "may know the outcome",
    "missing": "hardly ever there",
    "constant": "hardly ever different",
}


@dataclass(frozen=True)
class Chunk:
    """Some columns of the training rows.

    ``values`` has shape (columns, rows), float32, NaN where null; ``reasons`` shape (rows,) holds why the chunk's
    source is silent (0 it answered, 1 to 4 as stored), or None; ``late`` shape (rows,) says of which rows the values
    came to the bank after the outcome was known, or is None.
    """

    names: tuple[str, ...]
    values: Any
    reasons: Any = None
    late: Any = None


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

    def cluster(self, name: str) -> pl.DataFrame:
        """The lines of the variables that ``name`` speaks for, itself first."""
        import polars as pl

        lines = self.table.filter(pl.col("cluster") == name)
        return lines.sort((pl.col("variable") != name), -pl.col("worth"))

    def __repr__(self) -> str:
        told = ", ".join(f"{n:,} {verdict}" for verdict, n in self.counts.items())
        return f"ScreenReport({self.table.height:,} variables x {self.rows:,} rows: {told})"

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        told = [{"verdict": v, "variables": n, "means": VERDICTS[v]} for v, n in self.counts.items()]
        title = f"Screening: {len(self.kept)} of {self.table.height:,} kept, {self.rows:,} rows"
        return html_table(title, told) + html_table("Variables", self.table.to_dicts())


def screen(
    chunks: Iterable[Chunk],
    bad: Any,
    month: Any = None,
    thresholds: Screening | None = None,
    threads: int = 2,
    costs: Mapping[str, float] | None = None,
) -> ScreenReport:
    """Screen the columns of ``chunks`` against ``bad``; see :func:`screen_streams`."""
    return screen_streams([chunks], bad, month, thresholds, threads, costs)


def screen_streams(
    streams: Sequence[Iterable[Chunk]],
    bad: Any,
    month: Any = None,
    thresholds: Screening | None = None,
    threads: int = 2,
    costs: Mapping[str, float] | None = None,
) -> ScreenReport:
    """Screen the columns of all ``streams`` against ``bad``.

    Parameters
    ----------
    streams
        Each gives columns of the training rows, a few hundred at a time. A stream is drawn from by one thread at a
        time, different streams by different threads: reading does not wait. Of variables that pass the gates the codes
        of at most 20,000 rows are kept (one byte each).
    bad
        Shape (rows,), 0 or 1, training rows only.
    month
        Shape (rows,), whole numbers; months with fewer than 50 rows are not compared. None: no stability.
    thresholds
        Limits; the IV compared is the one above chance (``iv_net``).
    costs
        Variable to yuan that its sources take for a query; without a price it is free.

    Returns
    -------
    ScreenReport
        Table columns: variable; verdict (see ``VERDICTS``) and cluster (the representative's name); suspicion; iv,
        iv_net (above chance), auc, ks over the rows with a value (AUC over one half: risk rises with the value);
        missing and its parts by reason; same (share of the most frequent value among the values), distinct_bins;
        psi_max, psi_mean (months against all); iv_month_min, iv_month_max (above chance, null with fewer than two
        months to judge), month_p (chance of the spread between months if there is none); cost, worth (what
        representatives are chosen by). Best ``iv_net`` first.
    """
    limits = thresholds or Screening()
    bad = np.asarray(bad).astype(bool)
    months = np.zeros(bad.size, np.int64) if month is None else np.unique(month, return_inverse=True)[1]
    some = sampled(bad.size)

    def measure(chunk: Chunk) -> tuple[tuple[str, ...], dict[str, Any], Any]:
        codes, stats = _statistics(chunk, bad, months)
        stats["cost"] = np.array([(costs or {}).get(n, 0.0) for n in chunk.names])
        stats["verdict"] = _first_verdict(stats, limits)
        return chunk.names, stats, codes[stats["verdict"] == "kept", some]

    parts = _in_order(streams, measure, threads)
    names = [n for part in parts for n in part[0]]
    if not names:
        return ScreenReport(_table(_NO_NAMES, _nothing(), _NO_NAMES, _NO_NAMES), (), bad.size)
    columns = {k: np.concatenate([stats[k] for _, stats, _ in parts]) for k in parts[0][1]}
    codes = np.concatenate([c for _, _, c in parts])
    del parts
    verdict = columns.pop("verdict").astype(object)
    weights = columns.pop("codes_woe")
    columns["worth"] = worth(
        columns["iv_net"], columns["psi_max"], columns["missing"], columns["cost"], limits
    )
    passed = np.flatnonzero(verdict == "kept")
    order = np.lexsort((np.array(names, dtype=str)[passed], -columns["worth"][passed]))
    found = clusters(codes, order.tolist(), weights[passed], limits.max_correlation, limits.keep)
    named = np.array(names, dtype=object)
    cluster = named.copy()
    spoken = found.leader_of >= 0
    cluster[passed[spoken]] = named[passed[found.leader_of[spoken]]]
    verdict[passed[spoken]] = "cluster"
    verdict[passed[~spoken]] = "surplus"
    leaders = passed[list(found.leaders)] if found.leaders else passed[:0]
    verdict[leaders] = "kept"
    return ScreenReport(_table(named, columns, cluster, verdict), tuple(named[leaders]), bad.size)


def _in_order(streams: Sequence[Iterable[Chunk]], measure: Any, threads: int) -> list[Any]:
    """``measure`` of every chunk that has columns, in their order.

    Each thread begins at another stream, goes round all of them, and so helps with what others have not finished.
    """
    drawn = [(iter(stream), Lock()) for stream in streams]
    found: dict[tuple[int, int], Any] = {}
    numbers = [0] * len(drawn)

    def work(first: int) -> None:
        for step in range(len(drawn)):
            place = (first + step) % len(drawn)
            stream, lock = drawn[place]
            while True:
                with lock:
                    chunk = next(stream, None)
                    numbers[place] += 1
                    number = numbers[place]
                if chunk is None:
                    break
                if chunk.names:
                    found[place, number] = measure(chunk)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, len(drawn) * t // threads) for t in range(threads)]:
            done.result()
    return [one for _, one in sorted(found.items(), key=lambda item: item[0])]


def _statistics(chunk: Chunk, bad: Any, months: Any) -> tuple[Any, dict[str, Any]]:
    """Codes (columns, rows), and the measures of each column."""
    rows = bad.size
    parts = int(months.max()) + 1 if rows else 1
    late = np.zeros(rows, bool) if chunk.late is None else np.asarray(chunk.late, bool)
    silent = np.full(rows, MISSING_CODE, np.uint8)
    if chunk.reasons is not None:
        silent += np.asarray(chunk.reasons).astype(np.uint8)
    cell = ((late * parts + months) * 2 + bad).astype(np.int32)
    values = np.ascontiguousarray(chunk.values, np.float32)
    codes, counted, most = cut(values, silent, cell, 4 * parts)
    counts = counted.reshape(len(chunk.names), 2, parts, 2, CODES).astype(float)
    by_month = counts.sum(1)
    by_label = by_month.sum(1)
    good, bads = by_label[:, 0], by_label[:, 1]
    total = good + bads
    weights = woe(good, bads)
    iv = information_value(good, bads)
    used = (total > 0).sum(1)
    present = total[:, :VALUE_CODES].sum(1)
    area, distance = _ranking(good[:, :VALUE_CODES], bads[:, :VALUE_CODES])
    stats = {
        "iv": iv,
        "iv_net": iv - chance_information_value(used, float((~bad).sum()), float(bad.sum())),
        "auc": area,
        "ks": distance,
        "missing": 1 - present / max(rows, 1),
        **{name: total[:, VALUE_CODES + i] / max(rows, 1) for i, name in enumerate(SILENCES)},
        "same": most / np.maximum(present, 1),
        "distinct_bins": used,
        "enough": (by_label[:, :, :VALUE_CODES].sum(2) >= MIN_CASES).all(1),
        **_by_month(by_month, total, weights),
        "codes_woe": weights.astype(np.float32),
    }
    halves = counts.sum(2)
    stats["late_only"] = (
        tells_late_only(slopes(halves[:, :, 0], halves[:, :, 1], weights))
        if late.any()
        else np.zeros(len(chunk.names), bool)
    )
    return codes, stats


def _by_month(by_month: Any, total: Any, weights: Any) -> dict[str, Any]:
    """Stability of the columns: of values, and of what they tell."""
    columns = len(by_month)
    sizes = by_month[0].sum((1, 2)) if columns else np.zeros(by_month.shape[1])
    enough = sizes >= MIN_MONTH_ROWS
    stability = (
        psi(total[:, None, :], by_month[:, enough].sum(2)) if enough.sum() > 1 else np.zeros((columns, 1))
    )
    told = slopes(by_month[:, :, 0], by_month[:, :, 1], weights)
    labels = by_month[0].sum(2) if columns else np.zeros((by_month.shape[1], 2))
    judged = (labels >= MIN_CASES).all(1)
    lowest = highest = np.full(columns, np.nan)
    if judged.sum() > 1:
        good, bad = by_month[:, judged, 0], by_month[:, judged, 1]
        chance = ((good + bad > 0).sum(2) - 1) * (1 / labels[judged]).sum(1)
        monthly = information_value(good, bad) - chance
        lowest, highest = monthly.min(1), monthly.max(1)
    return {
        "psi_max": stability.max(1),
        "psi_mean": stability.mean(1),
        "iv_month_min": lowest,
        "iv_month_max": highest,
        "month_p": told.homogeneity(),
        "least_slope": told.least,
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
    """The gravest finding of each column; "kept" without one. Turns the flags in ``stats`` into ``suspicion``."""
    strength = np.maximum(stats["auc"], 1 - stats["auc"])
    good = (stats["iv_net"] > limits.max_iv) | ((strength > limits.max_auc) & stats.pop("enough"))
    suspicion = np.full(good.size, None, object)
    suspicion[good] = TOO_GOOD
    suspicion[stats.pop("late_only")] = LATE_ONLY
    stats["suspicion"] = suspicion
    turning = (stats["month_p"] < limits.min_month_p) & (stats.pop("least_slope") < limits.min_month_slope)
    verdict = np.full(good.size, "kept", dtype="U8")
    verdict[stats["iv_net"] < limits.min_iv] = "weak"
    verdict[turning] = "turning"
    verdict[stats["psi_max"] > limits.max_psi] = "unstable"
    verdict[suspicion != None] = "suspect"  # noqa: E711 (element by element)
    verdict[stats["missing"] > limits.max_missing] = "missing"
    few = (stats["same"] >= limits.max_same) & (stats["missing"] < 1 - limits.max_same)
    verdict[(stats["distinct_bins"] < 2) | few] = "constant"
    return verdict


_NO_NAMES = np.zeros(0, object)
_MEASURES = (
    "iv",
    "iv_net",
    "auc",
    "ks",
    "missing",
    *SILENCES,
    "same",
    "distinct_bins",
    "psi_max",
    "psi_mean",
)
_OTHERS = ("iv_month_min", "iv_month_max", "month_p", "cost", "worth")


def _nothing() -> dict[str, Any]:
    return {"suspicion": _NO_NAMES, **{k: np.zeros(0) for k in (*_MEASURES, *_OTHERS)}}


def _table(names: Any, columns: dict[str, Any], cluster: Any, verdict: Any) -> pl.DataFrame:
    import polars as pl

    texts = {"variable": names, "verdict": verdict, "cluster": cluster, "suspicion": columns["suspicion"]}
    frame = pl.DataFrame(
        {
            **{k: pl.Series(list(v), dtype=pl.String) for k, v in texts.items()},
            **{k: columns[k] for k in (*_MEASURES, *_OTHERS)},
        }
    ).with_columns(pl.col("iv_month_min", "iv_month_max").fill_nan(None))
    return frame.sort(["iv_net", "variable"], descending=[True, False])
