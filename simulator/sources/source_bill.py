"""The sources' invoices: what the vendors counted in a month, at their prices; a few are wrong, as planned."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.calls import HIT, MATCH, RESULTS
from simulator.deliveries import ARRIVES, ORDER
from simulator.outside import Source
from simulator.timeline import first_day, month_name
from simulator.world import World


class SourceBill(Source):
    """Bills of the sources."""

    name = "source_bill"

    def live(self, world: World, month: int) -> None:
        """The invoices for the month before, which come in this month's first weeks."""
        rng = world.streams.of(self.name, month)
        wait = {
            source: 3 + int(draw * 9)
            for source, draw in zip(sorted(world.rules), rng.random(200), strict=False)
        }
        lines = []
        for source, rules in sorted(world.rules.items()):
            if source not in world.called.get(month - 1, {}) and not rules.monthly_fee:
                continue
            counts = world.called.get(month - 1, {}).get(source, np.zeros(len(RESULTS) + 1, np.int64)).copy()
            wrong = {
                kind
                for name, when, kind in world.assume.billing
                if (name, when) == (source, month_name(month - 1))
            }
            record = MATCH if "match" in rules.stated else HIT
            if "cached" in wrong:
                counts[record] += counts[-1]
            received = first_day(month) + np.timedelta64(wait[source], "D")
            invoice = f"INV-{source}-{month_name(month - 1)}"
            mine = []
            for number, result in enumerate(RESULTS):
                price = rules.price[result] * (1.1 if "price" in wrong else 1.0)
                if counts[number] and price:
                    mine.append((invoice, result, int(counts[number]), round(price, 4), received))
            if rules.monthly_fee:
                mine.append((invoice, "subscription", 1, rules.monthly_fee, received))
            if "double" in wrong:
                mine += [(f"{line[0]}-B", *line[1:]) for line in mine]
            lines += [(source, *line) for line in mine]
        self._send(world, lines, month)

    def _send(
        self, world: World, lines: list[tuple[str, str, str, int, float, np.datetime64]], month: int
    ) -> None:
        if not lines:
            return
        frame = pl.DataFrame(
            {
                "invoice_no": [line[1] for line in lines],
                "source": [line[0] for line in lines],
                "month": [month_name(month - 1)] * len(lines),
                "result_class": [line[2] for line in lines],
                "calls_billed": [line[3] for line in lines],
                "unit_price": [line[4] for line in lines],
                "amount": [round(line[3] * line[4], 2) for line in lines],
                "received_date": np.array([line[5] for line in lines], "datetime64[D]"),
            }
        )
        frame = frame.with_columns(
            pl.col("received_date").alias(ARRIVES),
            pl.col("received_date").cast(pl.Datetime("us")).alias(ORDER),
        )
        world.deliveries.add(self.name, frame, month, may_be_late=False)


SOURCE = SourceBill()
