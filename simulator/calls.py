"""Calls to outside sources: when asked, when answered, hit or not, from the cache or paid, failed or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assumptions import Assumptions
from simulator.rules import SourceRules
from simulator.streams import Streams

RESULTS = ("hit", "no_hit", "error", "timeout", "match", "mismatch")
HIT, NO_HIT, ERROR, TIMED_OUT, MATCH, MISMATCH = range(6)


@dataclass(frozen=True)
class Line:
    """How a source answers over the wire.

    ``median`` and ``worst`` (99th percentile) of the response time and ``timeout``, after which the bank gives up, are
    milliseconds; ``prefix`` begins the request ids; ``entity`` is what the question is about.
    """

    source: str
    prefix: str
    median: int
    worst: int
    timeout: int
    entity: str = "person"


LINES = {
    line.source: line
    for line in (
        Line("telco_tenure", "TT", 300, 1500, 3000),
        Line("ml_apply", "MA", 200, 900, 3000),
        Line("ml_overdue", "MO", 200, 800, 3000),
        Line("pboc_person", "RP", 1200, 6000, 15000),
    )
}
"""Of the sources that the bank's policy itself looks at."""


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
        return self.asked & ~self.cached & ~self.failed

    @property
    def failed(self) -> np.ndarray:
        """Where nothing came back: an error or a timeout."""
        return (self.result == ERROR) | (self.result == TIMED_OUT)


def place_calls(
    line: Line,
    cust: np.ndarray,
    asked: np.ndarray,
    request_ts: np.ndarray,
    would: np.ndarray,
    key: np.ndarray,
    numbers: np.ndarray,
    cache: Cache,
    rules: SourceRules,
    streams: Streams,
    month: int,
    wave: str,
    assume: Assumptions,
) -> Calls:
    """Ask a source for each entry of a batch.

    ``would`` is the result that the source gives if the call does not fail, ``key`` what is asked about. An answer
    about the same key within the contract's valid days is served from the cache. On the days of an outage that the
    assumptions plan, calls fail, find nothing or crawl.
    """
    n = len(cust)
    source = line.source
    rng = streams.of(f"calls {source} {wave}", month)
    draws = rng.random((2, n))
    latency = np.maximum(
        line.median * np.exp(np.log(line.worst / line.median) / 2.33 * rng.standard_normal(n)), 8
    ).astype(np.int64)
    day = request_ts.astype("datetime64[D]")
    down, silent = np.zeros(n, bool), np.zeros(n, bool)
    for outage in assume.outages:
        if outage.source == source:
            there = (day >= np.datetime64(outage.first)) & (day <= np.datetime64(outage.last))
            down |= there & (outage.kind == "down")
            silent |= there & (outage.kind == "all_miss")
            latency = np.where(there & (outage.kind == "slow"), latency * 6, latency)
    latency = np.minimum(latency, line.timeout - 1)
    failing = np.where(down, 0.55, assume.error_rate)
    stalling = np.where(down, 0.35, assume.timeout_rate)
    result = np.where(silent, NO_HIT, would)
    result = np.where(draws[0] < failing, ERROR, result)
    slow = (draws[0] >= failing) & (draws[0] < failing + stalling)
    result = np.where(slow, TIMED_OUT, result)
    latency = np.where(result == TIMED_OUT, line.timeout, latency)
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
            request.append(f"{line.prefix}{stamps[at].replace('-', '')}{int(numbers[at]):08d}")
    calls = Calls(source, asked, request_ts, latency, result, cached, request)
    for at in np.flatnonzero(calls.answered).tolist():
        who = int(cust[at])
        cache.at[who], cache.result[who], cache.key[who] = calls.response_ts[at], result[at], key[at]
        cache.request[who] = request[at]
    return calls


def costs(calls: Calls, rules: SourceRules) -> np.ndarray:
    """Price of each call in yuan."""
    return np.where(calls.cached, rules.price["cached"], price_of(calls.result, rules))


def price_of(result: np.ndarray, rules: SourceRules) -> np.ndarray:
    """What an answer of each result costs in yuan, by the contract's prices."""
    return np.array([rules.price[name] for name in RESULTS])[result]
