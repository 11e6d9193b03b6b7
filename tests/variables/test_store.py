"""The store: what is stored stays, and a second build changes nothing."""

from __future__ import annotations

import pytest

from bluemirror.errors import FamilyError
from bluemirror.variables import build, load_blocks, read_variables, variable_files
from bluemirror.workspace import Workspace


def test_a_second_build_changes_nothing(flagship: Workspace) -> None:
    before = {path: path.stat().st_mtime_ns for path in flagship.variables.rglob("*.parquet")}
    report = build(flagship, "application")
    assert not report.changed
    assert report.values == 0
    assert {path: path.stat().st_mtime_ns for path in flagship.variables.rglob("*.parquet")} == before


def test_every_block_holds_every_observation(flagship: Workspace) -> None:
    ids = {
        block.name: read_variables(flagship, "application", [f"{block.name}__reason"])[
            "observation_id"
        ].to_list()
        for block in load_blocks(flagship)
    }
    first = next(iter(ids.values()))
    assert len(first) > 50
    assert first == sorted(first)
    assert all(one == first for one in ids.values())


def test_reading_some_observations_in_the_order_asked(flagship: Workspace) -> None:
    names = ["own_txn_txn_out_30d_cnt", "pboc_query_inq_hard_3m_cnt", "own_txn_txn_in_30d_cnt"]
    everything = read_variables(flagship, "application", names)
    assert everything.columns == ["observation_id", *names]
    some = everything["observation_id"].to_list()[3:7]
    assert read_variables(flagship, "application", names, some).equals(
        everything.filter(everything["observation_id"].is_in(some))
    )


def test_a_block_that_is_not_built_says_so(flagship: Workspace) -> None:
    assert variable_files(flagship, "another_set", "own_txn") == []
    with pytest.raises(FamilyError, match="bluemirror features"):
        read_variables(flagship, "another_set", ["own_txn_txn_out_30d_cnt"])


def test_another_reading_of_the_tables_is_another_meaning(flagship: Workspace) -> None:
    from dataclasses import replace

    from bluemirror.contracts import read_contracts
    from bluemirror.variables.meaning import meaning_of
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.spine import read_spine

    contracts = read_contracts(flagship.contracts_dir)
    spine = read_spine(flagship)
    block = next(one for one in load_blocks(flagship) if one.name == "pboc_query")
    variables = block_variables(block)
    before = meaning_of(block, variables, contracts, spine)
    assert meaning_of(block, variables, read_contracts(flagship.contracts_dir), spine) == before
    other = replace(contracts["pboc_person"], answer_valid_days=7)
    assert meaning_of(block, variables, {**contracts, "pboc_person": other}, spine) != before
    unrelated = replace(contracts["ml_apply"], answer_valid_days=7)
    assert meaning_of(block, variables, {**contracts, "ml_apply": unrelated}, spine) == before
