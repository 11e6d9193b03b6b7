"""Calls to outside sources: when asked, when answered, hit or not, from the cache or paid, failed or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assumptions import Assumptions
from simulator.rules import SourceRules
from simulator.streams import Streams

LATENCY = {
    "telco_tenure": (300, 1500),
    "ml_apply": (200, 900),
    "ml_overdue": (200, 800),
    "pboc_person": (1200, 6000),
}
"""Median and 99th percentile of the response time in milliseconds."""
TIMEOUT = {"telco_tenure": 3000, "ml_apply": 3000, "ml_overdue": 3000, "pboc_person": 15000}
PREFIX = {"telco_tenure": "TT", "ml_apply": "MA", "ml_overdue": "MO", "pboc_person": "RP"}
RESULTS = ("hit", "no_hit", "error", "timeout")
HIT, NO_HIT, ERROR, TIMED_OUT = range(4)


@dataclass
class Cache:
    """The newest answer of a source for each customer."""

    at: np.ndarray
    result: np.ndarray
    key: np.ndarray
    request: list[str]


def empty_cache(size: int) -> Cache:
    """No answers yet."""
    return Cache(
        np.full(size, np.datetime64("NaT"), "datetime64[ms]"),
        np.zeros(size, np.int64),
        np.full(size, -1),
        [""] * size,
    )


@dataclass
class Calls:
    """The calls of a batch of applications to one source, an entry an application.

    ``asked`` is False where the source was not called at all; ``cached`` where the bank's own copy served.
    """

    source: str
    asked: np.ndarray
    request_ts: np.ndarray
    latency_ms: np.ndarray
    result: np.ndarray
    cached: np.ndarray
    request: list[str]

    @property
    def response_ts(self) -> np.ndarray:
        """When the answer or failure came."""
        return self.request_ts + self.latency_ms.astype("timedelta64[ms]")

    @property
    def answered(self) -> np.ndarray:
        """Where the source itself answered now."""
        return self.asked & ~self.cached & (self.result <= NO_HIT)


def place_calls(
    source: str,
    cust: np.ndarray,
    asked: np.ndarray,
    request_ts: np.ndarray,
    found: np.ndarray,
    key: np.ndarray,
    numbers: np.ndarray,
    cache: Cache,
    rules: SourceRules,
    streams: Streams,
    month: int,
    wave: int,
    assume: Assumptions,
) -> Calls:
    """Ask ``source`` for each application; ``found`` says whether it has a record, ``key`` what is asked about.

    An answer about the same key within the contract's valid days is served from the cache.
    """
    n = len(cust)
    rng = streams.of(f"calls {source} {wave}", month)
    draws = rng.random((2, n))
    median, worst = LATENCY[source]
    latency = np.maximum(median * np.exp(np.log(worst / median) / 2.33 * rng.standard_normal(n)), 8).astype(
        np.int64
    )
    latency = np.minimum(latency, TIMEOUT[source] - 1)
    result = np.where(found, HIT, NO_HIT)
    result = np.where(draws[0] < assume.error_rate, ERROR, result)
    slow = (draws[0] >= assume.error_rate) & (draws[0] < assume.error_rate + assume.timeout_rate)
    result = np.where(slow, TIMED_OUT, result)
    latency = np.where(result == TIMED_OUT, TIMEOUT[source], latency)
    cached = np.zeros(n, bool)
    if rules.valid_days:
        age = request_ts - cache.at[cust]
        fresh = ~np.isnat(cache.at[cust]) & (age < np.timedelta64(rules.valid_days * 86_400_000, "ms"))
        cached = asked & fresh & (cache.key[cust] == key)
    result = np.where(cached, cache.result[cust], result)
    latency = np.where(cached, 3 + (draws[1] * 12).astype(int), latency)
    request = []
    stamps = np.datetime_as_string(request_ts, unit="D").tolist()
    for at, who in enumerate(cust.tolist()):
        if cached[at]:
            request.append(cache.request[who])
        else:
            request.append(f"{PREFIX[source]}{stamps[at].replace('-', '')}{int(numbers[at]):08d}")
    calls = Calls(source, asked, request_ts, latency, result, cached, request)
    for at in np.flatnonzero(calls.answered).tolist():
        who = int(cust[at])
        cache.at[who], cache.result[who], cache.key[who] = calls.response_ts[at], result[at], key[at]
        cache.request[who] = request[at]
    return calls


def costs(calls: Calls, rules: SourceRules) -> np.ndarray:
    """Price of each call in yuan."""
    table = np.array([rules.price.get(name, 0.0) for name in ("hit", "no_hit", "error", "error")])
    return np.where(calls.cached, rules.price.get("cached", 0.0), table[calls.result])
