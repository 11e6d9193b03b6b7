"""What the command line prints: progress with elapsed seconds, tables, what to do next, one JSON line."""

from __future__ import annotations

import json
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

HEARTBEAT_SECONDS = 10.0


class Console:
    """Text for people; with ``as_json`` it moves to standard error, standard output gets one object."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._finished = False

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._start

    def line(self, text: str = "") -> None:
        """Print ``text`` as it is."""
        with self._lock:
            print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def say(self, text: str) -> None:
        """Print a line of progress with the elapsed seconds."""
        self.line(f"[{self.seconds:6.1f}s] {text}")

    def next(self, *hints: str) -> None:
        """Say what to do next."""
        for number, hint in enumerate(hints):
            self.line(("Next: " if number == 0 else "      ") + hint)

    def error(self, text: str) -> None:
        """Print an error to standard error."""
        with self._lock:
            print(f"error: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Repeat every few seconds that ``what`` goes on, so that a long silent step does not look stuck."""
        done = threading.Event()
        began = time.monotonic()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                self.say(f"  ... {what} ({time.monotonic() - began:.0f} s)")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]], *, left: int = 1) -> None:
        """Print aligned columns; the first ``left`` are text and lean left, the rest are numbers."""
        cells = [[_text(cell) for cell in row] for row in rows]
        widths = [max(_width(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
        rule = ["-" * width for width in widths]
        for row in [list(head), rule, *cells]:
            parts = [
                cell + " " * (width - _width(cell)) if i < left else " " * (width - _width(cell)) + cell
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.line("  " + "  ".join(parts).rstrip())

    def finish(self, result: dict[str, Any]) -> None:
        """Print the JSON object, if one was asked for; only the first result counts."""
        if self.as_json and not self._finished:
            self._finished = True
            print(json.dumps(result, ensure_ascii=False, default=str), flush=True)


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return str(cell)


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
