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


MUTANTS: tuple[Mutant, ...] = ()
