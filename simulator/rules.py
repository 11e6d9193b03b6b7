"""What the simulator takes from the contracts: file formats, prices, validity of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

RESULTS = ("hit", "match", "mismatch", "no_hit", "error", "timeout", "cached")


@dataclass(frozen=True)
class SourceRules:
    """Of one source: what its contract tells the one who delivers.

    Parameters
    ----------
    formats, columns
        File formats, and the columns of a line in the contract's order.
    price
        Yuan by result, of every result.
    stated
        The results of which the contract names a price.
    monthly_fee
        Yuan a month, 0 if none.
    valid_days
        Days an answer may be used again.
    every
        Months between deliveries; 0: every day, -1: every week.
    """

    formats: tuple[str, ...]
    columns: tuple[str, ...]
    price: dict[str, float]
    stated: tuple[str, ...]
    monthly_fee: float
    valid_days: int | None
    every: int = 0


def read_rules(workspace: Workspace) -> dict[str, SourceRules]:
    """Rules of every contract in the workspace.

    Raises
    ------
    bluemirror.errors.ContractError
        If a contract cannot be read.
    """
    from bluemirror.contracts import read_contracts

    return {
        source: SourceRules(
            formats=tuple(contract.landing.formats),
            columns=tuple(item.physical or item.name for item in contract.header.fields),
            price={name: contract.price(name) for name in RESULTS},
            stated=tuple(contract.price_by_result),
            monthly_fee=contract.monthly_fee,
            valid_days=contract.answer_valid_days,
            every=_months_between(contract),
        )
        for source, contract in read_contracts(workspace.contracts_dir).items()
    }


def _months_between(contract: Contract) -> int:
    """Whole months that the contract's frequency promises between deliveries; -1: a week; 0: days or less."""
    from bluemirror.contracts.service_levels import UNITS, in_hours

    promised = contract.promised("frequency")
    hours = in_hours(promised) if promised else None
    if hours is None or hours < UNITS["week"]:
        return 0
    return round(hours / UNITS["month"]) or -1
