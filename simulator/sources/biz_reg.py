"""The commercial register: asked for the company of an owner who wants a business loan, and a daily file of changes.

The file is about companies that were asked about, and those in which a customer has a part. Changes appear in it days
after they were approved; an answer has them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.companies import FORMS, Companies
from simulator.company_people import Role, party_id, party_name
from simulator.deliveries import ARRIVES, ORDER
from simulator.outside import Answer, AskedSource
from simulator.population import Population
from simulator.timeline import START, last_day
from simulator.world import World

POSITIONS = ("director", "supervisor", "manager")
WARES = (
    "日用百货",
    "食品",
    "服装鞋帽",
    "五金建材",
    "农副产品",
    "包装材料",
    "信息技术服务",
    "普通货运",
    "餐饮服务",
)
_TEXT, _DAY = pl.String, pl.Date
SCHEMA: dict[str, Any] = {
    "SHXYDM": _TEXT, "valid_from": _TEXT, "valid_to": _TEXT, "report_ts": _TEXT, "channel": _TEXT, "req_id": _TEXT,
    "ENTNAME": _TEXT, "FRDB": _TEXT, "legal_rep_id_hash": _TEXT, "ENTTYPE": _TEXT, "ENTSTATUS": _TEXT,
    "REGCAP": pl.Int64, "ESDATE": _TEXT, "APPRDATE": _TEXT, "INDUSTRYCODE": _TEXT, "REGORG": _TEXT, "DOM": _TEXT,
    "OPFROM": _TEXT, "OPTO": _TEXT, "OPSCOPE": _TEXT, "TEL": _TEXT, "shareholder_count": pl.Int64,
    "role_count": pl.Int64, "change_count": pl.Int64,
    "shareholders": pl.List(pl.Struct({
        "holder_type": _TEXT, "INV": _TEXT, "holder_id_hash": _TEXT, "holder_company_hash": _TEXT,
        "CONRATIO": pl.Float64, "SUBCONAM": pl.Float64, "CONDATE": _TEXT,
    })),
    "roles": pl.List(pl.Struct(
        dict.fromkeys(("PERNAME", "person_id_hash", "role", "POSITION", "since"), _TEXT)
    )),
    "changes": pl.List(pl.Struct(dict.fromkeys(("ALTITEM", "ALTBE", "ALTAF", "ALTDATE"), _TEXT))),
    "burdens": pl.List(pl.Struct({"burden_type": _TEXT, "amount": pl.Int64, "since": _TEXT, "until": _TEXT})),
    "listings": pl.List(pl.Struct(dict.fromkeys(("list_type", "reason", "since", "until"), _TEXT))),
    "annual_reports": pl.List(pl.Struct({
        "year": pl.Int64, "filed": _TEXT, "employees": pl.Int64, "assets": pl.Int64, "liabilities": pl.Int64,
        "equity": pl.Int64, "revenue": pl.Int64, "net_profit": pl.Int64, "tax_paid": pl.Int64,
    })),
}  # fmt: skip


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    unknown: float = 0.01
    """Share of the companies that the vendor does not find [stated: 99 of 100 are hits]."""
    published: int = 9
    """At most so many days after its approval a change stands in the file, at least 3 [stated]."""


class BizReg(AskedSource):
    """Entries of the commercial register."""

    name = "biz_reg"
    assumes = Assume
    prefix = "BR"
    latency = (500, 2000)
    entity = "company"
    plant = ("ENTSTATUS", "7", pl.col("channel") == "file")

    def begin(self, world: World) -> None:
        """The entries as they are at the start; nobody has seen them yet."""
        companies = world.companies
        kept = world.kept[self.name] = {"entries": {}, "followed": np.zeros(companies.size, bool)}
        for number in np.flatnonzero(companies.founded < START).tolist():
            kept["entries"][number] = _entry(companies, world.people, number)

    def wanted(self, asking: Asking) -> np.ndarray:
        """Owners who want a business loan."""
        return (
            asking.screened & asking.for_business & (asking.companies.founded[asking.company] <= asking.month)
        )

    def subject(self, asking: Asking) -> np.ndarray:
        """The company."""
        return asking.company

    def answer(self, asking: Asking) -> Answer:
        """The entry as it is on the day of the question."""
        world, companies = asking.world, asking.companies
        kept, register = world.kept[self.name], companies.register
        days = np.datetime_as_string(asking.at.astype("datetime64[D]")).tolist()
        lots = world.streams.lot("register knows", asking.company)
        entries: list[dict[str, Any] | None] = []
        for at, number in enumerate(asking.company.tolist()):
            entry = None
            if number >= 0 and lots[at] >= self.assume.unknown:
                new = register.news.get(number) or register.refreshed.get(number)
                if new is not None and new <= days[at]:
                    entry = _entry(companies, world.people, number)
                else:
                    entry = kept["entries"].get(number)
            entries.append(entry)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame | None:
            stamps = np.datetime_as_string(calls.response_ts, unit="ms").tolist()
            found = [at for at in which.tolist() if calls.result[at] == HIT]
            listed = [
                {**entries[at], "report_ts": stamps[at], "channel": "api", "req_id": calls.request[at]}
                for at in found
            ]
            kept["followed"][asking.company[found]] = True
            return _frame(listed) if listed else None

        return Answer(np.array([NO_HIT if entry is None else HIT for entry in entries], np.int64), rows)

    def live(self, world: World, month: int) -> None:
        """The month's file of changes, and the entries of companies that are followed from now on."""
        companies, people, register = world.companies, world.people, world.companies.register
        kept = world.kept[self.name]
        entries, before = kept["entries"], kept["followed"]
        followed = before | _of_customers(companies, ~np.isnat(world.master.since))
        lag = world.streams.of(self.name, month).integers(3, self.assume.published + 1, companies.size)
        sent: list[dict[str, Any]] = []
        for number, day in sorted((register.news | register.refreshed).items()):
            old, new = entries.get(number), _entry(companies, people, number)
            entries[number] = new
            if not before[number]:
                continue
            stamp = f"{np.datetime64(day) + lag[number]}T06:00:00.000"
            if old is not None and number in register.news:
                sent.append({**old, "valid_to": day, "report_ts": stamp, "channel": "file"})
            sent.append({**new, "report_ts": stamp, "channel": "file"})
        stamp = f"{last_day(month)}T06:00:00.000"
        for number in np.flatnonzero(followed & ~before).tolist():
            if number in entries:
                sent.append({**entries[number], "report_ts": stamp, "channel": "file"})
            else:
                followed[number] = False
        kept["followed"] = followed
        if sent:
            world.deliveries.add(self.name, _frame(sent), month)

    def truth(self, world: World) -> dict[str, pl.DataFrame]:
        """Who played which part in which company, from when to when."""
        people, person = world.people, world.master.person
        rows = [
            (world.companies.code[number], role.kind, person[role.party] if role.party >= 0 else None,
             party_id(people, role.party) if role.party != -1 else None,
             world.companies.code[role.firm] if role.firm >= 0 else None, role.share, role.since, role.until)
            for number, roles in enumerate(world.companies.roles) for role in roles
        ]  # fmt: skip
        names = ("code", "kind", "person_id", "id_no", "firm_code", "share", "since", "until")
        schema = {name: pl.Float64 if name == "share" else pl.String for name in names}
        return {"company_roles": pl.DataFrame(rows, schema=schema, orient="row")}


def _of_customers(companies: Companies, registered: np.ndarray) -> np.ndarray:
    """Companies in which somebody who is a customer by now has a part."""
    return np.array(
        [any(role.party >= 0 and registered[role.party] for role in roles if role.until is None)
         for roles in companies.roles], bool
    )  # fmt: skip


@cache
def _sha256(text: str) -> str:
    return identities.sha256(text)


def _entry(companies: Companies, people: Population, number: int) -> dict[str, Any]:
    """The entry of a company as it stands."""
    register = companies.register
    now = [role for role in companies.roles[number] if role.until is None]
    legal = next(role for role in now if role.kind == "legal_rep")
    capital = int(companies.capital[number])
    holders = [_holder(companies, people, role, capital) for role in now if role.kind == "shareholder"]
    roles = [_role(people, role) for role in now if role.party != -1]
    changes = [
        {"ALTITEM": change.item, "ALTBE": change.before, "ALTAF": change.after, "ALTDATE": change.day}
        for change in register.changes[number]
    ]
    scope = register.scope[number]
    letter = str(companies.letter[number])
    return {
        "SHXYDM": companies.code[number], "valid_from": register.since[number], "ENTNAME": companies.names[number],
        "FRDB": party_name(people, legal.party), "legal_rep_id_hash": _sha256(party_id(people, legal.party)),
        "ENTTYPE": FORMS[companies.form[number]], "ENTSTATUS": register.status[number], "REGCAP": capital,
        "ESDATE": register.founded[number],
        "APPRDATE": changes[-1]["ALTDATE"] if changes else register.founded[number],
        "INDUSTRYCODE": f"{letter}{1000 + scope * 37 % 8000:04d}",
        "REGORG": f"虚构市样例{number % 9 + 1}区市场监督管理局",
        "DOM": identities.address(int(companies.address[number])),
        "OPFROM": register.founded[number], "OPTO": register.until[number],
        "OPSCOPE": f"{WARES[scope % 9]}、{WARES[(scope * 5 + 2) % 9]}的销售;{WARES[(scope * 7 + 4) % 9]}",
        "TEL": identities.phone(int(companies.phone[number])), "shareholder_count": len(holders),
        "role_count": len(roles), "change_count": len(changes), "shareholders": holders, "roles": roles,
        "changes": changes,
        "burdens": [
            {"burden_type": burden.kind, "amount": burden.amount, "since": burden.since, "until": burden.until}
            for burden in register.burdens[number]
        ],
        "listings": [
            {"list_type": entry.kind, "reason": entry.reason, "since": entry.since, "until": entry.until}
            for entry in register.listings[number]
        ],
        "annual_reports": [
            {"year": report.year, "filed": report.day, "employees": report.employees, **report.figures}
            for report in register.reports[number]
        ],
    }  # fmt: skip


def _holder(companies: Companies, people: Population, role: Role, capital: int) -> dict[str, Any]:
    person = role.firm < 0
    return {
        "holder_type": "person" if person else "company",
        "INV": party_name(people, role.party) if person else companies.names[role.firm],
        "holder_id_hash": _sha256(party_id(people, role.party)) if person else None,
        "holder_company_hash": None if person else companies.code_sha256[role.firm],
        "CONRATIO": round(role.share, 4),
        "SUBCONAM": round(role.share * capital, 2),
        "CONDATE": role.since,
    }


def _role(people: Population, role: Role) -> dict[str, Any]:
    key_person = role.kind in POSITIONS
    return {
        "PERNAME": party_name(people, role.party),
        "person_id_hash": _sha256(party_id(people, role.party)),
        "role": "key_person" if key_person else role.kind,
        "POSITION": role.kind if key_person else None,
        "since": role.since,
    }


def _frame(entries: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(entries, schema=SCHEMA)
    told = pl.col("report_ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f")
    return frame.with_columns(told.dt.date().alias(ARRIVES), told.cast(pl.Datetime("us")).alias(ORDER))


SOURCE = BizReg()
