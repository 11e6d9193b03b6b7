"""A variable of every block by hand, straight from the landing files: of sixteen applicants, and of all as a proof."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from bluemirror.variables import load_blocks, read_variables
from bluemirror.workspace import Workspace
from tests.hand.applicant import Applicant, Landed
from tests.hand.every_block import EVERY_BLOCK
from tests.hand.landing_files import Record, records

NOT_READ = ("fraud_group", "source_bill")
"""Sources of which no variable is made."""


@pytest.fixture(scope="module")
def landed(flagship: Workspace) -> Landed:
    import pyarrow.parquet as pq

    found: dict[str, list[Record]] = {}
    for folder in sorted(flagship.landing.iterdir()):
        if folder.name in NOT_READ:
            continue
        rejected = {
            (row["file"], row["line"])
            for path in (flagship.quarantine / folder.name).glob("*.parquet")
            for row in pq.read_table(path, columns=["file", "line"]).to_pylist()
        }
        found[folder.name] = records(flagship.landing, folder.name, rejected)
    return Landed(found)


@pytest.fixture(scope="module")
def stored(flagship: Workspace) -> dict[str, dict[str, float | None]]:
    """Variable -> application -> stored value."""
    set_of = {"person": "application", "company": "company_application"}
    entity = {block.name: block.entity for block in load_blocks(flagship)}
    found: dict[str, dict[str, float | None]] = {}
    for name in EVERY_BLOCK:
        block = max((one for one in entity if name.startswith(f"{one}_")), key=len)
        frame = read_variables(flagship, set_of[entity[block]], [name])
        found[name] = dict(frame.iter_rows())
    return found


@pytest.fixture(scope="module")
def some(landed: Landed, stored: dict[str, dict[str, float | None]]) -> list[Applicant]:
    """Twelve applicants, and four who apply for a company."""
    generator = random.Random(59)
    companies = sorted(stored["biz_reg_entry_type_9500"])
    others = sorted(set(stored["lbs_stay_other_since_first"]) - set(companies))
    chosen = generator.sample(others, 12) + generator.sample(companies, min(4, len(companies)))
    return [Applicant(landed, one) for one in chosen]


def compared(
    stored: dict[str, dict[str, float | None]], name: str, applicants: list[Applicant]
) -> Iterator[tuple[str, float | None, float | None]]:
    """(application, by hand, stored) where the application has a value of the variable's set."""
    for one in applicants:
        if one.apply_id in stored[name]:
            yield one.apply_id, EVERY_BLOCK[name](one), stored[name][one.apply_id]


def same(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return theirs == pytest.approx(ours, rel=1e-5, abs=1e-6)


def test_one_of_every_block_and_one_more(flagship: Workspace) -> None:
    names = sorted((block.name for block in load_blocks(flagship)), key=len, reverse=True)
    owners = [next(block for block in names if name.startswith(f"{block}_")) for name in EVERY_BLOCK]
    assert len(EVERY_BLOCK) == 60
    assert set(owners) == set(names)


@pytest.mark.parametrize("name", sorted(EVERY_BLOCK))
def test_by_hand(stored: dict[str, dict[str, float | None]], some: list[Applicant], name: str) -> None:
    different = [one for one in compared(stored, name, some) if not same(*one[1:])]
    assert not different


@pytest.mark.proof
def test_all_applicants(
    landed: Landed, stored: dict[str, dict[str, float | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every application of the simulated bank, all sixty: the number of values, and how many tell something."""
    applicants = [Applicant(landed, one) for one in sorted(stored["lbs_stay_other_since_first"])]
    count, different, telling = 0, [], set[str]()
    for name in EVERY_BLOCK:
        for one, ours, theirs in compared(stored, name, applicants):
            count += 1
            if not same(ours, theirs):
                different.append((name, one, ours, theirs))
            if ours:
                telling.add(name)
    silent = sorted(set(EVERY_BLOCK) - telling)
    with capsys.disabled():
        _say(count, len(applicants), different, silent)
    assert not different
    assert len(telling) >= 40


def _say(count: int, applicants: int, different: list[Any], silent: list[str]) -> None:
    import sys

    sys.stdout.write(
        f"\n{count:,} values of {len(EVERY_BLOCK)} variables by hand for {applicants:,} applications: "
        f"{len(different)} differ; null or zero throughout: {', '.join(silent) or 'none'}\n"
    )
