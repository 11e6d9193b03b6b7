"""The customer master: who is registered since when, and what the bank believes about them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from simulator import identities
from simulator.population import EDUCATION, INDUSTRIES, Population
from simulator.registrations import registered_again
from simulator.streams import Streams, pick
from simulator.timeline import START, first_day

MARITAL = ("10", "20", "40", "30")
HOUSING = ("own", "mortgage", "rent", "family", "other")
CITIES = tuple(f"99{number:02d}00" for number in range(1, 31))
NEVER = np.datetime64("NaT", "s")


@dataclass
class Master:
    """What the bank has on file, an entry a customer; ``since`` is NaT for those who are not customers yet."""

    since: np.ndarray
    valid_from: np.ndarray
    phone: np.ndarray
    address: np.ndarray
    employer: np.ndarray
    stated_income: np.ndarray
    marital: np.ndarray
    housing: np.ndarray
    city: np.ndarray
    person: list[str]
    id_md5: list[str]
    id_sha256: list[str]
    rows: list[dict[str, np.ndarray]] = field(default_factory=list)
    phone_sha256: dict[int, str] = field(default_factory=dict)
    phone_md5: dict[int, str] = field(default_factory=dict)

    def sha256_of_phone(self, number: int) -> str:
        """Vendor's SHA-256 of a phone."""
        text = self.phone_sha256.get(number)
        if text is None:
            text = self.phone_sha256[number] = identities.sha256(identities.phone(number))
        return text

    def md5_of_phone(self, number: int) -> str:
        """Vendor's MD5 of a phone."""
        text = self.phone_md5.get(number)
        if text is None:
            text = self.phone_md5[number] = identities.md5(identities.phone(number))
        return text


def open_master(people: Population, streams: Streams) -> Master:
    """Customers of long standing are on file before the first simulated day, as they were then."""
    rng = streams.of("master")
    size = people.size
    start = first_day(START).astype("datetime64[s]")
    joined = people.deposit | (rng.random(size) < 0.25)
    back = (rng.random(size) ** 1.3 * 5.5 * 365 * 86400).astype("timedelta64[s]")
    adult = (people.birth + np.timedelta64(18 * 365 + 40, "D")).astype("datetime64[s]")
    since = np.maximum(start - np.timedelta64(3600, "s") - back, adult)
    age = (first_day(START) - people.birth).astype(int) / 365.25
    odds = np.array([0.45, 0.45, 0.08, 0.02]) * np.exp(np.outer((age - 30) / 10, [-1.2, 0.4, 0.6, 1.0]))
    home = np.array([0.22, 0.25, 0.33, 0.18, 0.02]) * np.exp(
        np.outer(people.stability, [0.4, 0.4, -0.5, 0, -0.2])
    )
    numbers = streams.of("person numbers").permutation(size)
    return Master(
        since=np.where(joined, since, NEVER),
        valid_from=np.where(joined, since, NEVER),
        phone=people.phone.copy(),
        address=people.address.copy(),
        employer=people.employer.copy(),
        stated_income=_stated(people.income * np.exp(0.12 * people.fraud), rng),
        marital=pick(rng.random(size), odds),
        housing=pick(rng.random(size), home),
        city=(people.household * 7) % 30,
        person=[f"P{100_000_000 + int(number) * 7919 % 900_000_000:09d}" for number in numbers],
        id_md5=[identities.md5(text) for text in people.ids],
        id_sha256=[identities.sha256(text) for text in people.ids],
    )


def _stated(income: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What people say they earn: noisy, rounded to hundreds, seldom too low."""
    said = income * np.exp(0.18 * rng.standard_normal(len(income)) + 0.06)
    return np.maximum((said / 100).astype(int) * 100, 1000)


def record_opening(master: Master) -> None:
    """The first rows of all who are on file at the start."""
    known = np.flatnonzero(~np.isnat(master.since))
    _record(master, known, master.since[known], master.since[known], None)


def record_changes(
    master: Master, people: Population, who: np.ndarray, at: np.ndarray, lag: np.ndarray
) -> None:
    """Customers ``who`` tell at ``at`` + ``lag`` (seconds) what has changed since they last told.

    Somebody not yet on file is registered. Customers without a change give no row.
    """
    fresh = np.isnat(master.since[who])
    same = (
        (master.phone[who] == people.phone[who])
        & (master.address[who] == people.address[who])
        & (master.employer[who] == people.employer[who])
    )
    later = ~fresh & ~same & (at > master.valid_from[who])
    known = at + lag
    old = who[later]
    _record(master, old, master.valid_from[old], known[later], at[later])
    speak = fresh | later
    now = who[speak]
    for name in ("phone", "address", "employer"):
        getattr(master, name)[now] = getattr(people, name)[now]
    master.since[who[fresh]] = at[fresh]
    master.valid_from[now] = at[speak]
    _record(master, now, at[speak], known[speak], None)


def _record(
    master: Master, who: np.ndarray, since: np.ndarray, known: np.ndarray, until: np.ndarray | None
) -> None:
    master.rows.append(
        {
            "who": who, "valid_from": since, "recorded_ts": known,
            "valid_to": np.full(len(who), NEVER) if until is None else until,
            "phone": master.phone[who], "address": master.address[who], "employer": master.employer[who],
            "customer_since": master.since[who],
        }
    )  # fmt: skip


def customer_rows(master: Master, people: Population) -> pl.DataFrame:
    """The rows recorded since the last call, with their day of arrival, in the columns of the contract."""
    from simulator.deliveries import ARRIVES, ORDER, moment

    rows = (
        {name: np.concatenate([part[name] for part in master.rows]) for name in master.rows[0]}
        if master.rows
        else None
    )
    master.rows.clear()
    if rows is None:
        rows = {
            "who": np.zeros(0, int),
            "phone": np.zeros(0, int),
            "address": np.zeros(0, int),
            "employer": np.zeros(0, int),
        }
        rows |= {
            name: np.zeros(0, "datetime64[s]")
            for name in ("valid_from", "recorded_ts", "valid_to", "customer_since")
        }
    who = rows["who"]
    employers = rows["employer"].tolist()
    # As the customer wrote it when it began to hold: the row that ends a state repeats the text.
    wrote = [(w, str(day)) for w, day in zip(who.tolist(), rows["valid_from"], strict=True)]
    spelt = people.spelt
    frame = pl.DataFrame(
        {
            "person_id": [master.person[w] for w in who],
            "valid_from": rows["valid_from"].astype("datetime64[ms]"),
            "valid_to": rows["valid_to"].astype("datetime64[ms]"),
            "recorded_ts": rows["recorded_ts"].astype("datetime64[ms]"),
            "id_no": [people.ids[w] for w in who],
            "name": [people.names[w] for w in who],
            "phone": [identities.phone(number) for number in rows["phone"].tolist()],
            "email": [f"sample{100_000 + w}@mail.invalid" if w % 3 else None for w in who.tolist()],
            "address": [
                spelt.address(number, "own_customer", *by)
                for number, by in zip(rows["address"].tolist(), wrote, strict=True)
            ],
            "employer": [
                spelt.employer(number, "own_customer", *by) if number >= 0 else None
                for number, by in zip(employers, wrote, strict=True)
            ],
            "city_code": [CITIES[city] for city in master.city[who]],
            "gender": np.where(people.male[who], "1", "2"),
            "birth_date": people.birth[who],
            "education": np.array(EDUCATION)[people.education[who]],
            "marital": np.array(MARITAL)[master.marital[who]],
            "housing": np.array(HOUSING)[master.housing[who]],
            "industry": [
                INDUSTRIES[number % len(INDUSTRIES)] if number >= 0 else None for number in employers
            ],
            "stated_income": master.stated_income[who],
            "customer_since": rows["customer_since"].astype("datetime64[D]"),
            ARRIVES: np.maximum(rows["recorded_ts"].astype("datetime64[D]"), first_day(START)),
            ORDER: rows["recorded_ts"].astype("datetime64[us]"),
        },
        schema_overrides={"email": pl.String, "employer": pl.String, "industry": pl.String},
        strict=False,
    ).with_columns(moment("valid_from"), moment("valid_to"), moment("recorded_ts"))
    again = registered_again(frame, who, rows["address"], people)
    return pl.concat([frame, again]) if again.height else frame
