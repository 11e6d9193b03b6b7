"""What an outside source is to the simulator: a module of ``simulator.sources`` makes one of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from simulator import calls as wire
from simulator.calls import Calls, Line
from simulator.deliveries import ARRIVES, ORDER
from simulator.spoiling import Plant

if TYPE_CHECKING:
    from simulator.asking import Asking
    from simulator.world import World


@dataclass(frozen=True)
class NothingAssumed:
    """The assumptions of a source that makes none of its own."""


class Source:
    """A source that sends its files by itself.

    Parameters
    ----------
    assume
        Its assumptions, an :attr:`assumes`; the default is that class's defaults.

    Attributes
    ----------
    name
        The source: the name of its contract and of its module.
    plant
        How a few rows are broken (column, value, which rows may be taken), so that quarantine has something to hold.
    assumes
        The frozen dataclass of its assumptions: each field has a default and a text below it, which the page
        ``docs/simulation.md`` shows, and a workspace's ``simulation.yaml`` can change it.
    """

    name: ClassVar[str]
    plant: ClassVar[Plant | None] = None
    assumes: ClassVar[type] = NothingAssumed

    def __init__(self, assume: Any = None) -> None:
        self.assume = self.assumes() if assume is None else assume

    def begin(self, world: World) -> None:
        """Once, when five years of history have been lived through and before the first simulated month."""

    def live(self, world: World, month: int) -> None:
        """At the end of every simulated month, when applications, decisions and repayments are done.

        What the source sends goes to ``world.deliveries.add(self.name, frame, month)`` with the contract's columns
        and the day of arrival (``ARRIVES``, a date) and sort key (``ORDER``, microseconds). The random numbers come
        from ``world.streams.of(purpose, month)``; what outlasts the month stands in ``world.kept[self.name]``.
        """

    def truth(self, world: World) -> dict[str, pl.DataFrame]:
        """Tables that only tests may read, by name; they are written to the truth folder."""
        return {}


@dataclass(frozen=True)
class Answer:
    """What a source would say to a batch of questions.

    Parameters
    ----------
    result
        An entry a question: HIT, NO_HIT, MATCH or MISMATCH of ``simulator.calls``, as if no call failed.
    rows
        Given the calls and the entries that the source really answered (not cached, not failed; increasing), the
        rows it sends, in the contract's columns: at least one an entry, in whose result a miss is said as well. If
        ``ARRIVES`` and ``ORDER`` are missing there must be exactly one row an entry, and it comes with its response.
        None if the source wrote its documents itself.
    """

    result: np.ndarray
    rows: Callable[[Calls, np.ndarray], pl.DataFrame | None]


class AskedSource(Source):
    """A source that the bank asks about applicants, and about borrowers if ``monitors``.

    Attributes
    ----------
    prefix
        Begins its request ids: capitals, two or three, its own.
    latency
        Median and 99th percentile of the response time in milliseconds.
    timeout
        Milliseconds after which the bank gives up.
    entity
        What the question is about, a code of the call ledger: person, company, phone, card, device, address, ip.
    monitors
        Whether it is asked about borrowers too, see ``Assumptions.monitored_every``.
    since
        First month under contract, counted from the start of the simulation.
    """

    prefix: ClassVar[str]
    latency: ClassVar[tuple[int, int]]
    timeout: ClassVar[int] = 3000
    entity: ClassVar[str] = "person"
    monitors: ClassVar[bool] = False
    since: ClassVar[int] = 0

    def wanted(self, asking: Asking) -> np.ndarray:
        """About whom the bank asks: a boolean an entry. The default: everybody who passed the first screen."""
        return asking.screened

    def subject(self, asking: Asking) -> np.ndarray:
        """What is asked about, as integers: an answer is served from the cache only about the same subject."""
        return asking.cust

    def answer(self, asking: Asking) -> Answer:
        """What the source would say about each entry."""
        raise NotImplementedError

    @property
    def line(self) -> Line:
        """How it answers over the wire."""
        return Line(self.name, self.prefix, *self.latency, self.timeout, self.entity)

    def ask(self, asking: Asking) -> Calls:
        """Place the calls of a batch and deliver what comes back."""
        world = asking.world
        asking = asking.of(self.name)
        delay = world.streams.of(f"asked when {self.name} {asking.stage} {asking.wave}", asking.month)
        at = asking.at + (80 + delay.random(asking.n) * 600).astype(np.int64).astype("timedelta64[ms]")
        answer = self.answer(asking)
        calls = wire.place_calls(
            self.line, asking.cust, self.wanted(asking), at, answer.result, self.subject(asking), asking.number,
            world.cache(self.name), world.rules[self.name], world.streams, asking.month,
            f"{asking.stage} {asking.wave}", world.assume,
        )  # fmt: skip
        which = np.flatnonzero(calls.answered)
        frame = answer.rows(calls, which) if len(which) else None
        if frame is not None:
            if ARRIVES not in frame.columns:
                told = calls.response_ts[which]
                frame = frame.with_columns(
                    pl.Series(ARRIVES, told.astype("datetime64[D]")),
                    pl.Series(ORDER, told.astype("datetime64[us]")),
                )
            world.deliveries.add(self.name, frame, asking.month)
        return calls
