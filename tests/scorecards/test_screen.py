"""Screening: exact measures of quantised columns, honest verdicts, one representative a cluster."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from bluemirror.scorecards.cutting import quantile_edges
from bluemirror.scorecards.measures import auc, information_value, psi
from bluemirror.scorecards.screen import SILENCES, Chunk, screen, screen_streams
from bluemirror.scorecards.spec import Screening

LOOSE = Screening(max_missing=1, min_iv=-9, max_psi=99, max_correlation=1, keep=999)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    n = 3000
    base = random.normal(size=n)
    bad = random.random(n) < 1 / (1 + np.exp(2 - base))
    X = np.stack(
        [
            base,
            base + random.normal(size=n) * 0.05,  # a near twin
            -base + random.normal(size=n),
            np.floor(np.exp(base)),
            np.where(random.random(n) < 0.9, 0, random.integers(1, 4, n)),  # nine in ten are 0
            random.normal(size=n),
            np.full(n, 7.0),
            np.full(n, np.nan),
        ]
    ).astype(np.float32)
    X[2, random.random(n) < 0.2] = np.nan
    names = ("base", "twin", "noisy", "count", "rare", "noise", "constant", "empty")
    return names, X, bad, random.integers(0, 6, n)


def slow_iv(column, bad, reasons=None):
    """The information value of the same bins by polars, row by row decisions."""
    present = np.sort(column[~np.isnan(column)])
    edges = quantile_edges(present) if present.size else np.empty(0)
    labels = []
    for i, v in enumerate(column):
        missing = f"missing {0 if reasons is None else reasons[i]}"
        labels.append(missing if np.isnan(v) else str(int(np.sum(edges < v))))
    frame = (
        pl.DataFrame({"bin": labels, "bad": bad.astype(int)})
        .group_by("bin")
        .agg(pl.len(), pl.col("bad").sum())
    )
    return float(
        information_value(frame["len"].to_numpy() - frame["bad"].to_numpy(), frame["bad"].to_numpy())
    )


def test_information_value_is_exact(rows):
    names, X, bad, month = rows
    reasons = np.arange(X.shape[1]) % 3
    table = screen([Chunk(names, X, reasons)], bad, month, LOOSE).table
    for i, name in enumerate(names):
        found = table.filter(pl.col("variable") == name)["iv"][0]
        assert found == pytest.approx(slow_iv(X[i], bad, reasons), rel=1e-9, abs=1e-12), name


def test_auc_of_bins_is_close_to_the_exact_one_and_tells_the_direction(rows):
    names, X, bad, _ = rows
    table = screen([Chunk(names, X)], bad, None, LOOSE).table
    for i, name in enumerate(names[:6]):
        there = ~np.isnan(X[i])
        exact = auc(bad[there], X[i][there])
        assert table.filter(pl.col("variable") == name)["auc"][0] == pytest.approx(exact, abs=0.01)


def test_a_column_of_few_values_keeps_a_bin_for_the_frequent_one():
    edges = quantile_edges(np.sort(np.r_[np.full(50, -1.0), np.zeros(900), np.ones(50)]).astype(np.float32))
    codes = [int(np.sum(edges < v)) for v in (-1.0, 0.0, 1.0)]
    assert len(set(codes)) == 3


def test_stability_compares_each_month_with_all(rows):
    _, X, bad, month = rows
    shifted = X[:1].copy()
    shifted[0, month == 5] += 3
    table = screen([Chunk(("shifted",), shifted)], bad, month, LOOSE).table
    edges = quantile_edges(np.sort(shifted[0]))
    codes = np.searchsorted(edges, shifted[0], side="left")
    counts = [np.bincount(codes[month == m], minlength=20) for m in range(6)]
    expected = [float(psi(np.sum(counts, 0), c)) for c in counts]
    assert table["psi_max"][0] == pytest.approx(max(expected))
    assert table["psi_mean"][0] == pytest.approx(np.mean(expected))


def test_verdicts(rows):
    names, X, bad, month = rows
    X = X.copy()
    X[3, month == 2] = 99
    report = screen([Chunk(names, X)], bad, month, Screening(min_iv=0.02, max_psi=0.5, max_correlation=0.9))
    verdicts = dict(zip(report.table["variable"], report.table["verdict"], strict=True))
    assert verdicts == {
        "base": "kept",
        "twin": "cluster",
        "noisy": "kept",
        "count": "unstable",
        "rare": "weak",
        "noise": "weak",
        "constant": "constant",
        "empty": "constant",
    }
    assert report.table.filter(pl.col("variable") == "twin")["cluster"][0] == "base"
    assert report.kept == ("base", "noisy")
    assert "kept" in report._repr_html_()


def test_the_order_of_blocks_does_not_matter(rows):
    names, X, bad, month = rows
    one = screen([Chunk(names, X)], bad, month)
    other = screen([Chunk(names[4:], X[4:]), Chunk((), X[:0]), Chunk(names[:4], X[:4])], bad, month)
    assert one.kept == other.kept
    assert one.table.equals(other.table)


def test_missing_is_told_by_reason(rows):
    names, X, bad, _ = rows
    reasons = np.arange(X.shape[1]) % 5
    line = screen([Chunk(names, X, reasons)], bad).table.filter(pl.col("variable") == "noisy").to_dicts()[0]
    gone = np.isnan(X[2])
    for code, name in enumerate(SILENCES):
        assert line[name] == pytest.approx((gone & (reasons == code)).mean())
    assert line["missing"] == pytest.approx(gone.mean())


def test_threads_and_chunks_change_nothing(rows):
    names, X, bad, month = rows
    whole = screen([Chunk(names, X)], bad, month, threads=1)
    single = screen((Chunk((n,), x[None]) for n, x in zip(names, X, strict=True)), bad, month, threads=3)
    assert whole.table.equals(single.table)
    for threads in (1, 2, 3):
        streams = [iter([Chunk((n,), x[None]), Chunk((), X[:0])]) for n, x in zip(names, X, strict=True)]
        beside = screen_streams(streams, bad, month, threads=threads)
        assert whole.table.equals(beside.table)
        assert whole.kept == beside.kept


def test_an_error_while_reading_is_raised(rows):
    names, X, bad, _ = rows

    def broken():
        yield Chunk(names, X)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        screen(broken(), bad)


def test_surplus_is_bounded():
    random = np.random.default_rng(4)
    bad = random.random(2000) < 0.3
    X = (random.normal(size=(30, 2000)) + bad).astype(np.float32)
    report = screen([Chunk(tuple(f"v{i}" for i in range(30)), X)], bad, None, Screening(keep=10))
    assert len(report.kept) == 10
    assert report.counts == {"kept": 10, "surplus": 20}


def test_three_thousand_variables_in_seconds():
    random = np.random.default_rng(5)
    X = random.normal(size=(3000, 10_000)).astype(np.float32)
    bad = random.random(10_000) < 0.1
    started = time.process_time()
    screen(
        (Chunk(tuple(f"v{i}" for i in range(s, s + 300)), X[s : s + 300]) for s in range(0, 3000, 300)), bad
    )
    assert time.process_time() - started < 10  # two threads: half of it on the wall
