"""What the simulator takes from the contracts: file formats, prices, validity of answers."""

from __future__ import annotations

from dataclasses import dataclass

from bluemirror.workspace import Workspace

RESULTS = ("hit", "match", "mismatch", "no_hit", "error", "timeout", "cached")


@dataclass(frozen=True)
class SourceRules:
    """Of one source: its file formats, price by result in yuan, and days an answer may be used again."""

    formats: tuple[str, ...]
    price: dict[str, float]
    valid_days: int | None


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
            price={name: contract.price(name) for name in RESULTS},
            valid_days=contract.answer_valid_days,
        )
        for source, contract in read_contracts(workspace.contracts_dir).items()
    }
