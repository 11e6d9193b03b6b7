"""A whole block in SQL: moments, neighbours, reasons, families, combinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from bluemirror.contracts import Contract
from bluemirror.variables.declarations import Block, Family, Relation
from bluemirror.variables.plan import block_variables
from bluemirror.variables.spine import Spine
from tests.oracles.sql.families import FamilySql
from tests.oracles.sql.known import ARRIVED, Mart

ANSWERED, NOT_APPLICABLE, NOT_QUERIED, NO_HIT, ERROR = range(5)
COMBINED = {
    "ratio": pl.when(pl.col("r") != 0).then(pl.col("l") / pl.col("r")),
    "difference": pl.col("l") - pl.col("r"),
    "equal": pl.col("l") == pl.col("r"),
}
SLOW = "filter_pushdown,filter_pullup,join_order,statistics_propagation,column_lifetime,common_subexpressions,reorder_filter"
"""Steps of DuckDB's optimizer that take minutes over hundreds of long expressions and gain nothing on a few rows."""
OUTCOMES = {"hit": ANSWERED, "no_hit": NO_HIT, "error": ERROR}


class SecondEngine:
    """Values of blocks for one frame of observations."""

    def __init__(
        self, connection: Any, contracts: Mapping[str, Contract], spine: Spine, observations: pl.DataFrame
    ) -> None:
        self.mart, self.spine, self.observations = Mart(connection, contracts), spine, observations
        connection.register("o_frame", observations.with_row_index("obs"))
        self.mart.make("o_obs", "SELECT * FROM o_frame")
        connection.unregister("o_frame")
        self._values: dict[str, pl.Series] = {}
        self._told: dict[str, np.ndarray] = {}

    def block(self, block: Block) -> pl.DataFrame:
        """Every variable of ``block`` (Float32) and ``<block>__reason``, in the order of the observations.

        A block across sources comes after the blocks that it borrows from.
        """
        self.mart.execute(f"SET disabled_optimizers = '{SLOW}'")
        try:
            return self._block(block)
        finally:
            self.mart.execute("SET disabled_optimizers = ''")

    def _block(self, block: Block) -> pl.DataFrame:
        if block.families:
            reason = self._reasons(block)
        else:
            reason = np.full(len(self.observations), ANSWERED, dtype=np.int8)
            for lender in reversed(block.borrowed):
                reason = np.where(self._told[lender.name] == ANSWERED, reason, self._told[lender.name])
        self._told[block.name] = reason
        blank = pl.Series((reason != ANSWERED) & ((reason != NO_HIT) | (block.miss != "zero")))
        for family in block.families:
            for name, column in self._family(block, family).to_dict().items():
                self._values[name] = column.set(blank, None).cast(pl.Float32)
        for one in block.combinations:
            sides = (self._values[side].cast(pl.Float64) for side in (one.left, one.right))
            frame = pl.DataFrame(dict(zip("lr", sides, strict=True)))
            self._values[f"{block.name}_{one.name}"] = frame.select(
                COMBINED[one.operator].cast(pl.Float32)
            ).to_series()
        names = [one.name for one in block_variables(block)]
        return pl.DataFrame({f"{block.name}__reason": reason, **{name: self._values[name] for name in names}})

    def _family(self, block: Block, family: Family) -> pl.DataFrame:
        return FamilySql(self.mart, block, family, self._moments(family)).values(len(self.observations))

    def _moments(self, family: Family) -> str:
        """Table (mid, obs, observation_id, key, as_of): whose past is asked for, and when."""
        if family.via is None:
            key = family.match[1]
            return self.mart.make(
                "o_moments",
                f'SELECT obs AS mid, obs, observation_id, "{key}" AS key, as_of FROM o_obs WHERE "{key}" IS NOT NULL',
            )
        return self._neighbours(family.via)

    def _neighbours(self, via: Relation) -> str:
        mart, table = self.mart, self.mart.table(via.table)
        links = mart.copy(via.table)
        mart.make("o_me", f'SELECT obs AS mid, "{via.from_[1]}" AS key, as_of FROM o_obs')
        mine = mart.make(
            "o_mine",
            f'SELECT DISTINCT m.mid, m.key AS me, t."{via.through}" AS key, m.as_of FROM ({mart.known(table, via.from_[0], "o_me")}) k '
            f'JOIN {links} t USING (rid) JOIN o_me m USING (mid) WHERE t."{via.through}" IS NOT NULL',
        )
        mart.make("o_things", f"SELECT row_number() OVER () AS mid, mid AS obs, me, key, as_of FROM {mine}")
        mart.make(
            "o_pairs",
            f'SELECT DISTINCT m.obs, t."{via.to}" AS key, m.as_of FROM ({mart.known(table, via.through, "o_things")}) k '
            f'JOIN {links} t USING (rid) JOIN o_things m USING (mid) WHERE t."{via.to}" IS NOT NULL AND t."{via.to}" <> m.me',
        )
        return mart.make(
            "o_moments",
            "SELECT row_number() OVER () AS mid, p.obs, o.observation_id, p.key, p.as_of FROM o_pairs p JOIN o_obs o USING (obs)",
        )

    # Reasons -------------------------------------------------------------------------------------------------------------

    def _reasons(self, block: Block) -> np.ndarray:
        first = next((one for one in block.families if one.via is None), None)
        count = len(self.observations)
        if first is None:
            return np.full(count, ANSWERED, dtype=np.int8)
        outcome = self._outcomes(block)
        header = self.mart.header(first.table)
        if header.kind == "answer":
            reason = np.full(count, NOT_QUERIED, dtype=np.int8)
            if outcome is not None:
                reason = np.where(outcome == ANSWERED, NOT_QUERIED, outcome).astype(np.int8)
            moments = self._moments(first)
            newest = self.mart.newest(
                header, first.match[0], moments, self.mart.contract_of[header.name].answer_valid_days
            )
            hit = "true"
            if header.hit is not None:
                yes = ", ".join(f"'{value}'" for value in header.hit[1])
                hit = f'coalesce(CAST(h."{header.hit[0]}" AS VARCHAR) IN ({yes}), false)'
            found = self.mart.run(
                f"SELECT mid, {hit} FROM ({newest}) JOIN {self.mart.copy(header.name)} h USING (rid)"
            ).fetchall()
            for position, good in found:
                reason[position] = ANSWERED if good else NO_HIT
            return reason
        reason = np.full(count, ANSWERED, dtype=np.int8) if outcome is None else outcome
        reason[self.observations[first.match[1]].is_null().to_numpy()] = NOT_APPLICABLE
        return reason

    def _outcomes(self, block: Block) -> np.ndarray | None:
        """What the newest call to the block's source came to; None if nobody ever called it."""
        calls = self.spine.calls
        if calls is None or calls.entity not in self.observations.columns:
            return None
        ledger = self.mart.copy(calls.table)
        if not self.mart.run(
            f"SELECT 1 FROM {ledger} WHERE \"{calls.source}\" = '{block.source}' LIMIT 1"
        ).fetchall():
            return None
        self.mart.make("o_called", f'SELECT obs AS mid, "{calls.entity}" AS key, as_of FROM o_obs')
        known = self.mart.known(self.mart.table(calls.table), calls.entity, "o_called")
        order = ", ".join(f"t.{name} DESC" for name in ("event_time", *ARRIVED))
        found = self.mart.run(
            f'SELECT k.mid, CAST(t."{calls.result}" AS VARCHAR) FROM ({known}) k JOIN {ledger} t USING (rid) '
            f"WHERE t.\"{calls.source}\" = '{block.source}' QUALIFY row_number() OVER (PARTITION BY k.mid ORDER BY {order}) = 1"
        ).fetchall()
        outcome = np.full(len(self.observations), NOT_QUERIED, dtype=np.int8)
        for position, result in found:
            outcome[position] = OUTCOMES[calls.outcomes[result]] if result in calls.outcomes else ERROR
        return outcome
