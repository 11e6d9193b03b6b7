"""What a training lays before the validation: its rows, scores, inputs, texts, and the text that will be registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.fingerprint import code_version
from bluemirror.scorecards.population import OOT, TRAIN, read_parts

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.train import Trained
    from bluemirror.validation import Description, Evidence, Sample
    from bluemirror.workspace import Workspace

HEADINGS = {
    "for what": "purpose",
    "purpose": "purpose",
    "population": "population",
    "label": "label",
    "method": "method",
    "limits": "limits",
    "limits and duties": "limits",
}
"""Headings of a model's ``card.md`` and the part of the documentation that they hold."""


def lay_out(workspace: Workspace, trained: Trained, snapshot: str) -> Evidence:
    """The evidence on a scorecard that has just been trained.

    The scorer is read from the very text that is registered, so that what is judged is what will score. The champion is
    asked for the judging rows if there is one.

    Parameters
    ----------
    snapshot
        Name of the mart's snapshot that the training read.
    """
    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.validation import Evidence, Limits, Variable

    spec, card = trained.spec, trained.scorecard
    parts = read_parts(workspace, spec, trained.population)
    served = ScorecardClassifier.from_text(card.to_text())
    variables = {}
    for name in card.variables_:
        told = trained.candidates.variables[name]
        variables[name] = Variable(
            told.source, told.label_zh, told.label_en, spec.constraints.direction(name), str(told.meaning)
        )

    def scorer(inputs: Mapping[str, Any]) -> Any:
        import polars as pl

        return served.predict_proba(pl.DataFrame({name: inputs[name] for name in served.variables_}))[:, 1]

    return Evidence(
        description=_description(trained, snapshot),
        train=_sample(trained, TRAIN, parts),
        judging=_sample(trained, OOT, parts),
        variables=variables,
        scorer=scorer,
        champion=champion_probability(workspace, trained),
        challenger=trained.challenger_judged[OOT].probability,
        limits=Limits(min_auc=spec.gates.min_auc, min_bads=spec.gates.min_bads),
    )


def champion_probability(workspace: Workspace, trained: Trained) -> Any:
    """The champion's probability of bad for the judging rows, shape (rows,), or None.

    None if there is no champion, or its variables are not all among today's candidates with the meaning that it has
    today's values for.
    """
    from bluemirror.scorecards.records import champion_record
    from bluemirror.scorecards.registry import load_scorecard
    from bluemirror.scorecards.stored import with_reasons
    from bluemirror.scorecards.train import training_frame

    spec = trained.spec
    record = champion_record(workspace, spec.name)
    if record is None:
        return None
    card = load_scorecard(workspace, spec.name, record.version).scorecard
    if any(name not in trained.candidates.variables for name in card.variables_):
        return None
    values = training_frame(workspace, trained.population.side(OOT), card.variables_)
    inputs = with_reasons(workspace, spec.observation_set, values, trained.candidates.block_of)
    return card.predict_proba(inputs.select(card.variables_))[:, 1]


def _sample(trained: Trained, side: str, parts: pl.DataFrame) -> Sample:
    from bluemirror.validation import Sample

    spec, population = trained.spec, trained.population
    rows = population.side(side)
    here = population.rows["side"] == side
    told = {name: np.asarray(parts.filter(here)[name].to_list(), dtype=object) for name in parts.columns}
    return Sample(
        observation=rows["observation_id"].to_numpy(),
        customer=rows[population.entity_key].cast(str).to_numpy(),
        as_of=rows["as_of"].to_numpy(),
        probability=trained.scorecard_judged[side].probability,
        bad=rows["bad"].to_numpy(),
        inputs={name: trained.inputs[side][name].to_numpy() for name in trained.scorecard.variables_},
        matured_on=rows["matured_on"].to_numpy(),
        segments={name: told[name] for name in (spec.parts.segments if spec.parts else ())},
        groups={name: told[name] for name in (spec.parts.groups if spec.parts else ())},
    )


def _description(trained: Trained, snapshot: str) -> Description:
    from bluemirror.validation import Description

    spec, metrics = trained.spec, trained.scorecard_pack.metrics
    made = {
        "population": spec.population_text,
        "label": spec.horizon,
        "method": (
            f"Binning into at most {spec.binning.max_bins} bins, weights of evidence, logistic regression of at most "
            f"{spec.constraints.max_variables} variables."
        ),
    }
    return Description(
        name=spec.name,
        title_zh=spec.title_zh,
        title_en=spec.title_en,
        version=f"training {trained.fingerprint}",
        as_of=str(trained.population.as_of),
        trainer=spec.trainer,
        reviewers=spec.reviewers,
        texts={
            **made,
            **card_parts(spec.card.read_text(encoding="utf-8") if spec.card else ""),
            "data": f"snapshot {snapshot}, hash of the values {trained.data_hash}",
            "code": code_version(),
            "reproduce": (
                f"With snapshot {snapshot} and this code, bluemirror train {spec.name} gives the fingerprint "
                f"{trained.fingerprint}."
            ),
        },
        claims={name: metrics[name] for name in ("auc", "ks", "bad_rate", "rows", "bads")},
        split_in_time=spec.split.by == "time",
        horizon_days=1,
        flow=tuple(vars(step) for step in trained.population.flow),
    )


def card_parts(card: str) -> dict[str, str]:
    """The paragraphs of a model card by the part of the documentation that their bold heading names."""
    found = {}
    for heading, text in re.findall(r"\*\*(.+?)\*\*(.*?)(?=\n\s*\n|\n\*\*|\Z)", card, flags=re.DOTALL):
        part = HEADINGS.get(heading.strip().rstrip(".:").lower())
        if part and text.strip():
            found[part] = " ".join(text.split())
    return found
