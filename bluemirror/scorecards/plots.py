"""The pictures of the validation pack, drawn without a display. Drawing never computes a measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.validate import Judged, Validation

if TYPE_CHECKING:
    import polars as pl

INK, GOOD, BAD, OTHER, GRID = "#1f2a44", "#2b6cb0", "#c0392b", "#d98e04", "#d9dee7"


def validation_plots(name: str, train: Judged, oot: Judged, pack: Validation) -> dict[str, Any]:
    """Figures by file stem: ``roc``, ``calibration``, ``bands``, ``stability``, ``distribution``."""
    return {
        "roc": _roc(name, train, oot, pack),
        "calibration": _calibration(name, pack.calibration, pack.metrics),
        "bands": _bands(name, pack.by_band),
        "stability": _stability(name, pack.by_month),
        "distribution": _distribution(name, oot),
    }


def importance_plot(name: str, gain: pl.DataFrame, labels: Mapping[str, str]) -> Any:
    """The twenty inputs that a challenger leans on most; ``labels`` are English."""
    top = gain.head(20).reverse()
    figure, axes = _axes(name, "What the challenger leans on", 8.4, 6)
    shown = [_short(labels.get(v, v)) for v in top["variable"]]
    axes.barh(range(top.height), top["gain"].to_numpy() * 100, color=GOOD)
    axes.set_yticks(range(top.height), shown, fontsize=7)
    axes.set_xlabel("Share of the total gain, %")
    return figure


def _axes(name: str, what: str, width: float = 6.4, height: float = 4.4) -> tuple[Any, Any]:
    # The object interface: no global state and no backend, so a notebook's own figures are left alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    figure.suptitle(what, x=0.02, ha="left", color=INK, fontsize=11, fontweight="bold")
    axes.set_title(name, loc="left", color=INK, fontsize=8)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _roc(name: str, train: Judged, oot: Judged, pack: Validation) -> Any:
    figure, axes = _axes(name, "ROC curve", 5.2, 4.8)
    for label, judged, colour, area in (
        ("train", train, OTHER, pack.metrics["auc_train"]),
        ("out of sample", oot, GOOD, pack.metrics["auc"]),
    ):
        order = np.argsort(-judged.probability, kind="stable")
        bad = np.asarray(judged.bad, float)[order]
        axes.plot(
            np.r_[0, np.cumsum(1 - bad) / (1 - bad).sum()],
            np.r_[0, np.cumsum(bad) / bad.sum()],
            color=colour,
            label=f"{label}: AUC {area:.3f}",
        )
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.set_xlabel("Share of the goods taken")
    axes.set_ylabel("Share of the bads taken")
    axes.set_aspect("equal")
    axes.legend(frameon=False, loc="lower right")
    return figure


def _calibration(name: str, table: pl.DataFrame, metrics: Mapping[str, float]) -> Any:
    figure, axes = _axes(name, f"Calibration (Brier {metrics['brier']:.4f})", 5.2, 4.8)
    x, y = table["predicted"].to_numpy() * 100, table["observed"].to_numpy() * 100
    low, high = table["observed_low"].to_numpy() * 100, table["observed_high"].to_numpy() * 100
    top = max(x.max(), high.max()) * 1.05
    axes.plot([0, top], [0, top], color=OTHER, linewidth=1, linestyle="--", label="perfect")
    axes.errorbar(
        x,
        y,
        [np.maximum(y - low, 0), np.maximum(high - y, 0)],
        fmt="o",
        color=GOOD,
        capsize=3,
        label="tenths, 95 % interval",
    )
    axes.set_xlabel("Predicted bad rate, %")
    axes.set_ylabel("Observed bad rate, %")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _bands(name: str, table: pl.DataFrame) -> Any:
    figure, axes = _axes(name, "Bad rate by band of risk")
    x = np.arange(table.height)
    for shift, side, colour in ((-0.2, "train", OTHER), (0.2, "oot", GOOD)):
        rate = table[f"{side}_bad_rate"].fill_null(0).to_numpy() * 100
        axes.bar(x + shift, rate, 0.4, color=colour, label="train" if side == "train" else "out of sample")
    axes.set_xticks(x, [str(b) for b in table["band"]])
    axes.set_xlabel("Band (1 = lowest risk, cut on the training rows)")
    axes.set_ylabel("Bad rate, %")
    axes.legend(frameon=False)
    return figure


def _stability(name: str, table: pl.DataFrame) -> Any:
    figure, axes = _axes(name, "Stability of the score by month", 7.2, 4.2)
    x = np.arange(table.height)
    colours = [GOOD if s == "oot" else OTHER for s in table["side"]]
    axes.bar(x, table["psi"].to_numpy(), color=colours)
    axes.axhline(0.1, color=INK, linewidth=0.8, linestyle=":")
    axes.axhline(0.25, color=BAD, linewidth=0.8, linestyle=":")
    axes.set_ylim(0, max(0.3, float(table["psi"].to_numpy().max()) * 1.1))
    axes.set_xticks(x, table["month"].to_list(), rotation=60, fontsize=8)
    axes.set_ylabel("PSI against all of train (orange: train, blue: out)")
    return figure


def _distribution(name: str, oot: Judged) -> Any:
    figure, axes = _axes(name, "Log odds of goods and bads, out of sample")
    p = np.clip(oot.probability, 1e-6, 1 - 1e-6)
    z = np.log(p / (1 - p))
    edges = np.linspace(z.min(), z.max() + 1e-9, 41)
    for label, keep, colour in (("goods", oot.bad == 0, GOOD), ("bads", oot.bad == 1, BAD)):
        axes.hist(z[keep], edges, density=True, alpha=0.55, color=colour, label=label)
    axes.set_xlabel("Log odds of bad (right = riskier)")
    axes.set_ylabel("Density")
    axes.legend(frameon=False)
    return figure


def _short(text: str, width: int = 70) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
