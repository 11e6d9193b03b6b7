"""What a build of the identity tables found: counts, checks, and how they show themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any


@dataclass(frozen=True)
class Check:
    """One question about the tables and its answer; ``detail`` says what was counted."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class SpineReport:
    """Entities, keys and ties in the mart.

    Parameters
    ----------
    entities
        Kind -> entities that are known now.
    keys
        Kind -> keys that mean one of them.
    links
        Tie -> pairs that are known now, and versions of them over time.
    checks
        Questions asked of the tables.
    seconds, changed
        How long it took; False if nothing was new, and the former report is told again.
    """

    entities: Mapping[str, int]
    keys: Mapping[str, int]
    links: Mapping[str, Mapping[str, int]]
    checks: tuple[Check, ...]
    seconds: float
    changed: bool = field(default=True, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def _repr_html_(self) -> str:
        counts = [
            (kind, f"{count:,}", f"{self.keys.get(kind, 0):,}") for kind, count in self.entities.items()
        ]
        links = [(name, f"{n['pairs']:,}", f"{n['versions']:,}") for name, n in self.links.items()]
        return (
            _table("Entities", ("entity", "known now", "keys"), counts)
            + _table("Ties", ("tie", "pairs now", "versions"), links)
            + _checks(self.checks)
        )


@dataclass(frozen=True)
class ClusterReport:
    """Clusters of entities that are one.

    Parameters
    ----------
    matches
        Match -> ``entities``, ``clusters``, ``merged`` (entities in a cluster of several), ``largest``, ``pairs``
        (scored), ``threshold``.
    checks, seconds, changed
        As in :class:`SpineReport`.
    """

    matches: Mapping[str, Mapping[str, float]]
    checks: tuple[Check, ...]
    seconds: float
    changed: bool = field(default=True, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def _repr_html_(self) -> str:
        head = ("match", "entities", "clusters", "merged", "largest", "pairs", "threshold")
        rows = [(name, *(f"{counts[key]:,}" for key in head[1:])) for name, counts in self.matches.items()]
        return _table("Clusters", head, rows) + _checks(self.checks)


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h4>{escape(title)}</h4><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _checks(checks: tuple[Check, ...]) -> str:
    rows = [(check.name, "passed" if check.passed else "FAILED", check.detail) for check in checks]
    return _table("Checks", ("check", "result", "counted"), rows)
