"""Checking chunks of files beside each other: types, times and every rule that needs nothing but the chunk."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

from bluemirror.contracts import Contract
from bluemirror.landing.deliveries import Delivery
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.plan import Plan
from bluemirror.mart.batch import Batch, make_batch
from bluemirror.mart.file_rules import Held
from bluemirror.mart.gate import check_batch
from bluemirror.mart.sql_rules import scratch

CHECKS = 2
"""Chunks that are checked at a time: one alone leaves a core idle wherever it is between two columns or two rules."""


class Checked(NamedTuple):
    """A chunk: its deliveries, what the readers found (without the rows), which files are held, its typed tables."""

    chunk: Sequence[Delivery]
    read: Read
    held: Mapping[int, Held]
    batch: Batch


class Checking:
    """Chunks being checked, given out in the order in which they came; used as a context.

    Parameters
    ----------
    contract, plan
        The contract and its compiled extraction.
    at_once
        Chunks that may be checked at a time.
    """

    def __init__(self, contract: Contract, plan: Plan, at_once: int) -> None:
        self._contract = contract
        self._plan = plan
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="mart-checking")
        self._futures: deque[Future[Checked]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    @property
    def waiting(self) -> bool:
        """Whether there are chunks that were not given out."""
        return bool(self._futures)

    @property
    def full(self) -> bool:
        """Whether as many chunks as may be are being checked."""
        return len(self._futures) >= self._at_once

    def begin(
        self,
        chunk: Sequence[Delivery],
        files: Sequence[LandedFile],
        days: Sequence[dt.date],
        read: Read,
        held: Mapping[int, Held],
    ) -> None:
        """Check a chunk that was read."""
        self._futures.append(self._threads.submit(self._check, chunk, files, days, read, held))

    def next(self) -> Checked:
        """The chunk that came first."""
        return self._futures.popleft().result()

    def _check(
        self,
        chunk: Sequence[Delivery],
        files: Sequence[LandedFile],
        days: Sequence[dt.date],
        read: Read,
        held: Mapping[int, Held],
    ) -> Checked:
        batch = make_batch(self._contract, self._plan, read, files, days, held)
        # They are typed now; keeping the texts as well would double what a chunk takes.
        read.scopes = {}
        with scratch() as connection:
            check_batch(batch, connection)
        return Checked(chunk, read, held, batch)
