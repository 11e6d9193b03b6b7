"""The bank's dealings with its sources, as the spine declares them: calls, bills, and the applications they serve.

Which tables and columns hold them is the bank's to say; nothing here knows one by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluemirror.errors import FamilyError

OUTCOMES = ("hit", "no_hit", "error")
"""What a call can come to; every result of the ledger is one of them."""
KINDS = ("match", "mismatch", "timeout")
"""Results told apart within an outcome: a match and a mismatch are hits, a timeout is an error."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The call ledger: who was asked for whom, when, and with what result.

    Parameters
    ----------
    table, source, entity, time, result
        The table and its columns.
    outcomes
        Result -> one of :data:`OUTCOMES`.
    kinds
        Result -> one of :data:`KINDS`, for the results that are told apart.
    cost, cached, latency, request, application
        Further columns, None where the ledger has none: cost of the call, whether the bank's own copy answered,
        milliseconds until the answer, the source's own request id, the application it was made for.
    """

    table: str
    source: str
    entity: str
    time: str
    result: str
    outcomes: Mapping[str, str]
    kinds: Mapping[str, str] = field(default_factory=dict)
    cost: str | None = None
    cached: str | None = None
    latency: str | None = None
    request: str | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Bills:
    """What the sources charge: a line an invoice, source, month and class of results.

    Parameters
    ----------
    table, source, month, invoice, result, calls, price, amount
        The table and its columns: class of results, calls charged, unit price, amount.
    fee, correction
        Classes that are no results of calls: the monthly fee, and corrections.
    due_days
        Days after the end of a month by which its bill is expected.
    """

    table: str
    source: str
    month: str
    invoice: str
    result: str
    calls: str
    price: str
    amount: str
    fee: tuple[str, ...]
    correction: tuple[str, ...]
    due_days: int


@dataclass(frozen=True, slots=True)
class Applications:
    """What the calls were made for: the table of applications, its id and the states that mean approved."""

    table: str
    id: str
    status: str
    approved: tuple[str, ...]


def need(path: Path, at: Any, key: str, what: str) -> Any:
    """``at[key]``.

    Raises
    ------
    FamilyError
        If it is absent or empty.
    """
    if not isinstance(at, Mapping) or at.get(key) in (None, ""):
        raise FamilyError(
            f"{what} has no {key}",
            file=path,
            field=key,
            rule=f"{what} needs {key}",
            fix=f"add {key}:",
        )
    return at[key]


def _known(path: Path, body: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    import difflib

    for key in body:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            raise FamilyError(
                f"{what} does not know {key!r}",
                file=path,
                field=str(key),
                rule=f"{what} has {', '.join(known)}",
                fix=f"write {near[0]}" if near else "remove it",
            )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in (value if isinstance(value, list) else [value])) if value else ()


def read_calls(path: Path, body: Any) -> Calls | None:
    """The call ledger that the spine at ``path`` declares; None if it declares none.

    Raises
    ------
    FamilyError
        If it is incomplete, has a key that nobody reads, or a match that is no hit.
    """
    if body is None:
        return None
    needed = ("table", "source", "entity", "time", "result")
    optional = ("cost", "cached", "latency", "request", "application")
    asked = {key: str(need(path, body, key, "calls")) for key in needed}
    _known(path, body, (*needed, *OUTCOMES, *KINDS, *optional), "calls")
    outcomes = {value: outcome for outcome in OUTCOMES for value in _texts(body.get(outcome))}
    kinds = {value: kind for kind in KINDS for value in _texts(body.get(kind))}
    for value, kind in kinds.items():
        whole = "error" if kind == "timeout" else "hit"
        if outcomes.get(value) != whole:
            raise FamilyError(
                f"the result {value!r} is a {kind}, but no {whole}",
                file=path,
                field=f"calls.{kind}",
                rule="matches and mismatches are hits, timeouts are errors",
                fix=f"list {value} under {whole} too",
            )
    more = {key: str(body[key]) for key in optional if body.get(key)}
    return Calls(**asked, outcomes=outcomes, kinds=kinds, **more)


def read_bills(path: Path, body: Any) -> Bills | None:
    """The bills that the spine at ``path`` declares; None if it declares none.

    Raises
    ------
    FamilyError
        If they are incomplete, have a key that nobody reads, or due_days is no number of days.
    """
    if body is None:
        return None
    needed = ("table", "source", "month", "invoice", "result", "calls", "price", "amount")
    asked = {key: str(need(path, body, key, "bills")) for key in needed}
    _known(path, body, (*needed, "fee", "correction", "due_days"), "bills")
    due = body.get("due_days", 15)
    if not isinstance(due, int) or due < 0:
        raise FamilyError(
            f"due_days is {due!r}",
            file=path,
            field="bills.due_days",
            rule="due_days is a whole number of days, 0 or more",
            fix="write due_days: 15",
        )
    return Bills(
        **asked, fee=_texts(body.get("fee")), correction=_texts(body.get("correction")), due_days=due
    )


def read_applications(path: Path, body: Any) -> Applications | None:
    """The table of applications that the spine at ``path`` declares; None if it declares none.

    Raises
    ------
    FamilyError
        If it is incomplete or has a key that nobody reads.
    """
    if body is None:
        return None
    needed = ("table", "id", "status", "approved")
    asked = {key: need(path, body, key, "applications") for key in needed}
    _known(path, body, needed, "applications")
    return Applications(
        str(asked["table"]), str(asked["id"]), str(asked["status"]), _texts(asked["approved"])
    )
