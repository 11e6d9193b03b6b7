"""The challenger: boosted trees under monotone constraints, tuned by a small seeded search."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.measures import auc
from bluemirror.scorecards.spec import ChallengerSearch

if TYPE_CHECKING:
    import polars as pl

THREADS = 1
"""Boosters wait for each other after every level: on a machine that does anything else, two threads take four
times the processor time of one (measured: 33 s against 7 s for 6,000 rows of 200 inputs)."""
MAX_BIN = 64
PATIENCE = 30
REPORT_EVERY = 10
LATER_SHARE = 0.25
"""The last quarter of the training rows, by time, stops the boosting and judges the trials."""
FINAL_SEEDS = 3
"""The final model averages so many boosters that differ in their row and column samples."""


@dataclass(frozen=True)
class Challenger:
    """A fitted challenger: boosters as XGBoost's own JSON, the inputs' names, how it was found.

    ``directions`` are 1, 0 or -1 per input; ``trials`` one mapping a trial.
    """

    names: tuple[str, ...]
    directions: tuple[int, ...]
    boosters: tuple[Any, ...]
    parameters: Mapping[str, float]
    rounds: int
    trials: tuple[Mapping[str, Any], ...]

    def probability(self, X: Any) -> Any:
        """Probability of bad; ``X`` of shape (rows, inputs) in the order of ``names``, NaN = missing."""
        import xgboost

        matrix = xgboost.DMatrix(np.asarray(X, np.float32), feature_names=list(self.names), nthread=THREADS)
        return np.mean([b.predict(matrix) for b in self.boosters], axis=0).astype(float)

    def importance(self) -> pl.DataFrame:
        """Share of the total gain by input: variable, gain; the largest first, unused inputs left out."""
        import polars as pl

        gain: dict[str, float] = dict.fromkeys(self.names, 0.0)
        for booster in self.boosters:
            for name, value in booster.get_score(importance_type="total_gain").items():
                gain[name] += value
        total = sum(gain.values()) or 1.0
        rows = [{"variable": n, "gain": g / total} for n, g in gain.items() if g > 0]
        return pl.DataFrame(rows, schema={"variable": pl.String, "gain": pl.Float64}).sort(
            "gain", "variable", descending=[True, False]
        )

    def to_text(self) -> str:
        """One JSON object: inputs, directions, parameters and the boosters in XGBoost's own JSON."""
        return json.dumps(
            {
                "format": "bluemirror challenger 1",
                "names": list(self.names),
                "directions": list(self.directions),
                "parameters": dict(self.parameters),
                "rounds": self.rounds,
                "boosters": [json.loads(bytes(b.save_raw("json"))) for b in self.boosters],
            },
            sort_keys=True,
        )

    @classmethod
    def from_text(cls, text: str) -> Challenger:
        """The inverse of :meth:`to_text`, without the trials."""
        import xgboost

        plain = json.loads(text)
        boosters = []
        for one in plain["boosters"]:
            booster = xgboost.Booster({"nthread": THREADS})
            booster.load_model(bytearray(json.dumps(one).encode()))
            boosters.append(booster)
        return cls(
            tuple(plain["names"]),
            tuple(plain["directions"]),
            tuple(boosters),
            plain["parameters"],
            plain["rounds"],
            (),
        )

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table(
            f"Challenger: {len(self.names)} inputs, {self.rounds} rounds", self.importance().to_dicts()
        )


def fit_challenger(
    X: Any,
    bad: Any,
    names: Sequence[str],
    directions: Sequence[int],
    later: Any,
    search: ChallengerSearch | None = None,
    seed: int = 0,
    log: Callable[[str], None] | None = None,
) -> Challenger:
    """Search, then fit on all rows.

    Parameters
    ----------
    X : array of shape (rows, inputs), float32, NaN = missing
    bad : array of shape (rows,), 0 or 1
    directions
        1 where risk must rise with the input, -1 where it must fall, 0 where nothing is declared.
    later : array of bool, shape (rows,)
        The rows that stop the boosting and judge the trials, see :func:`later_rows`.
    search
        Budget and space. No trial begins after ``seconds`` of processor time, not of the clock, so that a busy
        machine finds the same model as an idle one.
    """
    import optuna
    import xgboost

    budget = search or ChallengerSearch()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, bad, later = np.asarray(X, np.float32), np.asarray(bad, np.float32), np.asarray(later, bool)
    started, used = time.monotonic(), time.thread_time()
    named = {"feature_names": list(names), "nthread": THREADS}
    early = xgboost.QuantileDMatrix(X[~later], bad[~later], max_bin=MAX_BIN, **named)
    judge = xgboost.QuantileDMatrix(X[later], bad[later], ref=early, max_bin=MAX_BIN, **named)
    fixed = {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "max_bin": MAX_BIN,
        "nthread": THREADS,
        "seed": seed,
        "monotone_constraints": "(" + ",".join(str(int(d)) for d in directions) + ")",
    }

    def objective(trial: Any) -> float:
        parameters = {
            "max_depth": trial.suggest_int("max_depth", int(budget.depth[0]), int(budget.depth[1])),
            "learning_rate": trial.suggest_float("learning_rate", *budget.learning_rate, log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", *budget.min_child_weight, log=True),
            "subsample": trial.suggest_float("subsample", *budget.subsample),
            "colsample_bytree": trial.suggest_float("colsample_bytree", *budget.column_share),
            "lambda": trial.suggest_float("lambda", *budget.l2, log=True),
        }
        booster = xgboost.train(
            fixed | parameters,
            early,
            budget.rounds,
            evals=[(judge, "later")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
            callbacks=[_pruner(trial)],
        )
        trial.set_user_attr("rounds", booster.best_iteration + 1)
        predicted = booster.predict(judge, iteration_range=(0, booster.best_iteration + 1))
        trial.set_user_attr("auc", auc(bad[later], predicted))
        return float(booster.best_score)

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(3, budget.trials // 3)),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=40),
    )
    study.enqueue_trial(_middle(budget))

    def stop(study: Any, trial: Any) -> None:  # noqa: ARG001 (Optuna's signature)
        if time.thread_time() - used > budget.seconds:
            study.stop()

    study.optimize(objective, n_trials=budget.trials, callbacks=[stop], catch=())
    best = study.best_trial
    # the later rows join the training, so a little more can be learnt before it overfits
    rounds = max(10, round(best.user_attrs["rounds"] * 1.1))
    whole = xgboost.QuantileDMatrix(X, bad, max_bin=MAX_BIN, **named)
    boosters = tuple(
        xgboost.train(fixed | best.params | {"seed": seed + k}, whole, rounds) for k in range(FINAL_SEEDS)
    )
    if log:
        log(
            f"challenger: {len(study.trials)} trials in {time.monotonic() - started:.1f} s, best AUC "
            f"{best.user_attrs['auc']:.3f} on the later training rows, {rounds} rounds"
        )
    trials = tuple(
        {"trial": t.number, "state": t.state.name.lower(), "log_loss": t.value, **t.user_attrs, **t.params}
        for t in study.trials
    )
    return Challenger(
        tuple(names), tuple(int(d) for d in directions), boosters, dict(best.params), rounds, trials
    )


def later_rows(as_of: Any, keys: Sequence[str]) -> Any:
    """Which training rows come later: the last quarter by time, or, if all share one moment, by a hash of the key.

    Parameters
    ----------
    as_of : array of datetime64, shape (rows,)
    keys
        The entity key of each row, for rows of one moment.

    Returns
    -------
    array of bool, shape (rows,)
    """
    import hashlib

    moments = np.asarray(as_of).astype("datetime64[us]").astype(np.int64)
    edge = np.quantile(moments, 1 - LATER_SHARE)
    later = moments > edge
    if 0.05 <= later.mean() <= 0.5:
        return later
    cut = int(256 * LATER_SHARE)
    return np.array([hashlib.blake2b(f"later:{k}".encode(), digest_size=1).digest()[0] < cut for k in keys])


def _middle(budget: ChallengerSearch) -> dict[str, Any]:
    """A sensible first trial: the middle of every range."""
    return {
        "max_depth": round((budget.depth[0] + budget.depth[1]) / 2),
        "learning_rate": float(np.sqrt(budget.learning_rate[0] * budget.learning_rate[1])),
        "min_child_weight": float(np.sqrt(budget.min_child_weight[0] * budget.min_child_weight[1])),
        "subsample": sum(budget.subsample) / 2,
        "colsample_bytree": sum(budget.column_share) / 2,
        "lambda": float(np.sqrt(budget.l2[0] * budget.l2[1])),
    }


def _pruner(trial: Any) -> Any:
    import optuna
    import xgboost

    class Pruner(xgboost.callback.TrainingCallback):
        """Give up a trial that is behind the median of the others at the same round."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            if epoch % REPORT_EVERY == 0:
                trial.report(evals_log["later"]["logloss"][-1], epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return False

    return Pruner()
