"""Notes and statements on parts of a report (the segments Z), and on the report itself (PG01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.pboc_tree import Segment, Unit
from simulator.timeline import START, month_end

TEXT = {
    "1": "样例异议标注", "2": "样例特殊标注", "3": "样例本人声明", "4": "样例机构说明", "5": "样例征信中心说明"
}  # fmt: skip
OBJECTS = (("1", "1"), ("2", "201"), ("2", "202"), ("2", "203"), ("2", "204"))
"""What a statement is about: the report, or its block of identity, marriage, residence, occupation."""
LATEST, SOON = 50, 9
"""Months within which a note is made, on an account and on a public record."""


@dataclass(frozen=True)
class Notes:
    """The notes of the reports of one month.

    Parameters
    ----------
    month
        Of the reports.
    shares
        Share of the parts of a unit that carry a note; a unit that is not named carries as many as ``records``.
    disputed
        A dispute is settled, and its note gone, after so many months.
    """

    month: int
    shares: Mapping[str, float]
    disputed: int

    def on(self, unit: str, luck: float, opened: int) -> Segment:
        """Segment Z of a unit that began in month ``opened``; ``luck`` is an even draw that stays with it."""
        name = f"{unit}Z"
        share = self.shares.get(unit, self.shares["records"])
        # the upper end, because the lower one often means something else for the same draw
        if luck < 1 - share:
            return Segment(name)
        row = self._note((luck - 1 + share) / share, opened, LATEST if unit in self.shares else SOON)
        return Segment(name, (1,), [row]) if row else Segment(name)

    def statements(self, luck: float, share: float) -> list[Unit]:
        """Units PG01 of a person; ``share`` of the people ever make a statement."""
        if luck >= share:
            return []
        at = luck / share
        row = self._note(at, START - 30, LATEST)
        if row is None:
            return []
        kind, number = OBJECTS[int(at * 7) % 5]
        rows = [row] if at < 0.8 else [row, ("5", TEXT["5"], row[2])]
        return [[Segment("PG01", (kind, number, len(rows)), rows)]]

    def _note(self, luck: float, opened: int, months: int) -> tuple[str, str, str] | None:
        """Type, text and day of a note made within so many ``months``, if it is there."""
        at = luck * 1000 % 1
        kind = "1" if at < 0.25 else "3" if at < 0.6 else "2" if at < 0.75 else "4" if at < 0.9 else "5"
        added = max(opened + 1, START - 20) + int(luck * months)
        if added >= self.month or (kind == "1" and self.month - added > self.disputed):
            return None
        return kind, TEXT[kind], month_end(added)
