"""From text to the contract's types."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from bluemirror.mart.cast import cast, tidy


def done(kind, *values, dtype=pl.String):
    column, failed = cast(tidy(pl.Series("x", values, dtype=dtype)), kind)
    return column.to_list(), [] if failed is None else failed.arg_true().to_list()


@pytest.mark.parametrize(
    ("kind", "given", "expected", "failed"),
    [
        ("string", [" a ", "", "--", "null", None], ["a", None, None, None, None], []),
        ("int", ["1", "1,234", "-5", "1.5", "x", "1,2"], [1, 1234, -5, None, None, None], [3, 4, 5]),
        ("float", ["1.5", "1e3", "nan", "inf", "x"], [1.5, 1000.0, None, None, None], [2, 3, 4]),
        (
            "amount",
            ["0.01", "1,234.56", "-3", "0.001", "x", "90071992547.35", "90071992547409.93", "-1e18"],
            [1, 123456, -300, None, None, 9007199254735, None, None],
            [3, 4, 6, 7],
        ),
        ("bool", ["true", "0", "Y", "no", "maybe"], [True, False, True, False, None], [4]),
        (
            "date",
            ["2024-02-29", "2023-02-29", "2024/01/01", "20240101", "0000-01-01", "-001-01-01", "9999-12-31"],
            [dt.date(2024, 2, 29), None, None, None, None, None, dt.date(9999, 12, 31)],
            [1, 2, 3, 4, 5],
        ),
        (
            "month",
            ["2024-02", "2024-13", "2024-02-01", "2024", "0000-12"],
            [dt.date(2024, 2, 1), None, None, None, None],
            [1, 2, 3, 4],
        ),
        (
            "timestamp",
            [
                "2024-01-02T03:04:05",
                "2024-01-02 03:04:05.5",
                "2024-01-02T03:04:05+08:00",
                "2024-01-02",
                "0000-01-02T03:04:05",
            ],
            [
                dt.datetime(2024, 1, 2, 3, 4, 5),
                dt.datetime(2024, 1, 2, 3, 4, 5, 500000),
                dt.datetime(2024, 1, 2, 3, 4, 5),
                None,
                None,
            ],
            [3, 4],
        ),
    ],
)
def test_text(kind, given, expected, failed):
    assert done(kind, *given) == (expected, failed)


def test_typed_columns():
    assert done("amount", 1, None, dtype=pl.Int64) == ([100, None], [])
    assert done("amount", 0.1, 0.2, dtype=pl.Float64) == ([10, 20], [])
    assert done("amount", 2**62, -(2**63), dtype=pl.Int64) == ([None, None], [0, 1])
    assert done("int", 1.0, 1.5, float("nan"), dtype=pl.Float64) == ([1, None, None], [1])
    assert done("string", 1, dtype=pl.Int64) == (["1"], [])
    assert done("bool", 1, 0, 2, dtype=pl.Int64) == ([True, False, None], [2])
    assert done("float", float("nan"), 2.0, dtype=pl.Float64) == ([None, 2.0], [])
