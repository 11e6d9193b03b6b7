"""Matches on keyed parts: what splink makes of spellings whose truth is known, and that it stays what it was."""

from __future__ import annotations

import itertools
import random

import numpy as np
import polars as pl
import pytest

from bluemirror.contracts.model import PARTS
from bluemirror.errors import IdentityError
from bluemirror.identity.clusters import clusters_over_time
from bluemirror.identity.declared import Declared
from bluemirror.identity.judging import judge_pairs
from bluemirror.identity.matching import MatchModel, score, train
from bluemirror.identity.settings import author
from bluemirror.mart.keys import KeyHasher
from tests.identity.small_bank import declare

ROADS = ("甲木", "乙火", "丙土", "丁金", "戊水", "己风")
OLD = ("子鼠", "丑牛", "寅虎", "卯兔", "辰龙", "巳蛇")


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Declared:
    return declare(tmp_path_factory.mktemp("small") / "bank")


@pytest.fixture(scope="module")
def spelt() -> pl.DataFrame:
    """Four hundred dwellings, two to a building, each written in its own ways: ``text``, ``meant``."""
    draw = random.Random(3)
    rows = []
    for number in range(400):
        stair = number // 2
        road, house, building = stair * 7 % 6, stair * 13 % 90 + 1, stair % 7 + 1
        district, room = stair % 5 + 1, 101 + (stair * 31 + number % 2 * 17) % 97
        plain = f"虚构市样例{district}区{ROADS[road]}路{house}号{building}栋{room}室"
        ways = [
            f"样例{district}区{ROADS[road]}路{house}号{building}-{room}",
            f"虚构市样例{district}区{OLD[road]}路{house}号{building}栋{room}室",
            f"虚构市{ROADS[road]}路{house}号{building}栋{room}室",
            f"虚构市样例{district}区{ROADS[road]}路{house}号{building}栋",
        ]
        texts = [plain, *draw.sample(ways, draw.choice([0, 0, 1, 2]))]
        rows += [(text, str(number)) for text in texts]
    return pl.DataFrame(rows, schema=["text", "meant"], orient="row").unique(maintain_order=True)


@pytest.fixture(scope="module")
def records(spelt: pl.DataFrame) -> pl.DataFrame:
    hasher = KeyHasher(b"tests")
    rows = [hasher.apart(text, "address") for text in spelt["text"]]
    names = ["unique_id", *PARTS["address"], "shingles"]
    schema = dict.fromkeys(names[:-1], pl.String) | {"shingles": pl.List(pl.UInt32)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.with_columns(
        entity_id=pl.col("unique_id"), known=pl.Series(np.arange(len(rows)) * 1_000_000)
    )
    return frame.unique("unique_id", maintain_order=True)


@pytest.fixture(scope="module")
def truth(spelt: pl.DataFrame) -> pl.DataFrame:
    hasher = KeyHasher(b"tests")
    norms = [hasher.apart(text, "address")[0] for text in spelt["text"]]
    return pl.DataFrame({"entity_id": norms, "meant": spelt["meant"]}).unique()


@pytest.fixture(scope="module")
def model(records: pl.DataFrame, declared: Declared) -> MatchModel:
    return train(records, author(declared, declared.matches["address"]))


def test_spellings_of_one_dwelling_are_found_and_neighbours_kept_apart(records, truth, model, declared):
    verdict = judge_pairs(declared.matches["address"], truth, score(records, model))
    assert verdict.true_pairs > 200
    assert verdict.declared.pair_precision > 0.97
    assert verdict.declared.cluster_precision > 0.95
    assert verdict.declared.pair_recall > 0.6
    assert verdict.chosen.f1 > 0.75


def test_old_road_names_are_learnt(model):
    hasher = KeyHasher(b"tests")

    def road(name: str) -> str:
        return hasher.apart(f"{name}路1号", "address")[1 + PARTS["address"].index("road")]

    learnt = {frozenset(pair) for pair in model.renamed["road"].items()}
    assert learnt <= {frozenset((road(new), road(old))) for new, old in zip(ROADS, OLD, strict=True)}
    assert len(learnt) >= 3


def test_the_same_records_in_another_order_give_the_same_model(records, model, declared):
    again = train(
        records.sample(fraction=1, shuffle=True, seed=5), author(declared, declared.matches["address"])
    )
    assert again == model


def test_a_pair_has_its_probability_whatever_else_is_there(records, model):
    whole, half = score(records, model), score(records[: records.height // 2], model)
    there = set(records["entity_id"][: records.height // 2])
    inside = whole.filter(pl.col("a").is_in(there) & pl.col("b").is_in(there))
    assert inside.rows() == half.rows()
    assert half.height > 50


def test_a_model_is_text_and_comes_back(tmp_path, model):
    path = tmp_path / "state" / "match.json"
    assert MatchModel.load(path) is None
    model.save(path)
    assert MatchModel.load(path) == model
    path.write_text("{}")
    with pytest.raises(IdentityError, match="cannot be read"):
        MatchModel.load(path)


def test_no_moment_sees_a_cluster_that_became_known_later(records, model, declared):
    match = declared.matches["address"]
    pairs = score(records, model)
    whole = clusters_over_time(records, pairs, match)
    assert whole.filter(pl.col("superseded_time").is_null()).group_by("cluster_id").len()["len"].max() > 1
    for cut in (10, 200, 500):
        part = records.filter(pl.col("known") <= cut * 1_000_000)
        ids = part["entity_id"].implode()
        early = clusters_over_time(part, pairs.filter(pl.col("a").is_in(ids) & pl.col("b").is_in(ids)), match)
        for at in (cut // 2, cut):
            moment = pl.lit(at * 1_000_000).cast(pl.Datetime("us"))
            seen = [
                frame.filter((pl.col("known_time") <= moment) & (pl.col("superseded_time").fill_null(pl.lit("9999-01-01").str.to_datetime()) > moment)).drop("superseded_time").sort("entity_id").rows()
                for frame in (whole, early)
            ]  # fmt: skip
            assert seen[0] == seen[1]


@pytest.mark.parametrize("size", [0, 1, 2])
def test_too_little_to_learn_from(declared, records, size):
    match = declared.matches["address"]
    few = records.filter(pl.col("entity_id").is_in(records["entity_id"].sort()[:size].implode()))
    model = train(few, author(declared, match))
    pairs = score(few, model)
    assert pairs.height <= size // 2
    assert clusters_over_time(few, pairs, match)["entity_id"].n_unique() == size


def test_the_judge_counts_by_hand(declared):
    truth = pl.DataFrame({"entity_id": list("abcdef"), "meant": ["1", "1", "1", "2", "2", "3"]})
    pairs = pl.DataFrame({"a": ["a", "b", "e"], "b": ["b", "c", "f"], "probability": [0.9, 0.8, 0.7]})
    figures = judge_pairs(declared.matches["address"], truth, pairs).declared
    # ties a-b, b-c are right, e-f is wrong; d-e is missed. In clusters a-c is right as well.
    assert (figures.pair_precision, figures.pair_recall) == pytest.approx((2 / 3, 2 / 4), abs=1e-6)
    assert (figures.cluster_precision, figures.cluster_recall) == pytest.approx((3 / 4, 3 / 4), abs=1e-6)
    assert (figures.pure, figures.whole) == (0.5, 0.5)


def test_every_blocking_rule_and_comparison_reads_columns_that_records_have(declared, records):
    authored = author(declared, declared.matches["address"])
    used = set(itertools.chain(*authored.blocking, *authored.training, authored.certain))
    assert used <= set(records.columns)
