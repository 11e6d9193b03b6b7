"""The measures once more, slow and obvious: loops over rows, straight from the definitions."""

from __future__ import annotations

import math


def woe_and_iv(codes: list[int], bad: list[int]) -> tuple[dict[int, float], float]:
    """Weight of evidence of each code present, and the information value; an empty cell counts as a half."""
    goods_all = sum(1 for b in bad if b == 0)
    bads_all = sum(1 for b in bad if b == 1)
    weights, value = {}, 0.0
    for code in sorted(set(codes)):
        goods = sum(1 for c, b in zip(codes, bad, strict=True) if c == code and b == 0)
        bads = sum(1 for c, b in zip(codes, bad, strict=True) if c == code and b == 1)
        weights[code] = math.log(((goods or 0.5) / goods_all) / ((bads or 0.5) / bads_all))
        value += (goods / goods_all - bads / bads_all) * weights[code]
    return weights, value


def auc(bad: list[int], risk: list[float]) -> float:
    """Every pair of a bad and a good."""
    won = pairs = 0.0
    for b, r in zip(bad, risk, strict=True):
        if b == 1:
            for g, s in zip(bad, risk, strict=True):
                if g == 0:
                    pairs += 1
                    won += 1 if r > s else 0.5 if r == s else 0
    return won / pairs


def ks(bad: list[int], risk: list[float]) -> float:
    """The largest gap of the two distribution functions, looked at from every value."""
    bads = [r for b, r in zip(bad, risk, strict=True) if b == 1]
    goods = [r for b, r in zip(bad, risk, strict=True) if b == 0]
    return max(
        abs(sum(r <= t for r in bads) / len(bads) - sum(r <= t for r in goods) / len(goods))
        for t in sorted(set(risk))
    )


def psi(expected: list[int], actual: list[int]) -> float:
    """Over the bins of two lists of counts; an empty bin counts as a half."""
    total = 0.0
    for e, a in zip(expected, actual, strict=True):
        if e == 0 and a == 0:
            continue
        p, q = (e or 0.5) / sum(expected), (a or 0.5) / sum(actual)
        total += (q - p) * math.log(q / p)
    return total


def calibration_distance(bad: list[int], probability: list[float]) -> float:
    """The Brier score."""
    return sum((p - b) ** 2 for p, b in zip(probability, bad, strict=True)) / len(bad)


def delong_variance(bad: list[int], risk: list[float]) -> float:
    """Variance of the AUC from the placements of every bad among the goods and of every good among the bads."""
    bads = [r for b, r in zip(bad, risk, strict=True) if b == 1]
    goods = [r for b, r in zip(bad, risk, strict=True) if b == 0]

    def won(r: float, s: float) -> float:
        return 1.0 if r > s else 0.5 if r == s else 0.0

    v10 = [sum(won(r, s) for s in goods) / len(goods) for r in bads]
    v01 = [sum(won(r, s) for r in bads) / len(bads) for s in goods]

    def variance(v: list[float]) -> float:
        mean = sum(v) / len(v)
        return sum((x - mean) ** 2 for x in v) / (len(v) - 1)

    return variance(v10) / len(v10) + variance(v01) / len(v01)
