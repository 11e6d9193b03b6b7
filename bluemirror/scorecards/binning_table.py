"""The fitted binning of variables as values that one can read, save as text, and load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

INTERVAL, SPECIAL, MISSING = "interval", "special", "missing"


@dataclass(frozen=True)
class Bin:
    """One bin: ``low < value <= high`` (open ends are None), one special value, or missing.

    ``rows`` and ``bads`` are the training counts; ``woe`` the weight of evidence (positive = better than all).
    """

    kind: str
    label: str
    rows: int
    bads: int
    woe: float
    low: float | None = None
    high: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class BinningTable:
    """The bins of one variable: intervals ascending, then specials, then missing.

    Values beyond the ends seen in training fall into the outer intervals; a special or missing value of a kind
    that training hardly saw has WOE 0, the population's own.
    """

    variable: str
    trend: str
    iv: float
    bins: tuple[Bin, ...]

    def __post_init__(self) -> None:
        edges = [b.high for b in self.bins if b.kind == INTERVAL][:-1]
        if any(e is None for e in edges) or list(edges) != sorted(set(edges), key=float):  # type: ignore[arg-type]
            raise ModelError(
                f"the bins of {self.variable} are not in order",
                field=self.variable,
                rule="intervals ascend and meet; only the last one is open above",
                fix="load the text that was saved, unchanged",
            )

    @property
    def edges(self) -> tuple[float, ...]:
        """Inner edges, ascending."""
        return tuple(b.high for b in self.bins if b.kind == INTERVAL and b.high is not None)

    def assign(self, values: Any) -> Any:
        """Index of the bin of each value; shape (rows,) to (rows,) of int."""
        values = np.asarray(values, float)
        code = np.searchsorted(np.asarray(self.edges, float), values, side="left")
        for i, one in enumerate(self.bins):
            if one.kind == SPECIAL:
                code[values == one.value] = i
            elif one.kind == MISSING:
                code[np.isnan(values)] = i
        return code

    @property
    def weights(self) -> Any:
        """WOE of each bin; shape (bins,)."""
        return np.array([b.woe for b in self.bins])

    def woe(self, values: Any) -> Any:
        """WOE of each value; shape (rows,) to (rows,)."""
        return self.weights[self.assign(values)]

    def rows(self) -> list[dict[str, Any]]:
        """The table's lines for display and storage, with shares and bad rates."""
        total = max(sum(b.rows for b in self.bins), 1)
        return [
            {
                "variable": self.variable,
                "bin": b.label,
                "rows": b.rows,
                "share": b.rows / total,
                "bads": b.bads,
                "bad_rate": b.bads / b.rows if b.rows else None,
                "woe": b.woe,
                "iv": self.iv,
                "trend": self.trend,
            }
            for b in self.bins
        ]

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        said_above = ("variable", "iv", "trend")
        lines = [{k: v for k, v in row.items() if k not in said_above} for row in self.rows()]
        title = f"{self.variable} (IV {self.iv:.3f}, {self.trend})"
        return html_table(title, lines, bars=("share", "bad_rate", "woe"))


class BinningTables(Mapping[str, BinningTable]):
    """The binning tables of several variables by name, with a text form."""

    def __init__(self, tables: Sequence[BinningTable] = ()) -> None:
        self._tables = {t.variable: t for t in tables}

    def __getitem__(self, variable: str) -> BinningTable:
        return self._tables[variable]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BinningTables) and self._tables == other._tables

    def __hash__(self) -> int:
        return hash(tuple(self._tables.values()))

    def __repr__(self) -> str:
        return f"BinningTables({len(self)} variables)"

    def frame(self) -> pl.DataFrame:
        """All tables as one: a line a bin."""
        import polars as pl

        return pl.DataFrame(
            [line for table in self.values() for line in table.rows()], infer_schema_length=None
        )

    def as_plain(self) -> list[dict[str, Any]]:
        """Lists and mappings of numbers and texts only."""
        return [
            {
                "variable": t.variable,
                "trend": t.trend,
                "iv": t.iv,
                "bins": [{k: v for k, v in asdict(b).items() if v is not None} for b in t.bins],
            }
            for t in self.values()
        ]

    @classmethod
    def from_plain(cls, values: Sequence[Mapping[str, Any]]) -> BinningTables:
        """The inverse of :meth:`as_plain`; ModelError where a key is missing or unknown."""
        try:
            return cls(
                [
                    BinningTable(
                        str(t["variable"]),
                        str(t["trend"]),
                        float(t["iv"]),
                        tuple(Bin(**b) for b in t["bins"]),
                    )
                    for t in values
                ]
            )
        except (KeyError, TypeError) as e:
            raise ModelError(
                "this text is not a set of binning tables",
                rule="as written by BinningTables.to_text",
                fix=f"load the text that was saved, unchanged ({e})",
            ) from None

    def to_text(self) -> str:
        """YAML, exact to the last bit of every number."""
        return to_yaml(self.as_plain())

    @classmethod
    def from_text(cls, text: str) -> BinningTables:
        """The inverse of :meth:`to_text`."""
        return cls.from_plain(from_yaml(text))

    def _repr_html_(self) -> str:
        return "".join(t._repr_html_() for t in self.values())


def to_yaml(value: Any) -> str:
    """Plain values as YAML in the order given. JSON numbers keep every bit and are valid YAML."""
    import yaml

    return str(
        yaml.dump(
            value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
        )
    )


def from_yaml(text: str) -> Any:
    """Plain values from YAML text."""
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (a safe loader)


def _dumper() -> Any:
    import yaml

    return getattr(yaml, "CSafeDumper", yaml.SafeDumper)
