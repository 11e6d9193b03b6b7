"""Faults planted into the model without fault, and for each the checks of which one should fire.

``before``: the bank's samples are changed and the model is made from them. ``after``: the model is made, then what is laid
before the validation is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import clean_model
import numpy as np

from bluemirror.validation import Evidence

FAULTS: list[Fault] = []


@dataclass(frozen=True)
class Fault:
    """What was planted, in words, and the checks of which at least one should fire."""

    name: str
    told: str
    fires: tuple[str, ...]
    plant: Callable[[Any], Evidence]

    def evidence(self, seed: int) -> Evidence:
        """The evidence with the fault in it."""
        return self.plant(seed)


def before(told: str, *fires: str) -> Callable[[Any], Any]:
    """Declare a fault of the samples: the function gets training, judging and random numbers, and gives both."""

    def take(change):
        def plant(seed):
            return clean_model.evidence(*change(*clean_model.samples(seed), np.random.default_rng(seed)))

        FAULTS.append(Fault(change.__name__, told, fires, plant))
        return change

    return take


def after(told: str, *fires: str) -> Callable[[Any], Any]:
    """Declare a fault of what is laid before the validation."""

    def take(change):
        def plant(seed):
            return change(clean_model.clean(seed), np.random.default_rng(seed))

        FAULTS.append(Fault(change.__name__, told, fires, plant))
        return change

    return take


def _input(sample, **values):
    return replace(sample, inputs={**sample.inputs, **values})


def _rescored(e: Evidence, model) -> Evidence:
    """The same rows with a model that was not fitted on them."""
    return replace(
        e,
        scorer=model,
        train=replace(e.train, probability=model(e.train.inputs)),
        judging=replace(e.judging, probability=model(e.judging.inputs)),
    )


def _judging(e: Evidence, **values) -> Evidence:
    return replace(e, judging=replace(e.judging, **values))


def _described(e: Evidence, **values) -> Evidence:
    return replace(e, description=replace(e.description, **values))


# ------------------------------------------------------------------------------------------ leakage


@before("an input that is the outcome with noise", "variable_too_good", "too_good")
def leaked_variable(train, judging, rng):
    return tuple(_input(s, collections_calls=s.bad * 3.0 + rng.normal(size=len(s))) for s in (train, judging))


@before("an input written after the outcome, in training only", "good_in_training_only", "variable_too_good")
def leaked_in_training_only(train, judging, rng):
    return (
        _input(train, later_balance=train.bad + 0.8 * rng.normal(size=len(train))),
        _input(judging, later_balance=rng.normal(size=len(judging)) + 0.1),
    )


@before("a source that is asked only once somebody is late: its absence tells", "missing_tells")
def leaked_by_absence(train, judging, rng):
    def leak(s):
        asked = rng.random(len(s)) < np.where(s.bad == 1, 0.8, 0.3)
        return _input(s, recovery_score=np.where(asked, rng.normal(size=len(s)), np.nan))

    return leak(train), leak(judging)


@before("judging customers who are in training as well", "overlapping_customers")
def overlapping_samples(train, judging, rng):
    customer = judging.customer.copy()
    customer[rng.choice(len(judging), 200, replace=False)] = train.customer[:200]
    return train, replace(judging, customer=customer)


@before("training rows drawn from the judging window", "split_in_time")
def random_split_called_in_time(train, judging, rng):
    as_of = train.as_of.copy()
    at = rng.choice(len(train), 1500, replace=False)
    as_of[at] = rng.choice(judging.as_of, 1500, replace=False)
    return replace(
        train, as_of=as_of, known=as_of - 60_000_000, matured_on=as_of.astype("datetime64[D]") + 185
    ), judging


@before("inputs computed at a later moment than the row's", "known_by_then")
def wrong_as_of(train, judging, rng):
    known = judging.known.copy()
    known[rng.random(len(judging)) < 0.05] += np.timedelta64(30, "D")
    return train, replace(judging, known=known)


@before("outcomes counted before they had time to settle", "label_matured")
def immature_labels(train, judging, rng):
    early = rng.random(len(judging)) < 0.3
    matured = judging.matured_on.copy()
    matured[early] -= 90
    return train, replace(judging, matured_on=matured, bad=np.where(early, 0, judging.bad))


@before("rows that stand twice", "duplicate_rows")
def duplicate_observations(train, judging, rng):
    again = np.r_[np.arange(len(judging)), rng.choice(len(judging), 300, replace=False)]
    return train, judging.rows(np.sort(again))


@before("customers who stand several times under other numbers", "identical_inputs")
def duplicate_customers(train, judging, rng):
    twins = train.rows(rng.choice(len(train), 500, replace=False))
    renamed = replace(
        twins,
        observation=np.char.add("again-", twins.observation),
        customer=np.char.add("again-", twins.customer),
    )
    together = train.rows(np.r_[np.arange(len(train)), np.arange(500)])
    cut = len(train)

    def joined(one, other):
        return np.r_[one[:cut], other]

    return (
        replace(
            together,
            observation=joined(together.observation.astype(object), renamed.observation).astype(str),
            customer=joined(together.customer.astype(object), renamed.customer).astype(str),
            bad=joined(together.bad, renamed.bad),
            as_of=joined(together.as_of, renamed.as_of),
            matured_on=joined(together.matured_on, renamed.matured_on),
            known=joined(together.known, renamed.known),
            segments={n: joined(h, renamed.segments[n]) for n, h in together.segments.items()},
            groups={n: joined(h, renamed.groups[n]) for n, h in together.groups.items()},
            inputs={n: joined(h, renamed.inputs[n]) for n, h in together.inputs.items()},
        ),
        judging,
    )


@before("rows that were sorted by their outcome", "row_order")
def sorted_by_label(train, judging, rng):
    # Within a month, the bads come last.
    order = np.lexsort((train.bad, train.month))
    return train.rows(order), judging


# -------------------------------------------------------------------------------------- labels, scores


@after("goods and bads of the judging rows swapped", "auc_level", "bad_rate_jump")
def swapped_labels(e, rng):
    return _judging(e, bad=1 - e.judging.bad)


@after("most of the bads of two months recorded as goods", "calibration_by_month", "calibration_level")
def lost_bads_of_two_months(e, rng):
    hit = np.isin(e.judging.month, np.unique(e.judging.month)[:2]) & (rng.random(len(e.judging)) < 0.6)
    return _judging(e, bad=np.where(hit, 0, e.judging.bad))


@after("outcomes that are neither 0 nor 1", "labels_valid")
def third_label(e, rng):
    return _judging(e, bad=np.where(rng.random(len(e.judging)) < 0.01, 2, e.judging.bad))


@after("a definition of bad that catches three times as many", "bad_rate_jump", "calibration_level")
def redefined_label(e, rng):
    return _judging(e, bad=np.where(rng.random(len(e.judging)) < 0.25, 1, e.judging.bad))


@after("scores of a few rows are missing", "scores_valid")
def missing_scores(e, rng):
    return _judging(
        e, probability=np.where(rng.random(len(e.judging)) < 0.005, np.nan, e.judging.probability)
    )


@after("scores that another version gave", "scores_reproduce")
def scores_of_another_version(e, rng):
    return _judging(e, probability=e.champion)


@after("scores joined to the wrong rows", "scores_reproduce", "auc_level")
def shuffled_scores(e, rng):
    return _judging(e, probability=rng.permutation(e.judging.probability))


# ---------------------------------------------------------------------------------------------- weights


@after("the weight of one input has the wrong sign", "declared_direction")
def flipped_weight(e, rng):
    weights = dict(e.scorer.weight)
    return _rescored(e, replace(e.scorer, weight={**weights, "income_level": -weights["income_level"]}))


@after("all weights have the wrong sign", "auc_level", "declared_direction")
def flipped_weights(e, rng):
    return _rescored(e, replace(e.scorer, weight={n: -w for n, w in e.scorer.weight.items()}))


@after("all probabilities twice as high as they should be", "calibration_level")
def level_too_high(e, rng):
    return _rescored(e, replace(e.scorer, level=e.scorer.level + 0.7))


@after("probabilities too low: the worst that can happen to a lender", "calibration_level", "grade_jeffreys")
def level_too_low(e, rng):
    return _rescored(e, replace(e.scorer, level=e.scorer.level - 0.7))


@after("probabilities too extreme", "calibration_slope")
def too_extreme(e, rng):
    model = e.scorer
    return _rescored(e, replace(model, weight={n: 1.8 * w for n, w in model.weight.items()}))


@after("probabilities too timid", "calibration_slope")
def too_timid(e, rng):
    model = e.scorer
    return _rescored(e, replace(model, weight={n: 0.5 * w for n, w in model.weight.items()}))


@before("forty inputs of noise fitted to few rows", "auc_gap", "calibration_slope")
def overfitted(train, judging, rng):
    train = train.rows(np.sort(rng.choice(len(train), 500, replace=False)))
    noise = {f"noise_{at}": rng.normal(size=len(train)) for at in range(40)}
    return _input(train, **noise), _input(judging, **{n: rng.normal(size=len(judging)) for n in noise})


@after("a card that is no better than chance", "auc_level", "ks_level")
def no_signal(e, rng):
    return _rescored(e, replace(e.scorer, weight=dict.fromkeys(e.scorer.weight, 0.001)))


@after("all on one input", "one_variable")
def rests_on_one_variable(e, rng):
    weights = {n: (1.0 if n == "overdue_count" else 0.0) for n in e.scorer.weight}
    return _rescored(e, replace(e.scorer, weight=weights))


@after("an input that swings the score", "shifted_input")
def hypersensitive(e, rng):
    return _rescored(e, replace(e.scorer, weight={**e.scorer.weight, "overdue_count": 2.2}))


@after("a source without which everybody looks twice as good or bad", "source_out")
def helpless_without_a_source(e, rng):
    return _rescored(
        e, replace(e.scorer, missing={**e.scorer.missing, "overdue_count": 1.6, "inquiry_count": 1.2})
    )


@after("scores rounded to a few steps", "score_ties", "grade_hhi")
def coarse_scores(e, rng):
    class Rounded:
        def __call__(self, inputs):
            return np.round(e.scorer(inputs) / 0.12) * 0.12

    return _rescored(e, Rounded())


@after("one grade for half of the customers", "largest_grade", "grade_hhi")
def crowded_grade(e, rng):
    keep = (e.grade(e.judging.probability) == 3) | (rng.random(len(e.judging)) < 0.12)
    return replace(e, judging=e.judging.rows(keep), champion=e.champion[keep], challenger=e.challenger[keep])


# ------------------------------------------------------------------------------------------------ drift


@before("a source's values moved by one deviation since training", "input_csi", "score_psi")
def drifted_source(train, judging, rng):
    moved = {n: judging.inputs[n] + 25 for n in ("merchant_flow", "refund_share")}
    return train, _input(judging, **moved)


@before("a source that answers for half as many as before", "missing_shift")
def source_went_silent(train, judging, rng):
    silent = rng.random(len(judging)) < 0.4
    gone = {n: np.where(silent, np.nan, judging.inputs[n]) for n in ("income_level", "tax_months")}
    return train, _input(judging, **gone)


@before("a source out for one whole month", "score_psi_by_month", "missing_shift", "input_csi")
def outage_of_a_month(train, judging, rng):
    out = judging.month == np.unique(judging.month)[3]
    names = ("overdue_count", "inquiry_count", "device_age", "phone_changes")
    return train, _input(judging, **{n: np.where(out, np.nan, judging.inputs[n]) for n in names})


@before("applicants of another kind: the whole population moved", "score_psi")
def other_population(train, judging, rng):
    moved = {n: h + 18 * np.sign(clean_model.INPUTS[n][1]) for n, h in judging.inputs.items()}
    return train, _input(judging, **moved)


@before("an input that means the opposite since training", "direction_stability", "bin_stability")
def turned_round(train, judging, rng):
    return train, _input(judging, overdue_count=200 - judging.inputs["overdue_count"])


@before("a bin whose risk has changed", "bin_stability")
def unstable_bin(train, judging, rng):
    held = judging.inputs["tax_months"]
    top = held > np.nanquantile(held, 0.8)
    bad = np.where(top & (rng.random(len(judging)) < 0.2), 1, judging.bad)
    return train, replace(judging, bad=bad)


@before("customers who return as strangers", "grade_migration")
def restless_customers(train, judging, rng):
    # Whoever returns gets the inputs of somebody else; outcomes go with the inputs.
    order = np.lexsort((judging.as_of, judging.customer))
    who = judging.customer[order]
    later = order[1:][who[1:] == who[:-1]]
    given = rng.choice(len(judging), later.size)
    inputs = {}
    for name, held in judging.inputs.items():
        changed = held.copy()
        changed[later] = held[given]
        inputs[name] = changed
    bad = judging.bad.copy()
    bad[later] = judging.bad[given]
    return train, replace(judging, inputs=inputs, bad=bad)


# ------------------------------------------------------------------------------------------------ parts


@after("a product that the score does not rank", "auc_by_segment")
def blind_in_a_segment(e, rng):
    here = np.flatnonzero(e.judging.segments["product"] == "revolving")
    bad = e.judging.bad.copy()
    bad[here] = rng.permutation(bad[here])
    return _judging(e, bad=bad)


@after("a product with twice the bad rate", "calibration_by_segment")
def segment_off_level(e, rng):
    hit = (e.judging.segments["product"] == "cash") & (rng.random(len(e.judging)) < 0.12)
    return _judging(e, bad=np.where(hit, 1, e.judging.bad))


@after("a month that the score does not rank", "auc_by_month")
def blind_in_a_month(e, rng):
    here = np.flatnonzero(e.judging.month == np.unique(e.judging.month)[2])
    bad = e.judging.bad.copy()
    bad[here] = rng.permutation(bad[here])
    return _judging(e, bad=bad)


@after("riskier grades that turn out better", "rank_order")
def grades_out_of_order(e, rng):
    grade = e.grade(e.judging.probability)
    safe = np.flatnonzero(grade == 2)
    bad = e.judging.bad.copy()
    bad[safe] = (rng.random(safe.size) < 0.25).astype(int)
    return _judging(e, bad=bad)


@before("too few bads to judge by", "enough_bads")
def few_bads(train, judging, rng):
    return train, judging.rows(np.sort(rng.choice(len(judging), 700, replace=False)))


@before(
    "a group that is declined more often for reasons unlike its risk", "adverse_impact", "equal_opportunity"
)
def unfair_to_a_group(train, judging, rng):
    moved = judging.groups["region"] == "west"
    inputs = {
        n: np.where(moved, h + 17 * np.sign(clean_model.INPUTS[n][1]), h) for n, h in judging.inputs.items()
    }
    return train, replace(judging, inputs=inputs)


@before("goods of one sex are declined", "equal_opportunity")
def goods_of_one_sex_declined(train, judging, rng):
    good = (judging.groups["sex"] == "f") & (judging.bad == 0)
    inputs = {
        n: np.where(good, h + 14 * np.sign(clean_model.INPUTS[n][1]), h) for n, h in judging.inputs.items()
    }
    return train, replace(judging, inputs=inputs)


@before("a group whose probabilities do not hold", "group_calibration")
def group_off_level(train, judging, rng):
    hit = (judging.groups["age_band"] == "18-29") & (rng.random(len(judging)) < 0.12)
    return train, replace(judging, bad=np.where(hit, 1, judging.bad))


@before("an input that is somebody's sex in disguise", "proxy")
def protected_proxy(train, judging, rng):
    return tuple(
        _input(
            s, salutation_length=np.where(s.groups["sex"] == "f", 4.0, 2.0) + 0.5 * rng.normal(size=len(s))
        )
        for s in (train, judging)
    )


# -------------------------------------------------------------------------------------------- benchmark


@after("a version that ranks worse than the champion", "against_champion", "swap_set")
def worse_than_champion(e, rng):
    few = {
        n: (w if n in ("tax_months", "phone_changes", "refund_share", "device_age") else 0.0)
        for n, w in e.scorer.weight.items()
    }
    return _rescored(e, replace(e.scorer, weight=few, level=e.scorer.level + 0.2))


def _knowing(e, rng):
    """Probabilities of a model that knows more: the log odds, drawn towards the outcome, with noise."""
    logit = np.log(e.judging.probability / (1 - e.judging.probability))
    seen = logit + 0.8 * (e.judging.bad - 0.1) + 0.3 * rng.normal(size=len(logit))
    return 1 / (1 + np.exp(-seen))


@after("customers swapped in who are worse than those swapped out", "swap_set")
def bad_swap(e, rng):
    return replace(e, champion=_knowing(e, rng))


@after("a challenger that knows what the card misses", "against_challenger")
def much_left_on_the_table(e, rng):
    return replace(e, challenger=_knowing(e, rng))


# ----------------------------------------------------------------------------------------------- inputs


@before("an input that is the same for everybody", "constant_input")
def constant_column(train, judging, rng):
    return tuple(_input(s, channel=np.ones(len(s))) for s in (train, judging))


@before("an input that stopped being written", "constant_input", "input_csi")
def frozen_column(train, judging, rng):
    return train, _input(judging, phone_changes=np.full(len(judging), 100.0))


@before("an input that hardly anybody has", "mostly_missing")
def empty_column(train, judging, rng):
    return tuple(
        _input(s, rare=np.where(rng.random(len(s)) < 0.98, np.nan, rng.normal(size=len(s))))
        for s in (train, judging)
    )


@before("an input divided by zero", "infinite_input")
def divided_by_zero(train, judging, rng):
    held = judging.inputs["refund_share"].copy()
    held[rng.choice(len(judging), 20, replace=False)] = np.inf
    return train, _input(judging, refund_share=held)


@before("fen taken for yuan", "unit_change")
def fen_for_yuan(train, judging, rng):
    return train, _input(judging, merchant_flow=100 * judging.inputs["merchant_flow"])


@before("a number that stands for missing", "sentinel_value")
def sentinel(train, judging, rng):
    return tuple(
        _input(
            s, income_level=np.where(np.isnan(s.inputs["income_level"]), -9999.0, s.inputs["income_level"])
        )
        for s in (train, judging)
    )


@before("the same input twice", "twin_inputs")
def twin_columns(train, judging, rng):
    return tuple(_input(s, inquiry_number=s.inputs["inquiry_count"] * 2 + 1) for s in (train, judging))


@before("a month of applications that was never loaded", "month_gap")
def lost_month(train, judging, rng):
    return train.rows(train.month != np.unique(train.month)[5]), judging


# ---------------------------------------------------------------------------------------- documentation


@after("no word on the limits of the model", "parts_written")
def missing_documentation(e, rng):
    return _described(e, texts={n: t for n, t in e.description.texts.items() if n != "limits"})


@after("no snapshot of the data is named", "parts_written")
def not_reproducible(e, rng):
    return _described(e, texts={**e.description.texts, "data": ""})


@after("a text that was left to be written", "placeholders")
def unfinished_documentation(e, rng):
    return _described(e, texts={**e.description.texts, "method": "TODO: describe the method here"})


@after("an input without a label", "variables_described")
def unlabelled_variable(e, rng):
    plain = replace(e.variables["device_age"], label_zh="")
    return replace(e, variables={**e.variables, "device_age": plain})


@after("documentation that tells a better AUC", "claims_true")
def false_claim(e, rng):
    return _described(e, claims={**e.description.claims, "auc": 0.91})


@after("the trainer is the only reviewer", "independent_reviewer")
def reviewed_by_the_trainer(e, rng):
    return _described(e, reviewers=(e.description.trainer,))


@after("rows that the population flow does not account for", "flow_adds_up")
def unaccounted_rows(e, rng):
    flow = (
        {**e.description.flow[0], "remaining": e.description.flow[0]["remaining"] + 77},
        e.description.flow[1],
    )
    return _described(e, flow=flow)
