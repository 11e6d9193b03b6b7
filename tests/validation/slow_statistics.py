"""The statistics once more, slow and obvious: loops over rows, straight from the definitions."""

from __future__ import annotations

import math


def won(risk_of_bad: float, risk_of_good: float) -> float:
    return 1.0 if risk_of_bad > risk_of_good else 0.5 if risk_of_bad == risk_of_good else 0.0


def auc(bad, risk):
    pairs = [
        (r, s) for b, r in zip(bad, risk, strict=True) if b for c, s in zip(bad, risk, strict=True) if not c
    ]
    return sum(won(r, s) for r, s in pairs) / len(pairs)


def delong_covariance(bad, one, other):
    """Covariance of two AUC on the same rows, from the placements of every bad and of every good."""
    bads = [at for at, b in enumerate(bad) if b]
    goods = [at for at, b in enumerate(bad) if not b]

    def covariance(v, w):
        a, b = sum(v) / len(v), sum(w) / len(w)
        return sum((x - a) * (y - b) for x, y in zip(v, w, strict=True)) / (len(v) - 1)

    v10, w10 = ([sum(won(s[i], s[j]) for j in goods) / len(goods) for i in bads] for s in (one, other))
    v01, w01 = ([sum(won(s[i], s[j]) for i in bads) / len(bads) for j in goods] for s in (one, other))
    return covariance(v10, w10) / len(bads) + covariance(v01, w01) / len(goods)


def hosmer_lemeshow(bad, probability, groups):
    """Over the rows sorted by probability, cut into equal parts; only for distinct probabilities."""
    order = sorted(range(len(bad)), key=lambda at: probability[at])
    size = len(order) // groups
    total = 0.0
    for group in range(groups):
        part = order[group * size : (group + 1) * size]
        seen, due = sum(bad[at] for at in part), sum(probability[at] for at in part)
        total += (seen - due) ** 2 / (due * (1 - due / len(part)))
    return total


def spiegelhalter(bad, probability):
    above = sum((b - p) * (1 - 2 * p) for b, p in zip(bad, probability, strict=True))
    below = sum((1 - 2 * p) ** 2 * p * (1 - p) for p in probability)
    return above / math.sqrt(below)


def psi(expected, actual):
    total = 0.0
    for e, a in zip(expected, actual, strict=True):
        if e or a:
            p, q = (e or 0.5) / sum(expected), (a or 0.5) / sum(actual)
            total += (q - p) * math.log(q / p)
    return total


def binomial_tail(bads, rows, p):
    return sum(math.comb(rows, k) * p**k * (1 - p) ** (rows - k) for k in range(bads, rows + 1))
