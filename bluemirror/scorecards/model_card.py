"""The description of a version: what a reviewer asks, as Markdown that MLflow shows on the version's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.scorecards.train import Trained
    from bluemirror.validation.pack import Pack

FIGURES = (
    ("auc", "AUC"),
    ("gini", "Gini"),
    ("ks", "KS"),
    ("psi", "PSI of the score"),
    ("brier", "Brier score"),
    ("bad_rate", "Bad rate"),
    ("mean_probability", "Mean probability"),
    ("rows", "Judging rows"),
    ("bads", "Judging bads"),
)


def model_card(
    trained: Trained, failed: Sequence[str], pack: Pack, tags: Mapping[str, str], written: str
) -> str:
    """Lay out the card.

    Parameters
    ----------
    failed
        The gates that the version does not pass, in words.
    pack
        The validation's findings.
    tags
        The run's tags: snapshot, data_hash, fingerprint, code, git.
    written
        The model's own ``card.md``.
    """
    spec = trained.spec
    stops = ", ".join(one.label_en for one in pack.stops)
    counts = pack.counts
    gates = f"failed: {'; '.join(failed)}" if failed else "passed"
    verdict = (
        f"**Gates:** {gates}. **Validation:** {counts['pass']} checks pass, {counts['look']} to be explained, "
        f"{counts['stop']} against it{f' ({stops})' if stops else ''}. The whole report is `validation.html` among the "
        "artifacts; `report.html` holds bins, points and plots."
    )
    parts = [
        f"# {spec.title_zh} / {spec.title_en}",
        f"Data as of {trained.population.as_of}; trained by {spec.trainer}; reviewers: {', '.join(spec.reviewers)}.",
        verdict,
        "## Figures\n" + _figures(trained),
    ]
    if pack.alarms:
        lines = [
            {"": one.severity, "check": one.label_en, "found": one.sentence, "limit": one.threshold}
            for one in pack.alarms
        ]
        parts.append("## To be answered\n" + table(lines))
    parts += ["## Against the champion\n" + _against(pack), written.strip().replace("# ", "## ", 1)]
    flow = [
        {"step": s.step, "left out": s.left_out, "remaining": s.remaining} for s in trained.population.flow
    ]
    made_of = [
        {"": key, "value": tags[key]} for key in ("snapshot", "data_hash", "fingerprint", "code", "git")
    ]
    again = (
        f"Check out `{tags['git']}`, let the mart stand at snapshot `{tags['snapshot']}` and run "
        f"`bluemirror train {spec.name}`: the fingerprint is `{tags['fingerprint']}` again, and nothing is registered "
        f"anew. The finalists' rows alone: `bluemirror reproduce data/training_sets/{tags['training_set']}`."
    )
    for heading, text in (
        ("Population flow", table(flow)),
        ("Variables", _variables(trained)),
        ("Sources and cost", _cost(trained)),
        ("Data and code", table(made_of)),
        ("How to reproduce", again),
    ):
        parts.append(f"## {heading}\n{text}")
    return "\n\n".join(parts) + "\n"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table of rows of equal keys."""
    if not rows:
        return "None."
    keys = list(rows[0])
    numeric = {key for key in keys if all(isinstance(row[key], int | float) for row in rows)}
    # MLflow draws tables without any room between columns.
    lines = [[*keys], ["---:" if key in numeric else "---" for key in keys]]
    lines += [[_cell(row[key]) for key in keys] for row in rows]
    room = [" &nbsp; | ", " | ", *[" &nbsp; | "] * len(rows)]
    return "\n".join(f"| {between.join(line)} |" for between, line in zip(room, lines, strict=True))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "/").replace("\n", " ")


def _figures(trained: Trained) -> str:
    card, other = trained.scorecard_pack.metrics, trained.challenger_pack.metrics
    lines = []
    for key, label in FIGURES:
        line: dict[str, Any] = {"": label}
        for kind, metrics in (("scorecard", card), ("challenger", other)):
            line[kind] = _cell(float(metrics[key]))
            if key == "auc":
                line[kind] += f" ({metrics['auc_low']:.3f} to {metrics['auc_high']:.3f})"
        lines.append(line)
    return table(lines)


def _against(pack: Pack) -> str:
    judged = [pack[name] for name in ("against_champion", "swap_set") if pack[name].verdict != "not judged"]
    if not judged:
        return "There is no champion to compare with, or its variables are no longer computed."
    told = "\n".join(f"* {one.label_en}: {one.sentence}" for one in judged)
    swaps = pack["swap_set"].rows
    return f"{told}\n\n{table(swaps)}" if swaps else told


def _variables(trained: Trained) -> str:
    card, chosen = trained.scorecard, trained.candidates.variables
    return table(
        [
            {
                "variable": f"`{name}`",
                "label": f"{chosen[name].label_zh} · {chosen[name].label_en}",
                "source": chosen[name].source,
                "IV": float(card.tables_[name].iv),
                "weight": float(weight),
            }
            for name, weight in zip(card.variables_, card.coef_[0], strict=True)
        ]
    )


def _cost(trained: Trained) -> str:
    lines = trained.candidates.source_cost(trained.scorecard.variables_)
    whole = sum(one["yuan_a_query"] for one in lines)
    shown = [{key.replace("_", " "): value for key, value in one.items()} for one in lines]
    return table(shown) + f"\n\n{whole:.2f} yuan an applicant if every source is asked."
