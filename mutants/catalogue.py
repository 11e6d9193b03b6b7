"""The mutants: where each rule stands, how it is broken, and which tests must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One broken rule.

    Parameters
    ----------
    rule
        The rule that it breaks, in a few words.
    file
        The file, relative to the repository root.
    old, new
        A text that stands there exactly once, and what it becomes.
    tests
        The narrow tests that must fail, as pytest takes them.
    """

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        rule="a label counts only once it is mature",
        file="bluemirror/scorecards/population.py",
        old='(pl.col("matured_on") <= as_of)',
        new='(pl.col("matured_on") <= as_of + dt.timedelta(366))',
        tests=("tests/scorecards/test_population.py::test_a_label_counts_only_once_it_is_mature",),
    ),
    Mutant(
        rule="no customer on both sides of the split",
        file="bluemirror/scorecards/population.py",
        old="    rows = one_side(rows, entity_key)\n",
        new="",
        tests=("tests/scorecards/test_population.py::test_no_customer_stands_on_both_sides",),
    ),
    Mutant(
        rule="the report's summary has a row for each business type",
        file="data_contracts/pboc_person.odcs.yaml",
        old="             OR coalesce(h.hint_count, 0) <> coalesce(s.k, 0)\n",
        new="",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
    Mutant(
        rule="delinquency grows by one month at a time",
        file="data_contracts/pboc_person.odcs.yaml",
        old="TRY_CAST(before AS INTEGER) + 1",
        new="TRY_CAST(before AS INTEGER) + 2",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
)
