"""Whom payloads describe: the queries of the observation sets, over what has just arrived and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from bluemirror.errors import PayloadError
from bluemirror.mart.connect import mart_columns
from bluemirror.mart.versions import quote
from bluemirror.variables.expressions import tokens
from bluemirror.variables.observations import observe

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.mart.payloads import Taken
    from bluemirror.variables.spine import Spine


class Described:
    """The first observation set of each entity, asked of the tables of payloads."""

    def __init__(self, contracts: Mapping[str, Contract], spine: Spine, entities: Iterable[str]) -> None:
        import duckdb

        self._spine = spine
        self._connection = duckdb.connect()
        self._sets = {}
        tables = {table.name: table for contract in contracts.values() for table in contract.tables}
        for entity in entities:
            which = next((one for one in spine.observations.values() if one.entity == entity), None)
            if which is not None:
                read = {token["word"] for token in tokens(which.sql) if token["word"]} & tables.keys()
                self._sets[entity] = which, read
                for name in read:
                    columns = ", ".join(f"{quote(one)} {kind}" for one, kind in mart_columns(tables[name]))
                    self._connection.execute(f"CREATE TABLE IF NOT EXISTS {quote(name)} ({columns})")

    def of(self, taken: Taken, observation_id: str | None = None) -> dict[str, dict[str, Any]]:
        """Entity -> observation; entities that are not described are left out.

        Parameters
        ----------
        observation_id
            Which one, where there are several.

        Raises
        ------
        PayloadError
            If an entity is described more than once.
        """
        frames = {name: frame for tables in taken.tables.values() for name, frame in tables.items()}
        found = {}
        for entity, (which, read) in self._sets.items():
            arrived = [name for name in read if name in frames and len(frames[name])]
            if not arrived:
                continue
            for name in arrived:
                self._connection.register(name, frames[name])
            try:
                observed = observe(self._connection, self._spine, which)
            finally:
                for name in arrived:
                    self._connection.unregister(name)
            if observation_id is not None:
                observed = observed.filter(pl.col("observation_id") == observation_id)
            if len(observed) > 1:
                raise PayloadError(
                    f"the payloads describe {len(observed)} observations of {which.name}",
                    file=which.path,
                    rule="payloads are those of one application",
                    fix="say which one is meant: observation_id",
                )
            if len(observed):
                found[entity] = observed.row(0, named=True)
        return found
