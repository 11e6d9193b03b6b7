"""Reason codes: what a score is made of, for the customer in words and for the bank by variable.

Variables are gathered under reasons that a customer can understand and act upon. A row's points under all its reasons,
with the base points, are its score; nothing is left out and nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.scorecard import ScorecardClassifier


@dataclass(frozen=True)
class Reason:
    """A reason: its code, what the customer reads (``zh``, ``en``), and the variables under it (patterns with *)."""

    code: str
    zh: str
    en: str
    names: tuple[str, ...]


OTHER = Reason("R99", "其他信用信息", "other credit information", ("*",))


@dataclass(frozen=True)
class Reasons:
    """Reasons in order: a variable belongs to the first that names it, and to ``OTHER`` if none does."""

    reasons: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        codes = [r.code for r in (*self.reasons, OTHER)]
        double = sorted({c for c in codes if codes.count(c) > 1})
        if double:
            raise ModelError(
                f"the reason {double[0]} stands twice",
                field="reasons",
                rule=f"a code once; {OTHER.code} is what remains",
                fix="give it a code of its own",
            )

    def of(self, variable: str) -> Reason:
        """The reason that ``variable`` belongs to."""
        for reason in self.reasons:
            if any(fnmatchcase(variable, pattern) for pattern in reason.names):
                return reason
        return OTHER

    @classmethod
    def from_plain(cls, values: Mapping[str, Mapping[str, Any]]) -> Reasons:
        """From a declaration ``{code: {zh, en, names: [...]}}``.

        Raises
        ------
        ModelError
            If a reason lacks a text or names.
        """
        found = []
        for code, one in values.items():
            whole = isinstance(one, Mapping) and set(one) == {"zh", "en", "names"}
            if not whole or not all(isinstance(one[k], str) and one[k].strip() for k in ("zh", "en")):
                raise ModelError(
                    f"the reason {code} is not whole",
                    field=f"reasons.{code}",
                    rule="zh and en, which the customer reads, and names: [patterns of variables]",
                    fix=f"write {code}: {{zh: ..., en: ..., names: [block_*]}}",
                )
            found.append(Reason(str(code), one["zh"], one["en"], tuple(map(str, one["names"]))))
        return cls(tuple(found))


@dataclass(frozen=True)
class Explained:
    """Scores taken apart.

    Parameters
    ----------
    base
        Base points.
    variables, codes, by_variable
        Names, the code of the reason of each, and points of shape (rows, variables): the internal view.
    reasons, by_reason
        Reasons that the card has, and points of shape (rows, reasons): the customer's view.
    """

    base: float
    variables: tuple[str, ...]
    codes: tuple[str, ...]
    by_variable: Any
    reasons: tuple[Reason, ...]
    by_reason: Any

    def score(self) -> Any:
        """Shape (rows,): base points and the points under every reason."""
        return self.base + self.by_reason.sum(1)

    def customer(self, count: int = 4) -> pl.DataFrame:
        """The reasons that cost a row the most points, in words.

        Returns
        -------
        polars.DataFrame of shape (rows, 4 * count)
            ``code_1``, ``zh_1``, ``en_1``, ``points_1``, ...; null where fewer reasons cost points. Points are against
            an applicant of the population's average, who has 0 under every reason.
        """
        import polars as pl

        order = np.argsort(self.by_reason, axis=1, kind="stable")
        columns: dict[str, pl.Series] = {}
        for k in range(count):
            told: list[tuple[Reason, float] | None] = [None] * len(order)
            if k < len(self.reasons):
                points = np.take_along_axis(self.by_reason, order[:, k : k + 1], 1)[:, 0]
                told = [
                    (self.reasons[i], float(p)) if p < 0 else None
                    for i, p in zip(order[:, k], points, strict=True)
                ]
            for key in ("code", "zh", "en"):
                texts = [getattr(t[0], key) if t else None for t in told]
                columns[f"{key}_{k + 1}"] = pl.Series(texts, dtype=pl.String)
            columns[f"points_{k + 1}"] = pl.Series([t[1] if t else None for t in told], dtype=pl.Float64)
        return pl.DataFrame(columns)

    def internal(self, row: int) -> pl.DataFrame:
        """One row for the bank: reason, variable, points, most costly first; they and the base sum to the score."""
        import polars as pl

        points = self.by_variable[row].tolist()
        lines = list(zip(self.codes, self.variables, points, strict=True))
        schema = {"reason": pl.String, "variable": pl.String, "points": pl.Float64}
        return pl.DataFrame(lines, schema=schema, orient="row").sort("points", "variable")


def explain(card: ScorecardClassifier, X: Any, reasons: Reasons) -> Explained:
    """Take the scores of ``X`` (rows with the card's inputs) apart by variable and by reason."""
    parts = card.contributions(X)
    of = [reasons.of(v) for v in card.variables_]
    present = tuple(r for r in (*reasons.reasons, OTHER) if r in of)
    by_reason = np.zeros((len(parts), len(present)))
    for place, reason in enumerate(of):
        by_reason[:, present.index(reason)] += parts[:, place]
    return Explained(
        card.points_table_.base, card.variables_, tuple(r.code for r in of), parts, present, by_reason
    )
