"""What a training's run holds for its reviewer: numbers, tables, pictures and one page that has them all."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from bluemirror.scorecards.display import html_table
from bluemirror.scorecards.fingerprint import code_version
from bluemirror.scorecards.population import OOT, TRAIN

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.train import Trained
    from bluemirror.validation.pack import Pack
    from bluemirror.workspace import Workspace

VALIDATION_PAGE, VALIDATION_FINDINGS = "validation.html", "validation.json"
HEADLINE = ("auc", "auc_low", "auc_high", "gini", "ks", "psi", "psi_month_max", "brier", "hosmer_lemeshow_p")


@dataclass(frozen=True)
class RunFiles:
    """The content of a run: parameters, metrics, tags, and files (texts, pictures) by artefact path."""

    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, bytes]
    card: str
    description: str


def run_files(workspace: Workspace, trained: Trained, failed: tuple[str, ...]) -> RunFiles:
    """Lay out everything that is written about a training."""
    from bluemirror.mart.manifests import keep_snapshot
    from bluemirror.scorecards.evidence import lay_out
    from bluemirror.scorecards.model_card import model_card
    from bluemirror.scorecards.plots import importance_plot, validation_plots
    from bluemirror.scorecards.refit import edges_to_text
    from bluemirror.scorecards.scoring_sql import scoring_sql
    from bluemirror.validation import validate
    from bluemirror.validation.page import page_html

    spec = trained.spec
    tables = run_tables(trained)
    judged = {"scorecard": trained.scorecard_judged, "challenger": trained.challenger_judged}
    packs = {"scorecard": trained.scorecard_pack, "challenger": trained.challenger_pack}
    figures: dict[str, Any] = {}
    for kind, pack in packs.items():
        drawn = validation_plots(f"{spec.title_en}, {kind}", judged[kind][TRAIN], judged[kind][OOT], pack)
        figures |= {f"plots/{kind}_{name}.png": figure for name, figure in drawn.items()}
    labels = {name: v.label_en for name, v in trained.candidates.variables.items()}
    figures["plots/challenger_importance.png"] = importance_plot(
        spec.title_en, trained.challenger.importance(), labels
    )
    pictures = {path: _png(figure) for path, figure in figures.items()}
    card = spec.card.read_text(encoding="utf-8") if spec.card else f"# {spec.title_en}\n\n{spec.title_zh}\n"
    snapshot = keep_snapshot(workspace)  # kept, so that the training can be done again
    judged_by = validate(lay_out(workspace, trained, snapshot))
    tags = _tags(workspace, trained, failed, snapshot) | {"validation": _told(judged_by)}
    description = model_card(trained, failed, judged_by, tags, card)
    texts = {f"tables/{name}.csv": table.write_csv() for name, table in tables.items()}
    texts |= {
        "card.md": description,
        "model.yaml": spec.text,
        "scoring.sql": scoring_sql(trained.scorecard, "inputs", ["observation_id"]) + "\n",
        "bins.yaml": edges_to_text(trained.scorecard.tables_, trained.scorecard.variables_),
        VALIDATION_PAGE: page_html(judged_by),
        VALIDATION_FINDINGS: json.dumps(judged_by.as_plain(), ensure_ascii=False, default=float, indent=1),
        "report.html": _page(trained, failed, tables, pictures),
        **{
            f"sql/{q.file.name}": q.text
            for q in (
                spec.population,
                spec.label,
                spec.split.held_out,
                spec.parts.query if spec.parts else None,
            )
            if q and q.file
        },
    }
    metrics = {
        f"{kind}_{name}": value for kind, pack in packs.items() for name, value in pack.metrics.items()
    }
    metrics |= {
        f"validation_{verdict.replace(' ', '_')}": float(n) for verdict, n in judged_by.counts.items()
    }
    metrics |= {
        "training_rows": float(trained.population.side(TRAIN).height),
        "oot_rows": float(trained.population.side(OOT).height),
        "candidates": float(len(trained.candidates.variables)),
        "refused_by_stage": float(trained.candidates.refused_by_stage),
        "screened_kept": float(len(trained.screening.kept)),
        "variables": float(len(trained.scorecard.variables_)),
        "yuan_a_query": sum(
            s["yuan_a_query"] for s in trained.candidates.source_cost(trained.scorecard.variables_)
        ),
    }
    return RunFiles(
        parameters=_parameters(trained),
        metrics={k: v for k, v in metrics.items() if v == v},  # noqa: PLR0124 (NaN cannot be stored)
        tags=tags,
        files={path: text.encode() for path, text in texts.items()} | pictures,
        card=card,
        description=description,
    )


def run_tables(trained: Trained) -> dict[str, pl.DataFrame]:
    """Every table of the run by name."""
    import polars as pl

    card = trained.scorecard
    chosen = trained.candidates
    weights = dict(zip(card.variables_, card.coef_[0], strict=True))
    lines = [
        {
            "variable": name,
            "label_zh": chosen.variables[name].label_zh,
            "label_en": chosen.variables[name].label_en,
            "source": chosen.variables[name].source,
            "iv": card.tables_[name].iv,
            "trend": card.tables_[name].trend,
            "weight": weights[name],
            "meaning": chosen.variables[name].meaning,
            "yuan_a_query": float(chosen.variables[name].cost_yuan or 0.0),
        }
        for name in card.variables_
    ]
    dropped = {"variable": list(card.dropped_), "reason": list(card.dropped_.values())}
    tables = {
        "variables": pl.DataFrame(lines, infer_schema_length=None),
        "points": card.points_table_.frame(),
        "binning": card.tables_.frame().filter(pl.col("variable").is_in(card.variables_)),
        "binning_finalists": card.tables_.frame(),
        "screening": trained.screening.table,
        "selection_dropped": pl.DataFrame(dropped, schema={"variable": pl.String, "reason": pl.String}),
        "population_flow": trained.population.flow_frame(),
        "source_cost": pl.DataFrame(chosen.source_cost(card.variables_)),
        "challenger_importance": trained.challenger.importance(),
        "challenger_trials": pl.DataFrame(trained.challenger.trials, infer_schema_length=None),
    }
    reasons = [(v, trained.spec.reasons.of(v)) for v in card.variables_]
    tables["reason_codes"] = pl.DataFrame(
        [(v, r.code, r.zh, r.en) for v, r in reasons], schema=["variable", "code", "zh", "en"], orient="row"
    )
    if trained.inference is not None:
        tables |= {
            "reject_inference_effect": trained.inference.effect,
            "reject_inference_decisions": trained.inference.swaps,
        }
    if trained.calibration is not None:
        keys = ("rows", "before", "after", "shift", "points")
        tables["calibration_to_target"] = pl.DataFrame([{k: getattr(trained.calibration, k) for k in keys}])
    for kind, pack in (("scorecard", trained.scorecard_pack), ("challenger", trained.challenger_pack)):
        tables |= {f"{kind}_{name}": table for name, table in pack.tables.items()}
    return tables


def _told(pack: Pack) -> str:
    """The alarms in one line, as a tag holds them."""
    told = "; ".join(f"{one.severity} {one.check}" for one in pack.alarms)
    return told or "no alarm"


def _parameters(trained: Trained) -> dict[str, Any]:
    spec = trained.spec
    flat: dict[str, Any] = {"model": spec.name, "stage": spec.stage, "observation_set": spec.observation_set}
    for part in (
        spec.screening,
        spec.binning,
        spec.constraints,
        spec.challenger,
        spec.points,
        spec.gates,
        spec.rejects,
    ):
        if is_dataclass(part):
            prefix = {"ChallengerSearch": "search"}.get(type(part).__name__, type(part).__name__.lower())
            flat |= {
                f"{prefix}.{f.name}": getattr(part, f.name) for f in fields(part) if f.name != "monotone"
            }
    flat |= {f"challenger.{k}": v for k, v in trained.challenger.parameters.items()}
    return flat | {
        "challenger.rounds": trained.challenger.rounds,
        "split.by": spec.split.by,
        "seed": spec.seed,
    }


def _tags(workspace: Workspace, trained: Trained, failed: tuple[str, ...], snapshot: str) -> dict[str, str]:
    spec = trained.spec
    meanings = sorted(f"{n} {trained.candidates.variables[n].meaning}" for n in trained.scorecard.variables_)
    return {
        "fingerprint": trained.fingerprint,
        "data_hash": trained.data_hash,
        "training_set": trained.training_set,  # bluemirror reproduce data/training_sets/<this>
        "meaning": hashlib.sha256("\n".join(meanings).encode()).hexdigest()[:16],
        "snapshot": snapshot,
        "as_of": str(trained.population.as_of),
        "code": code_version(),
        "git": _commit(workspace),
        "stage": spec.stage,
        "horizon": spec.horizon,
        "trainer": spec.trainer,
        "reviewers": ", ".join(spec.reviewers),
        "gates": "; ".join(failed) or "passed",
    }


def _commit(workspace: Workspace) -> str:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=workspace.root,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _page(
    trained: Trained,
    failed: tuple[str, ...],
    tables: Mapping[str, pl.DataFrame],
    pictures: Mapping[str, bytes],
) -> str:
    """One page without outside references."""
    spec = trained.spec
    packs = (("scorecard", trained.scorecard_pack), ("challenger", trained.challenger_pack))
    head = [{"model": kind, **{k: p.metrics[k] for k in HEADLINE}} for kind, p in packs]
    gates = [{"gate": k, "limit": v} for k, v in asdict(spec.gates).items()]
    sections = [
        f"<h1>{escape(spec.title_zh)}<br><small>{escape(spec.title_en)}</small></h1>",
        (
            f"<p>Label: {escape(spec.horizon)}. Population: {escape(spec.population_text)}. "
            f"Data as of {trained.population.as_of}. Trainer: {escape(spec.trainer)}.</p>"
        ),
        f"<p class={'bad' if failed else 'good'}>Gates: {escape('; '.join(failed) or 'passed')}</p>",
        html_table("Out of sample", head),
        html_table("Gates", gates),
    ]
    for name, limit in (
        ("population_flow", 60),
        ("variables", 60),
        ("points", 400),
        ("binning", 400),
        ("reason_codes", 60),
        ("reject_inference_effect", 60),
        ("reject_inference_decisions", 60),
        ("calibration_to_target", 60),
        ("scorecard_bands", 60),
        ("scorecard_calibration", 60),
        ("scorecard_months", 60),
        ("scorecard_variable_psi", 60),
        ("source_cost", 60),
        ("challenger_importance", 25),
        ("challenger_bands", 60),
        ("screening", 60),
    ):
        if name in tables:
            sections.append(html_table(name.replace("_", " "), tables[name].to_dicts(), limit))
    drawn = "".join(
        f'<img alt="{escape(path)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for path, png in pictures.items()
    )
    style = (
        "body{font:14px sans-serif;color:#1f2a44;max-width:1100px;margin:2em auto}table{border-collapse:collapse}"
        "td,th{border-bottom:1px solid #d9dee7;padding:3px 8px;text-align:left}.bad{color:#c0392b}.good{color:#1e7d4f}"
        "img{max-width:48%;margin:4px}h4{margin:1.6em 0 .4em}"
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(spec.name)}</title>'
        f"<style>{style}</style></head><body>{''.join(sections[:5])}{drawn}{''.join(sections[5:])}</body></html>"
    )


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90)
    return out.getvalue()
