"""App sessions: what customers do in the app, and how they type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.assumptions import Assumptions
from simulator.customers import Master
from simulator.deliveries import ARRIVES, ORDER
from simulator.lookups import HOURS, NIGHT_HOURS
from simulator.networks import net_of
from simulator.population import Population
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import START, days_in, first_day

EVENTS = (
    "launch", "login", "login_fail", "register", "home", "product", "rate", "calculator", "apply_start", "form",
    "upload_id", "face", "submit", "bill", "repay", "change_phone", "service", "logout",
)  # fmt: skip
_E = {name: number for number, name in enumerate(EVENTS)}
FIELDS = ("income", "employer", "address", "contact", "amount")
NETS = ("wifi", "5g", "4g", "other")
_VISIT = (
    "launch",
    "login_fail",
    "login",
    "home",
    "product",
    "rate",
    "calculator",
    "bill",
    "repay",
    "service",
    "logout",
)
_OPENING = ("launch", "login_fail", "login", "product", "rate", "calculator", "apply_start")
_APPLY = (*_OPENING, *(["form"] * 5), "upload_id", "face", "submit")


@dataclass
class Sessions:
    """A batch of sessions: who, when it starts, on which device; ``applying`` sessions end with an application."""

    cust: np.ndarray
    start: np.ndarray
    device: np.ndarray
    number: np.ndarray


def visit_sessions(
    people: Population,
    master: Master,
    borrower: np.ndarray,
    month: int,
    streams: Streams,
    assume: Assumptions,
    first_number: int,
) -> Sessions:
    """The month's everyday sessions of registered customers, in order of time."""
    rng = streams.of("sessions", month)
    rate = assume.sessions * np.exp(0.22 * people.stress + 0.12 * people.debt - 0.05) + 0.7 * borrower
    rate = np.where(np.isnat(master.since), 0, rate)
    cust = np.repeat(np.arange(people.size), rng.poisson(rate))
    d = rng.random((4, len(cust)))
    owl = d[0] < sigmoid(-2.6 + 0.4 * people.risk[cust] + 0.3 * people.stress[cust])
    hour = np.where(owl, pick(d[1], NIGHT_HOURS), pick(d[1], HOURS))
    millis = ((d[2] * days_in(month)).astype(np.int64) * 86_400 + hour * 3600) * 1000 + (
        d[3] * 2_400_000
    ).astype(np.int64)
    start = first_day(month).astype("datetime64[ms]") + millis.astype("timedelta64[ms]")
    keep = start > master.since[cust]
    cust, start = cust[keep], start[keep]
    order = np.lexsort((cust, start))
    cust, start = cust[order], start[order]
    return Sessions(cust, start, people.device[cust], first_number + np.arange(len(cust)))


def events_of(
    sessions: Sessions,
    applying: bool,
    people: Population,
    borrower: np.ndarray,
    noise: np.ndarray,
    end: np.ndarray | None,
    purpose: str,
    month: int,
    streams: Streams,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Events of the sessions in order, and the moment each session starts.

    With ``end`` (the moments of submission) sessions are laid out backwards from it.
    """
    rng = streams.of(f"events {purpose}", month)
    script = _APPLY if applying else _VISIT
    n, width = len(sessions.cust), len(script)
    cust = sessions.cust
    chance = np.ones((n, width))
    hurry = sigmoid(0.5 * people.risk[cust] + 0.35 * people.fraud[cust] + 0.5 * noise[cust] - 0.4)
    stress = people.stress[cust]
    for at, name in enumerate(script):
        if name == "login_fail":
            chance[:, at] = sigmoid(-2.6 + 0.3 * people.fraud[cust] + 0.2 * people.risk[cust])
        elif name in ("rate", "calculator"):
            chance[:, at] = (0.75 - 0.5 * hurry) if applying else 0.22 * np.exp(0.3 * np.clip(stress, -2, 2))
        elif name == "product" and not applying:
            chance[:, at] = 0.35
        elif name == "bill":
            chance[:, at] = np.where(borrower[cust], 0.6, 0.08)
        elif name == "repay":
            chance[:, at] = np.where(borrower[cust], 0.22, 0)
        elif name == "service":
            chance[:, at] = 0.05 * np.exp(0.4 * np.clip(stress, -2, 2))
        elif name == "logout":
            chance[:, at] = 0.4
    happens = rng.random((n, width)) < chance
    long = np.array([2, 4, 3, 10, 6, 14, 12, 20, 5, 22, 25, 18, 4, 9, 12, 20, 40, 1])[
        [_E[name] for name in script]
    ]
    seconds = long * np.exp(0.5 * rng.standard_normal((n, width)) - 0.5 * (hurry[:, None] - 0.4) * applying)
    millis = np.where(happens, np.maximum(seconds * 1000, 200), 0).astype(np.int64)
    before = np.cumsum(millis, axis=1) - millis
    start = sessions.start if end is None else end - before[:, -1].astype("timedelta64[ms]")
    row, column = np.nonzero(happens)
    kinds = np.array([_E[name] for name in script])
    forms = np.cumsum(kinds[None, :] == _E["form"]) - 1
    typed = kinds[column] == _E["form"]
    who = cust[row]
    m = len(row)
    d = rng.random((7, m))
    pace = 190 * np.exp(0.18 * noise[who] - 0.22 * (hurry[row] - 0.4) + 0.2 * (d[0] - 0.5))
    edits = np.where(typed, (-np.log1p(-d[1] * 0.999) * (0.5 + 0.9 * hurry[row])).astype(int), 0)
    return {
        "row": row,
        "cust": who,
        "kind": kinds[column],
        "ts": start[row] + before[row, column].astype("timedelta64[ms]"),
        "duration": millis[row, column],
        "field": np.where(typed, forms[column], -1),
        "edits": edits,
        "paste": typed & (d[2] < sigmoid(-3.2 + 0.8 * people.fraud[who] + 0.35 * people.risk[who])),
        "pace": np.where(typed, pace, np.nan),
        "pressure": np.where(
            typed, np.clip(0.42 + 0.08 * noise[who] + 0.2 * (d[3] - 0.5), 0.02, 0.99), np.nan
        ),
        "gyro": np.where(
            d[4] < 0.5, np.exp(-2 + d[5] * 2 - 0.35 * np.clip(people.fraud[who], -2, 4)), np.nan
        ),
        "scroll": (d[6] ** 2 * 4000).astype(int),
    }, start


def event_rows(
    sessions: Sessions,
    events: dict[str, np.ndarray],
    received: np.ndarray,
    people: Population,
    master: Master,
    month: int,
) -> pl.DataFrame:
    """Events as the app's stream delivers them."""
    row, n = events["row"], len(events["row"])
    session = session_ids(sessions)
    number = np.arange(n)
    first = np.r_[True, row[1:] != row[:-1]] if n else np.zeros(0, bool)
    page = pl.Series(np.array(EVENTS)[events["kind"]])
    return pl.DataFrame(
        {
            "event_id": pl.Series(session).gather(row)
            + "-"
            + pl.Series(_rank(row, number)).cast(pl.String).str.zfill(2),
            "user_id": pl.Series(master.person).gather(events["cust"]),
            "device_id": devices_of(sessions, people).gather(row),
            "session_id": pl.Series(session).gather(row),
            "event_type": page,
            "ts": events["ts"],
            "received_ts": received,
            "page": page,
            "ref_page": page.shift(1).zip_with(pl.Series(~first), pl.Series([None] * n, dtype=pl.String)),
            "duration_ms": events["duration"],
            "input_field": pl.Series(np.array([*FIELDS, ""])[events["field"]]).replace("", None),
            "edit_cnt": pl.Series(events["edits"]).zip_with(
                pl.Series(events["field"] >= 0), pl.Series([None] * n, dtype=pl.Int64)
            ),
            "paste_flag": pl.Series(events["paste"]).zip_with(
                pl.Series(events["field"] >= 0), pl.Series([None] * n, dtype=pl.Boolean)
            ),
            "key_interval_ms": pl.Series(np.round(events["pace"], 1)).fill_nan(None),
            "touch_pressure": pl.Series(np.round(events["pressure"], 3)).fill_nan(None),
            "gyro_var": pl.Series(np.round(events["gyro"], 4)).fill_nan(None),
            "scroll_px": events["scroll"],
            "net_type": np.array(NETS)[net_of(sessions.number)][row],
            "app_version": np.full(n, f"{3 + (month - START) // 12}.{(month - START) % 12}.0"),
            ARRIVES: received.astype("datetime64[D]"),
            ORDER: events["ts"].astype("datetime64[us]"),
        }
    ).with_columns(pl.col("ts", "received_ts").cast(pl.Datetime("us")))


def _rank(row: np.ndarray, number: np.ndarray) -> np.ndarray:
    if not len(row):
        return number
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    return number - np.repeat(start, np.diff(np.r_[start, len(row)]))


def session_ids(sessions: Sessions) -> list[str]:
    """Ids of the sessions."""
    return [f"S{number:010d}" for number in sessions.number.tolist()]


def devices_of(sessions: Sessions, people: Population) -> pl.Series:
    """Ids of the sessions' devices."""
    return pl.Series([people.device_id(number) for number in sessions.device.tolist()], dtype=pl.String)


def received_hourly(events: dict[str, np.ndarray], month: int, streams: Streams) -> np.ndarray:
    """When the hourly batch with each event was received: at most 58 minutes later."""
    rng = streams.of("batches", month)
    wait = (1000 + rng.random(len(events["ts"])) * 57 * 60_000).astype(np.int64)
    return events["ts"] + wait.astype("timedelta64[ms]")
