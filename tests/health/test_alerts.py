"""Who is told: a source, with what moved because of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl
import pytest

from bluemirror.health.alerts import LEAST_TOGETHER, NAMED, POPULATION, find_alerts
from bluemirror.health.tables import REASON_COLUMNS

NIGHT = dt.date(2025, 3, 31)


def _variables(*rows: tuple[str, bool, bool]) -> pl.DataFrame:
    """(source, moved within the week, moved from training) a variable."""
    return pl.DataFrame(
        [
            {
                "variable": f"{source}_v{number}",
                "source": source,
                "moved_week": week,
                "moved_training": training,
                "psi_week": 1.0 + number if week else 0.01,
                "psi_training": 0.9 if training else 0.01,
                "mean": 2.0,
                "training_mean": 1.0,
                "coverage": 0.5,
                "training_coverage": 0.5,
            }
            for number, (source, week, training) in enumerate(rows)
        ]
    )


def _blocks(shares: dict[str, tuple[Sequence[int], Sequence[int]]]) -> pl.DataFrame:
    """Source -> rows by reason last week, and now."""
    rows = []
    for source, (before, now) in shares.items():
        row: dict[str, object] = {"source": source}
        for prefix, counts in (("", now), ("week_", before), ("training_", before)):
            row |= {f"{prefix}{name}": count for name, count in zip(REASON_COLUMNS, counts, strict=True)}
        rows.append(row)
    return pl.DataFrame(rows)


def _alerts(variables: pl.DataFrame, blocks: pl.DataFrame | None = None, ledger: str = "") -> pl.DataFrame:
    names = variables["source"].unique()
    steady = dict.fromkeys(names, ((60, 0, 20, 20, 0), (61, 0, 19, 20, 0)))
    return find_alerts(
        NIGHT, variables, _blocks(steady) if blocks is None else blocks, pl.DataFrame(), ledger
    )


def test_nothing_moved_is_no_alert() -> None:
    assert not len(_alerts(_variables(("a", False, False), ("b", False, False))))
    assert not len(find_alerts(NIGHT, pl.DataFrame(), pl.DataFrame(), pl.DataFrame()))


def test_however_many_variables_moved_a_source_is_told_once() -> None:
    found = _alerts(_variables(*[("a", True, True)] * 40, ("b", False, False)))
    assert found["source"].to_list() == ["a"]
    row = found.row(0, named=True)
    assert (row["kind"], row["severity"], row["moved_week"], row["variables"]) == ("broke", "error", 40, 40)
    assert len(row["moved"]) == NAMED
    # The farthest first.
    assert row["moved"][0] == "a_v39"
    assert "40 of 40 variables moved against last week" in row["cause"]


@pytest.mark.parametrize(("moved", "severity"), [(1, "warn"), (3, "warn"), (4, "error")])
def test_a_fifth_of_the_variables_is_an_error(moved: int, severity: str) -> None:
    found = _alerts(_variables(*[("a", True, False)] * moved, *[("a", False, False)] * (20 - moved)))
    assert found["severity"].to_list() == [severity]


@pytest.mark.parametrize(("moved", "told"), [(3, 0), (4, 1)])
def test_drift_alone_is_told_from_a_fifth_on(moved: int, told: int) -> None:
    found = _alerts(_variables(*[("a", False, True)] * moved, *[("a", False, False)] * (20 - moved)))
    assert len(found) == told
    assert found["kind"].to_list() == ["drifted"] * told
    assert found["severity"].to_list() == ["warn"] * told


def test_a_source_that_falls_silent_is_told_so() -> None:
    shares = {"a": ((60, 0, 20, 20, 0), (0, 0, 20, 80, 0)), "b": ((60, 0, 20, 20, 0), (58, 0, 22, 20, 0))}
    found = _alerts(_variables(("a", True, True), ("b", True, False), ("b", False, False)), _blocks(shares))
    kinds = dict(zip(found["source"], found["kind"], strict=True))
    assert kinds == {"a": "silent", "b": "broke"}
    cause = found.filter(pl.col("source") == "a")["cause"][0]
    assert "answered 60% to 0%" in cause
    assert "no hit 20% to 80%" in cause


def test_variables_across_sources_are_told_with_the_one_that_moved() -> None:
    found = _alerts(
        _variables(("a", True, True), ("a+b", True, True), ("b+a", True, False), ("b", False, False))
    )
    assert found["source"].to_list() == ["a"]
    assert found["together"].to_list() == [["a+b", "b+a"]]


def test_variables_across_sources_stand_alone_if_neither_moved() -> None:
    found = _alerts(_variables(("a", False, False), ("b", False, False), ("a+b", True, True)))
    assert found["source"].to_list() == ["a+b"]


def test_the_ledger_is_told_with_who_fell_silent() -> None:
    shares = {"a": ((60, 0, 20, 20, 0), (0, 0, 20, 80, 0)), "calls": ((100, 0, 0, 0, 0), (100, 0, 0, 0, 0))}
    variables = _variables(("a", True, True), ("calls", True, False), ("calls", False, False))
    assert _alerts(variables, _blocks(shares), "calls")["source"].to_list() == ["a"]
    # Nobody fell silent: the ledger itself is what moved.
    assert sorted(_alerts(variables, None, "calls")["source"]) == ["a", "calls"]


def test_half_of_the_sources_at_once_is_one_alert() -> None:
    moved = [(f"s{number}", True, True) for number in range(LEAST_TOGETHER)]
    still = [(f"t{number}", False, False) for number in range(LEAST_TOGETHER)]
    found = _alerts(_variables(*moved, *still))
    assert found["source"].to_list() == [POPULATION]
    assert sorted(found["together"][0]) == sorted(name for name, _, _ in moved)
    # One fewer than half, and each is told by itself.
    found = _alerts(_variables(*moved, *still, ("u", False, False)))
    assert len(found) == LEAST_TOGETHER


def test_an_alert_that_goes_on_keeps_its_first_night() -> None:
    variables = _variables(("a", True, True))
    first = _alerts(variables)
    steady = _blocks({"a": ((60, 0, 20, 20, 0), (61, 0, 19, 20, 0))})
    later = find_alerts(NIGHT + dt.timedelta(days=1), variables, steady, first)
    assert later["since"].to_list() == [NIGHT]
    assert later["as_of"].to_list() == [NIGHT + dt.timedelta(days=1)]
