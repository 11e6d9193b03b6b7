"""How well duplicates are found, where somebody knows the truth: precision and recall, of pairs and of clusters.

The threshold is chosen on one half of the things and judged on the other; the half of a thing is drawn from a hash of
what it is called, so no spelling of it stands on both sides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.identity.clusters import pairs_path
from bluemirror.identity.naming import group_numbers

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.identity.declared import Declared, Match
    from bluemirror.workspace import Workspace

SPELLINGS = "spellings.parquet"
"""In ``data/truth``: ``kind`` (of parts), ``text``, ``meant``; a text may mean several things."""
REGISTRATIONS = "registrations.parquet"
"""In ``data/truth``: ``person_id`` (own key), ``same_as``."""
STEPS = 40


@dataclass(frozen=True)
class Figures:
    """Precision and recall at a threshold.

    Parameters
    ----------
    pair_precision, pair_recall
        Of the pairs at or above the threshold.
    cluster_precision, cluster_recall
        Of the pairs that stand in one cluster, directly tied or not.
    pure, whole
        Share of the clusters of several entities that hold one thing; share of the things with several entities that
        are one cluster.
    """

    threshold: float
    pair_precision: float
    pair_recall: float
    cluster_precision: float
    cluster_recall: float
    pure: float
    whole: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the clusters' precision and recall."""
        total = self.cluster_precision + self.cluster_recall
        return 2 * self.cluster_precision * self.cluster_recall / total if total else 0.0


@dataclass(frozen=True)
class Verdict:
    """One match, judged.

    Parameters
    ----------
    match
        Its name.
    entities, things, true_pairs
        Entities whose truth is known, how many things they are, and pairs of them that are one.
    declared
        At the declared threshold, over all.
    chosen
        At the threshold that is best on one half (by :attr:`Figures.f1`), judged on the other half.
    """

    match: str
    entities: int
    things: int
    true_pairs: int
    declared: Figures
    chosen: Figures

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        from dataclasses import asdict

        return asdict(self)


def judge(workspace: Workspace, declared: Declared) -> dict[str, Verdict]:
    """Hold the scored pairs of every match against the truth folder; empty where there is none.

    Nothing but this reads the truth, and nothing that it finds goes back into a match.
    """
    import polars as pl

    found = {}
    for match in declared.matches.values():
        truth = _truth(workspace, declared, match)
        path = pairs_path(workspace, match)
        if truth is None or not truth.height or not path.is_file():
            continue
        pairs = pl.read_parquet(path).group_by("a", "b").agg(pl.col("probability").max())
        found[match.name] = judge_pairs(match, truth, pairs)
    return found


def judge_pairs(match: Match, truth: pl.DataFrame, pairs: pl.DataFrame) -> Verdict:
    """Judge scored pairs.

    Parameters
    ----------
    truth
        ``entity_id`` and what it ``meant``; an entity may mean several things.
    pairs
        ``a``, ``b``, ``probability``.
    """
    case = _Case(truth, pairs)
    steps = np.unique(np.quantile(np.append(case.probability, match.threshold), np.linspace(0, 1, STEPS)))
    tried = [case.figures(float(step), case.half) for step in steps]
    best = max(tried, key=lambda figures: (figures.f1, figures.threshold))
    everything = np.ones(case.size, dtype=bool)
    return Verdict(
        match.name,
        case.size,
        truth["meant"].n_unique(),
        len(case.true_a) // 2,
        case.figures(match.threshold, everything),
        case.figures(best.threshold, ~case.half),
    )


class _Case:
    """Entities as numbers, true pairs and scored pairs in both directions."""

    def __init__(self, truth: pl.DataFrame, pairs: pl.DataFrame) -> None:
        import polars as pl

        ids = truth["entity_id"].unique().sort()
        self.size = len(ids)
        index = pl.DataFrame({"entity_id": ids, "node": np.arange(self.size)})
        self.meant = truth.unique().join(index, on="entity_id").select("node", "meant")
        first = self.meant.group_by("node").agg(pl.col("meant").min()).sort("node")["meant"]
        self.half = np.array([hashlib.blake2b(text.encode()).digest()[0] % 2 == 0 for text in first])
        both = self.meant.join(self.meant, on="meant").filter(pl.col("node") != pl.col("node_right"))
        both = both.select("node", "node_right").unique()
        self.true_a, self.true_b = both["node"].to_numpy(), both["node_right"].to_numpy()
        self._true = set(zip(self.true_a.tolist(), self.true_b.tolist(), strict=True))
        known = pairs.join(index.rename({"entity_id": "a", "node": "one"}), on="a").join(
            index.rename({"entity_id": "b", "node": "other"}), on="b"
        )
        self.one, self.other = known["one"].to_numpy(), known["other"].to_numpy()
        self.probability = known["probability"].to_numpy()

    def figures(self, threshold: float, judged: np.ndarray) -> Figures:
        """Of the pairs that begin in a judged entity, wherever they end."""
        here = self.probability >= threshold
        one, other = self.one[here], self.other[here]
        direct = self._share(np.append(one, other), np.append(other, one), judged)
        cluster = group_numbers(self.size, one, other)
        a, b = _inside(cluster)
        closed = self._share(a, b, judged)
        return Figures(threshold, *direct, *closed, *self._clusters(cluster, judged))

    def _share(self, a: np.ndarray, b: np.ndarray, judged: np.ndarray) -> tuple[float, float]:
        said = judged[a]
        hits = sum(pair in self._true for pair in zip(a[said].tolist(), b[said].tolist(), strict=True))
        wanted = int(judged[self.true_a].sum())
        return _ratio(hits, int(said.sum())), _ratio(hits, wanted)

    def _clusters(self, cluster: np.ndarray, judged: np.ndarray) -> tuple[float, float]:
        import polars as pl

        placed = self.meant.with_columns(
            cluster=pl.Series(cluster[self.meant["node"]]), judged=pl.Series(judged[self.meant["node"]])
        )
        several = placed.group_by("cluster").agg(
            pl.col("node").n_unique().alias("size"), pl.col("judged").any(), pl.col("meant")
        )
        several = several.filter((pl.col("size") > 1) & pl.col("judged"))
        # Pure: one thing that every member can mean.
        most = several.select(
            "size",
            top=pl.col("meant")
            .list.eval(pl.element().value_counts().struct.field("count").max())
            .list.first(),
        )
        things = placed.filter("judged").group_by("meant").agg(
            pl.col("node").n_unique().alias("size"), pl.col("cluster").n_unique().alias("parts")
        ).filter(pl.col("size") > 1)  # fmt: skip
        pure = _ratio(int((most["top"] == most["size"]).sum()), most.height)
        return pure, _ratio(int((things["parts"] == 1).sum()), things.height)


def _inside(cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of different nodes in one cluster."""
    import polars as pl

    frame = pl.DataFrame({"cluster": cluster, "node": np.arange(len(cluster))})
    several = frame.filter(pl.len().over("cluster") > 1)
    pairs = several.join(several, on="cluster").filter(pl.col("node") != pl.col("node_right"))
    return pairs["node"].to_numpy(), pairs["node_right"].to_numpy()


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 1.0


def _truth(workspace: Workspace, declared: Declared, match: Match) -> pl.DataFrame | None:
    """Entities that the match compared, and what they mean."""
    import polars as pl

    folder = workspace.data / "truth"
    kind = declared.entities[match.entity].spelt
    compared = _compared(workspace, match)
    if kind is None:
        path = folder / REGISTRATIONS
        if not path.is_file() or compared is None:
            return None
        known = pl.read_parquet(path)
        same = dict(known.select("person_id", "same_as").iter_rows())
        return pl.DataFrame({"entity_id": compared}).with_columns(meant=pl.col("entity_id").replace(same))
    path = folder / SPELLINGS
    if not path.is_file():
        return None
    from bluemirror.mart.keys import KeyHasher

    hasher = KeyHasher(workspace.secret_key())
    texts = pl.read_parquet(path).filter(pl.col("kind") == kind)
    norms = [hasher.apart(text, kind)[0] for text in texts["text"]]
    truth = pl.DataFrame(
        {"entity_id": norms, "meant": texts["meant"]}, schema_overrides={"entity_id": pl.String}
    )
    return (
        truth.unique()
        if compared is None
        else truth.filter(pl.col("entity_id").is_in(compared.implode())).unique()
    )


def _compared(workspace: Workspace, match: Match) -> pl.Series | None:
    import polars as pl

    from bluemirror.identity.clusters import CLUSTER
    from bluemirror.mart.connect import WRITTEN

    path = workspace.mart / WRITTEN / CLUSTER / "part-0.parquet"
    if not path.is_file():
        return None
    rows = pl.read_parquet(path, columns=["match", "entity_id"])
    return rows.filter(pl.col("match") == match.name)["entity_id"].unique()
