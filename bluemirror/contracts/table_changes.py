"""What changes when a table does: its kind, its times, its key, its rules."""

from __future__ import annotations

from collections.abc import Iterator

from bluemirror.contracts.change import (
    BREAKING,
    COMPATIBLE,
    MEANS,
    MINOR,
    PATCH,
    READERS,
    REFUSED,
    WORDING,
    Change,
)
from bluemirror.contracts.field_changes import field_changes
from bluemirror.contracts.model import Contract, Rule, Table, TimeRule

ALIKE = 0.5
"""Share of field names that two tables have in common when they are likely one."""


def tables_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Differences between the tables of two versions; likely renames are told as such."""
    before = {table.name: table for table in old.tables}
    after = {table.name: table for table in new.tables}
    gone = [table for name, table in before.items() if name not in after]
    fresh = [table for name, table in after.items() if name not in before]
    for was in gone:
        now = next((table for table in fresh if _alike(was, table)), None)
        if now is None:
            reason = "what reads it finds no row from now on"
            yield Change("table removed", was.name, BREAKING, was.description, "", reason, READERS)
            continue
        fresh.remove(now)
        reason = "what reads the old name finds no row from now on"
        yield Change("table renamed", was.name, BREAKING, was.name, now.name, reason, READERS)
        yield from _one(was, now, new)
    for table in fresh:
        reason = "nobody reads it yet"
        yield Change("table added", table.name, COMPATIBLE, "", table.description, reason, MINOR)
    for name, was in before.items():
        if name in after:
            yield from _one(was, after[name], new)


def _alike(was: Table, now: Table) -> bool:
    """Whether a removed and an added table are likely one: the same place, and many fields in common."""
    names, others = {field.name for field in was.fields}, {field.name for field in now.fields}
    return was.path == now.path and len(names & others) >= ALIKE * max(len(names), len(others))


def _one(was: Table, now: Table, new: Contract) -> Iterator[Change]:
    where = now.name
    for what, before, after in (
        ("kind", was.kind, now.kind),
        ("eventTime", _time(was.event_time), _time(now.event_time)),
        ("knownTime", _time(was.known_time), _time(now.known_time)),
        ("business key", ", ".join(was.business_key), ", ".join(now.business_key)),
        ("tombstone", " = ".join(was.tombstone or ()), " = ".join(now.tombstone or ())),
        ("validTo", was.valid_to or "", now.valid_to or ""),
        ("hit", _hit(was), _hit(now)),
    ):
        if before != after:
            reason = "which rows count for an observation, and from when, would change for the past too"
            yield Change(f"{what} changed", where, BREAKING, before, after, reason, MEANS)
    for what, before, after in (
        ("path", was.path, now.path),
        ("parent", was.parent or "", now.parent or ""),
    ):
        if before != after and not (what == "parent" and was.path == now.path):
            reason = "records carry its rows where they always did, and there they are no longer looked for"
            yield Change(f"{what} changed", where, BREAKING, before, after, reason, REFUSED)
    if was.event_time and now.event_time and was.event_time.ahead != now.event_time.ahead:
        yield _ahead(where, now)
    yield from field_changes(was, now, new.landing.formats)
    yield from _rules(where, was.rules, now.rules)
    if was.description != now.description:
        before, after = was.description, now.description
        yield Change("description changed", where, WORDING, before, after, "people read it", PATCH)


def _time(rule: TimeRule | None) -> str:
    """All of a time rule but whether it may lie ahead, which is a limit and no time."""
    if rule is None:
        return ""
    said = rule.field or f"{rule.rule} day"
    said += " at its end" if rule.at == "end" else ""
    said += f" plus {rule.plus_days} days" if rule.plus_days else ""
    return said + (f", else {rule.or_else}" if rule.or_else else "")


def _ahead(where: str, now: Table) -> Change:
    if now.event_time and now.event_time.ahead:
        reason = "every time of before is still good"
        return Change("eventTime may lie ahead", where, COMPATIBLE, "", "ahead", reason, MINOR)
    reason = "rows planned for later, which were good until now, would go to quarantine"
    return Change("eventTime may not lie ahead", where, BREAKING, "ahead", "", reason, REFUSED)


def _hit(table: Table) -> str:
    return f"{table.hit[0]} in {', '.join(table.hit[1])}" if table.hit else ""


def _rules(where: str, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    before, after = ({rule.name: rule for rule in rules} for rules in (old, new))
    for name, rule in before.items():
        if name not in after:
            yield _rule("rule removed", where, rule, COMPATIBLE)
    for name, rule in after.items():
        was = before.get(name)
        verdict = BREAKING if rule.severity == "error" else COMPATIBLE
        if was is None:
            yield _rule("rule added", where, rule, verdict)
        elif (was.severity, rule.severity) == ("warning", "error"):
            yield _rule("rule made an error", where, rule, BREAKING)
        elif (was.severity, rule.severity) == ("error", "warning"):
            yield _rule("rule made a warning", where, rule, COMPATIBLE)
        elif _asks(was) != _asks(rule):
            yield _rule("rule changed", where, rule, verdict)
        elif (was.note, was.dimension) != (rule.note, rule.dimension):
            yield Change("rule reworded", f"{where}.{name}", WORDING, "", "", "people read it", PATCH)


def _asks(rule: Rule) -> tuple[object, ...]:
    return rule.kind, rule.expression, rule.fields, rule.minimum, rule.maximum


def _rule(what: str, where: str, rule: Rule, verdict: str) -> Change:
    if verdict == BREAKING:
        reason = "records that break it, which were good until now, would go to quarantine"
        return Change(what, f"{where}.{rule.name}", BREAKING, "", rule.note or "", reason, REFUSED)
    reason = "no record is refused that was good until now"
    return Change(what, f"{where}.{rule.name}", COMPATIBLE, "", rule.note or "", reason, MINOR)
