"""One applicant as the landing files knew them at the moment of an application: every source, no code of the library."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

from tests.hand.customers import DAY, Customer
from tests.hand.landing_files import Record, at, many

Key = tuple[str, ...]
Time = Callable[[Record], dt.datetime | None]


def when(value: Any) -> dt.datetime | None:
    """A time or the first moment of a day or month, whether it stands as text or as a date."""
    if value is None or isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    return dt.datetime.fromisoformat(value if len(value) > 7 else f"{value}-01")


def end_of(day: Any) -> dt.datetime:
    """The last moment of a day."""
    return dt.datetime.combine(when(day).date(), dt.time.max)


def end_of_month(month: str) -> dt.datetime:
    """The last moment of a month written yyyy-mm."""
    first = when(month)
    following = (first + 31 * DAY).replace(day=1)
    return following - dt.timedelta(microseconds=1)


class Landed:
    """Every record of every source, found by any of its fields; records keep the order of delivery."""

    def __init__(self, raw: dict[str, list[Record]]) -> None:
        self.raw = raw
        self._found: dict[tuple[str, Any], dict[Any, list[Record]]] = {}

    def by(self, source: str, name: Any, read: Callable[[Record], Any], value: Any) -> list[Record]:
        """Records of ``source`` for which ``read`` gives ``value``; ``name`` tells one reading from another."""
        if (source, name) not in self._found:
            found: dict[Any, list[Record]] = {}
            for row in self.raw[source]:
                for one in read(row) if isinstance(read(row), set) else (read(row),):
                    found.setdefault(one, []).append(row)
            self._found[source, name] = found
        return self._found[source, name].get(value, [])

    def where(self, source: str, field: str, value: Any) -> list[Record]:
        """Records of ``source`` whose ``field`` is ``value``."""
        return self.by(source, field, lambda row: row[field], value)

    def versions(self, source: str, key: Key, row: Record) -> list[Record]:
        """Every record that tells of the same thing as ``row``."""
        return self.by(
            source, key, lambda one: tuple(one[name] for name in key), tuple(row[name] for name in key)
        )


class Applicant(Customer):
    """The applicant of one application at its moment, with the company if there is one."""

    def __init__(self, landed: Landed, apply_id: str) -> None:
        self.landed, self.apply_id = landed, apply_id
        told = [row for row in landed.where("own_apply", "apply_id", apply_id) if row["complete_ts"]]
        first = min(told, key=lambda row: row["updated_ts"])
        self.at = when(first["complete_ts"])
        self.person, self.device, self.ip = first["person_id"], first["device_id"], first["ip"]
        self.company = first["company_code"]
        self.states = self.known(
            "own_customer", landed.where("own_customer", "person_id", self.person),
            ("person_id", "valid_from"), "valid_from", "recorded_ts",
        )  # fmt: skip
        holding = [row for row in self.states if row["valid_to"] is None or when(row["valid_to"]) > self.at]
        self.master = max(holding, key=lambda row: when(row["valid_from"]))
        documents = landed.by(
            "pboc_person", "id", lambda row: at(row, "PRH/PA01/PA01B/PA01BI01"), self.master["id_no"]
        )
        self.report = self._newest(documents, lambda row: when(at(row, "PRH/PA01/PA01A/PA01AR01")))
        self.report_time = None if self.report is None else when(at(self.report, "PRH/PA01/PA01A/PA01AR01"))

    def id_no(self, form: str) -> str:
        """The identity number as a source hashes it."""
        return hashlib.new(form, self.master["id_no"].encode()).hexdigest()

    def phone(self, form: str) -> str:
        """The phone number as a source hashes it."""
        return hashlib.new(form, self.master["phone"].encode()).hexdigest()

    def code(self, form: str) -> str:
        """The company's code as a source hashes it."""
        return hashlib.new(form, self.company.encode()).hexdigest()

    # What was known ---------------------------------------------------------------------------------------------------

    def known(
        self, source: str, rows: list[Record], key: Key, event: str | Time, known: str | Time
    ) -> list[Record]:
        """Of ``rows`` those that had happened and were known, in the version then newest."""
        happened = (lambda row: when(row[event])) if isinstance(event, str) else event
        heard = (lambda row: when(row[known])) if isinstance(known, str) else known
        found = []
        for row in rows:
            versions = [one for one in self.landed.versions(source, key, row) if heard(one) <= self.at]
            # ``max`` gives the first of equals: turned around, the one delivered last.
            if versions and max(reversed(versions), key=heard) is row and happened(row) <= self.at:
                found.append(row)
        return sorted(found, key=happened)

    def answer(
        self,
        source: str,
        field: str,
        value: Any,
        days: int,
        hit: str = "hit",
        hits: tuple[str, ...] = ("1",),
    ) -> Record | None:
        """The newest answer that was known, if it still counts; ``{}`` if it found no record."""
        rows = self.known(
            source, self.landed.where(source, field, value), ("req_id",), "report_ts", "report_ts"
        )
        if not rows or self.at - when(rows[-1]["report_ts"]) >= days * DAY:
            # Nobody's answer, or too old: what the ledger says of the last call is all that is known.
            return {} if self.said(source) == "no_hit" else None
        return rows[-1] if rows[-1][hit] in hits else {}

    def asked(self) -> list[Record]:
        """Calls made about the person."""
        rows = self.landed.where("source_call", "person_id", self.person)
        return self.known("source_call", rows, ("call_id",), "request_ts", "response_ts")

    def said(self, source: str) -> str | None:
        """What the newest call to a source gave: a hit in the words of the ledger, nothing, or an error."""
        about = [row["result"] for row in self.asked() if row["source"] == source]
        return {"match": "hit", "mismatch": "hit"}.get(about[-1], about[-1]) if about else None

    def calls_to(self, source: str, days: int) -> list[Record]:
        """Calls to a source within ``days``, those of this application aside."""
        return [
            row
            for row in self.asked()
            if row["source"] == source
            and row["apply_id"] != self.apply_id
            and when(row["request_ts"]) > self.at - days * DAY
        ]

    def applications_by(self, field: str, value: Any) -> list[Record]:
        """Other applications with ``value`` in ``field``."""
        rows = self.known(
            "own_apply", self.landed.where("own_apply", field, value), ("apply_id",), "apply_ts", "updated_ts"
        )
        return [row for row in rows if row["op"] != "d" and row["apply_id"] != self.apply_id]

    def registers(self) -> list[Record]:
        """Entries of the register in which the person has a role, all that held so far."""
        mine = self.landed.by(
            "biz_reg",
            "roles",
            lambda row: {one["person_id_hash"] for one in row["roles"]},
            self.id_no("sha256"),
        )
        return self.known("biz_reg", mine, ("SHXYDM", "valid_from"), "valid_from", "report_ts")

    def enterprise(self) -> Record | None:
        """The newest report on the company, for 30 days."""
        rows = self.landed.by(
            "pboc_enterprise",
            "marks",
            lambda row: {at(one, "EA01CI01") for one in many(row, "EAA/EA01/EA01C/EA01CH")},
            self.company,
        )
        return self._newest(rows, lambda row: when(at(row, "EAA/EA01/EA01A/EA01AR01")))
