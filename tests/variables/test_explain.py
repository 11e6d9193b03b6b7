"""Explanations: the rows behind a value, those left out with the reason, the value recomputed from the rows."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from bluemirror.errors import FamilyError
from bluemirror.variables import catalogue, explain, load_blocks, read_variables
from bluemirror.variables.explain import Explainer
from bluemirror.variables.explanation import Explanation
from bluemirror.workspace import Workspace


@pytest.fixture(scope="module")
def explainer(flagship: Workspace) -> Iterator[Explainer]:
    with Explainer(flagship) as found:
        yield found


@pytest.fixture(scope="module")
def explained(flagship: Workspace, explainer: Explainer) -> list[Explanation]:
    """Two variables of every family, each for two observations, chosen by a seed: one with a value, and any."""
    generator = random.Random(11)
    blocks = load_blocks(flagship)
    set_of = {block.name: explainer.spine.set_of(block.entity) for block in blocks}
    declared = {(block.name, family.name) for block in blocks for family in block.families}
    families: dict[tuple[str, str], list[str]] = {}
    for one in catalogue(flagship):
        # Combinations are families of one: two of a block's are explained, as two of a family's variables are.
        key = (one.block, one.family)
        families.setdefault(key if key in declared else (one.block, ""), []).append(one.name)
    chosen: dict[str, list[str]] = {}
    for (block, _), members in families.items():
        chosen.setdefault(set_of[block], []).extend(generator.sample(members, min(2, len(members))))
    found: list[Explanation] = []
    for which, names in chosen.items():
        values = read_variables(flagship, which, names)
        for name in names:
            telling = values.filter(values[name].fill_null(0) != 0)
            # One that has something to tell, where there is one, and any.
            pools = [
                frame["observation_id"].to_list() for frame in (telling if len(telling) else values, values)
            ]
            found.extend(explainer.explain(name, generator.choice(pool)) for pool in pools)
    return found


def test_recomputed_is_stored(explained: list[Explanation]) -> None:
    different = [
        (one.variable.name, one.observation_id, one.stored, one.recomputed)
        for one in explained
        if not one.agrees
    ]
    assert not different
    assert sum(bool(one.stored) for one in explained) > len(explained) / 3, (
        "most of them explain a null or a zero"
    )


def test_every_row_says_where_it_landed_and_why(flagship: Workspace, explained: list[Explanation]) -> None:
    reasons: Counter[str] = Counter()
    for one in explained:
        for row in one.rows:
            assert (flagship.landing / row.file).is_file()
            assert row.line >= 1
            assert row.counts or row.reason
            if row.counts:
                assert max(row.event_time, row.known_time) <= one.as_of
            reasons[row.reason.split(":")[0]] += 1
    for reason in (
        "after as_of",
        "known only after as_of",
        "superseded by a newer version known at as_of",
        "outside the window",
        "filtered out",
        "not the newest answer",
    ):
        assert reasons[reason], (reason, reasons)


def test_text_and_html_say_the_same(explained: list[Explanation]) -> None:
    for one in explained[:40]:
        text, html = str(one), one._repr_html_()
        assert one.variable.name in text
        assert one.variable.name in html
        assert one.parts or f"{len(one.counted)} row" in text or "no row counts" in text
        assert one.as_dict()["agrees"] is True


def test_no_personal_value_is_shown(flagship: Workspace, explained: list[Explanation]) -> None:
    secrets: set[str] = set()
    for path in (flagship.landing / "own_customer").rglob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                secrets |= {
                    row[name] for name in ("id_no", "name", "phone", "email", "address", "employer")
                } - {""}
    text = "\n".join(str(one) + one._repr_html_() for one in explained)
    assert not [secret for secret in secrets if secret in text]


def test_the_application_itself_is_left_out(flagship: Workspace, explainer: Explainer) -> None:
    observation = read_variables(flagship, "application", ["own_apply_app_all_cnt"])["observation_id"][0]
    reasons = {row.reason for row in explainer.explain("own_apply_app_all_cnt", observation).rows}
    assert "the observation itself" in reasons


def test_a_ratio_marks_its_numerator(flagship: Workspace, explainer: Explainer) -> None:
    name = "app_event_ev_cnt_r_7_30"
    frame = read_variables(flagship, "application", [name])
    observation = frame.filter((frame[name] > 0) & (frame[name] < 1))["observation_id"][0]
    found = explainer.explain(name, observation)
    marks = Counter(row.reason for row in found.counted)
    assert found.stored == pytest.approx(marks["numerator and denominator"] / sum(marks.values()))


def test_unknown_names_and_observations(flagship: Workspace) -> None:
    with pytest.raises(FamilyError, match="did you mean"):
        explain(flagship, "own_apply_app_all_cnd", "x")
    with pytest.raises(FamilyError, match="there is no observation 'x'"):
        explain(flagship, "own_apply_app_all_cnt", "x")


def test_a_command_reads_no_more_than_it_needs(flagship: Workspace) -> None:
    """One value: neither another source's contract nor another block's family file is read."""
    from bluemirror.variables.needed import blocks_for, tables_of

    (block,) = blocks_for(flagship, "own_txn_txn_out_90d_parties")
    assert block.name == "own_txn"
    assert {name for family in block.families for name in tables_of(family)} == {"own_txn"}
    across = {one.name for one in blocks_for(flagship, "cross_cards_to_salary")}
    assert across == {"cross", "own_txn", "pboc_summary"}


def test_units_and_span_are_told(flagship: Workspace, explainer: Explainer) -> None:
    """What is folded from accounts shows each account's value; a window shows its days."""
    name = "own_repay_loan_all_dpd_max_mean"
    frame = read_variables(flagship, "application", [name])
    observation = frame.filter(frame[name] > 0)["observation_id"][0]
    found = explainer.explain(name, observation)
    values = [value for value in found.units.values() if value is not None]
    assert found.stored == pytest.approx(sum(values) / len(values))
    assert f"by unit {next(iter(found.units))}: " in str(found)
    name = "own_txn_txn_out_90d_parties"
    found = explainer.explain(name, observation)
    assert found.window.startswith("later than ")
    assert found.window.endswith(f"up to {found.as_of:%Y-%m-%d %H:%M:%S}")


def test_a_number_across_sources_tells_what_both_said(flagship: Workspace, explainer: Explainer) -> None:
    name = "cross_cards_to_salary"
    frame = read_variables(flagship, "application", [name])
    observation = frame.filter(frame[name].is_not_null())["observation_id"][0]
    assert explainer.explain(name, observation).answered == "answered"


@pytest.mark.slow
def test_a_value_of_every_kind_within_a_second(flagship: Workspace) -> None:
    """Processor seconds of the whole command, imports and all; the bound leaves room for a busy machine."""
    from bluemirror.cli.bench_explain import bench_explain
    from bluemirror.cli.console import Console

    result = bench_explain(flagship, Console(as_json=True))
    assert result["differing"] == 0
    assert len(result["kinds"]) == 14
    assert result["cold_cpu_seconds"]["median"] < 1.0
    assert result["cold_cpu_seconds"]["max"] < 2.0
    assert result["warm_cpu_seconds"]["max"] < 1.0
