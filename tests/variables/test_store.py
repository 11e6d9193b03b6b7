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
