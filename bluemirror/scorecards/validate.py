"""The validation pack of one model: how well it ranks, how well it is calibrated, how stable it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards import measures

if TYPE_CHECKING:
    import polars as pl

BANDS = 10
CALIBRATION_GROUPS = 10


@dataclass(frozen=True)
class Judged:
    """Rows of one side: probability of bad, what happened, and when; each of shape (rows,)."""

    probability: Any
    bad: Any
    as_of: Any

    @property
    def month(self) -> Any:
        """The month of each row as datetime64[M]."""
        return np.asarray(self.as_of).astype("datetime64[M]")


@dataclass(frozen=True)
class Validation:
    """The pack: numbers by name, and tables.

    ``metrics`` holds, of the judging side unless the name says ``train``: auc, auc_low, auc_high (95 %, DeLong),
    gini, ks, psi (score, judging side against training), psi_month_max, brier, hosmer_lemeshow,
    hosmer_lemeshow_p, mean_probability, bad_rate, rows, bads, auc_train, ks_train.
    """

    metrics: dict[str, float]
    by_band: pl.DataFrame
    calibration: pl.DataFrame
    by_month: pl.DataFrame
    variable_psi: pl.DataFrame

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by name."""
        return {
            "bands": self.by_band,
            "calibration": self.calibration,
            "months": self.by_month,
            "variable_psi": self.variable_psi,
        }

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        head = html_table("Validation", [{"measure": k, "value": v} for k, v in self.metrics.items()])
        return head + "".join(html_table(name, t.to_dicts()) for name, t in self.tables.items())


def validate(train: Judged, oot: Judged, variables: dict[str, tuple[Any, Any]] | None = None) -> Validation:
    """Judge a model on rows that nothing was fitted or chosen on.

    Parameters
    ----------
    train, oot
        The training rows (the reference of stability) and the judging rows.
    variables
        The model's inputs: name to (training values, judging values), NaN = missing.
    """
    import polars as pl

    low, high = measures.auc_interval(oot.bad, oot.probability)
    statistic, p_value = measures.hosmer_lemeshow(oot.bad, oot.probability, CALIBRATION_GROUPS)
    by_month = _by_month(train, oot)
    area = measures.auc(oot.bad, oot.probability)
    metrics = {
        "auc": area,
        "auc_low": low,
        "auc_high": high,
        "gini": 2 * area - 1,
        "ks": measures.ks(oot.bad, oot.probability),
        "psi": measures.psi_of_values(train.probability, oot.probability),
        "psi_month_max": float(np.max(by_month.filter(pl.col("side") == "oot")["psi"].to_numpy())),
        "brier": measures.brier(oot.bad, oot.probability),
        "hosmer_lemeshow": statistic,
        "hosmer_lemeshow_p": p_value,
        "mean_probability": float(np.mean(oot.probability)),
        "bad_rate": float(np.mean(oot.bad)),
        "rows": float(len(oot.bad)),
        "bads": float(np.sum(oot.bad)),
        "auc_train": measures.auc(train.bad, train.probability),
        "ks_train": measures.ks(train.bad, train.probability),
    }
    stability = [
        {"variable": name, "psi": measures.psi_of_values(before, after)}
        for name, (before, after) in (variables or {}).items()
    ]
    return Validation(
        metrics,
        _by_band(train, oot),
        _calibration(oot),
        by_month,
        pl.DataFrame(stability, schema={"variable": pl.String, "psi": pl.Float64}).sort(
            ["psi", "variable"], descending=[True, False]
        ),
    )


def _by_band(train: Judged, oot: Judged) -> pl.DataFrame:
    """Bad rate by band of risk, cut on the training rows: band 1 is the safest."""
    import polars as pl

    edges = np.unique(np.quantile(train.probability, np.linspace(0, 1, BANDS + 1)[1:-1]))
    lines: list[dict[str, Any]] = []
    codes = {
        s: np.searchsorted(edges, j.probability, side="left") for s, j in (("train", train), ("oot", oot))
    }
    for band in range(edges.size + 1):
        line: dict[str, Any] = {"band": band + 1}
        for side, judged in (("train", train), ("oot", oot)):
            here = codes[side] == band
            rows = int(here.sum())
            line[f"{side}_rows"] = rows
            line[f"{side}_bads"] = int(np.sum(judged.bad[here]))
            line[f"{side}_bad_rate"] = float(np.mean(judged.bad[here])) if rows else None
            line[f"{side}_probability"] = float(np.mean(judged.probability[here])) if rows else None
        lines.append(line)
    return pl.DataFrame(lines, infer_schema_length=None)


def _calibration(oot: Judged) -> pl.DataFrame:
    """Predicted and observed rate by group of probability, with a 95 % interval (Wilson 1927)."""
    import polars as pl

    group = measures.bands(oot.probability, CALIBRATION_GROUPS)
    lines = []
    for g in range(int(group.max()) + 1):
        here = group == g
        n, rate = int(here.sum()), float(np.mean(oot.bad[here]))
        z2 = 1.96**2
        middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
        half = 1.96 * np.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        lines.append(
            {
                "group": g + 1,
                "rows": n,
                "predicted": float(np.mean(oot.probability[here])),
                "observed": rate,
                "observed_low": float(middle - half),
                "observed_high": float(middle + half),
            }
        )
    return pl.DataFrame(lines)


def _by_month(train: Judged, oot: Judged) -> pl.DataFrame:
    """Each month of both sides: rows, bad rate, mean probability, AUC, PSI of the score against all of train."""
    import polars as pl

    lines = []
    for side, judged in (("train", train), ("oot", oot)):
        months = judged.month
        for month in np.unique(months):
            here = months == month
            lines.append(
                {
                    "month": str(month),
                    "side": side,
                    "rows": int(here.sum()),
                    "bads": int(np.sum(judged.bad[here])),
                    "bad_rate": float(np.mean(judged.bad[here])),
                    "probability": float(np.mean(judged.probability[here])),
                    "auc": measures.auc(judged.bad[here], judged.probability[here]),
                    "psi": measures.psi_of_values(train.probability, judged.probability[here]),
                }
            )
    return pl.DataFrame(lines)
