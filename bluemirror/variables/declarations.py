"""What a family file declares, as frozen values. Nothing here computes; families and blocks show themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Label:
    """A text in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Window:
    """One window: the newest ``size`` days or months before the reference, or all of the past (``size`` None).

    A ``forward`` window holds the ``size`` days or months from the reference on, or all that is to come.
    """

    unit: str
    size: int | None
    forward: bool = False

    @property
    def token(self) -> str:
        """Its part of a variable's name: ``30d``, ``12m``, ``next12m`` or ``all``."""
        if self.size is None:
            return "all"
        return f"{'next' if self.forward else ''}{self.size}{self.unit[0]}"

    @property
    def label(self) -> Label:
        """Its part of a variable's label."""
        if self.size is None:
            return Label("今后", "from now on") if self.forward else Label("历史", "all time")
        zh, en = ("天", "day") if self.unit == "day" else ("个月", "month")
        side = Label("未来", "next") if self.forward else Label("近", "last")
        many = f"{self.size} {en}s" if self.size > 1 else en
        return Label(f"{side.zh}{self.size}{zh}", f"{side.en} {many}")


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a family, ascending; ``grain`` says how months are counted.

    ``grain`` is ``time`` (days: to the microsecond), ``date`` (months back from the reference date, clamped to
    the month's end) or ``month`` (rows are whole months; the difference of calendar months).
    ``along`` names the column whose date places a row on the axis of time instead of its event time; a row without
    that date, or with one on the other side of the reference, is not counted. ``forward`` windows run from the
    reference's day on.
    """

    unit: str = "day"
    sizes: tuple[int, ...] = ()
    all: bool = True
    grain: str = "time"
    along: str | None = None
    forward: bool = False

    @property
    def members(self) -> tuple[Window, ...]:
        """Every window, ascending, all of the past last."""
        return tuple(Window(self.unit, size, self.forward) for size in self.sizes) + (
            (Window(self.unit, None, self.forward),) if self.all else ()
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A set of codes (None: every row) or a half-open band ``low <= value < high`` of a slice's column."""

    name: str
    label: Label
    codes: tuple[str, ...] | None = None
    band: tuple[float | None, float | None] | None = None

    @property
    def is_all(self) -> bool:
        """Whether the group holds every row."""
        return self.codes is None and self.band is None


@dataclass(frozen=True, slots=True)
class Slice:
    """An axis that filters rows: a column and its groups, which may overlap."""

    name: str
    column: str
    groups: tuple[Group, ...]

    @property
    def banded(self) -> bool:
        """Whether the groups are bands of a number rather than sets of codes."""
        return any(group.band is not None for group in self.groups)


@dataclass(frozen=True, slots=True)
class Measure:
    """Aggregates of one column (or of the rows themselves).

    ``by`` is the column of a ratio's denominator, or the weight of a concentration. ``over`` names the aggregates
    from account to person of a two-level family. ``ratios`` are pairs of windows, short over long; ``growth`` the
    short one over the rest of the long one.
    """

    aggs: tuple[str, ...]
    of: str | None
    token: str | None
    label: Label | None
    unit: str
    scale: float = 1.0
    crosses: tuple[tuple[str, ...], ...] | None = None
    windows: tuple[int | None, ...] | None = None
    over: tuple[str, ...] = ()
    ratios: tuple[tuple[int, int], ...] = ()
    shares: tuple[str, ...] = ()
    by: str | None = None
    growth: tuple[tuple[int, int], ...] = ()

    @property
    def column(self) -> str | None:
        """What is aggregated, as the kernels call it: the column, or two columns with a bar between them."""
        return self.of if self.by is None else f"{self.of}|{self.by}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value of the newest answer or state, as a number, an ordinal or flags."""

    column: str
    name: str
    label: Label
    unit: str
    ordinal: Mapping[str, float] | None = None
    one_hot: tuple[tuple[str, Label], ...] = ()
    scale: float = 1.0

    @property
    def coded(self) -> bool:
        """Whether the column is read as codes rather than as a number."""
        return self.ordinal is not None or bool(self.one_hot)


@dataclass(frozen=True, slots=True)
class Relation:
    """The way to the neighbours: rows of ``table`` link ``from_`` over ``through`` to ``to``.

    ``from_`` pairs a column of the table with a key of the observation.
    """

    table: str
    from_: tuple[str, str]
    through: str
    to: str
    label: Label


@dataclass(frozen=True, slots=True)
class Level:
    """The middle level of a two-level family: the rows' parent table, or a column that names the unit."""

    table: str | None
    key: str | None
    label: Label
    columns: Mapping[str, str]
    where: str | None
    slices: tuple[Slice, ...]
    crosses: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Family:
    """A declaration that yields many variables from one table."""

    name: str
    label: Label
    table: str
    match: tuple[str, str]
    columns: Mapping[str, str]
    where: str | None
    exclude_self: str | None
    windows: Windows
    slices: tuple[Slice, ...]
    crosses: tuple[tuple[str, ...], ...]
    measures: tuple[Measure, ...]
    attributes: tuple[Attribute, ...]
    age: bool
    via: Relation | None
    per: Level | None
    line: int

    def slice(self, name: str) -> Slice:
        """The slice called ``name``."""
        return next(one for one in self.slices if one.name == name)

    def __repr__(self) -> str:
        from bluemirror.variables.shown_block import family_text

        return family_text(self)

    def _repr_html_(self) -> str:
        from bluemirror.variables.shown_block import family_html

        return family_html(self)


@dataclass(frozen=True, slots=True)
class Combination:
    """A number computed from two variables: ``ratio``, ``difference``, or whether they are ``equal``."""

    name: str
    operator: str
    left: str
    right: str
    label: Label
    unit: str


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """The families of one source and entity; one folder of Parquet, one Feast view.

    A block across sources has no source and no families: it combines variables of other blocks, of which ``borrowed``
    holds the parts that it needs.
    """

    name: str
    entity: str
    source: str
    label: Label
    miss: str
    families: tuple[Family, ...]
    combinations: tuple[Combination, ...]
    path: Path = field(compare=False)
    borrowed: tuple[Block, ...] = ()

    def __repr__(self) -> str:
        from bluemirror.variables.shown_block import block_text

        return block_text(self)

    def _repr_html_(self) -> str:
        from bluemirror.variables.shown_block import block_html

        return block_html(self)
