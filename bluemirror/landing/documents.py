"""Reading files that are one record each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from bluemirror.landing.landed import FileFault, LandedFile, Read, collecting_rows, rows_to_frames
from bluemirror.landing.plan import Plan


def read_documents(
    plan: Plan,
    files: Sequence[LandedFile],
    parse: Callable[[bytes], Any],
    walk: Callable[[Plan, Any, list[list[list[Any]]], int, int], None],
    rule: str,
) -> Read:
    """Parse and walk each file; one that cannot be read becomes a :class:`FileFault` and leaves no row."""
    read = Read()
    with collecting_rows():
        rows: list[list[list[Any]]] = [[] for _ in plan.scopes]
        for file in files:
            content = file.path.read_bytes()
            read.hashes[file.number] = hashlib.sha256(content).hexdigest()
            read.counts[file.number] = 1
            marks = [len(scope) for scope in rows]
            try:
                walk(plan, parse(content), rows, file.number, 1)
            except (ValueError, RecursionError) as error:
                for scope, mark in zip(rows, marks, strict=True):
                    del scope[mark:]
                read.faults.append(
                    FileFault(
                        file.number,
                        rule,
                        f"{error} of {len(content)} bytes",
                        "ask the source to deliver the document again, whole, in a later delivery",
                        rows=1,
                    )
                )
        read.scopes = rows_to_frames(plan, rows)
    return read
