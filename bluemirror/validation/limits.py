"""The limits of the validation in one place, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """From where on a figure is an alarm.

    A difference is an alarm only if it is both certain (its test is below ``alpha``, shared among the parts that
    are looked at) and large enough to matter (the limit beside it): with many rows everything is certain, with few
    everything is large.

    Attributes
    ----------
    alpha
        Of one check. Some thirty of them test, so that a model without fault stays below 0.05 in all with 0.0005.
    min_auc, min_ks, min_bads
        What the business asks of a model at least; from its gates where it declares them.
    max_auc, max_variable_auc
        Nobody's outcome is known that well beforehand: who ranks better is suspected to have seen it.
    auc_drop
        Of Gini's half, from training to judging, or of one month or segment against the rest.
    calibration, group_calibration
        Relative difference of predicted and observed rate of all rows, and of one part.
    slope
        The slope of the outcome on the log odds lies within; 1 is right.
    psi
        Siddiqi's (2006) limit from which on a change is looked at; 0.25 is the one at which a model is rebuilt.
    missing_change
        Of the share of missing values.
    grade_share, hhi
        Of all rows in one grade; Herfindahl index of grades (0.1 with ten even ones). Basel II, paragraph 404: no
        grade holds more than a third or so without evidence.
    tie
        Share of rows with the very same score.
    dominance
        Share of the Gini that is lost with one variable; a card resting on one number is no card.
    source_loss, stress_factor
        AUC lost when a source does not answer; by how much the mean probability may change when a variable moves by
        one standard deviation, or a source does not answer.
    worse_than, better_challenger
        AUC below the champion's, and below the challenger's, that is not put up with.
    approve
        Share approved wherever a cut-off is needed.
    adverse_impact
        Approval rate of a group over the best group's: the four-fifths rule (29 CFR 1607.4 D).
    equal_opportunity
        Difference of the approval rates among the goods of two groups.
    proxy
        AUC at which one input tells a protected group.
    woe_change
        Of a bin's weight of evidence between training and judging.
    twin
        Rank correlation from which on two inputs are the same.
    missing_tells
        AUC above a half of an input's being missing. Who has no credit history is riskier, which is no leak and comes
        to about 0.1; an answer that is written after the outcome tells more.
    """

    alpha: float = 0.0005
    grades: int = 10
    min_auc: float = 0.65
    min_ks: float = 0.2
    min_bads: int = 200
    max_auc: float = 0.95
    max_variable_auc: float = 0.88
    auc_drop: float = 0.05
    part_auc_drop: float = 0.08
    calibration: float = 0.10
    group_calibration: float = 0.25
    slope: tuple[float, float] = (0.8, 1.25)
    psi: float = 0.10
    missing_change: float = 0.05
    grade_share: float = 0.30
    hhi: float = 0.20
    tie: float = 0.20
    dominance: float = 0.60
    source_loss: float = 0.12
    stress_factor: float = 2.5
    worse_than: float = 0.005
    better_challenger: float = 0.02
    approve: float = 0.7
    adverse_impact: float = 0.8
    equal_opportunity: float = 0.1
    proxy: float = 0.75
    woe_change: float = 0.5
    twin: float = 0.95
    missing_tells: float = 0.15
    identical_rows: float = 0.01
    constant: float = 0.999
    mostly_missing: float = 0.95
    scale: float = 8.0
    sentinel: float = 0.01
    migration: float = 0.25
    part_rows: int = 100
    part_bads: int = 20
