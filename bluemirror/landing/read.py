"""Reading the files of some deliveries, whatever their formats; many documents are parsed by two processes."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from bluemirror.landing.formats import READERS
from bluemirror.landing.landed import FileFault, LandedFile, Read, rows_to_frames
from bluemirror.landing.lines import gather
from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

WORKERS = 2
BATCH_BYTES = 6 << 20
"""What one process parses at a time: large against the cost of handing the rows back."""
POOL_FROM_BYTES = 24 << 20
"""Below this much, starting processes (a third of a second each) costs more than it saves."""


@dataclass(frozen=True)
class _Task:
    module: str
    plan: Plan
    files: tuple[LandedFile, ...]


def read_chunks(
    plan: Plan, contract: Contract, chunks: Sequence[Sequence[LandedFile]], workers: int = WORKERS
) -> Iterator[Read]:
    """Read chunk after chunk; the next one is being parsed while the caller works on this one.

    Parameters
    ----------
    plan, contract
        The compiled extraction and its contract.
    chunks
        Files of each chunk, numbered from 0 within it.
    workers
        Processes for formats that are parsed in Python; 0 or 1 reads in this process.
    """
    heavy = sum(
        file.path.stat().st_size
        for chunk in chunks
        for file in chunk
        if _in_python(plan, file) and file.path.is_file()
    )
    # A process that was itself started by multiprocessing must not start others.
    alone = multiprocessing.parent_process() is not None or workers < 2 or heavy < POOL_FROM_BYTES
    if alone:
        for chunk in chunks:
            yield _merge(plan, [_run(task) for task in _tasks(plan, chunk)], _direct(plan, contract, chunk))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        ahead: list[tuple[Sequence[LandedFile], list[_Task], list[Future[Read]]]] = []
        for chunk in chunks:
            tasks = _tasks(plan, chunk)
            ahead.append((chunk, tasks, [pool.submit(_run, task) for task in tasks]))
            if len(ahead) > 1:
                yield _collect(plan, contract, *ahead.pop(0))
        while ahead:
            yield _collect(plan, contract, *ahead.pop(0))


def _collect(
    plan: Plan,
    contract: Contract,
    chunk: Sequence[LandedFile],
    tasks: Sequence[_Task],
    futures: Sequence[Future[Read]],
) -> Read:
    try:
        parts = [future.result() for future in futures]
    except BrokenProcessPool:
        # No second process to be had (a sandbox, a main script without a guard): slower, but it works.
        parts = [_run(task) for task in tasks]
    return _merge(plan, parts, _direct(plan, contract, chunk))


def _one_thread() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"


def _run(task: _Task) -> Read:
    return importlib.import_module(task.module).read(task.plan, None, task.files)


def _module(file: LandedFile) -> str | None:
    return READERS.get(PurePath(file.name).suffix.lower())


def _in_python(plan: Plan, file: LandedFile) -> bool:
    suffix = PurePath(file.name).suffix.lower()
    return suffix in (".xml", ".json") or (suffix == ".jsonl" and not plan.flat)


def _tasks(plan: Plan, chunk: Sequence[LandedFile]) -> list[_Task]:
    by_module: dict[str, list[LandedFile]] = {}
    for file in chunk:
        module = _module(file)
        if module and _in_python(plan, file) and file.path.is_file():
            by_module.setdefault(module, []).append(file)
    tasks = []
    for module, files in by_module.items():
        batch: list[LandedFile] = []
        size = 0
        for file in files:
            batch.append(file)
            size += file.path.stat().st_size
            if size >= BATCH_BYTES:
                tasks.append(_Task(module, plan, tuple(batch)))
                batch, size = [], 0
        if batch:
            tasks.append(_Task(module, plan, tuple(batch)))
    return tasks


def _direct(plan: Plan, contract: Contract, chunk: Sequence[LandedFile]) -> list[Read]:
    """Read in this process what is read by compiled code, and note files that cannot be read at all."""
    reads = []
    by_module: dict[str, list[LandedFile]] = {}
    odd = Read()
    for file in chunk:
        module = _module(file)
        if not file.path.is_file():
            fault = FileFault(
                file.number,
                "missing_file",
                "the completing file names it, but it is not in the delivery",
                "ask the source for the file, in a later delivery",
                rows=file.rows,
            )
            odd.faults.append(fault)
        elif module is None or PurePath(file.name).suffix.lower().lstrip(".") not in contract.landing.formats:
            fault = FileFault(
                file.number,
                "format",
                f"the contract's formats are {', '.join(contract.landing.formats)}",
                "ask for the agreed format, or agree a new contract version",
                rows=file.rows,
            )
            odd.faults.append(fault)
        elif not _in_python(plan, file):
            by_module.setdefault(module, []).append(file)
    for module, files in by_module.items():
        reads.append(importlib.import_module(module).read(plan, contract, files))
    return [*reads, odd]


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
            empty = empty or rows_to_frames(plan, [[] for _ in plan.scopes])
            whole = empty[scope.number]
        result.scopes[scope.number] = whole
    return result
