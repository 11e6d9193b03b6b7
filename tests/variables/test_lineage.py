"""Lineage: computed columns, parents, levels, relations, calls and comparisons are followed to the columns of the mart."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.contracts import read_contracts
from bluemirror.variables import load_blocks
from bluemirror.variables.lineage import lineage
from bluemirror.variables.plan import block_variables
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


@pytest.fixture(scope="module")
def found(repository: Path) -> dict[str, frozenset[tuple[str, str]]]:
    workspace = Workspace.open(repository)
    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    result: dict[str, frozenset[tuple[str, str]]] = {}
    for block in load_blocks(workspace):
        told = lineage(block, contracts, spine)
        assert set(told) == {one.name for one in block_variables(block)}, block.name
        result |= told
    return result


@pytest.mark.parametrize(
    ("name", "reads", "leaves"),
    [
        # A filter and the key belong to every variable; what is not grouped by or aggregated is left out.
        (
            "own_txn_txn_out_30d_cnt",
            {("own_txn", "reversal_flag"), ("own_txn", "person_id"), ("own_txn", "direction")},
            {("own_txn", "amount"), ("own_txn", "counter_name_tag")},
        ),
        # Through the device to the applications of others.
        (
            "device_fp_peer_app_30d_cnt",
            {("device_fp", "device_id_md5"), ("own_apply", "person_id"), ("own_apply", "known_time")},
            {("own_apply", "amount"), ("device_fp", "root")},
        ),
        # The header's hit and the ledger's result tell whether there is an answer.
        (
            "ml_apply_app_id_nbank_30d_cnt",
            {("ml_apply", "hit"), ("source_call", "result"), ("ml_apply_record", "lender_type")},
            {("ml_apply_record", "amount_band")},
        ),
    ],
)
def test_lineage(
    found: dict[str, frozenset[tuple[str, str]]],
    name: str,
    reads: set[tuple[str, str]],
    leaves: set[tuple[str, str]],
) -> None:
    assert reads <= found[name]
    assert not leaves & found[name]


def test_a_comparison_comes_from_both_of_its_sides(found: dict[str, frozenset[tuple[str, str]]]) -> None:
    both = found["device_fp_own_30d_risk_rate"]
    assert both == found["device_fp_own_risk1_30d_cnt"] | found["device_fp_own_30d_cnt"]
