"""The central bank's enterprise report of a company for which a business loan is asked: one XML file a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.enterprise_accounts import KINDS, EnterpriseAccounts, draw_accounts
from simulator.outside import Answer, AskedSource
from simulator.timeline import START, clamped, last_day, month_name
from simulator.world import World

FAR = START + 120
"""Accounts are drawn up to this month, so that none depends on how far a simulation goes."""
LINES = {"D1": "1", "R4": "2", "R1": "3", "D2": "4"}
QUALITY = ("1", "2", "3")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    months: int = 24
    """Months of an account's course, and of the debt history, that a report shows [stated]."""
    statements: float = 0.45
    """Share of the companies whose statements the bureau has [stated: few small companies hand them in]."""
    guarantees: float = 0.08
    """Share of the companies with guarantees or responsibilities for others [stated]."""


class PbocEnterprise(AskedSource):
    """The enterprise credit report."""

    name = "pboc_enterprise"
    prefix = "ER"
    latency = (2500, 15_000)
    timeout = 30_000
    entity = "company"
    monitors = True
    assumes = Assume

    def begin(self, world: World) -> None:
        """What the companies borrow, and how each behaves for good."""
        draws = world.streams.of(self.name).random((4, world.companies.size))
        world.kept[self.name] = {
            "accounts": draw_accounts(world.companies, world.streams, FAR),
            "draws": draws,
        }

    def wanted(self, asking: Asking) -> np.ndarray:
        """Companies for which a business loan is asked or runs."""
        return asking.screened & asking.for_business

    def subject(self, asking: Asking) -> np.ndarray:
        """The company."""
        return asking.company

    def answer(self, asking: Asking) -> Answer:
        """A report where the company has ever borrowed."""
        accounts: EnterpriseAccounts = asking.world.kept[self.name]["accounts"]
        # the month before is the last that the banks have reported
        seen = asking.month - 1
        borrows = np.bincount(accounts.company[accounts.opened <= seen], minlength=asking.companies.size) > 0
        there = (asking.company >= 0) & borrows[np.maximum(asking.company, 0)]

        def rows(calls: Calls, which: np.ndarray) -> None:
            stamps = np.datetime_as_string(calls.response_ts, unit="s")
            for at in which[calls.result[which] == HIT].tolist():
                digits = "".join(sign for sign in str(stamps[at]) if sign.isdigit())
                report_id = f"{digits}{int(asking.number[at]):08d}"
                calls.request[at] = report_id
                asking.world.cache(self.name).request[int(asking.cust[at])] = report_id
                text = self._report(asking, int(asking.company[at]), report_id, str(stamps[at]), seen)
                spoiled = asking.number[at] % 997 == 3
                if spoiled:
                    text = text.replace("<EA01BD02>01<", "<EA01BD02>77<", 1)
                day = calls.response_ts[at].astype("datetime64[D]")
                asking.world.deliveries.add_document(self.name, day, f"{report_id}.xml", text, bool(spoiled))

        return Answer(np.where(there, HIT, NO_HIT), rows)

    def _report(self, asking: Asking, company: int, report_id: str, stamp: str, seen: int) -> str:
        world, companies = asking.world, asking.companies
        accounts: EnterpriseAccounts = world.kept[self.name]["accounts"]
        d = world.kept[self.name]["draws"][:, company]
        which = np.flatnonzero((accounts.company == company) & (accounts.opened <= seen))
        balance = accounts.balance(which, seen)
        late = accounts.overdue_months(which, seen, companies)
        quality = np.where(balance == 0, 0, np.select([late >= 3, late >= 1], [2, 1], 0))
        closed = balance == 0
        due = np.where(closed, 0, np.rint(accounts.amount[which] / accounts.term[which]))
        overdue = np.minimum(due * late, balance).astype(np.int64)
        stands = _Stands(accounts, which, balance, late, quality, closed, due.astype(np.int64), overdue)
        return "".join([
            '<?xml version="1.0" encoding="UTF-8"?>\n<Document>',
            _header(companies, company, report_id, stamp, seen),
            _profile(world, company, d),
            _summary(stands, seen), _credit(stands, companies, seen, self.assume.months),
            _guarantees(companies, company, d, self.assume.guarantees), _limits(stands),
            "<EDA>", *(_account(stands, at, companies, seen, self.assume.months) for at in range(len(which))), "</EDA>",
            _statements(companies, company, seen) if d[0] < self.assume.statements else "",
            "</Document>",
        ])  # fmt: skip


@dataclass(frozen=True)
class _Stands:
    """The accounts of a company as they stand: positions in ``accounts`` and what is owed, in whole yuan."""

    accounts: EnterpriseAccounts
    which: np.ndarray
    balance: np.ndarray
    late: np.ndarray
    quality: np.ndarray
    closed: np.ndarray
    due: np.ndarray
    overdue: np.ndarray

    @property
    def kinds(self) -> list[str]:
        """Kind of each account."""
        return [KINDS[kind] for kind in self.accounts.kind[self.which].tolist()]


def _tag(name: str, *items: tuple[str, Any]) -> str:
    """An element with leaves; leaves without a value are left out."""
    inside = "".join(f"<{code}>{value}</{code}>" for code, value in items if value is not None)
    return f"<{name}>{inside}</{name}>"


def _wrap(names: str, *parts: str) -> str:
    """Elements one in the other around ``parts``; nothing if there are none."""
    inside = "".join(parts)
    if not inside:
        return ""
    for name in reversed(names.split("/")):
        inside = f"<{name}>{inside}</{name}>"
    return inside


def _header(companies: Any, company: int, report_id: str, stamp: str, seen: int) -> str:
    mark = _tag("EA01CH", ("EA01CD01", "20"), ("EA01CI01", companies.code[company]))
    named = f"<EA01CQ01>{companies.names[company]}</EA01CQ01><EA01CS01>1</EA01CS01>{mark}"
    return _wrap(
        "EAA/EA01",
        _tag("EA01A", ("EA01AI01", report_id), ("EA01AR01", stamp)),
        _tag("EA01B", ("EA01BI01", "B9900H2990001X"[:14]), ("EA01BD02", "01")),
        f"<EA01C>{named}</EA01C>",
        _tag("EA01D", ("EA01DS01", 0)),
        _tag("EA01E", ("EA01EQ01", "7.12"), ("EA01ER01", month_name(seen))),
    )


def _profile(world: World, company: int, d: np.ndarray) -> str:
    companies, people = world.companies, world.people
    owner = int(companies.owner[company])
    scale = companies.scale[company]
    size = "5" if scale < 100_000 else "4" if scale < 800_000 else "3"
    share = 100 if d[1] < 0.5 else 60 + int(d[2] * 35)
    person = (("EC020D03", "10"), ("EC020I01", people.ids[owner]))
    return _wrap(
        "ECA",
        _tag(
            "EC01", ("EC010D01", "10"), ("EC010D02", "1"), ("EC010D03", size), ("EC010D04", companies.letter[company]),
            ("EC010R01", 2018 + int(companies.founded[company]) // 12),
            ("EC010Q01", identities.address(int(companies.address[company]))),
            ("EC010Q02", identities.address(int(companies.office[company]))), ("EC010D05", "1"),
        ),
        "<EC02>" + f"<EC020J01>{int(companies.capital[company])}</EC020J01>"
        + _tag("EC020H", ("EC020D01", "1"), ("EC020D02", "1"), ("EC020Q01", people.names[owner]), *person,
               ("EC020Q02", share)) + "</EC02>",
        _wrap("EC03", _tag("EC030H", ("EC030Q01", people.names[owner]), ("EC030D01", "10"),
                           ("EC030I01", people.ids[owner]), ("EC030D02", "0"))),
        _tag("EC05", ("EC050Q01", people.names[owner]), ("EC050I01", people.ids[owner])),
    )  # fmt: skip


def _summary(stands: _Stands, seen: int) -> str:
    """EB01: the company's debts at a glance."""
    accounts, which = stands.accounts, stands.which
    live = ~stands.closed
    orgs = accounts.org[which]
    first = 2018 + int(accounts.opened[which].min()) // 12
    return _wrap(
        "EBA/EB01",
        _tag(
            "EB01A", ("EB01AR01", first), ("EB01AS01", len(set(orgs.tolist()))),
            ("EB01AS02", len(set(orgs[live].tolist()))), ("EB01AJ01", int(stands.balance.sum())), ("EB01AJ02", 0),
            ("EB01AJ03", int(stands.balance[stands.quality == 1].sum())),
            ("EB01AJ04", int(stands.balance[stands.quality == 2].sum())), ("EB01AJ05", 0), ("EB01AJ06", 0),
            ("EB01AJ07", 0),
        ),
        _tag("EB01B", *((f"EB01BS0{number}", int(seen % 11 == number)) for number in range(1, 6))),
    )  # fmt: skip


def _grid(code: str, rows: Iterable[tuple[str, str, int, int]], count: str, total: str) -> str:
    return "".join(
        _tag(
            f"{code}H",
            (f"{code}D01", line),
            (f"{code}D02", quality),
            (f"{code}{count}", n),
            (f"{code}{total}", money),
        )
        for line, quality, n, money in rows
    )


def _cells(stands: _Stands, among: np.ndarray) -> list[tuple[str, str, int, int]]:
    """Lines by quality, with the totals (code 0) last."""
    line = np.array([LINES[kind] for kind in stands.kinds])
    rows = []
    for name in sorted(set(line[among].tolist())):
        for number, quality in enumerate(QUALITY):
            here = among & (line == name) & (stands.quality == number)
            if here.any():
                rows.append((name, quality, int(here.sum()), int(stands.balance[here].sum())))
    return [*rows, ("0", "0", int(among.sum()), int(stands.balance[among].sum()))]


def _credit(stands: _Stands, companies: Any, seen: int, months: int) -> str:
    """EB02: open and settled credit, and what was owed month by month."""
    overdue = int(stands.overdue.sum())
    open_ = _tag(
        "EB02A", ("EB02AS01", 0), ("EB02AJ01", 0), ("EB02AS02", 0), ("EB02AJ02", 0), ("EB02AJ03", overdue),
        ("EB02AJ04", overdue - overdue // 10), ("EB02AJ05", overdue // 10),
    )  # fmt: skip
    open_ = (
        open_[: -len("</EB02A>")] + _grid("EB02A", _cells(stands, ~stands.closed), "S04", "J06") + "</EB02A>"
    )
    settled = _grid("EB02B", _cells(stands, stands.closed), "S04", "J06") if stands.closed.any() else ""
    history = []
    for month in range(seen - months + 1, seen + 1):
        there = stands.accounts.opened[stands.which] <= month
        balance = stands.accounts.balance(stands.which, month) * there
        late = stands.accounts.overdue_months(stands.which, month, companies) * (balance > 0)
        owed = np.minimum(stands.due * late, balance)
        history.append(_tag(
            "EB02CH", ("EB02CR01", month_name(month)), ("EB02CS02", int((balance > 0).sum())),
            ("EB02CJ01", int(balance.sum())), ("EB02CS03", int(((late > 0) & (late < 3)).sum())),
            ("EB02CJ02", int(balance[(late > 0) & (late < 3)].sum())), ("EB02CS04", int((late >= 3).sum())),
            ("EB02CJ03", int(balance[late >= 3].sum())), ("EB02CS05", int((late > 0).sum())),
            ("EB02CJ04", int(owed.sum())), ("EB02CS06", int((late > 0).sum())), ("EB02CJ05", int(owed.sum() * 9 // 10)),
        ))  # fmt: skip
    return _wrap("EBB/EB02", open_, _wrap("EB02B", settled), _wrap("EB02C", *history))


def _guarantees(companies: Any, company: int, d: np.ndarray, share: float) -> str:
    """EB03 and EB05: what the bank guarantees for the company, and what the company answers for."""
    if d[3] >= share:
        return ""
    amount = int(companies.scale[company] // 1000 * 1000)
    rows = [("1", "1", 1, amount), ("0", "0", 1, amount)]
    responsible = _tag(
        "EB05AH", ("EB05AD01", "2"), ("EB05AJ01", 0), ("EB05AS02", 0), ("EB05AJ02", 0), ("EB05AJ03", amount * 2),
        ("EB05AS03", 1), ("EB05AJ04", amount), ("EB05AJ05", 0), ("EB05AJ06", 0),
    )  # fmt: skip
    other = responsible.replace("EB05A", "EB05B")
    return (
        _wrap("EBC/EB03", _wrap("EB03A", _grid("EB03A", rows, "S01", "J01")),
              _wrap("EB03B", _grid("EB03B", [("3", "1", 1, 0), ("0", "0", 1, 0)], "S01", "J01")))
        + _wrap("EBE/EB05", _wrap("EB05A", responsible), _wrap("EB05B", other))
    )  # fmt: skip


def _limits(stands: _Stands) -> str:
    """EB04: limits, used and left."""
    kind = stands.accounts.kind[stands.which]
    amount = np.where(stands.closed, 0, stands.accounts.amount[stands.which]).astype(np.int64)
    revolving = (kind == 1) | (kind == 2)
    parts: list[tuple[str, Any]] = []
    for first, here in ((1, ~revolving), (4, revolving)):
        total, used = int(amount[here].sum()), int(stands.balance[here].sum())
        parts += [
            (f"EB040J0{first}", total),
            (f"EB040J0{first + 1}", used),
            (f"EB040J0{first + 2}", total - used),
        ]
    return _wrap("EBD", _tag("EB04", *parts, ("EB040D01", "0")))


def _account(stands: _Stands, at: int, companies: Any, seen: int, months: int) -> str:
    """ED01: one account with its course."""
    accounts, k = stands.accounts, int(stands.which[at])
    kind = stands.kinds[at]
    opened, term, day = int(accounts.opened[k]), int(accounts.term[k]), int(accounts.day[k])
    ends = min(opened + term, seen)
    closed = bool(stands.closed[at])
    last = ends if closed else seen
    amount = int(accounts.amount[k])
    org = f"{chr(65 + accounts.org[k] // 26)}{chr(65 + accounts.org[k] % 26)}"
    basic = _tag(
        "ED01A", ("ED01AI01", at + 1), ("ED01AD01", "2" if closed else "1"), ("ED01AD02", kind),
        ("ED01AD03", "10" if term <= 12 else "20" if term <= 60 else "30"), ("ED01AD04", "11"), ("ED01AI02", org),
        ("ED01AI03", f"XY{k:08d}" if kind in ("R4", "R1") else None),
        ("ED01AD05", {"R1": "16", "D2": "21"}.get(kind, "11")), ("ED01AD06", "1101" if kind == "D1" else None),
        ("ED01AR01", clamped(opened, day)), ("ED01AD07", "CNY"), ("ED01AJ01", None if kind == "R1" else amount),
        ("ED01AJ02", amount if kind == "R1" else None), ("ED01AR02", clamped(opened + term, day)),
        ("ED01AD08", ("1", "2", "3", "4")[int(accounts.guarantee[k])]), ("ED01AD09", "0"), ("ED01AD10", "1"),
        ("ED01AD11", "0"), ("ED01AR03", last_day(ends) if closed else None), ("ED01AR04", last_day(last)),
    )  # fmt: skip
    one = np.array([k])
    course = []
    for month in range(max(last - months + 1, opened), last + 1):
        owed = int(accounts.balance(one, month)[0])
        late = int(accounts.overdue_months(one, month, companies)[0]) if owed else 0
        part = round(amount / term)
        behind = min(part * late, owed)
        course.append(_tag(
            "ED01BH", ("ED01BJ01", owed), ("ED01BR01", last_day(month)),
            ("ED01BD01", "3" if late >= 3 else "2" if late else "1"), ("ED01BR04", clamped(month, day)),
            ("ED01BJ02", part), ("ED01BD02", "10"), ("ED01BR05", None if late else clamped(month, day)),
            ("ED01BJ03", 0 if late else part), ("ED01BJ04", behind), ("ED01BJ05", behind - behind // 10),
            ("ED01BS02", late), ("ED01BS03", max(opened + term - month, 0)),
        ))  # fmt: skip
    special = ""
    if k % 17 == 0 and last > opened + 2:
        special = _wrap("ED01C", _tag("ED01CH", ("ED01CD01", "1"), ("ED01CR01", clamped(opened + 2, day)),
                                      ("ED01CJ01", amount // 2), ("ED01CS01", 6)))  # fmt: skip
    return f"<ED01>{basic}{_wrap('ED01B', *course)}{special}</ED01>"


def _statements(companies: Any, company: int, seen: int) -> str:
    """EG: the statements of the last two whole years; a third of the companies still keep the rules of 2002."""
    old = company % 3 == 0
    parts = []
    for year in (2018 + seen // 12 - 2, 2018 + seen // 12 - 1):
        months = np.arange((year - 2018) * 12, (year - 2018) * 12 + 12)
        sales = int(companies.turnover_of(np.full(12, company), months).sum() * companies.declared[company])
        assets, debts = int(sales * 0.9), int(sales * 0.5)
        profit = int(sales * companies.margin[company] * 0.4)
        kind = (("AR01", year), ("AD02", "10"), ("AD03", "2"))
        for code, items in (
            (("EG01", (("BJ44", assets), ("BJ68", debts), ("BJ86", assets - debts))) if old
             else ("EG02", (("BJ31", assets), ("BJ53", debts), ("BJ59", assets - debts)))),
            (("EG03", (("BJ43", profit),)) if old else ("EG04", (("BJ01", sales), ("BJ17", profit)))),
            (("EG05", (("BJ10", profit // 2),)) if old else ("EG06", (("BJ10", profit // 2),))),
        ):  # fmt: skip
            head = _tag(f"{code}A", *((f"{code}{name}", value) for name, value in kind))
            parts.append(
                f"<{code}>{head}{_tag(f'{code}B', *((f'{code}{name}', value) for name, value in items))}</{code}>"
            )
    return _wrap("EGA", *parts)


SOURCE = PbocEnterprise()
