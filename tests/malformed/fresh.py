"""Good records without end: copies with keys of their own, still taken by the contract."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.malformed.drawing import draw
from tests.malformed.shape import Node, Shape
from tests.malformed.valid import sound

ROUNDS = 10


class Fresh:
    """Hands out copies of good records, each with a key of its own.

    A rule may tie the key to other fields, so copies are made in bulk and those that it breaks left out.
    """

    def __init__(self, shape: Shape, bases: Sequence[Node], rng: random.Random, count: int) -> None:
        self.shape, self.bases, self.rng = shape, list(bases), rng
        self.pool: list[Node] = []
        for _ in range(ROUNDS):
            if len(self.pool) >= count:
                break
            self.pool += sound(shape, [self._copy() for _ in range(count)])

    def __call__(self, count: int) -> list[Node]:
        """``count`` records."""
        return [self.one() for _ in range(count)]

    def one(self) -> Node:
        """One record."""
        return self.pool.pop() if self.pool else self._copy()

    def _copy(self) -> Node:
        record = self.rng.choice(self.bases).copy()
        header = self.shape.contract.header
        parts = [header.field(name) for name in header.business_key]
        texts = [item for item in parts if item.type == "string" and not item.codes]
        for item in texts or [item for item in parts if item.type == "int"]:
            place = self.shape.leaf(header.name, item.name)[1]
            if record.leaves.get(place) is not None:
                record.leaves[place] = draw(item, self.rng)
        return record
