"""A bill against ledger and prices: whatever was charged, the reasons add up to the difference."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluemirror.contracts import read_contract
from bluemirror.desk.bills import Expected, Line, check_bill
from bluemirror.variables.dealings import Bills
from tests.desk.declarations import PRICES, asked, declare

MONTH = dt.date(2025, 5, 1)
BILLS = Bills(
    "bill", "source", "month", "invoice", "what", "calls", "price", "amount", ("fee",), ("credit",), 15
)


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    root = tmp_path_factory.mktemp("bills") / "bank"
    declare(root, [asked("a_one", fee=50.0)])
    return read_contract(root / "data_contracts" / "a_one.odcs.yaml")


LINES = st.lists(
    st.builds(
        Line,
        invoice=st.sampled_from(["one", "two", "three"]),
        result=st.sampled_from(["hit", "no_hit", "error", "fee", "credit"]),
        calls=st.integers(0, 400),
        price=st.sampled_from([0.0, 0.1, 0.11, 1.0, 50.0]),
        amount=st.integers(-5_000, 50_000).map(lambda fen: fen / 100),
    ),
    max_size=8,
    unique_by=lambda line: (line.invoice, line.result),
)


@given(
    LINES,
    st.dictionaries(st.sampled_from(["hit", "no_hit", "error"]), st.integers(0, 400)),
    st.integers(0, 90),
)
def test_reasons_add_up_to_the_difference(contract, lines, outside, cached):
    check = check_bill(contract, BILLS, MONTH, Expected(outside, cached), lines)
    owed = sum(PRICES.get(result, 0.0) * count for result, count in outside.items()) + 50.0
    assert check.expected_yuan == pytest.approx(owed, abs=0.006)
    if not lines:
        assert check.billed_yuan is None
        assert check.agrees
        return
    assert check.billed_yuan == pytest.approx(sum(line.amount for line in lines), abs=0.006)
    assert sum(reason.yuan for reason in check.reasons) == pytest.approx(check.difference_yuan, abs=0.011)


FEE = Line("one", "fee", 1, 50.0, 50.0)


@pytest.mark.parametrize(
    ("lines", "reasons"),
    [
        ([Line("one", "hit", 100, 1.0, 100.0), FEE], {}),
        ([Line("one", "hit", 110, 1.0, 110.0), FEE], {"cached calls": 10.0}),
        ([Line("one", "hit", 130, 1.0, 130.0), FEE], {"cached calls": 20.0, "not in the ledger": 10.0}),
        ([Line("one", "hit", 100, 1.2, 120.0), FEE], {"price": 20.0}),
        ([Line("one", "hit", 100, 1.0, 101.0), FEE], {"arithmetic": 1.0}),
        (
            [Line("one", "hit", 100, 1.0, 100.0), Line("two", "hit", 100, 1.0, 100.0), FEE],
            {"charged twice": 100.0},
        ),
        ([Line("one", "hit", 60, 1.0, 60.0), Line("two", "hit", 40, 1.0, 40.0), FEE], {}),
        ([Line("one", "hit", 90, 1.0, 90.0), FEE], {"not billed": -10.0}),
        ([Line("one", "hit", 100, 1.0, 100.0)], {"not billed": -50.0}),
        (
            [Line("one", "hit", 100, 1.0, 100.0), FEE, Line("one", "credit", 0, 0.0, -7.5)],
            {"correction": -7.5},
        ),
        ([Line("one", "hit", 100, 1.0, 100.0), FEE, Line("one", "error", 8, 0.5, 4.0)], {"price": 4.0}),
    ],
)
def test_each_reason_is_called_by_its_name(contract, lines, reasons):
    check = check_bill(contract, BILLS, MONTH, Expected({"hit": 100, "error": 8}, 20), lines)
    assert {reason.kind: reason.yuan for reason in check.reasons} == pytest.approx(reasons)


def test_a_small_difference_agrees_and_a_missing_bill_is_overdue_after_its_days(contract):
    expected = Expected({"hit": 1000}, 0)
    near = check_bill(contract, BILLS, MONTH, expected, [Line("one", "hit", 1004, 1.0, 1004.0), FEE])
    assert near.agrees
    off = check_bill(contract, BILLS, MONTH, expected, [Line("one", "hit", 1010, 1.0, 1010.0), FEE])
    assert not off.agrees
    none = check_bill(contract, BILLS, MONTH, expected, [])
    assert none.due == dt.date(2025, 6, 15)
    assert not none.overdue(dt.date(2025, 6, 15))
    assert none.overdue(dt.date(2025, 6, 16))
