"""Every mutant still finds the text that it breaks, and names tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants.catalogue import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.rule)
def test_mutant_is_current(mutant: Mutant, repository: Path) -> None:
    text = (repository / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.new != mutant.old
    for test in mutant.tests:
        file, _, name = test.partition("::")
        if not name:
            assert (repository / file).is_file()
            continue
        assert f"def {name.split('::')[-1].split('[')[0]}" in (repository / file).read_text(encoding="utf-8")
