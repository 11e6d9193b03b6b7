"""What MLflow loads for a registered version: the text form, read by this library. No pickles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.scorecards.stored import without_reasons

if TYPE_CHECKING:
    from bluemirror.scorecards.challenger import Challenger
    from bluemirror.scorecards.scorecard import ScorecardClassifier


class ServedScorecard:
    """A scorecard as an MLflow model: a frame of inputs in, score, probability and reasons out."""

    def __init__(self, scorecard: ScorecardClassifier) -> None:
        self.scorecard = scorecard

    def predict(self, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 (MLflow's signature)
        """Score the rows of a pandas frame whose columns are the inputs, in any order."""
        import pandas as pd

        X = model_input[list(self.scorecard.variables_)].astype(float)
        out = {"score": self.scorecard.score_points(X), "probability": self.scorecard.predict_proba(X)[:, 1]}
        return pd.concat([pd.DataFrame(out), self.scorecard.reason_codes(X).to_pandas()], axis=1)


class ServedChallenger:
    """A challenger as an MLflow model: a frame of inputs in, probability out."""

    def __init__(self, challenger: Challenger) -> None:
        self.challenger = challenger

    def predict(self, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 (MLflow's signature)
        """Probability of bad for the rows of a pandas frame whose columns are the inputs, in any order."""
        import pandas as pd

        X = without_reasons(model_input[list(self.challenger.names)].astype(float).to_numpy())
        return pd.DataFrame({"probability": self.challenger.probability(X)})


def _load_pyfunc(path: str) -> ServedScorecard | ServedChallenger:
    """MLflow's entry: the model in the file at ``path``."""
    file = Path(path)
    if file.is_dir():
        file = next(p for p in sorted(file.iterdir()) if p.suffix in (".yaml", ".json"))
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        from bluemirror.scorecards.challenger import Challenger

        return ServedChallenger(Challenger.from_text(text))
    from bluemirror.scorecards.scorecard import ScorecardClassifier

    return ServedScorecard(ScorecardClassifier.from_text(text))
