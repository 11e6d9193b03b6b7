"""The variables of a draft for a sample of observations: a frame whose columns have labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from bluemirror.variables.reasons import REASONS

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from bluemirror.variables.declarations import Block
    from bluemirror.variables.variable import Variable
    from bluemirror.workspace import Workspace

ROWS, COLUMNS = 8, 12
"""Observations and variables shown; all of them are in ``frame``."""


@dataclass(frozen=True)
class Preview:
    """Values of a draft's variables.

    Attributes
    ----------
    frame
        observation_id, event_timestamp (as of when), ``<block>__reason`` and one Float32 column a variable.
    """

    block: Block
    variables: tuple[Variable, ...]
    frame: pl.DataFrame
    workspace: Workspace
    observation_set: str

    @cached_property
    def labels(self) -> dict[str, str]:
        """Variable -> its label in Chinese and English, and its unit."""
        return {one.name: f"{one.label_zh} / {one.label_en} [{one.unit}]" for one in self.variables}

    @property
    def values(self) -> pl.DataFrame:
        """observation_id and the variables alone."""
        return self.frame.select("observation_id", *self.labels)

    @property
    def answered(self) -> dict[str, int]:
        """What the source said -> at how many observations."""
        counts = self.frame[f"{self.block.name}__reason"].value_counts(sort=True)
        return {REASONS[reason]: number for reason, number in counts.iter_rows()}

    def labelled(self) -> pl.DataFrame:
        """The values with their labels as names of the columns."""
        return self.values.rename(self.labels)

    def to_pandas(self) -> pd.DataFrame:
        """The values, indexed by observation; the labels stand in ``attrs["labels"]``."""
        frame = self.values.to_pandas().set_index("observation_id")
        frame.attrs["labels"] = self.labels
        return frame

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, name: str) -> pl.Series:
        """The values of one variable."""
        return self.frame[name]

    @cached_property
    def _telling(self) -> pl.DataFrame:
        """The observations that are shown: those with most values that are neither null nor zero, first."""
        import polars as pl

        said = pl.sum_horizontal((pl.col(one).fill_null(0) != 0).cast(pl.Int32) for one in self.labels)
        return self.frame.sort(said, descending=True, maintain_order=True).head(ROWS)

    @property
    def _head(self) -> str:
        said = ", ".join(f"{number} {reason}" for reason, number in self.answered.items())
        return f"{len(self.variables)} variables of {len(self):,} observations ({self.observation_set}); source: {said}"

    def __repr__(self) -> str:
        lines = [self._head]
        for one in self.variables[:COLUMNS]:
            shown = ", ".join(_text(value) for value in self._telling[one.name])
            lines += [
                f"{one.name}: {self.labels[one.name]}",
                f"    {shown}{', ...' if len(self) > ROWS else ''}",
            ]
        if len(self.variables) > COLUMNS:
            lines.append(f"... and {len(self.variables) - COLUMNS} more in .frame")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.variables[:COLUMNS]
        style = "style='text-align:left;vertical-align:bottom;font-weight:normal;max-width:11em;white-space:normal'"
        heads = "".join(
            f"<th {style}><b>{escape(one.name.removeprefix(f'{self.block.name}_'))}</b><br>{escape(one.label_zh)}<br>"
            f"{escape(one.label_en)}<br><i>{escape(one.unit)}</i></th>"
            for one in shown
        )
        body = "".join(
            f"<tr><td>{escape(row['observation_id'])}</td>"
            f"<td style='white-space:nowrap'>{row['event_timestamp']:%Y-%m-%d}</td>"
            + "".join(f"<td style='text-align:right'>{_text(row[one.name])}</td>" for one in shown)
            + "</tr>"
            for row in self._telling.iter_rows(named=True)
        )
        more = len(self.variables) - COLUMNS
        rest = f" and {more} more variables" if more > 0 else ""
        return (
            f"<div><p>{escape(self._head)}</p><table><thead><tr><th {style}>observation</th><th {style}>as of</th>"
            f"{heads}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{min(ROWS, len(self))} of {len(self):,} observations, the fullest{rest}; "
            "all of it in <code>.frame</code></p></div>"
        )


def _text(value: float | None) -> str:
    if value is None:
        return "·"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
