"""Made-up instalments, so that the workspace runs before a real source arrives. Plain Python, no library needed.

Every borrower owes one instalment on the 5th of each month. What became of it is sent at the end of the month
after, which is when the bank knows it.
"""

import csv
import datetime as dt
import json
import random
from pathlib import Path

FIRST_MONTH = dt.date(2024, 1, 1)
HEADER = ("loan_id", "person_id", "due_date", "amount_due", "amount_paid", "days_late", "channel")


def land(workspace, *, customers=3000, months=24, seed=7):
    """Write one delivery a month below ``workspace.landing``; a complete one is left as it is."""
    states = [Borrower(number, seed) for number in range(customers)]
    written = 0
    for month in range(months):
        due = add_months(FIRST_MONTH, month).replace(day=5)
        rows = [borrower.pay(due) for borrower in states]
        folder = Path(workspace.landing) / "loan_instalment" / f"{month_end(add_months(due, 1)):%Y-%m-%d}"
        if (folder / "_DONE.json").is_file():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "instalments.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(HEADER)
            writer.writerows(rows)
        # The file that completes a delivery is written last and counts the rows.
        done = {"files": {"instalments.csv": {"rows": len(rows)}}}
        (folder / "_DONE.json").write_text(json.dumps(done), encoding="utf-8")
        written += 1
    return {"deliveries": written}


class Borrower:
    """Pays late when strained; strain comes and goes, and some people are strained more often."""

    def __init__(self, number, seed):
        self.random = random.Random(seed * 1_000_003 + number)
        self.loan_id, self.person_id = f"L{number:05d}", f"P{number:05d}"
        self.amount = round(self.random.uniform(300, 3000), 2)
        self.frailty = self.random.gauss(0, 0.7)
        self.strain = self.random.gauss(self.frailty, 1)
        self.channel = self.random.choice(("app", "branch", "partner"))

    def pay(self, due):
        """One instalment: loan, person, day, amounts, days late, channel."""
        self.strain = 0.75 * self.strain + 0.25 * self.frailty + self.random.gauss(0, 0.6)
        late = 0
        if self.strain > 0.9:
            late = min(55, int(self.random.expovariate(1 / (8 + 14 * (self.strain - 0.9)))))
        paid = self.amount if late < 55 else round(self.amount * self.random.random(), 2)
        return (self.loan_id, self.person_id, due.isoformat(), self.amount, paid, late, self.channel)


def add_months(day, months):
    index = day.year * 12 + day.month - 1 + months
    return dt.date(index // 12, index % 12 + 1, day.day)


def month_end(day):
    return add_months(day.replace(day=1), 1) - dt.timedelta(days=1)
