"""Does the model know what it could not have known, or has it seen those by whom it is judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from bluemirror.validation.checks import LEAKAGE, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.evidence import Evidence, Sample
from bluemirror.validation.ranking import apart, auc, two_sided

CHAPTER = Chapter(LEAKAGE)
COUNTED = "counted"
DAY = np.timedelta64(1, "D")


@CHAPTER.check(STOP, "样本重叠", "Nobody is on both sides", COUNTED)
def overlapping_customers(e: Evidence) -> Outcome:
    """Count judging customers, and observations, that stand in the training rows as well."""
    people = np.isin(np.unique(e.judging.customer), e.train.customer)
    rows = np.isin(e.judging.observation, e.train.observation)
    said = f"{int(people.sum()):,} judging customers and {int(rows.sum()):,} observations are in training as well."
    return Outcome(float(people.sum() + rows.sum()), "0", bool(people.any() or rows.any()), said)


@CHAPTER.check(STOP, "重复观察", "No row counts twice", COUNTED)
def duplicate_rows(e: Evidence) -> Outcome:
    """Count observations that appear again, and customers described twice at one moment."""
    found = 0
    for side in (e.train, e.judging):
        found += len(side) - np.unique(side.observation).size
        moments = np.asarray(side.as_of).astype("datetime64[us]").astype(np.int64)
        who = np.unique(side.customer, return_inverse=True)[1]
        found += len(side) - np.unique(np.column_stack([who, moments]), axis=0).shape[0]
    said = f"{found:,} rows repeat an observation, or describe a customer twice at one moment."
    return Outcome(float(found), "0", found > 0, said)


@CHAPTER.check(STOP, "相同客户多个编号", "No customer under several names", COUNTED)
def identical_inputs(e: Evidence) -> Outcome | None:
    """Count rows of different customers whose inputs are all the same, where the inputs are fine enough to tell.

    Counts and flags agree by chance; a row is looked at only if it has rare values of two fine inputs at least.
    """
    worst, said, told = 0.0, "", False
    for what, side in (("training", e.train), ("judging", e.judging)):
        telling = np.sum([_rare(held) for held in side.values.values()], axis=0) >= 2
        if not np.any(telling):
            continue
        told = True
        stacked = np.ascontiguousarray(np.column_stack(list(side.inputs.values())), dtype=float)[telling]
        rows = stacked.view(np.dtype((np.void, stacked.itemsize * stacked.shape[1]))).ravel()
        _, place, times = np.unique(rows, return_inverse=True, return_counts=True)
        # A customer's own rows may be alike.
        alike: dict[int, set[Any]] = {}
        for at in np.flatnonzero(times[place] > 1):
            alike.setdefault(int(place[at]), set()).add(side.customer[telling][at])
        share = sum(len(one) for one in alike.values() if len(one) > 1) / len(side)
        if share >= worst:
            worst, said = share, f"{share:.2%} of the {what} rows have all inputs of another customer's."
    if not told:
        return None
    return Outcome(worst, f"<= {e.limits.identical_rows:g}", worst > e.limits.identical_rows, said)


def _rare(held: Any) -> Any:
    """Which rows have a value that hardly any other has, if the input is fine; shape (rows,) of bool."""
    _, place, times = np.unique(held, return_inverse=True, return_counts=True)
    if times.size < held.size / 2:
        return np.zeros(held.size, bool)
    return ~np.isnan(held) & (times[place] <= max(5, held.size // 1000))


@CHAPTER.check(STOP, "时间切分", "Judging comes after training", COUNTED)
def split_in_time(e: Evidence) -> Outcome | None:
    """Look for training rows of the judging window."""
    if not e.description.split_in_time:
        return None
    late = float(np.mean(np.asarray(e.train.as_of) >= np.min(np.asarray(e.judging.as_of))))
    said = f"{late:.1%} of the training rows lie in the judging window or after it."
    return Outcome(late, "0", late > 0, said)


@CHAPTER.check(STOP, "标签成熟", "Outcomes had time to settle", COUNTED)
def label_matured(e: Evidence) -> Outcome | None:
    """Count rows whose outcome settled before the horizon had passed since the moment they describe."""
    if e.description.horizon_days is None:
        return None
    early = rows = 0
    for side in (e.train, e.judging):
        if side.matured_on is None:
            return None
        days = np.asarray(side.matured_on).astype("datetime64[D]") - np.asarray(side.as_of).astype(
            "datetime64[D]"
        )
        early += int((days < e.description.horizon_days * DAY).sum())
        rows += len(side)
    said = (
        f"{early:,} of {rows:,} outcomes settled sooner than the asked {e.description.horizon_days} day(s) after the "
        "moment described."
    )
    return Outcome(float(early), "0", early > 0, said)


@CHAPTER.check(STOP, "截至时点", "Inputs were known at the moment", COUNTED)
def known_by_then(e: Evidence) -> Outcome | None:
    """Count rows with an input that was known only after the moment they describe."""
    late = rows = 0
    for side in (e.train, e.judging):
        if side.known is None:
            return None
        late += int((np.asarray(side.known) > np.asarray(side.as_of)).sum())
        rows += len(side)
    said = f"{late:,} of {rows:,} rows have an input that was known only later."
    return Outcome(float(late), "0", late > 0, said)


@CHAPTER.check(STOP, "模型好得可疑", "Not too good to be true", "DeLong et al. 1988")
def too_good(e: Evidence) -> Outcome:
    """Hold the AUC against what anybody can know beforehand."""
    value = max(auc(side.bad, side.probability).value for side in (e.fair.train, e.fair.judging))
    return Outcome(
        value,
        f"<= {e.limits.max_auc:g}",
        value > e.limits.max_auc,
        f"The better side has an AUC of {value:.3f}.",
    )


@CHAPTER.check(STOP, "变量好得可疑", "No input knows the outcome", "DeLong et al. 1988, one input at a time")
def variable_too_good(e: Evidence) -> Outcome | None:
    """Look for inputs that rank by themselves as well as a model."""
    lines: list[dict[str, Any]] = []
    for name in e.fair.train.inputs:
        best = max(abs(_alone(side, name) - 0.5) for side in (e.fair.train, e.fair.judging))
        lines.append({"variable": name, "auc": 0.5 + best})
    if not lines:
        return None
    lines.sort(key=lambda one: -one["auc"])
    worst, limit = lines[0], e.limits.max_variable_auc
    said = f"{worst['variable']} by itself has an AUC of {worst['auc']:.3f}."
    return Outcome(worst["auc"], f"<= {limit:g}", worst["auc"] > limit, said, lines)


@CHAPTER.check(LOOK, "缺失泄漏", "Being missing does not tell the outcome", "AUC of the flag")
def missing_tells(e: Evidence) -> Outcome | None:
    """See how well the absence of an input ranks by itself: an answer written after the outcome does."""
    lines: list[dict[str, Any]] = []
    for name in e.fair.train.inputs:
        best = 0.0
        for side in (e.fair.train, e.fair.judging):
            area = auc(side.bad, np.isnan(side.values[name]))
            if np.isfinite(area.value) and two_sided(area.value - 0.5, area.error) < e.limits.alpha:
                best = max(best, abs(area.value - 0.5))
        lines.append({"variable": name, "auc": 0.5 + best})
    if not lines:
        return None
    lines.sort(key=lambda one: -one["auc"])
    worst, limit = lines[0], e.limits.missing_tells
    said = f"Whether {worst['variable']} is missing tells the outcome with an AUC of {worst['auc']:.3f}."
    return Outcome(worst["auc"] - 0.5, f"<= {limit:g}", worst["auc"] - 0.5 > limit, said, lines)


@CHAPTER.check(
    LOOK, "仅训练期有效", "Inputs tell as much in judging", "DeLong et al. 1988, independent samples"
)
def good_in_training_only(e: Evidence) -> Outcome | None:
    """Look for inputs that told the outcome of the training rows and tell much less of the others."""
    lines: list[dict[str, Any]] = []
    for name in e.fair.train.inputs:
        one, other = (_alone_area(side, name) for side in (e.fair.train, e.fair.judging))
        if not np.isfinite(one.value) or not np.isfinite(other.value):
            continue
        lost = abs(one.value - 0.5) - abs(other.value - 0.5)
        lines.append(
            {
                "variable": name,
                "training": one.value,
                "judging": other.value,
                "lost": lost,
                "p": apart(one, other),
            }
        )
    if not lines:
        return None
    lines.sort(key=lambda one: -one["lost"])
    alpha, limit = e.limits.alpha / len(lines), e.limits.auc_drop
    fallen = [one for one in lines if one["lost"] > limit and one["p"] < alpha]
    worst = lines[0]
    said = f"{worst['variable']} had an AUC of {worst['training']:.3f} in training, {worst['judging']:.3f} in judging."
    return Outcome(worst["lost"], f"<= {limit:g}, or p >= {alpha:.1g}", bool(fallen), said, lines)


@CHAPTER.check(LOOK, "行序泄漏", "The order of rows tells nothing", "AUC of the place, within a month")
def row_order(e: Evidence) -> Outcome:
    """See whether the place of a row among those of its month tells its outcome: sorted or joined by the label."""
    worst, least = 0.5, 1.0
    for side in (e.fair.train, e.fair.judging):
        place = np.zeros(len(side))
        for month in np.unique(side.month):
            here = np.flatnonzero(side.month == month)
            place[here] = np.linspace(0, 1, here.size)
        area = auc(side.bad, place)
        p = two_sided(area.value - 0.5, area.error)
        if p < least:
            worst, least = area.value, p
    said = (
        f"The place of a row within its month tells the outcome with an AUC of {worst:.3f} (p = {least:.2g})."
    )
    off = abs(worst - 0.5)
    return Outcome(
        off,
        f"<= {e.limits.auc_drop:g} or by chance",
        off > e.limits.auc_drop and least < e.limits.alpha,
        said,
    )


def _alone_area(side: Sample, name: str) -> Any:
    held = side.values[name]
    known = ~np.isnan(held)
    return auc(side.bad[known], held[known])


def _alone(side: Sample, name: str) -> float:
    value = _alone_area(side, name).value
    return float(value) if np.isfinite(value) else 0.5
