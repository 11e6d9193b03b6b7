"""The flagship's catalogue: size, names, labels, stages, search, cards, and what the stored values say of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from bluemirror.errors import FamilyError
from bluemirror.variables import catalogue, count_variables, load_blocks, read_variables
from bluemirror.variables.card import show
from bluemirror.variables.catalogue import search
from bluemirror.variables.counting import Count, judge_stored
from bluemirror.variables.operators import OPERATORS, OUTER
from bluemirror.variables.plan import block_variables
from bluemirror.variables.spine import read_spine
from bluemirror.variables.variable import Variable
from bluemirror.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(repository: Path) -> Workspace:
    return Workspace.open(repository)


@pytest.fixture(scope="module")
def variables(workspace: Workspace) -> tuple[Variable, ...]:
    return catalogue(workspace)


def test_at_least_2500_of_eleven_sources(variables: tuple[Variable, ...]) -> None:
    assert len(variables) >= 2_500
    assert len({one.source for one in variables}) >= 11


def test_names_are_names(variables: tuple[Variable, ...]) -> None:
    assert not [one.name for one in variables if not re.fullmatch(r"[a-z][a-z0-9_]{2,79}", one.name)]
    assert max(Counter(one.name for one in variables).values()) == 1


def test_labels_tell_variables_apart(variables: tuple[Variable, ...]) -> None:
    for label in ("label_zh", "label_en"):
        texts = Counter(getattr(one, label) for one in variables)
        assert not [text for text, count in texts.items() if not text.strip() or count > 1]


def test_every_variable_says_unit_and_null(variables: tuple[Variable, ...]) -> None:
    assert not [one.name for one in variables if not one.unit or not one.null_means or not one.columns]


def test_every_operator_is_used(workspace: Workspace) -> None:
    measures = [m for block in load_blocks(workspace) for family in block.families for m in family.measures]
    assert {agg for measure in measures for agg in measure.aggs} == set(OPERATORS)
    assert {over for measure in measures for over in measure.over} == set(OUTER)


def test_stages_are_those_of_every_source_on_the_way(variables: tuple[Variable, ...]) -> None:
    stages = {one.name: one.stages for one in variables}
    assert stages["own_repay_inst_12m_dpd_max"] == ("mid", "post")
    # Through the device to others' instalments: the device is pre and mid, the instalments mid and post.
    assert stages["device_fp_peer_due_360d_cnt"] == ("mid",)
    assert "pre" in stages["pboc_query_inq_hard_3m_cnt"]
    assert all(one.stages for one in variables)


def test_a_hit_costs_what_the_contract_says(variables: tuple[Variable, ...]) -> None:
    cost = {one.name: one.cost_yuan for one in variables}
    assert cost["pboc_query_inq_hard_3m_cnt"] == 4.0
    assert cost["own_txn_txn_out_30d_cnt"] == 0.0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hard 3m", "pboc_query_inq_hard_3m_cnt"),
        ("近3个月硬性原因查询次数", "pboc_query_inq_hard_3m_cnt"),
        ("硬性原因 近3个月", "pboc_query_inq_hard_3m_cnt"),
        ("credit cards at least 90 % used", "pboc_account_card_use90_all_cnt"),
        ("pboc_summary_rep_card_use", "pboc_summary_rep_card_use"),
    ],
)
def test_search(workspace: Workspace, text: str, name: str) -> None:
    assert name in [one.name for one in search(workspace, text)[:6]]


def test_search_finds_nothing_for_nothing(workspace: Workspace) -> None:
    assert search(workspace, "  ") == ()
    assert search(workspace, "no such thing at all") == ()


def test_a_card_says_where_a_variable_comes_from(workspace: Workspace) -> None:
    card = show(workspace, "ml_apply_app_id_nbank_30d_cnt")
    text, html = str(card), card._repr_html_()
    for piece in ("ml_apply_record", "id_hash = id_no_md5", "0.8 yuan", "30d", "matched ="):
        assert piece in text
    assert "<table>" in html
    assert "'i'" not in html, "what is shown is escaped"
    assert "a / b" not in text
    combined = show(workspace, "own_repay_loan_limit_use").as_dict()
    assert combined["computed as"].startswith("own_repay_loan_all_balance_last_sum / ")


def test_a_wrong_name_is_answered_with_a_near_one(workspace: Workspace) -> None:
    with pytest.raises(FamilyError, match=r"did you mean.*pboc_query_inq_hard_3m_cnt"):
        show(workspace, "pboc_query_inq_hard_3m_cnd")


@pytest.fixture(scope="module")
def count(flagship: Workspace) -> Count:
    return count_variables(flagship)


def test_counts_judge_declarations_and_stored_values(count: Count) -> None:
    counts = count.as_dict()
    assert counts["total"] == sum(counts["by_source"].values()) == counts["population"]["total"]
    for judged in (counts, counts["population"]):
        assert judged["useful"] == judged["total"] - judged["constant"] - judged["duplicate"]
        assert judged["observations"] > 0
    # What is constant or a twin by its structure is so in every population.
    assert count.structure.constants <= count.population.constants
    assert set(count.structure.twins) <= set(count.population.twins) | count.population.constants


def test_counts_without_data(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEMIRROR_DATA", str(tmp_path))
    judged, stored = judge_stored(Workspace.open(workspace.root))
    assert (stored, len(judged.constants), len(judged.twins)) == (0, 0, 0)


def test_stored_twins_and_constants_are(flagship: Workspace, count: Count) -> None:
    spine = read_spine(flagship)
    set_of = {
        one.name: spine.set_of(block.entity)
        for block in load_blocks(flagship)
        for one in block_variables(block)
    }
    name, twin = next(iter(count.population.twins.items()))
    frame = read_variables(flagship, set_of[name], [name, twin])
    assert frame[name].equals(frame[twin].alias(name), null_equal=True)
    constant = min(count.population.constants)
    assert read_variables(flagship, set_of[constant], [constant])[constant].drop_nulls().n_unique() <= 1
    lines = list(count.lines())
    assert (constant, "population", "constant", "") in lines
    assert (name, "population", "duplicate", twin) in lines


def test_first_days_come_from_the_mart(flagship: Workspace) -> None:
    days = {one.source: one.first_day for one in catalogue(flagship)}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in days.values())
