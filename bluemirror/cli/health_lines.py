"""The health of a night as lines of at most 80 columns: alerts with cause and remedy, then a line a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bluemirror.cli.source_lines import MARKS, NONE, WIDTH, wrapped

if TYPE_CHECKING:
    from bluemirror.health import Night

HEAD = ("", "source", "vars", "rows", "answ", "week", "train", "PSIw", "max", "moved", "PSIt", "away")
WIDTHS = (2, 16, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5)
LEGEND = (
    "answ, week, train: answered of those described, %, this week, last week, in the\n"
    "training window; PSIw: median PSI of its variables against last week, max: the\n"
    "highest; moved: variables that moved; PSIt: median PSI against training, away:\n"
    "variables away from it. - is too few rows to judge."
)
SHOWN = 25


def overview_lines(made: Night) -> Iterator[str]:
    """Alerts first, then every source on a line of its own, those with alerts marked and on top."""
    from bluemirror.health.alerts import KINDS
    from bluemirror.health.page import window_text
    from bluemirror.health.page_sources import source_rows

    severities = made.alerts["severity"].to_list()
    errors = severities.count("error")
    yield (
        f"{len(made.variables):,} variables of {made.workspace} as of {made.as_of}: "
        f"{errors} errors, {len(severities) - errors} warnings"
    )
    for name, one in made.manifest["sets"].items():
        yield from wrapped(f"{name}: {window_text(one)}", "  ")
    yield ""
    for row in made.alerts.iter_rows(named=True):
        yield f"{MARKS[row['severity']]:<2} {row['source']}: {KINDS[row['kind']].en}, since {row['since']}"
        yield from wrapped(row["cause"], "     ")
        yield from wrapped(f"-> {row['todo']}", "     ")
    if severities:
        yield ""
    states = dict(zip(made.alerts["source"], severities, strict=True))
    order = {"error": 0, "warn": 1, "ok": 2}
    yield _line(HEAD)
    yield _line(tuple("-" * width for width in WIDTHS))
    for row in sorted(
        source_rows(made), key=lambda one: (order[states.get(one["source"], "ok")], one["source"])
    ):
        yield _line(_cells(row, states.get(row["source"], "ok")))
    yield ""
    yield from LEGEND.split("\n")


def _line(cells: Sequence[str]) -> str:
    parts = []
    for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True)):
        shown = cell if len(cell) <= width else cell[: width - 1] + "~"
        parts.append(shown.ljust(width) if place < 2 else shown.rjust(width))
    return " ".join(parts).rstrip()


def _cells(row: dict[str, Any], state: str) -> tuple[str, ...]:
    return (
        MARKS[state],
        row["source"],
        f"{row['variables']:,}",
        f"{row['observations'] or 0:,}"[:5],
        *(_percent(row[f"{prefix}share"]) for prefix in ("", "week_", "training_")),
        *(_psi(row[name]) for name in ("median_week", "highest_week")),
        str(row["moved_week"]) if row["highest_week"] is not None else NONE,
        _psi(row["median_training"]),
        str(row["moved_training"]) if row["highest_training"] is not None else NONE,
    )


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.0f}"


def _psi(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def source_lines(made: Night, source: str) -> Iterator[str]:
    """The variables of one source: its alert, then those that moved farthest."""
    import polars as pl

    from bluemirror.health.alerts import KINDS

    rows = made.variables.filter(pl.col("source") == source)
    yield f"{source} as of {made.as_of}: {len(rows):,} variables"
    yield ""
    for row in made.alerts.filter(pl.col("source") == source).iter_rows(named=True):
        yield f"{MARKS[row['severity']]:<2} {KINDS[row['kind']].en}, since {row['since']}"
        yield from wrapped(row["cause"], "     ")
        yield from wrapped(f"-> {row['todo']}", "     ")
        yield ""
    ordered = rows.sort(
        ["moved_week", "moved_training", pl.max_horizontal("psi_week", "psi_training"), "variable"],
        descending=[True, True, True, False],
        nulls_last=True,
    )
    yield f"   {'variable':<34}{'cover':>6}{'train':>6}{'mean':>9}{'train':>9}{'PSIw':>6}{'PSIt':>6}"
    for row in ordered.head(SHOWN).iter_rows(named=True):
        mark = "!!" if row["moved_week"] else "!" if row["moved_training"] else ""
        name = row["variable"]
        line = f"{_percent(row['coverage']):>6}{_percent(row['training_coverage']):>6}"
        line += f"{_short(row['mean']):>9}{_short(row['training_mean']):>9}"
        line += f"{_psi(row['psi_week']):>6}{_psi(row['psi_training']):>6}"
        if len(name) > 33:
            # Names are long: a name of its own line is better than one that is cut.
            yield f"{mark:<2} {name}"[:WIDTH]
            yield f"   {'':<34}{line}"
        else:
            yield f"{mark:<2} {name:<34}{line}"
    if len(ordered) > SHOWN:
        yield f"   ... {len(ordered) - SHOWN:,} more: --html, or the table variable_health"


def _short(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.2e}"
