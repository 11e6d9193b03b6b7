"""Calls, bills and applications as the spine declares them: read whole, and helped with where written wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.errors import FamilyError
from bluemirror.variables.dealings import read_applications, read_bills, read_calls
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace

PATH = Path("spine.yaml")
CALLS = {
    "table": "t",
    "source": "s",
    "entity": "e",
    "time": "at",
    "result": "r",
    "hit": ["yes"],
    "error": ["no"],
}
BILLS = {
    "table": "t", "source": "s", "month": "m", "invoice": "i", "result": "r", "calls": "c", "price": "p", "amount": "a",
}  # fmt: skip


def test_the_flagship_declares_all_three(repository):
    spine = read_spine(Workspace.open(repository))
    assert spine.calls is not None
    assert spine.calls.outcomes["mismatch"] == "hit"
    assert spine.calls.kinds == {"match": "match", "mismatch": "mismatch", "timeout": "timeout"}
    assert spine.bills is not None
    assert spine.bills.due_days == 15
    assert spine.applications is not None
    assert spine.applications.approved == ("approved",)


def test_what_is_not_declared_is_none():
    assert read_calls(PATH, None) is None
    assert read_bills(PATH, None) is None
    assert read_applications(PATH, None) is None


def test_one_value_may_stand_without_brackets():
    calls = read_calls(PATH, CALLS | {"no_hit": "none"})
    assert calls is not None
    assert calls.outcomes == {"yes": "hit", "no": "error", "none": "no_hit"}
    applications = read_applications(PATH, {"table": "t", "id": "i", "status": "s", "approved": "yes"})
    assert applications is not None
    assert applications.approved == ("yes",)


@pytest.mark.parametrize(
    ("read", "body", "text", "fix"),
    [
        (read_calls, {**CALLS, "time": None}, "calls has no time", "add time:"),
        (read_calls, {**CALLS, "latncy": "ms"}, "calls does not know 'latncy'", "write latency"),
        (read_calls, {**CALLS, "match": ["maybe"]}, "is a match, but no hit", "list maybe under hit too"),
        (
            read_calls,
            {**CALLS, "timeout": ["slow"]},
            "is a timeout, but no error",
            "list slow under error too",
        ),
        (read_bills, {**BILLS, "amount": ""}, "bills has no amount", "add amount:"),
        (read_bills, {**BILLS, "due_days": "soon"}, "due_days is 'soon'", "write due_days: 15"),
        (read_bills, {**BILLS, "fees": ["x"]}, "bills does not know 'fees'", "write fee"),
        (
            read_applications,
            {"table": "t", "id": "i", "status": "s"},
            "applications has no approved",
            "add approved:",
        ),
        (read_applications, "own_apply", "applications has no table", "add table:"),
    ],
)
def test_what_is_written_wrongly(read, body, text, fix):
    with pytest.raises(FamilyError, match=text) as error:
        read(PATH, body)
    assert fix in str(error.value)
    assert "spine.yaml" in str(error.value)
