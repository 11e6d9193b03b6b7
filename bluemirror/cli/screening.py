"""The verb ``screen``: every candidate of a model against its label, what stays and why the others go."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.screened import ScreenedModel

NAME_WIDTH = 38
HEAD = ("variable", "iv", "auc", "miss", "psi", "yuan", "alike")
FORMS = (".csv", ".parquet")


def screen(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Screen, show the best, and with ``--out`` write every variable's line to a file."""
    from bluemirror.scorecards.screened import screen_model

    out = _checked(args.out)
    workspace = Workspace.open(args.workspace)
    with console.working(f"screening the candidates of {args.model}"):
        found = screen_model(workspace, args.model)
    for line in lines(found, args.top):
        console.line(line)
    if out is not None:
        table = found.report.table
        table.write_csv(out) if out.suffix == ".csv" else table.write_parquet(out)
        console.line(f"Every variable: {out}")
    else:
        console.next(f"bluemirror screen {args.model} --out FILE.csv writes the line of every variable")
    console.next(f"bluemirror train {args.model}")
    report = found.report
    return {
        "model": args.model,
        "variables": report.table.height,
        "rows": report.rows,
        "bads": _bads(found),
        "seconds": round(found.seconds, 2),
        "counts": report.counts,
        "suspects": report.table.filter(report.table["verdict"] == "suspect")["variable"].to_list(),
        "kept": list(report.kept),
    }


def _checked(out: str | None) -> Path | None:
    path = Path(out) if out else None
    if path is not None and (path.suffix not in FORMS or not path.parent.is_dir()):
        raise WorkspaceError(
            f"{path} cannot be written",
            field="--out",
            rule="a .csv or .parquet file in a folder that is there",
            fix="write --out screening.csv",
        )
    return path


def _bads(found: ScreenedModel) -> int:
    from bluemirror.scorecards.population import TRAIN

    return int(found.population.side(TRAIN)["bad"].sum())


def lines(found: ScreenedModel, top: int) -> list[str]:
    """What the terminal shows, at most 80 columns: verdicts, suspects, and the ``top`` best that are kept."""
    from bluemirror.scorecards.screen import VERDICTS

    report, table = found.report, found.report.table
    size = f"{table.height:,} candidates against {report.rows:,} training rows, {_bads(found):,} bad"
    told = [
        f"{found.spec.name}: {size}, in {found.seconds:.1f} s",
        *(f"  {report.counts[v]:>7,}  {v:<9} {means}" for v, means in VERDICTS.items() if v in report.counts),
    ]
    suspects = table.filter(table["verdict"] == "suspect").head(top)
    if suspects.height:
        told += ["", "Suspected to know the outcome; look where they come from before anything else:"]
        told += [
            f"  {cut(r['variable'], NAME_WIDTH):<{NAME_WIDTH}}  IV {r['iv']:.2f}, AUC {r['auc']:.2f}: {r['suspicion']}"
            for r in suspects.to_dicts()
        ]
    told += ["", "The best, each for those that tell nearly the same (alike); yuan a query:"]
    return [*told, *_best(report.kept[:top], table)]


def _best(names: tuple[str, ...], table: pl.DataFrame) -> list[str]:
    alike = dict(table.group_by("cluster").len().iter_rows())
    of = {r["variable"]: r for r in table.filter(table["variable"].is_in(list(names))).to_dicts()}
    rows = [
        (
            cut(name, NAME_WIDTH),
            f"{of[name]['iv']:.3f}",
            f"{of[name]['auc']:.3f}",
            f"{of[name]['missing']:.0%}",
            f"{of[name]['psi_max']:.2f}",
            f"{of[name]['cost']:.1f}",
            f"{alike[name] - 1:,}",
        )
        for name in names
    ]
    widths = (NAME_WIDTH, 5, 5, 4, 4, 4, 5)
    return [
        "  "
        + "  ".join(
            f"{c:<{w}}" if i == 0 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in [HEAD, *rows]
    ]


def cut(name: str, width: int) -> str:
    """A long name without its middle: block and aggregate, its ends, say most."""
    if len(name) <= width:
        return name
    left = (width - 1) // 2
    return f"{name[:left]}…{name[left + 1 - width :]}"
