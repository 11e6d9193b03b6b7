"""Contracts: the only description of a source.

``read_contracts(folder)`` reads the ODCS files of a workspace into frozen values; :mod:`expectations` makes a
Great Expectations suite of a table, :mod:`pages` a documentation page of a contract.
"""

from bluemirror.contracts.model import (
    DUCKDB_TYPES,
    FEN,
    Contract,
    Field,
    Key,
    Landing,
    Lateness,
    Rule,
    ServiceLevel,
    Table,
    TimeRule,
)
from bluemirror.contracts.read import read_contract, read_contracts

__all__ = [
    "DUCKDB_TYPES",
    "FEN",
    "Contract",
    "Field",
    "Key",
    "Landing",
    "Lateness",
    "Rule",
    "ServiceLevel",
    "Table",
    "TimeRule",
    "read_contract",
    "read_contracts",
]
