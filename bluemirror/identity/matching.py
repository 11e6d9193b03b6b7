"""Which two records are one: splink over DuckDB, trained once and kept, so that a pair's probability never changes.

This module is splink's one seam. What it writes down is its own JSON of settings with the estimated probabilities.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json
from bluemirror.errors import IdentityError
from bluemirror.mart.versions import quote

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.identity.settings import Authored

SAMPLED = 1_000
"""Records of which all pairs tell how often two records agree that are not one."""
LEARNT = 200_000
"""Pairs that a pass of expectation maximisation looks at, at most about."""
RENAMED = 5
"""So many places with either of two names, and everything else alike, make them two names of one thing."""
KEPT = 0.05
"""Pairs below this probability are not kept."""


@dataclass(frozen=True)
class MatchModel:
    """A trained model.

    Parameters
    ----------
    settings
        Splink's, with the estimated probabilities.
    records, known_until
        What it was trained on.
    renamed
        Column -> other name (keyed hash) -> the name that is used for it.
    """

    settings: dict[str, Any]
    records: int
    known_until: str
    renamed: dict[str, dict[str, str]]

    def save(self, path: Path) -> None:
        """Write it as text."""
        write_json(
            path,
            {
                "records": self.records,
                "known_until": self.known_until,
                "settings": self.settings,
                "renamed": self.renamed,
            },
        )

    @classmethod
    def load(cls, path: Path) -> MatchModel | None:
        """Read it; None if there is none.

        Raises
        ------
        IdentityError
            If the file holds something else.
        """
        if not path.is_file():
            return None
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                kept["settings"], int(kept["records"]), str(kept["known_until"]), dict(kept["renamed"])
            )
        except (ValueError, KeyError, TypeError) as error:
            raise IdentityError(
                "the model of the match cannot be read",
                file=path,
                rule="it is written by bluemirror identity and by nothing else",
                fix="remove it: the next run trains a new one, or train now with bluemirror identity --train",
            ) from error


def train(records: pl.DataFrame, authored: Authored) -> MatchModel:
    """Estimate the probabilities of a match from its records.

    The same records give the same model, whatever their order.

    Parameters
    ----------
    records
        As :func:`bluemirror.identity.records.records_sql` gives them.
    """
    import polars as pl
    from splink import block_on

    records = records.sort("unique_id")
    total = records.height * (records.height - 1) / 2
    settings = _settings(authored)
    found = max(_certain(records, authored) / authored.recall, 1)
    settings["probability_two_random_records_match"] = min(found / max(total, 1), 0.5)
    shuffled = sorted(records["unique_id"].to_list(), key=_shuffled)[:SAMPLED]
    some = records.filter(pl.col("unique_id").is_in(shuffled))
    if some.height > 1:
        with _linker(some, settings) as linker:
            pairs = some.height * (some.height - 1) / 2
            linker.training.estimate_u_using_random_sampling(max_pairs=pairs, min_count_per_level=None)
            settings = linker.misc.save_model_to_json()
    with _linker(records, settings) as linker:
        for columns in authored.training:
            _maximise(linker.training, block_on(*columns))
        settings = _rounded(linker.misc.save_model_to_json())
    newest = records["known"].cast(pl.Datetime("us")).max()
    until = "" if newest is None else str(newest)
    renamed = {} if authored.renamed is None else {authored.renamed: _renamed(records, authored)}
    return MatchModel(settings, records.height, until, renamed)


def _shuffled(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _rounded(value: Any) -> Any:
    """Probabilities to nine digits: further ones depend on the order in which threads add up."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _renamed(records: pl.DataFrame, authored: Authored) -> dict[str, str]:
    """Names that stand for another: in many likely pairs they are all that differs.

    A chance agreement of everything else is rare, and spread over all pairs of names; a renaming repeats itself.
    """
    import polars as pl

    name = authored.renamed
    assert name is not None
    others = [column for column in authored.certain if column != name]
    if records.height < 2:
        return {}
    pairs = records.drop_nulls([name, *others]).select("unique_id", name, *others)
    pairs = pairs.join(pairs, on=others, suffix="_r").filter(pl.col(name) < pl.col(f"{name}_r"))
    counted = pairs.group_by(name, f"{name}_r").agg(places=pl.struct(others).n_unique())
    counted = counted.filter(pl.col("places") >= RENAMED)
    often = dict(records.drop_nulls(name).group_by(name).len().iter_rows())
    found: dict[str, str] = {}
    for one, other, _ in counted.sort(
        "places", name, f"{name}_r", descending=[True, False, False]
    ).iter_rows():
        kept, old = sorted((one, other), key=lambda text: (-often[text], text))
        if kept not in found and old not in found and old not in found.values():
            found[old] = kept
    return found


def _certain(records: pl.DataFrame, authored: Authored) -> int:
    """Pairs that agree in everything that makes them one for sure."""
    sizes = records.drop_nulls(list(authored.certain)).group_by(list(authored.certain)).len()["len"]
    return int((sizes * (sizes - 1) // 2).sum())


def _maximise(training: Any, rule: Any) -> None:
    from splink.internals.exceptions import EMTrainingException

    try:
        training.estimate_parameters_using_expectation_maximisation(
            rule, max_pairs=LEARNT, estimate_without_term_frequencies=True
        )
    except EMTrainingException:
        # Nothing to learn from here (no pair, or all alike): the numbers that it began with stay.
        return


def score(records: pl.DataFrame, model: MatchModel, same: str | None = None) -> pl.DataFrame:
    """Pairs of entities that may be one.

    Parameters
    ----------
    records
        As for :func:`train`.
    model
        The trained model.
    same
        Column whose equal values are one entity already: such pairs are left out.

    Returns
    -------
    pl.DataFrame
        ``a``, ``b`` (entity ids, ``a < b``), ``probability`` (0 to 1), ``known`` (microseconds: both records were
        known). Of two entities with several records each, one row a pair of records.
    """
    import polars as pl

    empty = pl.DataFrame(
        schema={"a": pl.String, "b": pl.String, "probability": pl.Float64, "known": pl.Int64}
    )
    if records.height < 2:
        return empty
    settings = json.loads(json.dumps(model.settings))
    for column, names in model.renamed.items():
        records = records.with_columns(pl.col(column).replace(names))
    if same is not None:
        for rule in settings["blocking_rules_to_generate_predictions"]:
            rule["blocking_rule"] += f" AND l.{quote(same)} <> r.{quote(same)}"
    with _linker(records, settings) as linker:
        found = linker.inference.predict(threshold_match_probability=KEPT, warning_mode="never")
        pairs: pl.DataFrame = found.as_duckdbpyrelation().pl()
    of = records.select("unique_id", "entity_id", "known")
    pairs = (
        pairs.select("unique_id_l", "unique_id_r", "match_probability")
        .join(of, left_on="unique_id_l", right_on="unique_id")
        .join(of, left_on="unique_id_r", right_on="unique_id", suffix="_r")
        .filter(pl.col("entity_id") != pl.col("entity_id_r"))
    )
    return (
        pairs.select(
            a=pl.min_horizontal("entity_id", "entity_id_r"),
            b=pl.max_horizontal("entity_id", "entity_id_r"),
            # beyond six digits the order in which threads add up would show
            probability=pl.col("match_probability").round(6),
            known=pl.max_horizontal("known", "known_r"),
        )
        .unique()
        .sort("a", "b", "known", "probability")
    )


def _settings(authored: Authored) -> dict[str, Any]:
    def rule(columns: tuple[str, ...]) -> dict[str, str]:
        text = " AND ".join(f"l.{quote(name)} = r.{quote(name)}" for name in columns)
        return {"blocking_rule": text, "sql_dialect": "duckdb"}

    return {
        "link_type": "dedupe_only",
        "sql_dialect": "duckdb",
        "unique_id_column_name": "unique_id",
        "comparisons": [dict(comparison) for comparison in authored.comparisons],
        "blocking_rules_to_generate_predictions": [rule(columns) for columns in authored.blocking],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "max_iterations": 50,
        "linker_uid": "bluemirror",
    }


@contextmanager
def _linker(records: pl.DataFrame, settings: dict[str, Any]) -> Iterator[Any]:
    import duckdb
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    quiet = logging.getLogger("splink")
    level = quiet.level
    quiet.setLevel(
        logging.ERROR
    )  # it explains to a modeller at a screen; here its parameters are written down
    connection = duckdb.connect()
    try:
        connection.register("_arrow", records.to_arrow())
        connection.execute("CREATE TABLE records AS SELECT * FROM _arrow")
        yield Linker(DuckDBAPI(connection).register("records"), settings, log_level=None)
    finally:
        connection.close()
        quiet.setLevel(level)
