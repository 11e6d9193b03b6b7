"""Scorecards: from variables and labels to a registered, reviewed model and its scores.

Reading order: ``spec`` (what a model declares), ``population`` (who trains and who judges), ``candidates`` and
``screen`` (which variables are worth a look), ``binning`` and ``scorecard`` (the estimators), ``challenger``,
``validate``, ``registry`` and ``records`` (who let what score), ``train`` and ``score`` (the steps in a row).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.scorecards.binning import WoeBinner as WoeBinner
    from bluemirror.scorecards.binning_table import BinningTable as BinningTable
    from bluemirror.scorecards.binning_table import BinningTables as BinningTables
    from bluemirror.scorecards.population import read_population as read_population
    from bluemirror.scorecards.registry import load_champion as load_champion
    from bluemirror.scorecards.registry import load_scorecard as load_scorecard
    from bluemirror.scorecards.registry import promote as promote
    from bluemirror.scorecards.scorecard import ScorecardClassifier as ScorecardClassifier
    from bluemirror.scorecards.screened import screen_model as screen_model
    from bluemirror.scorecards.segmentation import SegmentedScorecard as SegmentedScorecard
    from bluemirror.scorecards.spec import read_spec as read_spec
    from bluemirror.scorecards.spec import read_specs as read_specs

_LAZY = {
    "BinningTable": "binning_table",
    "BinningTables": "binning_table",
    "ScorecardClassifier": "scorecard",
    "SegmentedScorecard": "segmentation",
    "WoeBinner": "binning",
    "load_champion": "registry",
    "load_scorecard": "registry",
    "promote": "registry",
    "read_population": "population",
    "read_spec": "spec",
    "read_specs": "spec",
    "screen_model": "screened",
}

__all__ = [
    "BinningTable",
    "BinningTables",
    "ScorecardClassifier",
    "SegmentedScorecard",
    "WoeBinner",
    "load_champion",
    "load_scorecard",
    "promote",
    "read_population",
    "read_spec",
    "read_specs",
    "screen_model",
]


def __getattr__(name: str) -> Any:
    # train, score, screen and validate are modules of that name; import the function from the module
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.scorecards.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.scorecards' has no attribute {name!r}")
