"""What the assets of one run tell: lines of progress, and the library's reports by asset."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from bluemirror.errors import BluemirrorError
from bluemirror.night import RunLog


def _log(text: str) -> None:
    logging.getLogger("bluemirror").info(text)


@dataclass
class Journal:
    """Collects reports; ``say`` prints progress (to the log, unless the command line gives its own).

    With ``record``, each step is also written down as it ends, with its time and memory.
    """

    say: Callable[[str], None] = _log
    working: Callable[[str], Any] | None = None
    reports: dict[tuple[str, str], Any] = field(default_factory=dict)
    errors: list[BluemirrorError] = field(default_factory=list)
    record: RunLog | None = None

    def of(self, kind: str) -> dict[str, Any]:
        """Reports of one kind (``source``, ``check``, ``variables``, ``model``, ``score``) by name."""
        return {name: report for (found, name), report in self.reports.items() if found == kind}

    @contextmanager
    def step(self, kind: str, name: str) -> Iterator[Callable[[Any], Any]]:
        """Run a library call as the step ``kind`` of ``name``; call the yielded function with its report.

        An error that a user must mend is not tried again: repeating cannot mend a contract.
        """
        with ExitStack() as around:
            told: dict[str, Any] = {}

            def keep(report: Any) -> Any:
                self.reports[kind, name] = told["report"] = report
                return report

            around.enter_context(self._failing())
            if self.record is not None:
                told = around.enter_context(self.record.step(kind, name))
            if self.working is not None:
                around.enter_context(self.working(f"{kind} {name}"))
            yield keep

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BluemirrorError as error:
            self.errors.append(error)
            raise dg.Failure(description=str(error), allow_retries=False) from error
