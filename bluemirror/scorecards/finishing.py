"""What a declared model asks of its card after the fit: rejected applicants, and the bad rate it is to speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.scorecards.population import TRAIN

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.calibration import Calibration
    from bluemirror.scorecards.candidates import CandidateSet
    from bluemirror.scorecards.population import Population
    from bluemirror.scorecards.reject_inference import Inference
    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Finished:
    """The card, and what was done to it; None where nothing was declared."""

    card: ScorecardClassifier
    inference: Inference | None
    calibration: Calibration | None


def finish(
    workspace: Workspace,
    spec: ModelSpec,
    population: Population,
    chosen: CandidateSet,
    card: ScorecardClassifier,
    inputs: pl.DataFrame,
    bad: Any,
    say: Callable[[str], None],
) -> Finished:
    """Infer the rejected and move to the target, as declared.

    Parameters
    ----------
    card
        Fitted on the training side: ``inputs`` and ``bad``.

    Raises
    ------
    ModelError
        If reject inference is declared and nobody of the training window was rejected for the declared reasons.
    """
    import polars as pl

    from bluemirror.scorecards.calibration import to_bad_rate
    from bluemirror.scorecards.reject_inference import infer

    inference = calibration = None
    everybody = inputs.select(card.variables_)
    if spec.rejects.method != "none":
        rejected = _rejected(workspace, spec, population, chosen, card)
        inference = infer(card, everybody, bad, rejected, spec.rejects.method, spec.rejects.factor, spec.seed)
        card = inference.card
        everybody = pl.concat([everybody, rejected]).select(card.variables_)
        say(f"{spec.name}: {inference!r}")
    if spec.points.target_bad_rate:
        rows = everybody if inference else inputs.select(list(card.feature_names_in_))
        calibration = to_bad_rate(card, rows, spec.points.target_bad_rate)
        card = calibration.card
        say(
            f"{spec.name}: calibrated from {calibration.before:.2%} to {calibration.after:.2%} bad over "
            f"{calibration.rows:,} applicants ({calibration.points:+.0f} points)"
        )
    return Finished(card, inference, calibration)


def _rejected(
    workspace: Workspace,
    spec: ModelSpec,
    population: Population,
    chosen: CandidateSet,
    card: ScorecardClassifier,
) -> pl.DataFrame:
    """The card's inputs of the rejected applicants of the training window."""
    from bluemirror.scorecards.stored import with_reasons
    from bluemirror.scorecards.train import training_frame

    rows = population.left_out(spec.rejects.excluded, TRAIN)
    if rows.is_empty():
        known = (
            [] if population.excluded is None else population.excluded["excluded"].unique().sort().to_list()
        )
        raise ModelError(
            "nobody was rejected in the training window",
            file=spec.file,
            field="reject_inference.excluded",
            rule=f"reasons of the population query: {', '.join(known) or 'it gives none'}",
            fix="name the reasons that mean a rejection, or declare method: none",
        )
    frame = training_frame(workspace, rows, card.variables_)
    return with_reasons(workspace, spec.observation_set, frame, chosen.block_of).select(card.variables_)
