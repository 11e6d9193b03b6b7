"""What the landing files say about one application's customer, as far as it was known at that moment."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from tests.hand.landing_files import Record, at, day, many, moment

DAY = dt.timedelta(days=1)


def end_of_next_day(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date + DAY, dt.time.max)


def months_earlier(date: dt.date, months: int) -> dt.date:
    year, month = divmod(date.year * 12 + date.month - 1 - months, 12)
    return dt.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


def latest_versions(
    rows: Iterable[Record], key: Callable[[Record], Any], known: Callable[[Record], Any]
) -> list[Record]:
    """The last known version of each key; ``sorted`` keeps the order of delivery among equals."""
    newest: dict[Any, Record] = {}
    for row in sorted(rows, key=known):
        newest[key(row)] = row
    return list(newest.values())


def gaps(times: Iterable[dt.date]) -> list[float]:
    """Days between successive times."""
    ordered = sorted(times)
    return [(later - earlier) / DAY for earlier, later in itertools.pairwise(ordered)]


class Customer:
    """The applicant of one application at its moment: every list holds what was known then."""

    def __init__(self, raw: dict[str, list[Record]], apply_id: str) -> None:
        versions = [row for row in raw["own_apply"] if row["apply_id"] == apply_id and row["complete_ts"]]
        first = min(versions, key=lambda row: row["updated_ts"])
        self.apply_id, self.person = apply_id, first["person_id"]
        self.at = moment(first["complete_ts"])
        assert self.at is not None
        now = self.at
        masters = [
            row
            for row in raw["own_customer"]
            if row["person_id"] == self.person and moment(row["recorded_ts"]) <= now
        ]
        masters = latest_versions(masters, lambda row: row["valid_from"], lambda row: row["recorded_ts"])
        self.states = sorted(masters, key=lambda row: row["valid_from"])
        current = [
            row
            for row in self.states
            if moment(row["valid_from"]) <= now and (row["valid_to"] is None or moment(row["valid_to"]) > now)
        ][-1]
        md5 = hashlib.md5(current["id_no"].encode()).hexdigest()
        sha256 = hashlib.sha256(current["id_no"].encode()).hexdigest()
        self.applications = self._applications(raw, self.person)
        self.others = self._others(raw)
        self.transactions = [
            row
            for row in latest_versions(
                (
                    row
                    for row in raw["own_txn"]
                    if row["person_id"] == self.person and end_of_next_day(row["change_date"]) <= now
                ),
                lambda row: row["txn_id"],
                lambda row: row["change_date"],
            )
            if row["op"] != "d" and not row["reversal_flag"] and row["txn_ts"] <= now
        ]
        self.instalments = [
            row
            for row in latest_versions(
                (
                    row
                    for row in raw["own_repay"]
                    if row["person_id"] == self.person and end_of_next_day(row["snapshot_date"]) <= now
                ),
                lambda row: (row["loan_id"], row["term_no"]),
                lambda row: row["snapshot_date"],
            )
            if dt.datetime.combine(row["due_date"], dt.time()) <= now
        ]
        self.events = [
            row for row in raw["app_event"] if row["user_id"] == self.person and row["received_ts"] <= now
        ]
        self.sessions = sorted(
            (row for row in raw["device_fp"] if row["person_id"] == self.person and row["event_ts"] <= now),
            key=lambda row: row["event_ts"],
        )
        self.calls = [
            row
            for row in raw["source_call"]
            if row["person_id"] == self.person and moment(row["response_ts"]) <= now
        ]
        self.answer = self._newest(
            (row for row in raw["ml_apply"] if row["id_hash"] == md5), lambda row: moment(row["report_ts"])
        )
        self.overdue = [
            row
            for row in latest_versions(
                (
                    row
                    for row in raw["ml_overdue"]
                    if row["id_hash"] == sha256 and moment(row["report_ts"]) <= now
                ),
                lambda row: (row["org_masked"], row["first_overdue"]),
                lambda row: row["report_ts"],
            )
            if row["hit"] == "1"
        ]
        self.report = self._newest(
            (row for row in raw["pboc_person"] if at(row, "PRH/PA01/PA01B/PA01BI01") == current["id_no"]),
            lambda row: moment(at(row, "PRH/PA01/PA01A/PA01AR01")),
        )
        self.report_time = None if self.report is None else moment(at(self.report, "PRH/PA01/PA01A/PA01AR01"))

    def _newest(self, rows: Iterable[Record], time: Callable[[Record], Any]) -> Record | None:
        known = sorted((row for row in rows if time(row) <= self.at), key=time)
        return known[-1] if known and self.at - time(known[-1]) < 30 * DAY else None

    def _applications(self, raw: dict[str, list[Record]], person: str) -> list[Record]:
        versions = latest_versions(
            (
                row
                for row in raw["own_apply"]
                if row["person_id"] == person and moment(row["updated_ts"]) <= self.at
            ),
            lambda row: row["apply_id"],
            lambda row: row["updated_ts"],
        )
        return [
            row
            for row in versions
            if row["op"] != "d" and row["apply_id"] != self.apply_id and moment(row["apply_ts"]) <= self.at
        ]

    def _others(self, raw: dict[str, list[Record]]) -> list[Record]:
        """Applications of other people who used a device that this person used."""
        seen = [row for row in raw["device_fp"] if row["event_ts"] <= self.at]
        mine = {row["device_id"] for row in seen if row["person_id"] == self.person}
        people = {row["person_id"] for row in seen if row["device_id"] in mine} - {self.person}
        return [row for person in people for row in self._applications(raw, person)]

    # Pieces of the report and of the answers ------------------------------------------------------------------------

    def last_call(self, source: str) -> str | None:
        """What the newest call to a source gave."""
        about = [row for row in self.calls if row["source"] == source]
        return max(about, key=lambda row: row["request_ts"])["result"] if about else None

    def records(self, days: int | None = None, **wanted: Any) -> list[Record]:
        """Records of the multi-lender answer within ``days`` before it."""
        assert self.answer is not None
        end = moment(self.answer["report_ts"])
        return [
            row
            for row in self.answer["records"] or ()
            if (days is None or moment(row["apply_ts"]) > end - days * DAY)
            and all(row[name] in values for name, values in wanted.items())
        ]

    def accounts(self, *types: str) -> list[Record]:
        """Accounts of the report, of some types."""
        return [
            row for row in many(self.report, "PDA/PD01") if not types or at(row, "PD01A/PD01AD01") in types
        ]

    def opened(self, months: int, *types: str) -> list[Record]:
        """Accounts opened within ``months`` before the report."""
        start = months_earlier(self.report_time.date(), months)
        return [row for row in self.accounts(*types) if day(at(row, "PD01A/PD01AR01")) > start]

    def months(self, account: Record, window: int) -> list[tuple[int, str]]:
        """(months before the report, status) of an account's repayment record."""
        end = self.report_time.year * 12 + self.report_time.month
        found = []
        for row in many(account, "PD01E/PD01EH"):
            date = day(at(row, "PD01ER03"))
            back = end - (date.year * 12 + date.month)
            if back <= window:
                found.append((back, at(row, "PD01ED01")))
        return found

    def queries(
        self, months: int | None, reasons: Iterable[str] = (), orgs: Iterable[str] = ()
    ) -> list[Record]:
        """Query records within ``months`` before the report."""
        start = dt.date.min if months is None else months_earlier(self.report_time.date(), months)
        return [
            row
            for row in many(self.report, "POQ/PH01")
            if day(at(row, "PH010R01")) > start
            and (not reasons or at(row, "PH010Q03") in reasons)
            and (not orgs or at(row, "PH010D01") in orgs)
        ]
