"""Peak memory of this process and its children together, as the operating system counts it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_SECONDS = 0.25


class PeakMemory:
    """Context manager that watches the process tree; ``mib`` is the largest sum of resident sets seen so far.

    Where there is no ``/proc`` the largest resident set of this process is reported.
    """

    def __init__(self) -> None:
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def mib(self) -> int:
        """MiB (2**20 bytes)."""
        return max(self._peak, _own_peak()) // 2**20

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self._peak = max(self._peak, _tree(os.getpid()))


def _tree(pid: int) -> int:
    """Resident bytes of ``pid`` and its descendants; 0 for a process that ended meanwhile."""
    folder = Path("/proc") / str(pid)
    try:
        total = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = [
            child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()
        ]
    except (OSError, IndexError, ValueError):
        return 0
    return total + sum(_tree(int(child)) for child in children)


def _own_peak() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
