"""A small bank and a model without fault: eight inputs of four sources, a logistic regression, nothing to hide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bluemirror.validation import Description, Evidence, Sample, Variable

INPUTS = {
    # name: (source, weight in the truth, share missing, weight of being missing)
    "overdue_count": ("bureau", 0.55, 0.05, 0.1),
    "inquiry_count": ("bureau", 0.40, 0.05, 0.1),
    "income_level": ("tax", -0.45, 0.20, 0.2),
    "tax_months": ("tax", -0.30, 0.20, 0.0),
    "merchant_flow": ("merchant", -0.40, 0.10, 0.1),
    "refund_share": ("merchant", 0.35, 0.10, 0.0),
    "device_age": ("device", -0.40, 0.00, 0.0),
    "phone_changes": ("device", 0.30, 0.00, 0.0),
}
LEVEL = -2.55
TRAIN_ROWS, JUDGING_ROWS = 6000, 4000
RETURNING = 0.12
CHAMPION_READS = ("overdue_count", "inquiry_count", "income_level", "merchant_flow", "device_age")
HORIZON = 183

TEXTS = {
    "purpose": "Ranks made-up applicants by the risk of falling late.",
    "population": "Every made-up application, once it was drawn.",
    "label": "Thirty days late within six months.",
    "method": "Logistic regression on eight inputs.",
    "limits": "The applicants do not exist.",
    "data": "snapshot 1",
    "code": "1",
    "reproduce": "Make it again from the same seed.",
}


@dataclass(frozen=True)
class Logistic:
    """A logistic regression: weights of standardised inputs, of being missing, and a level."""

    middle: Mapping[str, float]
    spread: Mapping[str, float]
    weight: Mapping[str, float]
    missing: Mapping[str, float]
    level: float

    def __call__(self, inputs):
        logit = np.full(len(next(iter(inputs.values()))), self.level)
        for name, weight in self.weight.items():
            held = np.asarray(inputs[name], float)
            absent = np.isnan(held)
            z = np.clip((held - self.middle[name]) / self.spread[name], -6, 6)
            logit = logit + np.where(absent, self.missing[name], weight * np.where(absent, 0.0, z))
        return 1 / (1 + np.exp(-logit))


def samples(seed: int) -> tuple[Sample, Sample]:
    """Training and judging rows of one seed, not yet scored."""
    rng = np.random.default_rng(seed)
    return (
        _side(rng, TRAIN_ROWS, "2024-01", 12, "t"),
        _side(rng, JUDGING_ROWS, "2025-01", 6, "j"),
    )


def _side(rng, rows: int, first: str, months: int, prefix: str) -> Sample:
    people = round(rows * (1 - RETURNING))
    who = np.r_[np.arange(people), rng.choice(people, rows - people, replace=False)]
    z = 0.35 * rng.normal(size=(people, 1)) + np.sqrt(1 - 0.35**2) * rng.normal(size=(people, len(INPUTS)))
    # Whoever returns has changed a little.
    z = np.where(
        np.arange(rows)[:, None] < people,
        z[who],
        0.9 * z[who] + np.sqrt(1 - 0.81) * rng.normal(size=(rows, 8)),
    )
    # A shared factor that lifts risk by one variable and lowers it by another keeps the ranks apart.
    z = z * np.sign([weight for _, weight, _, _ in INPUTS.values()])
    logit = np.full(rows, LEVEL)
    inputs = {}
    silent = {source: rng.random(rows) for source, *_ in INPUTS.values()}
    for at, (name, (source, weight, share, of_missing)) in enumerate(INPUTS.items()):
        absent = silent[source] < share  # a source answers for all of its inputs or for none
        logit += np.where(absent, of_missing, weight * z[:, at])
        inputs[name] = np.where(absent, np.nan, 100 + 25 * z[:, at])
    start = np.datetime64(first, "M").astype("datetime64[D]")
    end = (np.datetime64(first, "M") + months).astype("datetime64[D]")
    minutes = int((end - start) / np.timedelta64(1, "m"))
    as_of = start.astype("datetime64[m]") + np.sort(rng.choice(minutes, rows, replace=False))
    as_of = as_of.astype("datetime64[us]")
    order = rng.permutation(rows)
    return Sample(
        observation=np.array([f"{prefix}-o{at}" for at in range(rows)]),
        customer=np.array([f"{prefix}-c{at}" for at in who])[order],
        as_of=as_of,
        probability=np.zeros(rows),
        bad=(rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)[order],
        inputs={name: held[order] for name, held in inputs.items()},
        matured_on=as_of.astype("datetime64[D]") + HORIZON + rng.integers(1, 5, rows),
        known=as_of - rng.integers(1, 10_000, rows).astype("timedelta64[s]"),
        segments={"product": rng.choice(["cash", "instalment", "revolving"], rows)},
        groups={
            "sex": rng.choice(["f", "m"], rows),
            "age_band": rng.choice(["18-29", "30-44", "45+"], rows),
            "region": rng.choice(["east", "middle", "west"], rows),
        },
    )


def fit(train: Sample, names=tuple(INPUTS)) -> Logistic:
    """Fit by Newton's method with a whisper of ridge."""
    middle, spread, columns = {}, {}, [np.ones(len(train))]
    for name in names:
        held = np.asarray(train.inputs[name], float)
        known = held[np.isfinite(held)]
        middle[name], spread[name] = float(known.mean()), float(known.std()) or 1.0
        absent = ~np.isfinite(held)
        columns += [np.where(absent, 0.0, (held - middle[name]) / spread[name]), absent.astype(float)]
    X, bad = np.column_stack(columns), np.asarray(train.bad) == 1
    weights = np.zeros(X.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(X @ weights, -30, 30)))
        curvature = (X * (p * (1 - p))[:, None]).T @ X + 1e-3 * np.eye(X.shape[1])
        weights = weights + np.linalg.solve(curvature, X.T @ (bad - p) - 1e-3 * weights)
    return Logistic(
        middle,
        spread,
        dict(zip(names, weights[1::2].tolist(), strict=True)),
        dict(zip(names, weights[2::2].tolist(), strict=True)),
        float(weights[0]),
    )


def declared(names) -> dict[str, Variable]:
    """What is written about the inputs."""
    found = {}
    for name in names:
        source, weight, *_ = INPUTS.get(name, ("bureau", 0.0))
        way = int(np.sign(weight))
        found[name] = Variable(source, f"变量 {name}", name.replace("_", " "), way, name)
    return found


def evidence(train: Sample, judging: Sample, model: Logistic | None = None) -> Evidence:
    """Fit (unless a model is given), score both sides, and lay everything out."""
    names = tuple(train.inputs)
    model = model or fit(train, names)
    train = replace(train, probability=model(train.inputs))
    judging = replace(judging, probability=model(judging.inputs))
    champion = fit(train, tuple(name for name in CHAMPION_READS if name in names))
    flow = (
        {"step": "applications", "left_out": 0, "remaining": len(train) + len(judging) + 500},
        {"step": "not drawn", "left_out": 500, "remaining": len(train) + len(judging)},
    )
    return Evidence(
        description=Description(
            name="made_up",
            title_zh="虚构评分卡",
            title_en="Made-up card",
            version="1",
            as_of="2026-01-01",
            trainer="modelling",
            reviewers=("validation",),
            texts=TEXTS,
            claims={"rows": len(judging), "bad_rate": float(np.mean(judging.bad))},
            horizon_days=HORIZON,
            flow=flow,
        ),
        train=train,
        judging=judging,
        variables=declared(names),
        scorer=model,
        champion=champion(judging.inputs),
        challenger=fit(train, names)(judging.inputs),
    )


def clean(seed: int) -> Evidence:
    """The evidence of a model without fault."""
    return evidence(*samples(seed))
