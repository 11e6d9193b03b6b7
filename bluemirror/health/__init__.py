"""Health of every variable, every night: is it there, does it look as it did, and which source is behind what moved.

``night(workspace)`` looks at the newest night; ``publish`` keeps it in the mart (``variable_health``, ``block_health``,
``health_alert``) and writes the page.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.health.nightly import Night as Night
    from bluemirror.health.nightly import night as night
    from bluemirror.health.publishing import publish as publish

_LAZY = {"Night": "nightly", "night": "nightly", "publish": "publishing"}

__all__ = ["Night", "night", "publish"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.health.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.health' has no attribute {name!r}")
