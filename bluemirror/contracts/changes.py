"""Two versions of a contract compared: what breaks, what goes on, and what the version number must say."""

from __future__ import annotations

from collections.abc import Iterator

from bluemirror.contracts.change import (
    BREAKING,
    COMPATIBLE,
    MEANS,
    MINOR,
    PATCH,
    REFUSED,
    WORDING,
    Change,
    Comparison,
    worst_first,
)
from bluemirror.contracts.model import Contract, Landing
from bluemirror.contracts.table_changes import tables_changes
from bluemirror.errors import ContractError


def compare(old: Contract, new: Contract) -> Comparison:
    """All differences between two versions of the contract of one source.

    Raises
    ------
    ContractError
        If the contracts are of two sources.
    """
    if old.source != new.source:
        raise ContractError(
            f"{old.source!r} and {new.source!r} are two sources",
            file=new.path,
            field="id",
            rule="two versions of one source's contract are compared",
            fix="a source that is called otherwise is a new one: keep the old contract beside it",
        )
    changes = worst_first([*_source(old, new), *tables_changes(old, new)])
    return Comparison(old.source, old.version, new.version, changes)


def _source(old: Contract, new: Contract) -> Iterator[Change]:
    yield from _members("stage", old.stages, new.stages, "variables of the source are refused in its models")
    yield from _members(
        "format",
        old.landing.formats,
        new.landing.formats,
        "files in it, as they came until now, are held back",
    )
    if old.landing.complete != new.landing.complete:
        before, after = old.landing.complete, new.landing.complete
        reason = "deliveries completed as until now would wait for ever"
        yield Change("completing file changed", "landing", BREAKING, before, after, reason, REFUSED)
    yield from _tree(old.landing, new.landing)
    if old.answer_valid_days != new.answer_valid_days:
        before, after = (str(days or "") for days in (old.answer_valid_days, new.answer_valid_days))
        reason = "which answers count for an observation would change for the past too"
        yield Change("answerValidDays changed", "source", BREAKING, before, after, reason, MEANS)
    yield from _prices(old, new)
    terms = (
        ("status", old.status, new.status),
        ("legalBasis", old.legal_basis, new.legal_basis),
        ("authorisation", old.authorisation, new.authorisation),
        ("lateness", _lateness(old), _lateness(new)),
        ("monthlyFee", f"{old.monthly_fee:g}", f"{new.monthly_fee:g}"),
        ("slaProperties", _levels(old), _levels(new)),
    )
    for what, before, after in terms:
        if before != after:
            reason = "terms change, the rows do not"
            yield Change(f"{what} changed", "source", COMPATIBLE, before, after, reason, MINOR)
    words = (
        ("name", old.name_en, new.name_en),
        ("nameZh", old.name_zh, new.name_zh),
        ("domain", old.domain, new.domain),
        ("purpose", old.purpose, new.purpose),
        ("limitations", old.limitations, new.limitations),
        ("usage", old.usage, new.usage),
    )
    for what, before, after in words:
        if before != after:
            yield Change(f"{what} changed", "source", WORDING, before, after, "people read it", PATCH)


def _tree(old: Landing, new: Landing) -> Iterator[Change]:
    """Other serialisations of the tree."""
    before, after = ({dialect.name: dialect for dialect in one.dialects} for one in (old, new))
    yield from _members("dialect", tuple(before), tuple(after), "documents in it, as they came, are not read")
    moved = [name for name in before if name in after and before[name] != after[name]]
    if old.relational and new.relational and old.relational != new.relational:
        moved.append("relational")
    for name in moved:
        reason = "records written as until now are looked for elsewhere"
        yield Change("serialisation changed", f"landing.{name}", BREAKING, "", "", reason, REFUSED)


def _members(what: str, old: tuple[str, ...], new: tuple[str, ...], lost: str) -> Iterator[Change]:
    gone, fresh = [one for one in old if one not in new], [one for one in new if one not in old]
    if gone:
        yield Change(f"{what} removed", "source", BREAKING, ", ".join(gone), "", lost, REFUSED)
    if fresh:
        reason = "what went on until now goes on"
        yield Change(f"{what} added", "source", COMPATIBLE, "", ", ".join(fresh), reason, MINOR)


def _prices(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = (
        ", ".join(f"{result} {price:g}" for result, price in one.price_by_result.items())
        for one in (old, new)
    )
    if before == after:
        return
    if old.verifies != new.verifies:
        reason = "the call ledger's results of before and from now on are not the same words"
        yield Change("results changed", "priceByResult", BREAKING, before, after, reason, MEANS)
    else:
        reason = "terms change, the rows do not"
        yield Change("prices changed", "priceByResult", COMPATIBLE, before, after, reason, MINOR)


def _lateness(contract: Contract) -> str:
    return f"{contract.lateness.policy} after {contract.lateness.after_hours:g} hours"


def _levels(contract: Contract) -> str:
    return ", ".join(
        f"{level.property} {level.value}"
        + (f" to {level.upper}" if level.upper is not None else "")
        + (f" {level.unit}" if level.unit else "")
        for level in contract.sla
    )
