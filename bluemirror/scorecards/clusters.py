"""Variables that tell the same, and who speaks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bluemirror.scorecards.spec import Screening

CORRELATION_ROWS = 20_000
"""Rows that likeness is measured on: the standard error of a correlation of 0.8 is then 0.003."""

BLOCK = 128
"""Variables that are compared at a time: one matrix product with all representatives."""


def sampled(rows: int) -> slice:
    """Every so-manieth row, so that at most ``CORRELATION_ROWS`` remain."""
    return slice(None, None, max(1, -(-rows // CORRELATION_ROWS)))


def worth(iv_net: Any, psi_max: Any, missing: Any, cost: Any, limits: Screening) -> Any:
    """What a variable brings as the representative of its cluster; shape (columns,).

    Information value above chance, of which a share is given up for an unstable, a thin and a costly variable:
    ``prefer_stable`` of it at the largest PSI allowed, ``prefer_covered`` of it where nobody has a value,
    ``prefer_cheap`` of it for the dearest source among the candidates (``cost``: yuan a query, shape (columns,)).
    """
    dearest = max(float(np.max(cost, initial=0.0)), 1e-9)
    shaking = np.minimum(psi_max / max(limits.max_psi, 1e-9), 1.0)
    return (
        iv_net
        * (1 - limits.prefer_stable * shaking)
        * (1 - limits.prefer_covered * missing)
        * (1 - limits.prefer_cheap * cost / dearest)
    )


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Matrix products on the calling thread alone, where it can be told (it comes with scikit-learn).

    The products here are small. A library of linear algebra that shares each among threads waits for the slowest of
    them by spinning; beside other work on the same cores this made them twenty times slower.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1, user_api="blas"):
        yield


@dataclass(frozen=True)
class Clusters:
    """Positions of the representatives, best first; of each variable its representative, -1 beyond ``keep``."""

    leaders: tuple[int, ...]
    leader_of: Any


@one_thread_a_product()
def clusters(codes: Any, order: Sequence[int], weights: Any, max_correlation: float, keep: int) -> Clusters:
    """Go through the variables from the best on: join the first representative that is too alike, else become one.

    Likeness is the correlation of the weights of evidence, which is what the logistic regression will see; it takes
    missing values and bends in, unlike a correlation of values.

    Parameters
    ----------
    codes
        Shape (variables, rows): the bin of each row.
    order
        The variables, best first.
    weights
        Shape (variables, codes): the weight of evidence of each bin.
    max_correlation
        What may stand beside each other, in absolute value.
    keep
        At most so many representatives; who would be the next one is left over.
    """
    leaders: list[int] = []
    leader_of = np.full(len(order), -1)
    basis = np.empty((keep, codes.shape[1]), np.float32)
    for start in range(0, len(order), BLOCK):
        part = np.asarray(order[start : start + BLOCK])
        seen = np.stack([weights[v][codes[v]] for v in part])
        seen -= seen.mean(1, keepdims=True)
        seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-12)
        before = len(leaders)
        with_leaders = np.abs(seen @ basis[:before].T) > max_correlation
        within = np.abs(seen @ seen.T) > max_correlation
        fresh: list[int] = []
        for place, variable in enumerate(part.tolist()):
            alike = np.flatnonzero(with_leaders[place])
            near = [before + n for n, other in enumerate(fresh) if within[place, other]]
            if alike.size or near:
                leader_of[variable] = leaders[int(alike[0]) if alike.size else near[0]]
            elif len(leaders) < keep:
                basis[len(leaders)] = seen[place]
                leader_of[variable] = variable
                leaders.append(variable)
                fresh.append(place)
    return Clusters(tuple(leaders), leader_of)
