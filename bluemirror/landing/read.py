"""Reading the files of some deliveries, whatever their formats; bulk is read beside the caller's own work."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bluemirror.landing.formats import BESIDE, DOCUMENTS, IN_PYTHON, READERS
from bluemirror.landing.landed import FileFault, LandedFile, Read, empty_frames
from bluemirror.landing.limits import DOCUMENT_BYTES, FILE_BYTES
from bluemirror.landing.lines import gather
from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

WORKERS = 2
BATCH_BYTES = 12 << 20
"""What one process parses at a time: large against the cost of handing the rows back."""
AHEAD = 2
"""Chunks that are parsed or waiting to be, beside the one that the caller works on."""
_BESIDE = frozenset(READERS[suffix] for suffix in BESIDE)
POOL_FROM_BYTES = 64 << 20
"""Below this much, starting processes (half a second each) costs more than it saves."""


@dataclass
class _Sorted:
    """The files of a chunk by who reads them.

    ``parsed`` are read in Python and may go to another process, ``direct`` by compiled code in this one (both by
    module); ``odd`` are those that cannot be read at all.
    """

    parsed: dict[str, list[LandedFile]] = field(default_factory=dict)
    direct: dict[str, list[LandedFile]] = field(default_factory=dict)
    odd: list[FileFault] = field(default_factory=list)

    @property
    def heavy(self) -> int:
        """Bytes of text to be parsed in Python."""
        return sum(file.weight for files in self.parsed.values() for file in files)


@dataclass(frozen=True)
class _Task:
    module: str
    files: tuple[LandedFile, ...]


def read_chunks(
    plan: Plan, contract: Contract, chunks: Sequence[Sequence[LandedFile]], workers: int = WORKERS
) -> Iterator[Read]:
    """Read chunk after chunk; the next ones are being parsed while the caller works on this one.

    Parameters
    ----------
    plan, contract
        The compiled extraction and its contract.
    chunks
        Files of each chunk, numbered from 0 within it, with their sizes.
    workers
        Processes for formats that are parsed in Python, this one among them; 0 or 1 starts none. What compiled code
        reads is read by as many threads instead.
    """
    ordered = [_sort(plan, contract, chunk) for chunk in chunks]
    # A process that was itself started by multiprocessing must not start others.
    alone = multiprocessing.parent_process() is not None or workers < 2
    if alone or sum(chunk.heavy for chunk in ordered) < POOL_FROM_BYTES:
        for chunk in ordered:
            yield _merge(plan, [_run(plan, task) for task in _tasks(chunk)], _direct(plan, contract, chunk))
        return
    context = multiprocessing.get_context("spawn")
    # One less than there are cores to use: this process works too, and three on two cores are in each other's way.
    with (
        ProcessPoolExecutor(
            workers - 1, mp_context=context, initializer=_start, initargs=(plan,)
        ) as processes,
        ThreadPoolExecutor(workers - 1) as threads,
    ):

        def begin(task: _Task) -> Future[Read]:
            if task.module in _BESIDE:
                return threads.submit(_run, plan, task)
            # The first of these starts the process.
            return processes.submit(_run_there, task)

        ahead: deque[tuple[_Sorted, list[_Task], list[Future[Read]]]] = deque()
        for chunk in ordered:
            tasks = _tasks(chunk)
            ahead.append((chunk, tasks, [begin(task) for task in tasks]))
            if len(ahead) > AHEAD:
                yield _collect(plan, contract, *ahead.popleft())
        while ahead:
            yield _collect(plan, contract, *ahead.popleft())


def _collect(
    plan: Plan, contract: Contract, chunk: _Sorted, tasks: Sequence[_Task], futures: Sequence[Future[Read]]
) -> Read:
    """What became of the tasks of a chunk; those that nobody has begun are done here, from the last backwards."""
    there = len(tasks)
    mine: list[Read] = []
    while there and futures[there - 1].cancel():
        there -= 1
        mine.append(_run(plan, tasks[there]))
    try:
        parts = [future.result() for future in futures[:there]]
    except BrokenProcessPool:
        # No second process to be had (a sandbox, a main script without a guard): slower, but it works.
        parts = [_run(plan, task) for task in tasks[:there]]
    return _merge(plan, [*parts, *reversed(mine)], _direct(plan, contract, chunk))


_PLAN: list[Plan] = []


def _start(plan: Plan) -> None:
    """Make a fresh process ready; the plan is handed over once, not with every task."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    _PLAN[:] = [plan]


def _run_there(task: _Task) -> Read:
    return _run(_PLAN[0], task)


def _run(plan: Plan, task: _Task) -> Read:
    return importlib.import_module(task.module).read(plan, None, task.files)


def _sort(plan: Plan, contract: Contract, chunk: Sequence[LandedFile]) -> _Sorted:
    result = _Sorted()
    suffixes = {f".{name}" for name in contract.landing.formats}
    for file in chunk:
        suffix = file.suffix
        limit = DOCUMENT_BYTES if suffix in DOCUMENTS else FILE_BYTES
        if file.size is None:
            fault = FileFault(
                file.number,
                "missing_file",
                "the completing file names it, but it is not in the delivery",
                "ask the source for the file, in a later delivery",
                rows=file.rows,
            )
            result.odd.append(fault)
        elif suffix not in READERS or suffix not in suffixes:
            fault = FileFault(
                file.number,
                "format",
                f"the contract's formats are {', '.join(contract.landing.formats)}",
                "ask for the agreed format, or agree a new contract version",
                rows=file.rows,
            )
            result.odd.append(fault)
        elif file.size > limit:
            fault = FileFault(
                file.number,
                "file_size",
                f"{file.size} bytes, at most {limit} are read",
                "ask the source to split the file",
                rows=file.rows,
            )
            result.odd.append(fault)
        else:
            parsed = suffix in IN_PYTHON or (suffix == ".jsonl" and not plan.flat)
            readers = result.parsed if parsed else result.direct
            readers.setdefault(READERS[suffix], []).append(file)
    return result


def _tasks(chunk: _Sorted) -> list[_Task]:
    tasks = []
    for module, files in chunk.parsed.items():
        batch: list[LandedFile] = []
        size = 0
        for file in files:
            batch.append(file)
            size += file.weight
            if size >= BATCH_BYTES:
                tasks.append(_Task(module, tuple(batch)))
                batch, size = [], 0
        if batch:
            tasks.append(_Task(module, tuple(batch)))
    return tasks


def _direct(plan: Plan, contract: Contract, chunk: _Sorted) -> list[Read]:
    reads = [
        importlib.import_module(module).read(plan, contract, files) for module, files in chunk.direct.items()
    ]
    return [*reads, Read(faults=chunk.odd)]


def _merge(plan: Plan, parts: Iterable[Read], direct: Iterable[Read]) -> Read:
    reads = [*parts, *direct]
    result = Read()
    for part in reads:
        result.counts.update(part.counts)
        result.hashes.update(part.hashes)
        result.faults.extend(part.faults)
        result.lines.extend(part.lines)
    empty = None
    for scope in plan.scopes:
        frames = [part.scopes[scope.number] for part in reads if scope.number in part.scopes]
        frames = [frame for frame in frames if frame.height]
        if frames:
            whole = gather(frames) if len(frames) > 1 else frames[0]
            if not whole[PLACE[0]].is_sorted():
                whole = whole.sort(PLACE[0], maintain_order=True)
        else:
            empty = empty or empty_frames(plan)
            whole = empty[scope.number]
        result.scopes[scope.number] = whole
    return result
