"""The cards' banks: whether card, name, identity number and reserved phone belong together.

Most mismatches are an old phone number at the bank, or the card of a wife or husband; in a ring several people bring
the same card, and cards are young.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import MATCH, MISMATCH, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.deliveries import moment, only_where
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import START

CARDS = 4
"""Cards that a customer may bring; of these the first nearly always."""
AGES = ("0-3", "3-12", "12-36", "36+")
TIERS = ("state", "joint", "city", "rural", "internet", "foreign")
_TIER_FROM = np.array([0, 6, 18, 35, 50, 56])
"""Bank numbers from which each kind of bank begins."""
ITEMS = ("phone", "id", "name")
CODES = ("0", "1", "2", "3", "5", "9")
_SEEN = {"0": MATCH, "1": MISMATCH, "2": NO_HIT, "3": MISMATCH, "5": MISMATCH, "9": NO_HIT}


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    ring_card: float = 0.35
    """Share of a ring's members who bring the card of one of them [stated]."""
    home_card: float = 0.02
    """Share of customers who bring a card of somebody at home [stated]."""
    wrong: float = -4.9
    """Log odds of a mismatch without such a reason, an average card [stated]."""
    rebinds: float = 0.08
    """Share of the looks at borrowers that find a newly bound card [stated]."""


class Card4(AskedSource):
    """Four-element verification by the card's bank."""

    name = "card4"
    assumes = Assume
    prefix = "KV"
    latency = (400, 2000)
    entity = "card"
    monitors = True
    plant = ("card_type", "loyalty", pl.col("result_code") == "0")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Applicants who passed the first screen; of the borrowers those who bind another card."""
        if asking.stage == "pre":
            return asking.screened
        return asking.rng("rebind").random(asking.n) < self.assume.rebinds

    def subject(self, asking: Asking) -> np.ndarray:
        """The card."""
        return self._card(asking)

    def _card(self, asking: Asking) -> np.ndarray:
        """Number of the card that each brings: one of their own, of the home's or the ring's first member."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        year = (asking.month - START) // 12 + 4
        other = lot("which card", cust * 40 + year)
        own = np.where(other < 0.86, 0, np.where(other < 0.96, 1, np.where(other < 0.99, 2, 3)))
        brings = lot("whose card", cust)
        attack = (people.ring[cust] >= 0) & (asking.month >= people.ring_start[cust] - 1)
        shared = attack & (brings < self.assume.ring_card)
        at_home = ~shared & (brings > 1 - self.assume.home_card)
        owner = np.where(
            shared, _first(people.ring)[cust], np.where(at_home, _first(people.household)[cust], cust)
        )
        return owner * CARDS + np.where(owner == cust, own, 0)

    def answer(self, asking: Asking) -> Answer:
        """What the card's bank says."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        card = self._card(asking)
        owner = card // CARDS
        gone = asking.master.phone[cust] != people.phone[cust]
        moved = asking.month - people.phone_since[cust] < 9
        d = asking.rng().random((3, asking.n))
        strange = 0.4 * people.risk[cust] + 0.4 * people.fraud[cust] + 0.6 * asking.noise
        old_phone = d[0] < np.where(gone, 0.3, np.where(moved, 0.12, 0.006))
        wrong = (
            (owner != cust) | old_phone | (lot("card4 wrong", card) < sigmoid(self.assume.wrong + strange))
        )
        frozen = d[1] < sigmoid(-5.6 + strange)
        limited = d[1] > 1 - sigmoid(-5.4 + 0.5 * strange)
        code = np.select(
            [d[2] < 0.006, d[2] > 0.99, frozen, limited, wrong],
            [CODES.index(text) for text in ("2", "9", "3", "5", "1")],
            0,
        )
        item = np.where(owner != cust, 1 + (lot("card4 item", card) < 0.4), np.where(old_phone, 0, 1))
        bank = identities.card_bank(card)
        kind = pick(lot("card kind", card), np.array([0.93, 0.05, 0.02]))
        lesser = lot("card class", card)
        account = np.where(
            lesser < sigmoid(-2.3 + 0.35 * people.fraud[owner] - 0.25 * people.income_z[owner]), 2, 1
        )
        account = np.where(lesser < 0.012, 3, account)
        # an early card was opened some years before the first month; a ring opens its cards before it applies
        before = -np.log1p(-0.999 * lot("card age", card)) * 55
        before *= np.exp(0.3 * people.stability[owner] - 0.2 * people.fraud[owner] + 0.3 * asking.noise)
        months = np.maximum(asking.month - START + before - 4 - 8 * (card % CARDS), 0)
        fresh = (people.ring[owner] >= 0) & (lot("ring card", card) < 0.6)
        months = np.where(fresh, np.maximum(asking.month - people.ring_start[owner] + 2, 0), months)
        away = lot("card city", card) < sigmoid(
            -1.5 - 0.35 * people.stability[owner] + 0.3 * people.fraud[owner]
        )
        city = np.where(away, (lot("card elsewhere", card) * 30).astype(int), asking.master.city[owner])

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            said = np.where(calls.result[which] == NO_HIT, np.where(code[which] == 2, 2, 5), code[which])
            told = np.array(CODES)[said]
            known = calls.result[which] != NO_HIT
            numbers = [identities.card(number) for number in card[which].tolist()]
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "card_hash": [identities.sha256(text) for text in numbers],
                    "id_no_hash": asking.id_sha256(which),
                    "name_hash": asking.name_sha256(which),
                    "cell_hash": asking.phone_sha256(which),
                    "result_code": told,
                    "mismatch_item": only_where(told == "1", np.array(ITEMS)[item[which]]),
                    "bank_code": only_where(
                        known, np.array([f"B{number + 101}" for number in bank[which].tolist()], dtype=str)
                    ),
                    "bank_name_tier": only_where(
                        known, np.array(TIERS)[np.searchsorted(_TIER_FROM, bank[which], side="right") - 1]
                    ),
                    "card_type": only_where(known, np.array(["debit", "credit", "prepaid"])[kind[which]]),
                    "account_class": only_where(
                        known & (kind[which] == 0), np.array(["", "1", "2", "3"])[account[which]]
                    ),
                    "card_bin": only_where(known, np.array([text[:6] for text in numbers], dtype=str)),
                    "card_area": only_where(known, np.array(CITIES)[city[which]]),
                    "card_age_band": only_where(
                        known, np.array(AGES)[np.searchsorted([3, 12, 36], months[which], side="right")]
                    ),
                    "is_fee": known,
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(np.array([_SEEN[text] for text in CODES])[code], rows)


def _first(group: np.ndarray) -> np.ndarray:
    """For each customer the first customer of the same group."""
    _, first, where = np.unique(group, return_index=True, return_inverse=True)
    return first[where]


SOURCE = Card4()
