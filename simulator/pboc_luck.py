"""What chance gives each account for good when it is opened, and who answers for it beside the borrower."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.assumptions import Assumptions
from simulator.bureau import Bureau
from simulator.products import CAR, D1, FARM, HOME, TRADE
from simulator.streams import Streams

DRAWS = 6


@dataclass
class Luck:
    """Six even draws and a guarantor (a customer, or -1) for each row of the bureau's book."""

    draws: np.ndarray = field(default_factory=lambda: np.zeros((0, DRAWS)))
    guarantor: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def of(self, rows: np.ndarray) -> tuple[list[list[float]], list[int]]:
        """Draws and guarantors of some accounts."""
        return self.draws[rows].tolist(), self.guarantor[rows].tolist()

    def guaranteed_by(self, who: np.ndarray) -> np.ndarray:
        """Rows of the accounts for which somebody of ``who`` answers."""
        return np.flatnonzero(np.isin(self.guarantor, who))

    def fill(
        self,
        book: Bureau,
        partner: np.ndarray,
        helper: np.ndarray,
        month: int,
        streams: Streams,
        assume: Assumptions,
    ) -> None:
        """Draw for the accounts opened since the last time.

        Parameters
        ----------
        partner
            For each customer the wife or husband among the customers, or -1.
        helper
            For each customer the customer who would be asked to guarantee a loan, or -1.
        """
        fresh = np.arange(len(self.guarantor), book.count)
        rng = streams.of("account luck", month)
        draws = np.round(rng.random((len(fresh), DRAWS)), 6)
        product, who = book["product"][fresh], book["cust"][fresh]
        loan = (book["kind"][fresh] == D1) & (book.own[fresh] < 0)
        asked = np.select(
            [product == TRADE, product == FARM, product == CAR, product == 2], assume.guaranteed, 0.0
        )
        guaranteed = loan & (draws[:, 5] < asked) & (helper[who] >= 0)
        joint = loan & (product == HOME) & (draws[:, 5] < assume.joint_home_loans) & (partner[who] >= 0)
        guarantor = np.where(guaranteed, helper[who], np.where(joint, partner[who], -1))
        self.draws = np.concatenate([self.draws, draws])
        self.guarantor = np.concatenate([self.guarantor, guarantor])
