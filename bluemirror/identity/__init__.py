"""Who is who: entities, the keys that mean them, the ties between them, and which of them are one.

``build_spine`` and ``build_clusters`` write the tables ``entity``, ``entity_key``, ``entity_link`` and
``entity_cluster`` of the mart, from what ``feature_repo/entities.yaml`` declares; ``known_at`` reads them as they were
known at a moment; ``judge`` holds matches against the truth where there is one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.identity.build import build_clusters as build_clusters
    from bluemirror.identity.build import build_spine as build_spine
    from bluemirror.identity.declared import is_declared as is_declared
    from bluemirror.identity.declared import read_declared as read_declared
    from bluemirror.identity.judging import judge as judge
    from bluemirror.identity.known import known_at as known_at
    from bluemirror.identity.known import known_sql as known_sql

_LAZY = {
    "build_clusters": "build",
    "build_spine": "build",
    "is_declared": "declared",
    "judge": "judging",
    "known_at": "known",
    "known_sql": "known",
    "read_declared": "declared",
}

__all__ = ["build_clusters", "build_spine", "is_declared", "judge", "known_at", "known_sql", "read_declared"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.identity.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.identity' has no attribute {name!r}")
