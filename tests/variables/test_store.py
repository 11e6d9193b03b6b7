"""The store: what is stored stays, and a second build changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import read_contracts
from bluemirror.errors import FamilyError
from bluemirror.variables import build, building, load_blocks, read_variables, variable_files
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.plan import block_variables
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


def test_a_second_build_changes_nothing(flagship: Workspace) -> None:
    before = {path: path.stat().st_mtime_ns for path in flagship.variables.rglob("*.parquet")}
    for name in read_spine(flagship).observations:
        report = build(flagship, name)
        assert not report.changed
        assert report.values == 0
    assert {path: path.stat().st_mtime_ns for path in flagship.variables.rglob("*.parquet")} == before


def test_every_block_holds_every_observation(flagship: Workspace) -> None:
    spine = read_spine(flagship)
    told: dict[str, list[list[str]]] = {name: [] for name in spine.observations}
    for block in load_blocks(flagship):
        name = spine.set_of(block.entity)
        stored = pl.read_parquet(variable_files(flagship, name, block.name), columns=["observation_id"])
        told[name].append(sorted(stored["observation_id"].to_list()))
    assert len(told["application"][0]) > 50
    for lists in told.values():
        assert lists
        assert lists[0]
        assert all(one == lists[0] for one in lists)


def test_a_company_is_described_by_the_application_that_names_it(flagship: Workspace) -> None:
    """One id joins the variables of the applicant and those of the company; the keys are one company's."""
    company = pl.read_parquet(variable_files(flagship, "company_application", "observations"))
    person = pl.read_parquet(variable_files(flagship, "application", "observations"))
    both = company.join(person, on="observation_id", how="left")
    assert both["as_of"].equals(both["as_of_right"])
    assert both["person_id"].equals(both["person_id_right"])
    assert company.select("company_code_plain", "company_code_sha256").unique().height == (
        company["company_code_plain"].n_unique()
    )


def test_without_names_the_variables_of_the_sets_entity_are_read(flagship: Workspace) -> None:
    everything = read_variables(flagship, "company_application")
    blocks = [one for one in load_blocks(flagship) if one.entity == "company"]
    assert everything.columns[1:] == [one.name for block in blocks for one in block_variables(block)]


def test_what_compares_stored_values_is_what_computes_its_sides_itself(flagship: Workspace) -> None:
    contracts, spine = read_contracts(flagship.contracts_dir), read_spine(flagship)
    crossed = [block for block in load_blocks(flagship) if block.borrowed]
    assert crossed
    for block in crossed:
        name = spine.set_of(block.entity)
        observed = pl.read_parquet(variable_files(flagship, name, "observations"))
        with bluemirror.connect(flagship) as connection:
            together = engine_of(connection, block, contracts, spine, observed).compute()
        names = [one.name for one in block_variables(block)]
        stored = read_variables(flagship, name, [f"{block.name}__reason", *names])
        assert stored.equals(together.select(stored.columns))
        assert sum(stored[one].drop_nulls().n_unique() > 1 for one in names) > 20


@pytest.mark.parametrize("limits", [{"CHUNK": 700}, {"ROWS": 20_000, "LEAST": 100}])
def test_chunks_do_not_change_what_is_stored(
    small_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    """Few observations at a time, or few rows of a table: 72,000 of them are told of 3,000 borrowers."""
    whole = Workspace.open(small_workspace)
    (tmp_path / "mart").symlink_to(whole.mart)
    parted = replace(whole, data=tmp_path)
    for limit, value in limits.items():
        monkeypatch.setattr(building, limit, value)
    for name in read_spine(whole).observations:
        assert build(parted, name).observations > 2 * 700
        for block in load_blocks(whole):
            assert len(variable_files(parted, name, block.name)) > 2
        assert read_variables(parted, name).equals(read_variables(whole, name))


def test_an_entity_that_no_set_describes_says_so(flagship: Workspace) -> None:
    with pytest.raises(FamilyError, match="declare a set with entity: device"):
        read_spine(flagship).set_of("device")


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
