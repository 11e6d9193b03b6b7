"""Bureau reports for a batch of applications: gather each subject's accounts and queries, write the documents."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator import identities
from simulator.bureau import Bureau
from simulator.lookups import REASONS, Log
from simulator.pboc_documents import OWN_CODE, Subject, account_text, accounts_of, report_text
from simulator.pboc_form import ABSENT, Form
from simulator.pboc_summary import credit_summary, query_summary
from simulator.population import EDUCATION, Population
from simulator.products import BAD, C1, ORG_TYPES, OWN, letters
from simulator.timeline import add_months, first_day

_EMPLOYMENT = ("17", "24", "13", "91", "21")


@dataclass
class Phones:
    """The phones the bureau has on file for each customer, newest first, with the month it learned of them."""

    known: list[list[tuple[int, int]]] = field(default_factory=list)

    def learn(self, people: Population, who: np.ndarray, month: int) -> None:
        """Remember changed phones; the bureau keeps five."""
        for customer in who.tolist():
            entries = self.known[customer]
            entries.insert(0, (int(people.phone[customer]), month))
            del entries[5:]


def open_phones(people: Population) -> Phones:
    """One phone a customer."""
    return Phones([[(int(n), int(m))] for n, m in zip(people.phone, people.phone_since, strict=True)])


@dataclass
class View:
    """What the bureau holds about the subjects of a batch, an entry an application."""

    rows: list[np.ndarray]
    queries: list[list[tuple[str, str, str, str]]]
    overdue_now: np.ndarray
    bad_debt: np.ndarray
    hard_queries: np.ndarray


def look(book: Bureau, log: Log, cust: np.ndarray, day: np.ndarray, month: int) -> View:
    """Accounts and query records of ``cust`` as a report of ``day`` shows them."""
    n = book.count
    shown = (book["open_month"] < month) & ((book["closed_month"] < 0) | (book["closed_month"] >= month - 60))
    shown &= np.isin(book["cust"], cust)
    index = np.flatnonzero(shown[:n])
    index = index[np.lexsort((index, book["kind"][index], book["cust"][index]))]
    owner = book["cust"][index]
    rows = [
        index[a:b]
        for a, b in zip(np.searchsorted(owner, cust), np.searchsorted(owner, cust, "right"), strict=True)
    ]
    level = book["level"]
    live = (book["closed_month"] < 0) & (book["kind"] != C1)
    worst = [level[row][live[row]] for row in rows]
    events = log.last(month, 26)
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
    queries, hard = [], np.zeros(len(cust), np.int64)
    for at in range(len(cust)):
        when = events["day"][first[at] : last[at]]
        keep = (np.flatnonzero((when < day[at]) & (when > old[at])) + first[at]).tolist()
        queries.append([(texts[k], kind[k], org[k], reason[k]) for k in keep])
        hard[at] = sum(reason[k] in ("02", "03") and events["day"][k] > recent[at] for k in keep)
    return View(
        rows, queries,
        np.array([int(levels.max()) if len(levels) else 0 for levels in worst], np.int64),
        np.array([bool((levels == BAD).any()) for levels in worst], bool),
        hard,
    )  # fmt: skip


def subject_of(people: Population, phones: Phones, who: int, address: int) -> Subject:
    """Identity part of a report."""
    known = [(identities.phone(number), str(first_day(month))) for number, month in phones.known[who]]
    employed = people.employer[who] >= 0
    return Subject(
        name=people.names[who],
        id_no=people.ids[who],
        male=bool(people.male[who]),
        birth=str(people.birth[who]),
        education=EDUCATION[people.education[who]],
        employment=_EMPLOYMENT[who % 5] if employed else ("51", "54", "70")[who % 3],
        address=identities.address(address),
        phones=tuple(known),
        alert=bool(who % 997 == 0),
    )


def form_of(draws: np.ndarray) -> Form:
    """How a report is written: half XML, half JSON."""
    json = bool(draws[0] < 0.5)
    return Form(json=json, absent=ABSENT[int(draws[1] * 4)], commas=json and bool(draws[2] < 0.4))


def document(
    form: Form,
    book: Bureau,
    subject: Subject,
    view: View,
    at: int,
    report_id: str,
    moment: np.datetime64,
    self_queries: int,
    month: int,
) -> str:
    """Text of one report."""
    accounts = accounts_of(book, view.rows[at], month)
    units = [account_text(form, book, account, number, month) for number, account in enumerate(accounts, 1)]
    queries = view.queries[at]
    month_ago = str(add_months(moment.astype("datetime64[D]"), -1))
    return report_text(
        form, subject, report_id, str(moment.astype("datetime64[s]")), "02", units, credit_summary(form, accounts),
        queries, query_summary(form, queries, month_ago, self_queries),
    )  # fmt: skip
