"""Notes and statements on parts of a report (the segments Z), and on the report itself (PG01)."""

from __future__ import annotations

from simulator.pboc_tree import Segment, Unit
from simulator.timeline import START, month_end

SHARE = {"PD01": 0.01, "PD02": 0.008, "PD03": 0.04, "PE01": 0.015}
"""Share of the parts of a kind that carry a note [stated]; of public records ``RECORDS``."""
RECORDS = 0.08
DISPUTED_MONTHS = 6
"""A dispute is settled, and its note gone, after so many months [stated]."""
TEXT = {
    "1": "样例异议标注", "2": "样例特殊标注", "3": "样例本人声明", "4": "样例机构说明", "5": "样例征信中心说明"
}  # fmt: skip


def notes(unit: str, luck: float, opened: int, month: int) -> Segment:
    """Segment Z of a unit.

    Parameters
    ----------
    luck
        An even draw that stays with the part.
    opened, month
        Month in which the part began, and month of the report.
    """
    name = f"{unit}Z"
    share = SHARE.get(unit, RECORDS)
    # the upper end, because the lower one often means something else for the same draw
    if luck < 1 - share:
        return Segment(name)
    row = _note((luck - 1 + share) / share, opened, month, 50 if unit in SHARE else 9)
    return Segment(name, (1,), [row]) if row else Segment(name)


def _note(luck: float, opened: int, month: int, months: int) -> tuple[str, str, str] | None:
    """Type, text and day of a note made within so many ``months``, if it is there in ``month``."""
    at = luck * 1000 % 1
    kind = "1" if at < 0.25 else "3" if at < 0.6 else "2" if at < 0.75 else "4" if at < 0.9 else "5"
    added = max(opened + 1, START - 20) + int(luck * months)
    if added >= month or (kind == "1" and month - added > DISPUTED_MONTHS):
        return None
    return kind, TEXT[kind], month_end(added)


OBJECTS = (("1", "1"), ("2", "201"), ("2", "202"), ("2", "203"), ("2", "204"))
"""What a statement is about: the report, or its block of identity, marriage, residence, occupation."""


def statements(luck: float, share: float, month: int) -> list[Unit]:
    """Units PG01 of a person; ``share`` of the people ever make a statement."""
    if luck >= share:
        return []
    at = luck / share
    row = _note(at, START - 30, month, 50)
    if row is None:
        return []
    kind, number = OBJECTS[int(at * 7) % 5]
    rows = [row] if at < 0.8 else [row, ("5", TEXT["5"], row[2])]
    return [[Segment("PG01", (kind, number, len(rows)), rows)]]
