"""What a validation judges: plain arrays and texts. Nothing here knows what trained the model, or how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bluemirror.validation.limits import Limits

Array = Any  # a numpy array; its shape stands in each docstring

REASONS_BELOW = -1e30
"""An input below this is no number but the reason why there is none."""


@dataclass(frozen=True)
class Sample:
    """Rows of one side, each array of shape (rows,).

    Attributes
    ----------
    observation, customer
        Who is described; texts or numbers, keyed hashes where they are personal.
    as_of
        datetime64: the moment of each row.
    probability
        Of turning bad, as the model gave it.
    bad
        1 if it did, 0 if not.
    inputs
        Variable to its values as the model reads them: NaN, or below ``REASONS_BELOW``, where there is none.
    matured_on
        datetime64: when the outcome was settled; None if not told.
    known
        datetime64: when the newest of the row's inputs was known; None if not told.
    segments, groups
        Name to the part that each row belongs to: parts of the business, and what must not be treated unequally.
    """

    observation: Array
    customer: Array
    as_of: Array
    probability: Array
    bad: Array
    inputs: Mapping[str, Array]
    matured_on: Array | None = None
    known: Array | None = None
    segments: Mapping[str, Array] = field(default_factory=dict)
    groups: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.bad)

    @cached_property
    def values(self) -> Mapping[str, Array]:
        """The inputs as finite numbers: NaN wherever there is none, whatever the reason."""
        found = {}
        for name, held in self.inputs.items():
            numbers = np.asarray(held, float)
            found[name] = np.where((numbers < REASONS_BELOW) | np.isinf(numbers), np.nan, numbers)
        return found

    @cached_property
    def month(self) -> Array:
        """The month of each row, datetime64[M]."""
        return np.asarray(self.as_of).astype("datetime64[M]")

    @cached_property
    def sound(self) -> Array:
        """Which rows have a probability and an outcome that can be judged; shape (rows,) of bool."""
        p, bad = np.asarray(self.probability, float), np.asarray(self.bad, float)
        return np.isfinite(p) & (p >= 0) & (p <= 1) & np.isin(bad, (0.0, 1.0))

    def rows(self, keep: Array) -> Sample:
        """The same sample with the rows of ``keep`` (a mask or places) only, in that order."""

        def cut(held: Array | None) -> Array | None:
            return None if held is None else np.asarray(held)[keep]

        def cut_all(held: Mapping[str, Array]) -> dict[str, Array]:
            return {name: np.asarray(one)[keep] for name, one in held.items()}

        return Sample(
            observation=cut(self.observation),
            customer=cut(self.customer),
            as_of=cut(self.as_of),
            probability=cut(self.probability),
            bad=cut(self.bad),
            inputs=cut_all(self.inputs),
            matured_on=cut(self.matured_on),
            known=cut(self.known),
            segments=cut_all(self.segments),
            groups=cut_all(self.groups),
        )


@dataclass(frozen=True)
class Variable:
    """What is declared about an input: its source, its labels, and 1 or -1 if risk must rise or fall with it."""

    source: str = ""
    label_zh: str = ""
    label_en: str = ""
    direction: int = 0
    meaning: str = ""


@dataclass(frozen=True)
class Description:
    """What is written about a model.

    Attributes
    ----------
    texts
        The parts of its documentation by name (see ``documentation.NEEDED``).
    claims
        Figures that the documentation tells, by name: auc, ks, bad_rate, rows, bads.
    split_in_time
        Whether the judging rows are said to lie after the training rows.
    horizon_days
        How long an outcome takes at least to settle; None if not told.
    flow
        How the population came to be: step, left_out, remaining.
    """

    name: str
    title_zh: str = ""
    title_en: str = ""
    version: str = ""
    as_of: str = ""
    trainer: str = ""
    reviewers: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, float] = field(default_factory=dict)
    split_in_time: bool = True
    horizon_days: int | None = None
    flow: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything that is laid before the validation.

    Attributes
    ----------
    train, judging
        The rows that the model was made on, and those that nothing was fitted or chosen on.
    scorer
        Probability of bad, shape (rows,), from inputs as the model reads them; None if the model cannot be asked.
    champion, challenger
        Their probabilities on the judging rows, shape (rows,); None if there is none.
    """

    description: Description
    train: Sample
    judging: Sample
    variables: Mapping[str, Variable]
    scorer: Callable[[Mapping[str, Array]], Array] | None = None
    champion: Array | None = None
    challenger: Array | None = None
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def fair(self) -> Evidence:
        """The same with the rows that can be judged only (see ``Sample.sound``)."""
        keep = self.judging.sound
        if keep.all() and self.train.sound.all():
            return self

        def cut(held: Array | None) -> Array | None:
            return None if held is None else np.asarray(held)[keep]

        return replace(
            self,
            train=self.train.rows(self.train.sound),
            judging=self.judging.rows(keep),
            champion=cut(self.champion),
            challenger=cut(self.challenger),
        )

    @cached_property
    def edges(self) -> Array:
        """Edges between grades: quantiles of the training rows' probabilities; shape (grades - 1,)."""
        parts = np.linspace(0, 1, self.limits.grades + 1)[1:-1]
        return np.unique(np.quantile(self.fair.train.probability, parts))

    def grade(self, probability: Array) -> Array:
        """Grade of each probability, 0 = the safest."""
        return np.searchsorted(self.edges, probability, side="left")
