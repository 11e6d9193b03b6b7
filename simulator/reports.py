"""Bureau reports for a batch of applications: gather what the bureau holds about each subject, write the documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator import pboc_liabilities, pboc_people, pboc_postpaid, pboc_public, pboc_standing
from simulator.lookups import REASONS
from simulator.pboc_accounts import OWN_CODE, Account, gather
from simulator.pboc_documents import account_unit, agreement_unit, agreements, shared_limit
from simulator.pboc_form import Form
from simulator.pboc_funds import housing_funds
from simulator.pboc_json import json_text
from simulator.pboc_liabilities import Told
from simulator.pboc_notes import Notes
from simulator.pboc_people import ONE, STATEMENT, Register
from simulator.pboc_public import AMOUNT_AT, Seen
from simulator.pboc_relational import Sheets, sheets
from simulator.pboc_score import score_unit
from simulator.pboc_summary import Query, credit_summary, postpaid_summary, public_summary, query_summary
from simulator.pboc_tree import Report, Segment, Unit
from simulator.pboc_xml import xml_text
from simulator.products import BAD, C1, D1, ORG_TYPES, OWN, R1, R4, letters
from simulator.timeline import add_months, plus_months

if TYPE_CHECKING:
    from simulator.world import World


@dataclass
class View:
    """What the bureau holds about the subjects of a batch, an entry an application."""

    cust: list[int]
    accounts: list[list[Account]]
    guaranteed: list[list[Account]]
    companies: dict[int, list[Told]]
    queries: list[list[Query]]
    postpaid: np.ndarray
    public: list[Seen]
    funds: list[list[Unit]]
    overdue_now: np.ndarray
    bad_debt: np.ndarray
    hard_queries: np.ndarray


def look(world: World, cust: np.ndarray, day: np.ndarray, month: int) -> View:
    """Everything about ``cust`` as a report of ``day`` shows it."""
    book, files = world.accounts, world.files
    assert files.couples is not None
    n = book.count
    shown = (book["open_month"] < month) & ((book["closed_month"] < 0) | (book["closed_month"] >= month - 60))
    rows, own = _by_person(
        np.flatnonzero(shown & np.isin(book["cust"], cust)), book["cust"], cust, book["kind"]
    )
    answered = files.luck.guaranteed_by(cust)
    answered = answered[shown[answered] & (book["closed_month"][answered] < 0)]
    for_others, others = _by_person(answered, files.luck.guarantor[:n], cust, book["kind"])
    gathered = gather(book, files.luck, np.concatenate([rows, for_others]), month)
    accounts = [gathered[a:b] for a, b in own]
    guaranteed = [gathered[len(rows) + a : len(rows) + b] for a, b in others]
    notes = notes_of(world, month)
    live = [[one for one in mine if one.closed is None and one.kind != C1] for mine in accounts]
    queries, hard = _queries(world, cust, day, month)
    return View(
        cust=cust.tolist(), accounts=accounts, guaranteed=guaranteed,
        companies=pboc_liabilities.for_companies(
            files.companies, world.companies, files.couples.partner, cust, notes
        ),
        queries=queries, postpaid=pboc_postpaid.marks(files.postpaid, cust),
        public=pboc_public.look(world, files.public, cust, day, notes),
        funds=housing_funds(world, cust, files.draws[ONE, cust], notes),
        overdue_now=np.array([max((one.level for one in mine), default=0) for mine in live], np.int64),
        bad_debt=np.array([any(one.level == BAD for one in mine) for mine in live], bool),
        hard_queries=hard,
    )  # fmt: skip


def _by_person(
    index: np.ndarray, person: np.ndarray, cust: np.ndarray, kind: np.ndarray
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Rows in the order of person, kind and number, and where each of ``cust`` has its rows among them."""
    index = index[np.lexsort((index, kind[index], person[index]))]
    owner = person[index]
    first, last = np.searchsorted(owner, cust), np.searchsorted(owner, cust, "right")
    return index, list(zip(first.tolist(), last.tolist(), strict=True))


def _queries(
    world: World, cust: np.ndarray, day: np.ndarray, month: int
) -> tuple[list[list[Query]], np.ndarray]:
    """Query records of the two years before ``day``, newest first, and how many hard ones in three months."""
    events = world.queries.last(month, 26)
    mine = np.isin(events["cust"], cust)
    events = {name: column[mine] for name, column in events.items()}
    order = np.lexsort((np.arange(len(events["cust"])), -events["day"].astype(np.int64), events["cust"]))
    events = {name: column[order] for name, column in events.items()}
    first, last = np.searchsorted(events["cust"], cust), np.searchsorted(events["cust"], cust, "right")
    old, recent = add_months(day, -24), add_months(day, -3)
    texts = np.datetime_as_string(events["day"].astype("datetime64[D]")).tolist()
    org = [OWN_CODE if number == OWN else letters(number) for number in events["org"].tolist()]
    kind = [ORG_TYPES[number] for number in events["org_type"].tolist()]
    reason = [REASONS[number] for number in events["reason"].tolist()]
    found, hard = [], np.zeros(len(cust), np.int64)
    for at in range(len(cust)):
        when = events["day"][first[at] : last[at]]
        keep = (np.flatnonzero((when < day[at]) & (when > old[at])) + first[at]).tolist()
        found.append([(texts[k], kind[k], org[k], reason[k]) for k in keep])
        hard[at] = sum(reason[k] in ("02", "03") and events["day"][k] > recent[at] for k in keep)
    return found, hard


def notes_of(world: World, month: int) -> Notes:
    """The notes of the reports of a month."""
    return Notes(month, world.assume.notes, world.assume.disputed_months)


def report_of(
    world: World, view: View, at: int, number: str, serial: int, moment: str, self_queries: int, month: int,
    reason: str = "02",
) -> Report:  # fmt: skip
    """What the report about entry ``at`` of a batch says.

    Parameters
    ----------
    number, serial
        Of the report: its 22 digits, and a number that no other has.
    moment
        When it was made, ``yyyy-MM-ddTHH:mm:ss``.
    self_queries
        How often the subject asked for it in the last month.
    reason
        Why the bank asked.
    """
    assume, files = world.assume, world.files
    assert files.couples is not None
    who, day = view.cust[at], moment[:10]
    register = Register(world.people, world.master, files.known, files.couples, files.draws)
    notes = notes_of(world, month)
    accounts, queries, public = view.accounts[at], view.queries[at], view.public[at]
    liabilities = [pboc_liabilities.for_person(one, notes) for one in view.guaranteed[at] if _answers(one)]
    liabilities += view.companies.get(who, [])
    postpaid = pboc_postpaid.units(files.postpaid, who, view.postpaid[:, at], assume.postpaid_codes, notes)
    under = agreements(accounts)
    limits = {key: shared_limit(group) for key, group in under.items()}
    units: dict[str, list[Unit]] = {
        "PMM": pboc_people.spouse(register, who),
        "PRM": pboc_people.residence(register, who),
        "POM": pboc_people.occupation(register, who),
        "PSM": [score_unit(accounts, queries, plus_months(day, -3), month)],
        "PCO": [credit_summary(accounts, [values for _, values in liabilities])],
        "PNO": [postpaid_summary([unit[0].values for unit in postpaid if isinstance(unit[0], Segment)])],
        "PPO": [public_summary(public.values, AMOUNT_AT)],
        "PQO": [query_summary(queries, plus_months(day, -1), self_queries)],
        "PDA": [
            account_unit(one, place, limits.get(one.agreement or "", one.amount), day, notes)
            for place, one in enumerate(accounts, 1)
        ],
        "PCA": [
            agreement_unit(place, key, group, limits[key], day, notes)
            for place, (key, group) in enumerate(under.items(), 1)
        ],
        "PCR": [unit for unit, _ in liabilities],
        "PND": postpaid,
        "POT": public.units.get("PF01", []),
        "PCJ": public.units.get("PF02", []),
        "PCE": public.units.get("PF03", []),
        "PAP": public.units.get("PF04", []),
        "PHF": view.funds[at],
        "PBS": pboc_standing.relief(register, who, assume.relief, notes),
        "PPQ": pboc_standing.qualifications(register, who, assume.qualified, notes),
        "PAH": pboc_standing.awards(register, who, assume.awarded, notes),
        "POS": notes.statements(float(files.draws[STATEMENT, who]), assume.makes_statement),
        "POQ": [[Segment("PH01", query)] for query in queries],
    }
    shares = {"papers": assume.other_papers, "alert": assume.fraud_alerts}
    head = pboc_people.header(register, who, number, moment, reason, _disputes(units.values()), day, shares)
    own_address = int(world.master.address[who])
    return Report(
        number, serial, {"PRH": [head], "PIM": [pboc_people.identity(register, who, own_address)], **units}
    )


def _answers(account: Account) -> bool:
    """Whether somebody still answers for an account: it is a loan that is not repaid."""
    return account.kind in (D1, R4, R1) and account.closed is None


def _disputes(wrappers: Iterable[list[Unit]]) -> int:
    """Notes of disputes (type 1) in all units: they stand in the segments Z and in PG01."""
    count = 0
    for units in wrappers:
        for unit in units:
            last = unit[-1]
            if isinstance(last, Segment) and last.rows and (last.name[-1] == "Z" or last.name == "PG01"):
                count += sum(row[0] == "1" for row in last.rows)
    return count


def written(report: Report, form: Form) -> str | Sheets:
    """The report as a text, or as the rows that it has in a relational copy."""
    if form.kind == "zip":
        return sheets(report)
    return xml_text(report, form) if form.kind == "xml" else json_text(report, form)
