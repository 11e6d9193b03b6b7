"""One difference between two versions of a contract, and what the version number must say about all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BREAKING, COMPATIBLE, WORDING = "breaking", "compatible", "wording"
STEP = {WORDING: 2, COMPATIBLE: 1, BREAKING: 0}
"""Which part of major.minor.patch a difference raises."""

MEANS = "the same rows would mean something else, or count at another time: raise the major version"
READERS = "change the families and the SQL that name it, then raise the major version"
REFUSED = "ask the source whether it keeps to it already, then raise the major version"
MINOR = "raise the minor version"
PATCH = "raise the patch version"


@dataclass(frozen=True)
class Change:
    """One difference.

    Parameters
    ----------
    what
        In a word or two: field removed, code added ...
    where
        ``table.field``, ``table``, or the part of the contract.
    verdict
        breaking: what reads the mart, or what the source sends, was right before and is not now, or means
        something else. compatible: both go on. wording: only people read it.
    before, after
        What it said; "" where there was, or is, nothing.
    reason, todo
        Why it is so, and what to do.
    """

    what: str
    where: str
    verdict: str
    before: str
    after: str
    reason: str
    todo: str

    def __str__(self) -> str:
        said = (
            f" ({self.before or 'nothing'} -> {self.after or 'nothing'})" if self.before or self.after else ""
        )
        return f"{self.verdict}: {self.where}: {self.what}{said}: {self.reason}"


@dataclass(frozen=True)
class Comparison:
    """All differences between two versions of one source's contract, the worst first."""

    source: str
    old_version: str
    new_version: str
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> str:
        """The worst of them; "" if there is none."""
        return self.changes[0].verdict if self.changes else ""

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The breaking ones."""
        return tuple(change for change in self.changes if change.verdict == BREAKING)

    @property
    def least_version(self) -> str:
        """The lowest version number that says enough about the changes."""
        return raised(self.old_version, STEP[self.verdict]) if self.changes else self.old_version

    @property
    def follows(self) -> bool:
        """Whether the new version number says enough: major for breaking, minor for compatible, patch for words."""
        return version_order(self.new_version) >= version_order(self.least_version)

    @property
    def refused(self) -> bool:
        """Whether something breaks under an unchanged (or an older) major version."""
        return (
            bool(self.breaking) and version_order(self.new_version)[0] <= version_order(self.old_version)[0]
        )


def version_order(version: str) -> tuple[int, ...]:
    """A version as numbers, which sort as versions do."""
    return tuple(int(part) for part in version.split("."))


def raised(version: str, step: int) -> str:
    """The next version that differs in major (0), minor (1) or patch (2)."""
    parts = list(version_order(version))
    parts[step:] = [parts[step] + 1, *[0] * (len(parts) - step - 1)]
    return ".".join(str(part) for part in parts)


def worst_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Breaking, then compatible, then words; within these in the order of the contract."""
    return tuple(sorted(changes, key=lambda change: STEP[change.verdict]))
