"""The days that the figures of a scorecard look at, seen from its as-of day; first days are included."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from bluemirror.clock import ONE_DAY, add_months, day_end, month_start

RECENT_DAYS = 7
"""A week: every day of the week once, and enough calls to tell a shift from noise."""
BASELINE_DAYS = 56
"""The eight weeks before that week: what is usual."""
MONTH_DAYS = 28
"""Four weeks: rates and costs that do not jump with the number of weekends."""
OVERLAP_DAYS = 90
"""How far back persons asked at two sources are compared."""
SERIES_DAYS = 91
"""Thirteen weeks of trend."""
BILLED_MONTHS = 3
"""Closed months whose bills are held against the ledger; older ones are settled."""


@dataclass(frozen=True)
class Windows:
    """First days of the windows that end on ``as_of``."""

    as_of: dt.date

    @property
    def end(self) -> dt.datetime:
        """Last moment of the as-of day: what is known later does not count."""
        return day_end(self.as_of)

    def last(self, days: int) -> dt.date:
        """First of the last ``days`` days."""
        return self.as_of - (days - 1) * ONE_DAY

    @property
    def recent(self) -> dt.date:
        """First day of the recent week."""
        return self.last(RECENT_DAYS)

    @property
    def baseline(self) -> dt.date:
        """First day of the weeks that the recent one is compared with."""
        return self.last(RECENT_DAYS + BASELINE_DAYS)

    @property
    def month(self) -> dt.date:
        """First day of the as-of day's month."""
        return month_start(self.as_of)

    @property
    def billed(self) -> dt.date:
        """First day of the first month whose bill is looked at."""
        return add_months(self.month, -BILLED_MONTHS)

    @property
    def ledger(self) -> dt.date:
        """First day of the ledger that any window needs."""
        return min(self.last(SERIES_DAYS), self.billed)
