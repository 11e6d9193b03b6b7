"""The night as a whole: what each step took, and what whoever comes in the morning needs to know."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.night.morning import Morning as Morning
    from bluemirror.night.morning import morning_after as morning_after
    from bluemirror.night.record import Run as Run
    from bluemirror.night.record import RunLog as RunLog
    from bluemirror.night.record import read_runs as read_runs

_LAZY = {
    "Morning": "morning",
    "Run": "record",
    "RunLog": "record",
    "morning_after": "morning",
    "read_runs": "record",
}

__all__ = ["Morning", "Run", "RunLog", "morning_after", "read_runs"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.night.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.night' has no attribute {name!r}")
