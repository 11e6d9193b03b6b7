"""From a model's queries to its labelled rows: who is in, who is out and why, and on which side of the split.

The library, not the query, keeps three rules: a label counts only once it is mature; no customer stands on both
sides of the split; every row that leaves is counted with the reason.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.spec import ModelSpec, Query, Split
    from bluemirror.workspace import Workspace

TRAIN, OOT = "train", "oot"


@dataclass(frozen=True)
class FlowStep:
    """One line of the population flow: why rows left, how many, how many remain."""

    step: str
    left_out: int
    remaining: int


@dataclass(frozen=True)
class Population:
    """The labelled rows of a model.

    ``rows`` has observation_id, the entity key, as_of, bad (0/1), matured_on and side (train or oot), sorted by
    observation_id; ``flow`` tells how it came to be; ``as_of`` is the day at which the data stood. ``excluded`` has
    observation_id, the entity key, as_of, excluded (the population query's reason) and side of those it left out.
    """

    rows: pl.DataFrame
    entity_key: str
    as_of: dt.date
    flow: tuple[FlowStep, ...]
    excluded: pl.DataFrame | None = None

    def left_out(self, reasons: Sequence[str], side: str) -> pl.DataFrame:
        """The rows of one side's window that the population query left out for one of ``reasons``, sorted by id."""
        import polars as pl

        if self.excluded is None:
            return self.rows.clear()
        wanted = pl.col("excluded").is_in(list(reasons)) & (pl.col("side") == side)
        return self.excluded.filter(wanted).sort("observation_id")

    def side(self, side: str) -> pl.DataFrame:
        """The rows of one side, in the order of ``rows``."""
        import polars as pl

        return self.rows.filter(pl.col("side") == side)

    def flow_frame(self) -> pl.DataFrame:
        """The flow as a table: step, left_out, remaining."""
        import polars as pl

        return pl.DataFrame(
            [vars(s) for s in self.flow], schema=["step", "left_out", "remaining"], orient="row"
        )

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table("Population", self.flow_frame().to_dicts())


@dataclass
class _Flow:
    remaining: int
    steps: list[FlowStep] = field(default_factory=list)

    def keep(self, step: str, remaining: int) -> None:
        self.steps.append(FlowStep(step, self.remaining - remaining, remaining))
        self.remaining = remaining


def read_population(workspace: Workspace, spec: ModelSpec, as_of: dt.date | None = None) -> Population:
    """Run the model's population and label queries and apply maturity and split.

    Parameters
    ----------
    as_of
        The day at which the data stands; labels that mature later do not count. Default: the day of the newest
        delivery in the mart.

    Raises
    ------
    ModelError
        If a query fails or its result has not the columns and values that are asked of it.
    """
    from bluemirror.scorecards.stored import read_observations

    observations = read_observations(workspace, spec.observation_set)
    with_mart = _Mart(workspace, spec, observations.rows, as_of)
    try:
        chosen = with_mart.rows(spec.population, "population", {"observation_id"})
        labels = with_mart.rows(spec.label, "label", {"observation_id", "bad", "matured_on"})
        held_out = (
            with_mart.rows(spec.split.held_out, "split", {"observation_id"}) if spec.split.held_out else None
        )
    finally:
        with_mart.close()
    return assemble(
        spec, observations.rows, observations.entity_key, chosen, labels, held_out, with_mart.as_of
    )


def read_parts(workspace: Workspace, spec: ModelSpec, population: Population) -> pl.DataFrame:
    """The parts that the model's ``validation`` query names, one row for each of ``population.rows``, in its order.

    Returns
    -------
    polars.DataFrame
        A text column for each segment and group declared, null where the query does not tell; no column if the model
        declares none.

    Raises
    ------
    ModelError
        If the query fails, a declared column is absent, or an observation has several rows.
    """
    import polars as pl

    if spec.parts is None:
        return pl.DataFrame()
    names = [*spec.parts.segments, *spec.parts.groups]
    with_mart = _Mart(workspace, spec, population.rows.drop("bad", "matured_on", "side"), population.as_of)
    try:
        told = with_mart.rows(spec.parts.query, "validation", {"observation_id", *names})
    finally:
        with_mart.close()
    told = told.select(pl.col("observation_id", *names).cast(pl.String))
    if told["observation_id"].is_duplicated().any():
        raise ModelError(
            "the validation query gives several rows for one observation",
            file=spec.parts.query.file or spec.file,
            field="validation.sql",
            rule="one row an observation",
            fix="pick the row that was valid at the observation's as_of",
        )
    keys = population.rows.select("observation_id")
    return keys.join(told, on="observation_id", how="left", maintain_order="left").select(names)


def assemble(
    spec: ModelSpec,
    observations: pl.DataFrame,
    entity_key: str,
    chosen: pl.DataFrame,
    labels: pl.DataFrame,
    held_out: pl.DataFrame | None,
    as_of: dt.date,
) -> Population:
    """The population from its parts (see :func:`read_population`); a pure function of frames.

    Parameters
    ----------
    observations
        observation_id, the entity key, as_of.
    chosen
        observation_id and, if the query gives it, ``excluded``: the reason why a row is not in, else null.
    labels
        observation_id, bad (0, 1 or null = indeterminate), matured_on.
    held_out
        observation_id of the rows that judge, for a split by hold-out.
    """
    import polars as pl

    flow = _Flow(observations.height)
    flow.keep("observations", observations.height)
    rows = observations.select(pl.col("observation_id").cast(pl.String), entity_key, "as_of")
    chosen = chosen.with_columns(pl.col("observation_id").cast(pl.String))
    rows = rows.join(chosen.unique("observation_id"), on="observation_id", how="inner")
    flow.keep("not selected by the population query", rows.height)
    excluded = None
    if "excluded" in rows.columns:
        excluded = rows.filter(pl.col("excluded").is_not_null())
        side = _time_side(spec.split, as_of) if spec.split.by == "time" else pl.lit(TRAIN)
        excluded = excluded.select("observation_id", entity_key, "as_of", "excluded", side.alias("side"))
    if "excluded" in rows.columns:
        reasons = rows["excluded"].drop_nulls().value_counts(sort=True)["excluded"].to_list()
        for reason in sorted(reasons):
            rows = rows.filter(pl.col("excluded").is_null() | (pl.col("excluded") != reason))
            flow.keep(f"excluded: {reason}", rows.height)
    rows = rows.select("observation_id", entity_key, "as_of")

    rows = rows.join(_checked_labels(spec, labels), on="observation_id", how="inner")
    flow.keep("without a label row", rows.height)
    rows = rows.filter(pl.col("matured_on").is_not_null() & (pl.col("matured_on") <= as_of))
    flow.keep(f"label not mature on {as_of}", rows.height)
    rows = rows.filter(pl.col("bad").is_not_null())
    flow.keep("label indeterminate", rows.height)

    if spec.split.by == "time":
        rows = rows.with_columns(_time_side(spec.split, as_of).alias("side"))
    else:
        held = set(held_out["observation_id"].cast(pl.String)) if held_out is not None else set()
        rows = rows.with_columns(
            pl.when(pl.col("observation_id").is_in(sorted(held)))
            .then(pl.lit(OOT))
            .otherwise(pl.lit(TRAIN))
            .alias("side")
        )
    rows = rows.filter(pl.col("side").is_not_null())
    flow.keep("outside the split's windows", rows.height)
    rows = one_side(rows, entity_key)
    flow.keep("customer stands on the other side of the split", rows.height)
    _refuse_empty(spec, rows, flow.steps)
    return Population(rows.sort("observation_id"), entity_key, as_of, tuple(flow.steps), excluded)


def one_side(rows: pl.DataFrame, entity_key: str) -> pl.DataFrame:
    """Keep every customer on one side only.

    A customer with rows on both sides goes wholly to one by the parity of a hash of the key; the rows on the
    other side are left out. The hash is stable, so that a later training puts nobody on another side.
    """
    import polars as pl

    both = rows.group_by(entity_key).agg(pl.col("side").n_unique().alias("sides")).filter(pl.col("sides") > 1)
    assigned = {key: _side_of(str(key)) for key in both[entity_key].to_list()}
    keep = [assigned.get(key, side) == side for key, side in zip(rows[entity_key], rows["side"], strict=True)]
    return rows.filter(pl.Series(keep, dtype=pl.Boolean))


def _side_of(key: str) -> str:
    return TRAIN if hashlib.blake2b(key.encode(), digest_size=1).digest()[0] % 2 else OOT


def _time_side(split: Split, as_of: dt.date) -> pl.Expr:
    import polars as pl

    day = pl.col("as_of").cast(pl.Date)
    windows = [(split.train_from, split.train_to), (split.oot_from, split.oot_to)]
    (t0, t1), (o0, o1) = ((a.on(as_of), b.on(as_of)) for a, b in windows if a and b)
    return (
        pl.when(day.is_between(t0, t1))
        .then(pl.lit(TRAIN))
        .when(day.is_between(o0, o1))
        .then(pl.lit(OOT))
        .otherwise(None)
    )


def _checked_labels(spec: ModelSpec, labels: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    file = spec.label.file or spec.file
    labels = labels.select(
        pl.col("observation_id").cast(pl.String),
        pl.col("bad").cast(pl.Int64, strict=False),
        pl.col("matured_on").cast(pl.Date),
    )
    if labels["observation_id"].is_duplicated().any():
        raise ModelError(
            "the label query gives several rows for one observation",
            file=file,
            field="label.sql",
            rule="one row an observation",
            fix="aggregate to one row an observation_id",
        )
    odd = labels.filter(pl.col("bad").is_not_null() & ~pl.col("bad").is_in([0, 1]))
    if odd.height:
        raise ModelError(
            f"the label query gives bad = {odd['bad'][0]}",
            file=file,
            field="label.sql",
            rule="bad is 1, 0, or null for an indeterminate outcome",
            fix="map the outcome to 0 and 1",
        )
    return labels


def _refuse_empty(spec: ModelSpec, rows: pl.DataFrame, flow: Sequence[FlowStep]) -> None:
    for side in (TRAIN, OOT):
        bad = rows.filter(rows["side"] == side)["bad"]
        if bad.sum() == 0 or bad.sum() == len(bad):
            told = "; ".join(f"{s.step}: {s.left_out} left out, {s.remaining} remain" for s in flow)
            raise ModelError(
                f"the {side} side has {len(bad)} rows of which {bad.sum()} are bad",
                file=spec.file,
                field="split",
                rule="both sides hold goods and bads",
                fix=f"look at the population flow: {told}",
            )


class _Mart:
    """A connection to the mart for a model's queries: ``observation`` is a view, ``as_of`` a variable."""

    def __init__(
        self, workspace: Workspace, spec: ModelSpec, observations: pl.DataFrame, as_of: dt.date | None
    ) -> None:
        from bluemirror.mart.connect import connect
        from bluemirror.scorecards.stored import data_day

        self.spec = spec
        self.as_of = as_of or data_day(workspace)
        self.connection: Any = connect(workspace)
        self.connection.register("observation", observations.to_arrow())
        # the end of the day, so that a query may write: known_time <= getvariable('as_of')
        self.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{self.as_of} 23:59:59.999999'")

    def rows(self, query: Query, what: str, needed: set[str]) -> pl.DataFrame:
        import duckdb

        try:
            frame = self.connection.sql(query.text).pl()
        except duckdb.Error as e:
            raise ModelError(
                f"the {what} query does not run",
                file=query.file or self.spec.file,
                field=f"{what}.sql",
                rule="one SELECT over the tables of the mart, and observation",
                fix=str(e).split("\n")[0],
            ) from None
        missing = sorted(needed - set(frame.columns))
        if missing:
            raise ModelError(
                f"the {what} query gives no column {missing[0]!r}",
                file=query.file or self.spec.file,
                field=f"{what}.sql",
                rule=f"columns {', '.join(sorted(needed))}",
                fix=f"it gives {', '.join(frame.columns)}; name the column {missing[0]}",
            )
        return frame

    def close(self) -> None:
        self.connection.close()
