"""The sections of a model's declaration, each read into its value and finished, so that unknown keys are told."""

from __future__ import annotations

from bluemirror.scorecards.reading import Reader
from bluemirror.scorecards.reject_inference import METHODS
from bluemirror.scorecards.selection import SELECTIONS
from bluemirror.scorecards.spec import (
    ANY_WAY,
    DIRECTIONS,
    PERIODS,
    Binning,
    Candidates,
    ChallengerSearch,
    Constraints,
    Gates,
    Parts,
    Points,
    Rejects,
    Screening,
    Split,
)


def split(r: Reader) -> Split:
    """Which rows train and which judge."""
    by = r.one_of("by", ("time", "hold_out"))
    if by == "hold_out":
        split = Split(by, held_out=r.query("sql"))
    else:
        split = Split(
            by, r.moment("train_from"), r.moment("train_to"), r.moment("oot_from"), r.moment("oot_to")
        )
    r.finish()
    return split


def candidates(r: Reader) -> Candidates:
    """Which variables may enter."""
    d = Candidates()
    found = Candidates(r.texts("blocks", d.blocks), r.texts("names", d.names), r.texts("exclude", d.exclude))
    r.finish()
    return found


def screening(r: Reader) -> Screening:
    """Thresholds of screening."""
    d = Screening()
    found = Screening(
        max_missing=r.number("max_missing", d.max_missing, low=0, high=1),
        min_iv=r.number("min_iv", d.min_iv, low=0),
        max_psi=r.number("max_psi", d.max_psi, low=0),
        max_correlation=r.number("max_correlation", d.max_correlation, low=0, high=1),
        keep=r.integer("keep", d.keep, low=1),
        max_iv=r.number("max_iv", d.max_iv, low=0),
        min_month_slope=r.number("min_month_slope", d.min_month_slope),
        **{
            key: r.number(key, getattr(d, key), low=0, high=1)
            for key in (
                "max_same",
                "max_auc",
                "min_month_p",
                "prefer_stable",
                "prefer_covered",
                "prefer_cheap",
            )
        },
    )
    r.finish()
    return found


def binning(r: Reader) -> Binning:
    """How finalists are binned."""
    d = Binning()
    found = Binning(
        max_bins=r.integer("max_bins", d.max_bins, low=2, high=20),
        min_share=r.number("min_share", d.min_share, low=0.001, high=0.5),
        ordered_in=r.one_of("ordered_in", tuple(PERIODS), default=d.ordered_in),
        order_tolerance=r.number("order_tolerance", d.order_tolerance, low=0),
    )
    r.finish()
    return found


def constraints(r: Reader) -> Constraints:
    """Bounds of the scorecard."""
    d = Constraints()
    found = Constraints(
        max_variables=r.integer("max_variables", d.max_variables, low=1),
        max_correlation=r.number("max_correlation", d.max_correlation, low=0, high=1),
        max_vif=r.number("max_vif", d.max_vif, low=1),
        max_p_value=r.number("max_p_value", d.max_p_value, low=0, high=1),
        ridge=r.number("ridge", d.ridge, low=0),
        monotone=r.choices("monotone", (*DIRECTIONS, ANY_WAY)),
        selection=r.one_of("selection", SELECTIONS, default=d.selection),
        max_paid_sources=r.integer("max_paid_sources", d.max_paid_sources, low=0),
    )
    r.finish()
    return found


def challenger(r: Reader) -> ChallengerSearch:
    """Budget and space of the challenger."""
    d = ChallengerSearch()
    ranges = ("depth", "learning_rate", "min_child_weight", "subsample", "column_share", "l2")
    found = ChallengerSearch(
        r.integer("variables", d.variables, low=1),
        r.integer("trials", d.trials, low=1),
        r.number("seconds", d.seconds, low=1),
        r.integer("rounds", d.rounds, low=1),
        *(r.bounds(key, getattr(d, key)) for key in ranges),
    )
    r.finish()
    return found


def points(r: Reader) -> Points:
    """The scale."""
    d = Points()
    found = Points(
        base_score=r.number("base_score", d.base_score),
        base_odds=r.number("base_odds", d.base_odds, low=1e-9),
        points_to_double=r.number("points_to_double", d.points_to_double, low=1e-9),
        target_bad_rate=r.number("target_bad_rate", d.target_bad_rate, low=0, high=0.99),
    )
    r.finish()
    return found


def gates(r: Reader) -> Gates:
    """What a champion must reach."""
    d = Gates()
    found = Gates(
        min_auc=r.number("min_auc", d.min_auc, low=0, high=1),
        max_psi=r.number("max_psi", d.max_psi, low=0),
        min_bads=r.integer("min_bads", d.min_bads, low=0),
    )
    r.finish()
    return found


def validation(r: Reader) -> Parts | None:
    """What the validation looks at part by part; None if nothing is declared."""
    if not r.values:
        return None
    found = Parts(r.query("sql"), r.texts("segments", ()), r.texts("groups", ()))
    r.finish()
    return found


def rejects(r: Reader) -> Rejects:
    """What is assumed about rejected applicants."""
    d = Rejects()
    found = Rejects(
        r.one_of("method", METHODS, default=d.method),
        r.number("factor", d.factor, low=1),
        r.texts("excluded", d.excluded),
    )
    r.finish()
    if found.method != "none" and not found.excluded:
        raise r.error(
            "excluded",
            "nobody is rejected",
            "reasons of the population query that mean a rejection",
            "write excluded: [not approved]",
        )
    return found
