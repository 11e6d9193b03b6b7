"""The risk data mart: contracted tables as immutable snapshots.

``ingest_source`` brings deliveries in, ``check_source`` looks at all rows again, ``source_state`` says what came,
``write_table`` writes the platform's own tables back; :func:`bluemirror.connect` reads it all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.mart.check import CheckReport as CheckReport
    from bluemirror.mart.check import check_source as check_source
    from bluemirror.mart.ingest import SourceReport as SourceReport
    from bluemirror.mart.ingest import ingest_source as ingest_source
    from bluemirror.mart.state import SourceState as SourceState
    from bluemirror.mart.state import source_state as source_state
    from bluemirror.mart.writeback import write_table as write_table

_LAZY = {
    "CheckReport": "check",
    "SourceReport": "ingest",
    "SourceState": "state",
    "check_source": "check",
    "ingest_source": "ingest",
    "source_state": "state",
    "write_table": "writeback",
}

__all__ = [
    "CheckReport",
    "SourceReport",
    "SourceState",
    "check_source",
    "ingest_source",
    "source_state",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.mart.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.mart' has no attribute {name!r}")
