"""A batch of people about whom outside sources are asked: applicants before the loan, borrowers during it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from simulator.applications import Applications
    from simulator.companies import Companies
    from simulator.customers import Master
    from simulator.population import Population
    from simulator.world import World


@dataclass(frozen=True)
class Asking:
    """A batch of questions, an entry each; ``n`` entries in all.

    Parameters
    ----------
    world
        Everything that lives; sources read it and keep their own state in ``world.kept[source]``.
    month, wave, stage
        When, which batch of the month, and ``pre`` (an application) or ``mid`` (a look at a borrower).
    source
        Who is asked: names the random numbers.
    cust, device
        Customer and device number.
    at
        When the application came (datetime64[ms]); before the loan the sources are asked a moment later.
    number
        A number of its own for each entry.
    product, amount
        What is applied for, as in :class:`~simulator.applications.Applications`; -1 and 0 during the loan.
    apply_ids
        Ids of the applications; None during the loan.
    screened
        Who passed the bank's first screen: the dear sources are asked for these alone.
    network
        Number of the network that the application came from, see ``simulator.networks``; during the loan, home.
    """

    world: World
    month: int
    wave: str
    stage: str
    cust: np.ndarray
    device: np.ndarray
    at: np.ndarray
    number: np.ndarray
    product: np.ndarray
    amount: np.ndarray
    apply_ids: list[str] | None
    screened: np.ndarray
    network: np.ndarray
    source: str = ""

    @property
    def n(self) -> int:
        """Number of entries."""
        return len(self.cust)

    @property
    def people(self) -> Population:
        """The population."""
        return self.world.people

    @property
    def master(self) -> Master:
        """What the bank has on file."""
        return self.world.master

    @property
    def companies(self) -> Companies:
        """All companies."""
        return self.world.companies

    @property
    def company(self) -> np.ndarray:
        """Company that each customer owns (-1: none)."""
        return self.people.company[self.cust]

    @property
    def for_business(self) -> np.ndarray:
        """Whether a company's owner asks for a business loan (during the loan: owns a company)."""
        return (self.company >= 0) & ((self.product == 4) | (self.stage == "mid"))

    @property
    def behind(self) -> np.ndarray:
        """Who is behind with a loan of the bank at the moment."""
        loan = self.world.loans.loan
        late = np.zeros(self.people.size, bool)
        late[loan["cust"][(loan["oldest"] > 0) & (loan["closed"] == 0)]] = True
        return late[self.cust]

    @property
    def noise(self) -> np.ndarray:
        """What this source mistakes about each customer, for good: spread of ``assume.source_noise``."""
        return self.world.noise(self.source)[self.cust]

    @property
    def drift(self) -> float:
        """How far the source has drifted by now, in units of its own spread."""
        return self.world.drift(self.source, self.month)

    def rng(self, purpose: str = "") -> np.random.Generator:
        """Random numbers of this source, batch and purpose: draw ``(k, n)`` at once."""
        return self.world.streams.of(f"{self.source} {purpose} {self.stage} {self.wave}", self.month)

    def of(self, source: str) -> Asking:
        """The same batch, asked at ``source``."""
        return replace(self, source=source)

    def id_sha256(self, which: np.ndarray) -> pl.Series:
        """Identity numbers of entries ``which``, as SHA-256."""
        return pl.Series(self.master.id_sha256).gather(self.cust[which])

    def id_md5(self, which: np.ndarray) -> pl.Series:
        """Identity numbers of entries ``which``, as MD5."""
        return pl.Series(self.master.id_md5).gather(self.cust[which])

    def id_sm3(self, which: np.ndarray) -> pl.Series:
        """Identity numbers of entries ``which``, as SM3."""
        from simulator import identities

        return pl.Series(
            [identities.sm3(self.people.ids[who]) for who in self.cust[which].tolist()], dtype=pl.String
        )

    def name_sha256(self, which: np.ndarray) -> pl.Series:
        """Names of entries ``which``, as SHA-256."""
        from simulator import identities

        return pl.Series([identities.sha256(self.people.names[who]) for who in self.cust[which].tolist()])

    def phone_sha256(self, which: np.ndarray) -> pl.Series:
        """Phones on file of entries ``which``, as SHA-256."""
        numbers = self.master.phone[self.cust[which]].tolist()
        return pl.Series([self.master.sha256_of_phone(number) for number in numbers], dtype=pl.String)

    def hashed(self, what: str, form: str, which: np.ndarray) -> pl.Series:
        """``id_no``, ``name`` or the ``phone`` on file of entries ``which``, in a vendor's form."""
        from simulator import identities

        who = self.cust[which].tolist()
        texts = {
            "id_no": lambda: (self.people.ids[w] for w in who),
            "name": lambda: (self.people.names[w] for w in who),
            "phone": lambda: map(identities.phone, self.master.phone[self.cust[which]].tolist()),
        }[what]()
        return pl.Series([identities.hashed(text, form) for text in texts], dtype=pl.String)

    def company_sha256(self, which: np.ndarray) -> pl.Series:
        """Codes of the companies of entries ``which``, as SHA-256; null without a company."""
        hashed = self.companies.code_sha256
        return pl.Series(
            [hashed[number] if number >= 0 else None for number in self.company[which].tolist()],
            dtype=pl.String,
        )


def asking_of(
    world: World, apps: Applications, screened: np.ndarray, network: np.ndarray, month: int, wave: int
) -> Asking:
    """The applications of a batch."""
    return Asking(
        world=world, month=month, wave=str(wave), stage="pre", cust=apps.cust, device=apps.device, at=apps.apply_ts,
        number=apps.number, product=apps.product, amount=apps.amount, apply_ids=apps.ids, screened=screened,
        network=network,
    )  # fmt: skip
