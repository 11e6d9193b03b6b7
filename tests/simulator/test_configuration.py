"""The assumptions: one page that lists them all, one file that changes any of them."""

from __future__ import annotations

import pytest

from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace
from simulator import land
from simulator.assumptions import DEFAULT, Assumptions
from simulator.configuration import FILE, read_configuration
from simulator.described import PAGE, described, page
from simulator.sources import outside_sources


def test_the_page_is_compiled_from_the_code() -> None:
    """After a change: ``python -m simulator.described``."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_assumption_says_what_it_is() -> None:
    assert len(described(Assumptions)) > 40
    for source in outside_sources().values():
        for name, _, text in described(type(source.assume)):
            assert len(text) > 15, (source.name, name)


def test_without_a_file_the_defaults_hold(fresh: Workspace) -> None:
    assert read_configuration(fresh).bank == DEFAULT


def test_a_file_changes_the_bank_and_its_sources(fresh: Workspace) -> None:
    (fresh.root / FILE).write_text(
        "bank:\n  approval_target: 1\n  outages: [{source: lbs, first: '2025-12-01', last: '2025-12-02', kind: down}]\n"
        "sources:\n  lbs: {consent: 0.0}\n"
    )
    configured = read_configuration(fresh)
    assert configured.bank.approval_target == 1.0
    assert configured.bank.outages[0].source == "lbs"
    counts = land(fresh, customers=60, months=2, seed=3)
    assert "lbs" not in counts
    (fresh.root / FILE).unlink()
    assert land(fresh, customers=60, months=2, seed=3)["lbs"] > 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bank: {aproval_target: 0.5}", "write 'approval_target'"),
        ("bank: {approval_target: much}", "bank.approval_target is a str"),
        ("banks: {}", "write 'bank'"),
        ("sources: {nobody: {}}", "take a name from the list"),
        ("sources: {lbs: {consents: 1.0}}", "write 'consent'"),
        ("bank: [1]", "is no mapping"),
    ],
)
def test_a_mistake_is_told_with_its_place(fresh: Workspace, text: str, told: str) -> None:
    (fresh.root / FILE).write_text(text)
    with pytest.raises(WorkspaceError) as raised:
        read_configuration(fresh)
    assert told in str(raised.value)
    assert FILE in str(raised.value)
