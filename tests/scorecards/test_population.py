"""Who trains and who judges: maturity, one side a customer, and every row that leaves counted."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.population import OOT, TRAIN, assemble, one_side

AS_OF = dt.date(2025, 12, 31)


def frames(rows):
    """Observations and labels from (id, person, day, bad, matured_on)."""
    observations = pl.DataFrame(
        [(i, p, dt.datetime.combine(d, dt.time(12))) for i, p, d, _, _ in rows],
        schema={"observation_id": pl.String, "person_id": pl.String, "as_of": pl.Datetime("us")},
        orient="row",
    )
    labels = pl.DataFrame(
        [(i, b, m) for i, _, _, b, m in rows],
        schema={"observation_id": pl.String, "bad": pl.Int64, "matured_on": pl.Date},
        orient="row",
    )
    return observations, labels


def filler():
    """Enough goods and bads on both sides."""
    early, late, mature = dt.date(2024, 6, 1), dt.date(2025, 3, 1), dt.date(2025, 9, 1)
    return [
        ("t0", "p0", early, 0, mature),
        ("t1", "p1", early, 1, mature),
        ("o0", "p2", late, 0, mature),
        ("o1", "p3", late, 1, mature),
    ]


def built(declare, rows, chosen=None, held_out=None, changes=None):
    observations, labels = frames(rows)
    chosen = observations.select("observation_id") if chosen is None else chosen
    return assemble(declare(changes), observations, "person_id", chosen, labels, held_out, AS_OF)


def left_out(population, step):
    return next(s.left_out for s in population.flow if s.step == step)


def test_a_label_counts_only_once_it_is_mature(declare):
    rows = [
        *filler(),
        ("due", "p4", dt.date(2024, 7, 1), 1, AS_OF),
        ("tomorrow", "p5", dt.date(2024, 7, 1), 1, AS_OF + dt.timedelta(1)),
        ("never", "p6", dt.date(2024, 7, 1), 1, None),
    ]
    population = built(declare, rows)
    assert "due" in population.rows["observation_id"].to_list()
    assert not {"tomorrow", "never"} & set(population.rows["observation_id"])
    assert left_out(population, "label not mature on 2025-12-31") == 2


def test_windows_are_inclusive_and_the_rest_is_counted(declare):
    day = {"first": dt.date(2023, 12, 31), "last": dt.date(2024, 11, 30), "gap": dt.date(2024, 12, 15)}
    rows = [*filler(), *((name, name, d, 0, dt.date(2025, 9, 1)) for name, d in day.items())]
    population = built(declare, rows)
    sides = dict(zip(population.rows["observation_id"], population.rows["side"], strict=True))
    assert (sides["first"], sides["last"]) == (TRAIN, TRAIN)
    assert "gap" not in sides
    assert left_out(population, "outside the split's windows") == 1


def test_no_customer_stands_on_both_sides(declare):
    early, late, mature = dt.date(2024, 6, 1), dt.date(2025, 3, 1), dt.date(2025, 9, 1)
    both = [
        (f"{side}{k}", f"both{k}", day, 0, mature)
        for k in range(200)
        for side, day in (("a", early), ("b", late))
    ]
    population = built(declare, [*filler(), *both])
    sides = population.rows.group_by("person_id").agg(pl.col("side").n_unique())
    assert sides["side"].max() == 1
    assert left_out(population, "customer stands on the other side of the split") == 200
    kept = population.rows.filter(pl.col("person_id").str.starts_with("both"))
    assert 60 < (kept["side"] == TRAIN).sum() < 140  # about half go each way
    again = one_side(kept.with_columns(side=pl.lit(OOT)), "person_id")
    assert again.height == kept.height  # a side is kept where there is no conflict


def test_exclusions_are_counted_by_reason(declare):
    rows = [*filler(), *((f"x{k}", f"q{k}", dt.date(2024, 6, 1), 0, dt.date(2025, 1, 1)) for k in range(5))]
    observations, _ = frames(rows)
    chosen = observations.select(
        "observation_id",
        excluded=pl.when(pl.col("observation_id").is_in(["x0", "x1"]))
        .then(pl.lit("not drawn"))
        .when(pl.col("observation_id") == "x2")
        .then(pl.lit("fraud"))
        .otherwise(None),
    ).filter(pl.col("observation_id") != "x3")
    population = built(declare, rows, chosen)
    assert left_out(population, "excluded: not drawn") == 2
    assert left_out(population, "excluded: fraud") == 1
    assert left_out(population, "not selected by the population query") == 1
    remaining = [s.remaining for s in population.flow]
    for before, step in zip(remaining, population.flow[1:], strict=False):
        assert step.remaining == before - step.left_out
    assert population.rows.height == remaining[-1]
    assert "not drawn" in population._repr_html_()


def test_indeterminate_labels_and_missing_labels(declare):
    rows = [*filler(), ("i", "pi", dt.date(2024, 6, 1), None, dt.date(2025, 1, 1))]
    observations, labels = frames(rows)
    more = pl.concat(
        [observations, observations[:1].with_columns(observation_id=pl.lit("nolabel"), person_id=pl.lit("n"))]
    )
    population = assemble(declare(), more, "person_id", more.select("observation_id"), labels, None, AS_OF)
    assert left_out(population, "label indeterminate") == 1
    assert left_out(population, "without a label row") == 1


def test_hold_out(declare):
    held = pl.DataFrame({"observation_id": ["t0", "t1"]})
    change = {"split": {"by": "hold_out", "sql": "select observation_id from observation"}}
    population = built(declare, filler(), None, held, change)
    assert population.side(OOT)["observation_id"].to_list() == ["t0", "t1"]
    assert population.side(TRAIN)["observation_id"].to_list() == ["o0", "o1"]


def test_wrong_labels_are_refused(declare):
    observations, labels = frames(filler())
    chosen = observations.select("observation_id")
    spec = declare()
    with pytest.raises(ModelError, match="several rows for one observation"):
        assemble(spec, observations, "person_id", chosen, pl.concat([labels, labels[:1]]), None, AS_OF)
    with pytest.raises(ModelError, match="gives bad = 2"):
        assemble(spec, observations, "person_id", chosen, labels.with_columns(bad=pl.lit(2)), None, AS_OF)
    with pytest.raises(ModelError, match="train side has 2 rows of which 0 are bad") as caught:
        assemble(spec, observations, "person_id", chosen, labels.with_columns(bad=pl.lit(0)), None, AS_OF)
    assert "4 remain" in caught.value.fix
