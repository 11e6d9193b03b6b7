"""Choosing the scorecard's variables on weights of evidence: forward by score test, then signs and collinearity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_STEPS = 25
SELECTIONS = ("forward", "l1")


@dataclass(frozen=True)
class Choice:
    """Indices of the chosen columns in the order of entry, intercept, weights, and who was dropped and why."""

    columns: tuple[int, ...]
    intercept: float
    weights: Any
    dropped: tuple[tuple[int, str], ...]


def fit_logistic(W: Any, bad: Any, ridge: float = 1e-3, counts: Any = None) -> tuple[Any, Any]:
    """Maximum likelihood by Newton's method (iteratively reweighted least squares).

    Parameters
    ----------
    W : array of shape (rows, columns)
    bad : array of shape (rows,), 0 or 1
    ridge : float
        Half of it times the squared weights is added to the loss (the intercept is free): the precision of a
        normal prior around 0, so it matters less the more rows there are.
    counts : array of shape (rows,), or None
        How often each row counts; None: once.

    Returns
    -------
    coefficients of shape (1 + columns,), intercept first; and their covariance.
    """
    D = np.column_stack([np.ones(len(W)), W])
    counts = np.ones(len(D)) if counts is None else np.asarray(counts, float)
    penalty = np.full(D.shape[1], max(ridge, 1e-6))
    penalty[0] = 1e-6
    beta = np.zeros(D.shape[1])
    share = np.clip(np.average(bad, weights=counts), 1e-6, 1 - 1e-6)
    beta[0] = np.log(share / (1 - share))
    loss = _loss(D, bad, beta, penalty, counts)
    for _ in range(MAX_STEPS):
        p = 1 / (1 + np.exp(-np.clip(D @ beta, -35, 35)))
        gradient = D.T @ (counts * (bad - p)) - penalty * beta
        hessian = (D * (counts * p * (1 - p))[:, None]).T @ D + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-4 and _loss(D, bad, beta + size * step, penalty, counts) > loss + 1e-12:
            size /= 2
        beta = beta + size * step
        loss = _loss(D, bad, beta, penalty, counts)
        if np.abs(size * step).max() < 1e-8:
            break
    return beta, np.linalg.inv(hessian)


def _loss(D: Any, bad: Any, beta: Any, penalty: Any, counts: Any) -> float:
    z = D @ beta
    return float((counts * (np.logaddexp(0, z) - z * bad)).sum() + (penalty * beta**2).sum() / 2)


def choose(
    W: Any,
    bad: Any,
    iv: Any,
    max_variables: int,
    max_correlation: float,
    max_vif: float,
    max_p_value: float,
    ridge: float,
    paid: Sequence[str | None] | None = None,
    max_paid: int | None = None,
    selection: str = "forward",
) -> Choice:
    """Choose columns of ``W`` and fit their weights.

    Forward: the column with the largest score statistic (Rao 1948) enters while its p-value is at most
    ``max_p_value``, its sign is right (a better weight of evidence never means more risk) and its correlation
    with the chosen ones is at most ``max_correlation``. After each entry wrong signs leave again for good; at the
    end so do variance inflation factors over ``max_vif``, one at a time, weakest IV first.

    Parameters
    ----------
    W : array of shape (rows, columns)
        Weights of evidence, positive = better.
    bad : array of shape (rows,), 0 or 1
    iv : array of shape (columns,)
    paid : sequence of length columns, or None
        The source of each column that has a price, None where it is free.
    max_paid : int or None
        At most so many of these sources; who would need another one is passed over.
    selection : str
        ``forward``, or ``l1``: only columns that a penalty on the sum of weights leaves (:func:`l1_columns`) may enter.

    Raises
    ------
    ValueError
        For another selection.
    """
    from statistics import NormalDist

    if selection not in SELECTIONS:
        raise ValueError(f"selection must be one of {', '.join(SELECTIONS)}, not {selection!r}")

    bad = np.asarray(bad, float)
    spread = W.std(0)
    open_ = spread > 1e-12
    unit = (W - W.mean(0)) / np.maximum(spread, 1e-12)
    dropped: dict[int, str] = {int(i): "constant" for i in np.flatnonzero(~open_)}
    if selection == "l1" and open_.any():
        left = np.isin(np.arange(W.shape[1]), l1_columns(unit, bad, max_variables))
        dropped |= {int(i): "penalised away" for i in np.flatnonzero(open_ & ~left)}
        open_ &= left
    sources = paid or [None] * W.shape[1]
    chosen: list[int] = []
    beta, _ = fit_logistic(W[:, chosen], bad, ridge)
    critical = NormalDist().inv_cdf(1 - max_p_value / 2) if max_p_value < 1 else 0.0
    while len(chosen) < max_variables and open_.any():
        z = _score_statistics(unit, W[:, chosen], bad, beta)
        # entering must lower risk where WOE is high, hence a negative score
        strength = np.where(open_, -z, -np.inf)
        best = int(np.argmax(strength))
        if strength[best] < critical:
            break
        open_[best] = False
        bought = {s for s in (sources[c] for c in chosen) if s is not None}
        if max_paid is not None and len(bought | ({sources[best]} - {None})) > max_paid:
            dropped[best] = "source not bought"
            continue
        alike = np.abs(unit[:, chosen].T @ unit[:, best] / len(W)) if chosen else np.zeros(1)
        if alike.max() > max_correlation:
            dropped[best] = "correlated"
            continue
        chosen.append(best)
        beta, _ = fit_logistic(W[:, chosen], bad, ridge)
        for wrong in [c for c, b in zip(chosen, beta[1:], strict=True) if b >= 0]:
            dropped[wrong] = "wrong sign"
            chosen.remove(wrong)
            beta, _ = fit_logistic(W[:, chosen], bad, ridge)
    while len(chosen) > 1:
        inflation = variance_inflation(unit[:, chosen])
        over = [c for c, v in zip(chosen, inflation, strict=True) if v > max_vif]
        if not over:
            break
        weakest = min(over, key=lambda c: (iv[c], c))
        dropped[weakest] = "collinear"
        chosen.remove(weakest)
    beta, covariance = fit_logistic(W[:, chosen], bad, ridge)
    while chosen:
        z = beta[1:] / np.sqrt(np.diag(covariance)[1:])
        worst = int(np.argmax(z))  # the least negative
        if z[worst] < 0 and (z[worst] <= -critical or len(chosen) == 1):
            break
        dropped[chosen[worst]] = "wrong sign" if z[worst] >= 0 else "not significant"
        del chosen[worst]
        beta, covariance = fit_logistic(W[:, chosen], bad, ridge)
    return Choice(tuple(chosen), float(beta[0]), beta[1:], tuple(sorted(dropped.items())))


def l1_columns(unit: Any, bad: Any, most: int) -> Any:
    """Columns with a weight of the right sign under the weakest L1 penalty that leaves at most ``most``.

    Tibshirani, *JRSS B* 58 (1996); found by halving the logarithm of the penalty. ``unit`` of shape (rows, columns) has
    mean 0 and deviation 1.
    """
    from sklearn.linear_model import LogisticRegression

    found = np.zeros(0, int)
    low, high = 1e-5, 10.0
    for _ in range(14):
        middle = float(np.sqrt(low * high))
        model = LogisticRegression(l1_ratio=1.0, C=middle, solver="liblinear", random_state=0, max_iter=300)
        weights = model.fit(unit, bad).coef_[0]
        left = np.flatnonzero(weights < -1e-9)
        if left.size <= most:
            found, low = left, middle
        else:
            high = middle
    return found


def _score_statistics(unit: Any, chosen: Any, bad: Any, beta: Any) -> Any:
    """Signed root of Rao's score statistic of each column, given the fitted ones; shape (columns,)."""
    D = np.column_stack([np.ones(len(unit)), chosen])
    p = 1 / (1 + np.exp(-np.clip(D @ beta, -35, 35)))
    weight = p * (1 - p)
    score = unit.T @ (bad - p)
    cross = unit.T @ (D * weight[:, None])
    own = (unit**2 * weight[:, None]).sum(0)
    inverse = np.linalg.pinv((D * weight[:, None]).T @ D)
    variance = own - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    return np.where(
        variance > 1e-9 * np.maximum(own, 1e-12), score / np.sqrt(np.maximum(variance, 1e-12)), 0.0
    )


def variance_inflation(columns: Any) -> Any:
    """Variance inflation factor of each column: the diagonal of the inverse correlation matrix."""
    if columns.shape[1] < 2:
        return np.ones(columns.shape[1])
    return np.diag(np.linalg.pinv(np.corrcoef(columns, rowvar=False)))


def order_of(names: Sequence[str], iv: Any) -> list[int]:
    """Column indices by falling IV, ties by name, so that equal data gives an equal scorecard."""
    return sorted(range(len(names)), key=lambda i: (-float(iv[i]), names[i]))
