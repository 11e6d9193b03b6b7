"""What a group of nodes is called at every moment, while ties between them become known or are withdrawn.

The same for keys of one entity (a telephone and its vendors' hashes) and for spellings of one address: nodes that are
tied, directly or over others, are one, and the first of them by number gives its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

Named = tuple[int, int, int, int | None]
"""Node, the node that it is called by, known from, known until (microseconds; None: still)."""
NEVER = np.iinfo(np.int64).max


def name_over_time(known: np.ndarray, ties: pl.DataFrame) -> pl.DataFrame:
    """Names of nodes over time.

    Parameters
    ----------
    known
        When each node became known, microseconds; its position is its number. The lowest number names a group.
    ties
        ``a``, ``b`` (numbers of nodes), ``known``, ``until`` (microseconds, null while the tie is believed). A tie is
        not known before its nodes.

    Returns
    -------
    pl.DataFrame
        ``node``, ``name``, ``known``, ``until``: one row a node and span of time. What a moment sees depends on no tie
        or node that became known later.
    """
    import polars as pl

    size = len(known)
    a, b = ties["a"].to_numpy(), ties["b"].to_numpy()
    group = group_numbers(size, a, b)
    since = ties["known"].to_numpy()
    ends = ties["until"].is_not_null().to_numpy()
    changing = np.zeros(size, dtype=bool)
    changing[group[a[ends]]] = True
    # A group whose nodes and ties all became known at one moment has one name from the start: most are like that.
    first = np.full(size, NEVER)
    np.minimum.at(first, group, known)
    grown = np.zeros(size, dtype=bool)
    grown[group[known != first[group]]] = True
    grown[group[a[since != first[group[a]]]]] = True
    plain = ~(changing | grown)[group]
    nodes = np.flatnonzero(plain)
    frame = pl.DataFrame({"node": nodes, "name": group[nodes], "known": known[nodes]}).with_columns(
        until=pl.lit(None, dtype=pl.Int64)
    )
    rest = ties.filter(pl.Series(~plain[a], dtype=pl.Boolean)).sort("known", "a", "b")
    withdrawn = pl.Series(changing[group[rest["a"].to_numpy()]], dtype=pl.Boolean)
    alone = np.flatnonzero(~plain & ~changing[group])
    rows = list(_growing(alone, known, rest.filter(~withdrawn).iter_rows()))
    for part in (
        rest.filter(withdrawn)
        .with_columns(pl.Series("group", group[rest.filter(withdrawn)["a"].to_numpy()]))
        .partition_by("group", include_key=False)
    ):
        rows += _changing(known, list(part.iter_rows()))
    schema = pl.Schema({"node": pl.Int64, "name": pl.Int64, "known": pl.Int64, "until": pl.Int64})
    return pl.concat([frame.cast(schema), pl.DataFrame(rows, schema=schema, orient="row")]).sort(
        "node", "known"
    )


def group_numbers(size: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The lowest number that each node is tied to, over all times."""
    name = np.arange(size)
    while True:
        low = np.minimum(name[a], name[b])
        after = name.copy()
        np.minimum.at(after, a, low)
        np.minimum.at(after, b, low)
        after = after[after]
        if np.array_equal(after, name):
            return name
        name = after


def _growing(
    nodes: np.ndarray, known: np.ndarray, ties: Iterable[tuple[int, int, int, None]]
) -> Iterator[Named]:
    """Groups in which no tie is ever withdrawn: they only grow together."""
    name = {node: node for node in nodes.tolist()}
    members = {node: [node] for node in nodes.tolist()}
    since = {node: int(known[node]) for node in nodes.tolist()}
    for a, b, at, _ in ties:
        low, high = sorted((name[a], name[b]))
        if low == high:
            continue
        for node in members.pop(high):
            if since[node] < at:
                yield node, high, since[node], at
                since[node] = at
            name[node] = low
            members[low].append(node)
    for node, called in name.items():
        yield node, called, since[node], None


def _changing(known: np.ndarray, ties: list[tuple[int, int, int, int | None]]) -> Iterator[Named]:
    """A group with ties that are withdrawn: looked at again at every moment at which something changes."""
    nodes = sorted({node for a, b, _, _ in ties for node in (a, b)})
    moments = sorted(
        {int(known[node]) for node in nodes}
        | {at for _, _, at, _ in ties}
        | {until for *_, until in ties if until is not None}
    )
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for moment in moments:
        name = {node: node for node in nodes}
        alive = [(a, b) for a, b, at, until in ties if at <= moment and (until is None or moment < until)]
        moved = True
        while moved:
            moved = False
            for a, b in alive:
                if name[a] != name[b]:
                    name[a] = name[b] = min(name[a], name[b])
                    moved = True
        for node in nodes:
            if known[node] <= moment and (not spans[node] or spans[node][-1][1] != name[node]):
                spans[node].append((moment, name[node]))
    for node, found in spans.items():
        ends = [moment for moment, _ in found[1:]] + [None]
        for (moment, called), until in zip(found, ends, strict=True):
            yield node, called, moment, until
