"""How often each test rejects what is true: drawn many times from a world in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bluemirror.validation import calibrating, comparing, ranking

ROWS = 1500
LEVELS = (0.05, 0.01)


def _world(rng):
    """Probabilities that are true, and outcomes drawn from them."""
    p = 1 / (1 + np.exp(2.2 - 1.1 * rng.normal(size=ROWS)))
    return p, (rng.random(ROWS) < p).astype(int)


def level(rng):
    p, bad = _world(rng)
    return calibrating.in_the_large(bad, p)[1]


def level_fitted(rng):
    """The level is the bad rate of other rows."""
    rate = rng.binomial(ROWS, 0.1) / ROWS
    return calibrating.in_the_large(rng.random(ROWS) < 0.1, np.full(ROWS, rate), ROWS)[1]


def spiegelhalter(rng):
    p, bad = _world(rng)
    return calibrating.spiegelhalter(bad, p)[1]


def hosmer_lemeshow(rng):
    p, bad = _world(rng)
    return calibrating.hosmer_lemeshow(bad, p)[1]


def slope(rng):
    p, bad = _world(rng)
    _, at, _, error = calibrating.slope(bad, p)
    return ranking.two_sided(at - 1, error)


def binomial(rng):
    p, bad = _world(rng)
    return float(calibrating.binomial_tail(bad.sum(), ROWS, p.mean()))


def jeffreys(rng):
    p, bad = _world(rng)
    return float(calibrating.jeffreys(bad.sum(), ROWS, p.mean()))


def delong(rng):
    """Two samples of one world."""
    one, other = _world(rng), _world(rng)
    return ranking.apart(ranking.auc(one[1], one[0]), ranking.auc(other[1], other[0]))


def delong_paired(rng):
    """Two scores that are equally good, with errors of their own, on the same rows."""
    p, bad = _world(rng)
    logit = np.log(p / (1 - p))
    return ranking.auc_difference(bad, logit + rng.normal(size=ROWS), logit + rng.normal(size=ROWS))[2]


def psi(rng):
    one, other = rng.normal(size=2 * ROWS), rng.normal(size=ROWS)
    edges = comparing.cuts(one)
    counts = comparing.counts(one, edges), comparing.counts(other, edges)
    return comparing.psi_p_value(comparing.psi(*counts), *counts)


def two_shares(rng):
    return comparing.shares_p_value(int(rng.binomial(ROWS, 0.1)), ROWS, int(rng.binomial(ROWS, 0.1)), ROWS)


TESTS: dict[str, Callable[..., float]] = {
    test.__name__: test
    for test in (
        level,
        level_fitted,
        spiegelhalter,
        hosmer_lemeshow,
        slope,
        binomial,
        jeffreys,
        delong,
        delong_paired,
        psi,
        two_shares,
    )
}


def rates(draws: int) -> dict[str, dict[str, float]]:
    """Test to the share of ``draws`` in which it rejects, at each level."""
    found = {}
    for name, test in TESTS.items():
        rng = np.random.default_rng(len(name))
        p = np.array([test(rng) for _ in range(draws)])
        found[name] = {f"{at:g}": float(np.mean(p < at)) for at in LEVELS}
    return found
