"""The data-source desk: every morning, of every source, whether it came, whether it is right, and what it cost.

``scorecard(workspace)`` gives the scorecard of the newest day, computed only from what was known by then; ``publish``
keeps it in the mart and writes the page.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.desk.card import Scorecard as Scorecard
    from bluemirror.desk.card import SourceCard as SourceCard
    from bluemirror.desk.daily import scorecard as scorecard
    from bluemirror.desk.publishing import publish as publish

_LAZY = {"Scorecard": "card", "SourceCard": "card", "publish": "publishing", "scorecard": "daily"}

__all__ = ["Scorecard", "SourceCard", "publish", "scorecard"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.desk.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.desk' has no attribute {name!r}")
