"""What the simulator takes from the contracts: file formats, prices, validity of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bluemirror.workspace import Workspace


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
    import yaml

    rules = {}
    for path in sorted(workspace.contracts_dir.glob("*.odcs.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        values = properties(document)
        rules[document["id"]] = SourceRules(
            formats=tuple(values["landing"]["formats"]),
            price={name: float(price) for name, price in values.get("priceByResult", {}).items()},
            valid_days=values.get("answerValidDays"),
        )
    return rules


def properties(document: dict[str, Any]) -> dict[str, Any]:
    """Custom properties of an ODCS node by name."""
    return {entry["property"]: entry["value"] for entry in document.get("customProperties", [])}

