"""The judgement of structure: what cannot vary and what cannot differ is found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.contracts import Contract, read_contracts
from bluemirror.variables import load_blocks
from bluemirror.variables.declarations import Block
from bluemirror.variables.engine import BlockEngine
from bluemirror.variables.generated import GeneratedMart, generate_mart
from bluemirror.variables.language import read_block
from bluemirror.variables.reasons import REASONS
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.variables.structure import judge_blocks
from bluemirror.workspace import Workspace

PLANTED = """
block: planted
entity: person
source: own_txn
label: {zh: 试, en: planted}
families:
  - family: txn
    label: {zh: 交易, en: transactions}
    table: own_txn
    match: {person_id: person_id}
    windows: {days: [30], all: true}
    measures:
      - {agg: count, label: {zh: 次数, en: number}}
      - {agg: distinct, of: txn_id, as: ids, label: {zh: 流水数, en: ids}}
      - {agg: [sum, max], of: amount, as: amt, label: {zh: 金额, en: amount}}
  - family: never
    label: {zh: 无, en: nothing}
    table: own_txn
    match: {person_id: person_id}
    where: "direction = 'in' AND direction = 'out'"
    windows: {days: [30]}
    measures: [{agg: count, label: {zh: 次数, en: number}}]
  - family: net
    label: {zh: 在网, en: network}
    table: telco_tenure
    match: {cell_hash: phone_sha256}
    windows: {all: true}
    measures: [{agg: [sum, max, last], of: last_online_days, as: online, label: {zh: 天数, en: days}}]
"""


@pytest.fixture(scope="module")
def contracts(repository: Path) -> dict[str, Contract]:
    return dict(read_contracts(Workspace.open(repository).contracts_dir))


@pytest.fixture(scope="module")
def spine(repository: Path) -> Spine:
    return read_spine(Workspace.open(repository))


@pytest.fixture(scope="module")
def blocks(repository: Path) -> tuple[Block, ...]:
    return load_blocks(Workspace.open(repository))


@pytest.fixture(scope="module")
def mart(contracts: dict[str, Contract], blocks: tuple[Block, ...], spine: Spine) -> GeneratedMart:
    return generate_mart(contracts, blocks, spine, entities=150)


def test_what_is_planted_is_found(tmp_path: Path, contracts: dict[str, Contract], spine: Spine) -> None:
    path = tmp_path / "planted.yaml"
    path.write_text(PLANTED, encoding="utf-8")
    judged = judge_blocks([read_block(path)], contracts, spine)
    assert judged.constants == {"planted_never_30d_cnt"}
    assert judged.twins == {
        "planted_txn_30d_ids": "planted_txn_30d_cnt",
        "planted_txn_all_ids": "planted_txn_all_cnt",
        "planted_net_online_last": "planted_net_online_max",
    }


def test_every_code_occurs(mart: GeneratedMart, contracts: dict[str, Contract]) -> None:
    made = {name for (name,) in mart.connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
    missing = []
    for contract in contracts.values():
        for table in contract.tables:
            for item in table.fields if table.name in made else ():
                found = (
                    mart.connection.sql(f'SELECT DISTINCT "{item.name}" FROM "{table.name}"').fetchall()
                    if item.codes
                    else []
                )
                missing += [
                    (table.name, item.name, code)
                    for code in set(item.codes or ()) - {one for (one,) in found}
                ]
    assert not missing


def test_every_state_occurs(mart: GeneratedMart, contracts: dict[str, Contract]) -> None:
    def count(query: str) -> int:
        return int(mart.connection.sql(f"SELECT count(*) FROM ({query})").fetchall()[0][0])

    seen = {
        kind: dict.fromkeys(("late", "tied", "restated", "removed"), 0)
        for kind in ("event", "state", "answer")
    }
    for contract in contracts.values():
        table = contract.header
        if not count(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{table.name}'"):
            continue
        key = ", ".join(f'"{column}"' for column in table.key_columns)
        states = seen[table.kind]
        states["late"] += count(f"SELECT 1 FROM {table.name} WHERE known_time > event_time + INTERVAL 1 DAY")
        states["tied"] += count(
            f"SELECT event_time FROM {table.name} GROUP BY 1, {key.split(',')[0]} HAVING count(*) > 1"
        )
        states["restated"] += (
            count(f"SELECT {key} FROM {table.name} GROUP BY ALL HAVING count(*) > 1") if key else 0
        )
        states["removed"] += count(f"SELECT 1 FROM {table.name} WHERE _deleted")
    assert min(seen["event"]["late"], seen["event"]["removed"]) > 0
    assert all(states["restated"] for states in seen.values())
    assert seen["event"]["tied"] + seen["state"]["tied"] > 0


def test_every_reason_occurs(
    mart: GeneratedMart, contracts: dict[str, Contract], blocks: tuple[Block, ...], spine: Spine
) -> None:
    reasons: set[int] = set()
    for block in blocks[:6]:
        engine = BlockEngine.read(mart.connection, block, contracts, spine, mart.observations[block.entity])
        reasons |= set(engine.compute(0, 200)[f"{block.name}__reason"].to_list())
    assert reasons == set(REASONS)


def test_same_seed_same_mart(contracts: dict[str, Contract], blocks: tuple[Block, ...], spine: Spine) -> None:
    one, other = (generate_mart(contracts, blocks[:3], spine, entities=20) for _ in range(2))
    for (name,) in one.connection.sql("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
        first, second = (mart.connection.sql(f'SELECT * FROM "{name}"').pl() for mart in (one, other))
        assert first.equals(second)


def test_words_of_families_are_values(mart: GeneratedMart, blocks: tuple[Block, ...]) -> None:
    """A code that only a filter names, of a column without a list of codes, is drawn too."""
    zones = mart.connection.sql("SELECT DISTINCT tz FROM device_fp WHERE tz LIKE 'Asia/%'").fetchall()
    assert {one for (one,) in zones} >= {"Asia/Shanghai", "Asia/Chongqing", "Asia/Urumqi"}
