"""Categories as numbers: groups of like risk, ordered by it, so that a card bins them as it bins numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError
from bluemirror.scorecards.binning_table import from_yaml, to_yaml

if TYPE_CHECKING:
    import polars as pl

FORMAT = "bluemirror groups 1"
RARE = "(rare)"
MAX_P_VALUE = 0.05
"""Neighbouring groups differ at least so significantly."""


@dataclass(frozen=True)
class Group:
    """Categories of like risk: its place from 0 (least bad), its categories, training rows and bads."""

    place: int
    categories: tuple[str, ...]
    rows: int
    bads: int


@dataclass(frozen=True)
class CategoryGroups:
    """The groups of one column of texts.

    Codes are places: the bad rate rises with them, and a card may declare the column ascending. A category that was not
    seen in training has the code of the group that holds the rare ones, if there is one, else it is missing: nothing is
    known of it.
    """

    column: str
    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        named = [c for g in self.groups for c in g.categories]
        double = sorted({c for c in named if named.count(c) > 1})
        if double or [g.place for g in self.groups] != list(range(len(self.groups))):
            raise ModelError(
                f"the groups of {self.column} do not fit together",
                field=self.column,
                rule="places 0, 1, 2, ...; a category in one group only",
                fix=f"leave {double[0]!r} in one group" if double else "number the groups from 0",
            )

    def codes(self, values: Sequence[Any] | pl.Series) -> Any:
        """Shape (rows,): the place of each value's group; NaN where it is missing, or unseen and nothing is rare."""
        known = {c: float(g.place) for g in self.groups for c in g.categories}
        unseen = known.get(RARE, float("nan"))
        return np.array(
            [float("nan") if v is None or v != v else known.get(str(v), unseen) for v in values],  # noqa: PLR0124
            float,
        )

    def to_text(self) -> str:
        """YAML that can be edited by hand: move a category to another group, join two groups."""
        return to_yaml(
            {
                "format": FORMAT,
                "column": self.column,
                "groups": [
                    {"place": g.place, "rows": g.rows, "bads": g.bads, "categories": list(g.categories)}
                    for g in self.groups
                ],
            }
        )

    @classmethod
    def from_text(cls, text: str) -> CategoryGroups:
        """What :meth:`to_text` wrote, or somebody changed.

        Raises
        ------
        ModelError
            If it is not such a text, or a category stands in two groups.
        """
        plain = from_yaml(text)
        try:
            (found,) = [plain["groups"]] if plain["format"] == FORMAT else []
            groups = tuple(
                Group(int(g["place"]), tuple(map(str, g["categories"])), int(g["rows"]), int(g["bads"]))
                for g in found
            )
            return cls(str(plain["column"]), groups)
        except (KeyError, TypeError, ValueError) as e:
            raise ModelError(
                "this text does not hold groups of categories",
                rule=f"format: {FORMAT}, column, groups: [{{place, rows, bads, categories}}]",
                fix="edit what to_text wrote",
            ) from e

    def rows(self) -> list[dict[str, Any]]:
        """Lines for display."""
        return [
            {
                "group": g.place,
                "categories": ", ".join(g.categories),
                "rows": g.rows,
                "bad_rate": g.bads / g.rows if g.rows else None,
            }
            for g in self.groups
        ]

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table(self.column, self.rows())


def group_categories(
    column: str,
    values: Sequence[Any] | pl.Series,
    bad: Any,
    max_groups: int = 6,
    min_share: float = 0.05,
    rare: float = 0.01,
) -> CategoryGroups:
    """Group the categories of a column by risk: OptBinning's groups of largest information value.

    Parameters
    ----------
    values
        Shape (rows,): texts (or what ``str`` makes one); None and NaN are missing and not grouped.
    bad
        Shape (rows,), 0 or 1.
    max_groups, min_share
        At most so many groups, each with at least this share of the rows that have a value.
    rare
        Categories with a smaller share are one category, ``(rare)``, that unseen ones belong to as well.

    Raises
    ------
    ModelError
        If no row has a value.
    """
    bad = np.asarray(bad).astype(int)
    there = np.array([not (v is None or v != v) for v in values])  # noqa: PLR0124 (false for NaN alone)
    texts = np.array([str(v) for v, t in zip(values, there, strict=True) if t], dtype=object)
    if not texts.size:
        raise ModelError(
            f"{column} has no value to group",
            field=column,
            rule="at least one row has a value",
            fix="leave it out",
        )
    names, place, counts = np.unique(texts.astype(str), return_inverse=True, return_counts=True)
    few = counts < rare * texts.size
    shown = np.where(few[place], RARE, texts.astype(str))
    outcome = bad[there]
    found = _split(shown, outcome, max_groups, min_share)
    rated = sorted(found, key=lambda g: (outcome[np.isin(shown, g)].mean(), g))
    groups = []
    for number, members in enumerate(rated):
        inside = np.isin(shown, members)
        own = [str(n) for n in names[few]] if RARE in members else []
        groups.append(Group(number, (*sorted(members), *own), int(inside.sum()), int(outcome[inside].sum())))
    return CategoryGroups(column, tuple(groups))


def _split(shown: Any, bad: Any, max_groups: int, min_share: float) -> list[list[str]]:
    """Lists of categories, each a group."""
    names = [str(n) for n in np.unique(shown)]
    if len(names) < 2 or bad.min() == bad.max():
        return [names]
    from optbinning import OptimalBinning

    fitted = OptimalBinning(
        dtype="categorical",
        max_n_bins=max_groups,
        min_bin_size=min_share,
        monotonic_trend=None,
        max_pvalue=MAX_P_VALUE,
        time_limit=10,
    ).fit(shown.astype(object), bad)
    return [[str(n) for n in group] for group in fitted.splits] or [names]
