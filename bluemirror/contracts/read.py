"""ODCS contracts read into frozen values, with an error that helps for every way to write one wrongly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from bluemirror.contracts.binding import Binder
from bluemirror.contracts.fields import NAME
from bluemirror.contracts.landing import read_landing
from bluemirror.contracts.model import Contract, Lateness, Table
from bluemirror.contracts.place import Place, choice, custom, listing, load, mapping, number, text
from bluemirror.contracts.service_levels import read_prices, read_service_levels
from bluemirror.contracts.tables import read_table
from bluemirror.errors import ContractError

SUFFIX = ".odcs.yaml"
API_VERSION = "v3.1.0"
STAGES = ("pre", "mid", "post")
POLICIES = ("block", "use_last_good", "go_on")
ODCS_KEYS = (
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "domain",
    "tenant",
    "dataProduct",
    "description",
    "tags",
    "servers",
    "schema",
    "support",
    "price",
    "team",
    "roles",
    "slaDefaultElement",
    "slaProperties",
    "authoritativeDefinitions",
    "customProperties",
    "contractCreatedTs",
)
CUSTOM = (
    "nameZh",
    "stages",
    "legalBasis",
    "authorisation",
    "landing",
    "answerValidDays",
    "lateness",
    "priceByResult",
    "monthlyFee",
)
OPTIONAL = ("answerValidDays", "monthlyFee")
NEEDED = ("apiVersion", "kind", "id", "name", "version", "status", "domain", "description", "schema")


_KNOWN: dict[Path, tuple[bytes, Contract]] = {}
"""File -> (hash of its content, its contract). Contracts are frozen, so one value serves all who ask."""


def read_contracts(folder: str | Path, *, declaring: Collection[str] | None = None) -> dict[str, Contract]:
    """All contracts of a folder by source, in the order of the names.

    Parameters
    ----------
    declaring
        Only the contracts that declare any of these tables (all of them, if no text names one), for one who reads
        the mart and is in a hurry: the others are not read, and the SQL of the rules, which the gate has run, is not
        bound again.

    Raises
    ------
    ContractError
        If the folder is missing or empty, a contract is written wrongly, or two contracts declare one table.
    """
    folder = Path(folder)
    files = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    if not files:
        raise ContractError(
            "there is no contract",
            file=folder,
            rule=f"a workspace has a data_contracts folder with one <source>{SUFFIX} a source",
            fix="add one; bluemirror init DIR makes a workspace with an example",
        )
    if declaring is not None:
        files = _naming(files, declaring) or files
    binder = Binder() if declaring is None else None
    contracts: dict[str, Contract] = {}
    owner: dict[str, Contract] = {}
    for file in files:
        contract = _read(file, binder)
        for i, table in enumerate(contract.tables):
            if table.name in owner:
                place = Place(file, ("schema", i, "name"), ("schema", table.name))
                raise place.fault(
                    f"the table {table.name!r} is declared by {owner[table.name].path.name} too",
                    rule="a table's name is unique in the workspace",
                    fix=f"rename it, for example {contract.source}_{table.name}",
                )
            owner[table.name] = contract
        contracts[contract.source] = contract
    return contracts


def _naming(files: Iterable[Path], names: Collection[str]) -> list[Path]:
    """The files whose text has any of ``names`` as a word: a contract that declares a table is among them."""
    word = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
    return [file for file in files if word.search(file.read_text(encoding="utf-8"))]


def read_contract(file: str | Path, *, any_name: bool = False) -> Contract:
    """One contract.

    Parameters
    ----------
    any_name
        Whether the file may be called otherwise than its source, as an older version laid aside is.

    Raises
    ------
    ContractError
        With file, line, field, rule and fix, for the first thing that is written wrongly.
    """
    return _read(Path(file), Binder(), any_name=any_name)


def _read(file: Path, binder: Binder | None, *, any_name: bool = False) -> Contract:
    """The contract of a file, read anew only if its content has not been read before; remembered if it was bound."""
    mark = hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b""
    known = _KNOWN.get(file)
    if known is not None and known[0] == mark and (any_name or file.name == known[1].source + SUFFIX):
        return known[1]
    contract = _parsed(file, binder, any_name=any_name)
    if binder is not None:
        _KNOWN[file] = mark, contract
    return contract


def _parsed(file: Path, binder: Binder | None, *, any_name: bool) -> Contract:
    value, place = load(file), Place(file)
    mapping(value, place, known=ODCS_KEYS, required=NEEDED, what="a contract")
    choice(value["kind"], place.at("kind"), what="kind", known=("DataContract",))
    choice(value["apiVersion"], place.at("apiVersion"), what="apiVersion", known=(API_VERSION,))
    source = text(value["id"], place.at("id"), what="id", pattern=NAME, example="tax_invoice")
    if file.name != source + SUFFIX and not any_name:
        raise place.fault(
            f"the contract of {source!r} stands in {file.name}",
            of="id",
            rule=f"the file is called by the source: <id>{SUFFIX}",
            fix=f"rename the file to {source}{SUFFIX}, or correct id",
        )
    own = custom(value.get("customProperties"), place, known=CUSTOM, what="a contract")
    for name in CUSTOM:
        if name not in own and name not in OPTIONAL:
            raise place.fault(
                f"the contract does not state {name}",
                rule=f"a contract states {', '.join(n for n in CUSTOM if n not in OPTIONAL)}",
                fix=f"add {{property: {name}, value: ...}} to its customProperties",
            )
    tables, places = _tables(value["schema"], place.at("schema"))
    landing = read_landing(*own["landing"], tables)
    says = mapping(
        value["description"],
        place.at("description"),
        known=("purpose", "limitations", "usage", "authoritativeDefinitions", "customProperties"),
        required=("purpose",),
        what="description",
    )
    contract = Contract(
        source=source,
        version=text(
            value["version"], place.at("version"), what="version", pattern=r"\d+\.\d+\.\d+", example='"1.0.0"'
        ),
        name_en=text(value["name"], place.at("name"), what="name"),
        name_zh=text(*own["nameZh"], what="nameZh"),
        domain=text(value["domain"], place.at("domain"), what="domain"),
        status=choice(
            value["status"],
            place.at("status"),
            what="status",
            known=("proposed", "draft", "active", "deprecated", "retired"),
        ),
        path=file,
        stages=_stages(*own["stages"]),
        legal_basis=text(*own["legalBasis"], what="legalBasis"),
        authorisation=text(*own["authorisation"], what="authorisation"),
        landing=landing,
        lateness=_lateness(*own["lateness"]),
        price_by_result=read_prices(*own["priceByResult"]),
        tables=tables,
        answer_valid_days=_valid_days(own, tables, place),
        sla=read_service_levels(value.get("slaProperties"), place.at("slaProperties")),
        monthly_fee=_monthly_fee(own),
        purpose=says["purpose"],
        limitations=says.get("limitations") or "",
        usage=says.get("usage") or "",
    )
    _check_since(contract, place)
    if binder is not None:
        binder.check(contract, places)
    return contract


def _check_since(contract: Contract, place: Place) -> None:
    """A field cannot have come with a version that is still to come, or with a major version: that one is new."""
    major, now = contract.version.split(".")[0], _order(contract.version)
    for i, table in enumerate(contract.tables):
        for k, field in enumerate(table.fields):
            if field.since and (_order(field.since) > now or field.since.split(".")[0] != major):
                spot = place.at("schema").at(i, table.name).at("properties", "").at(k, field.name)
                raise spot.fault(
                    f"since is {field.since}, the contract is {contract.version}",
                    rule=f"since names a version of {major}.x.y up to the contract's own",
                    fix="correct it, or remove it: every file of this major version has the field",
                )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _tables(value: Any, place: Place) -> tuple[tuple[Table, ...], dict[tuple[str, str], Place]]:
    tables: tuple[Table, ...] = ()
    places: dict[tuple[str, str], Place] = {}
    for i, item in enumerate(listing(value, place, what="schema")):
        table, spots = read_table(item, place.at(i, ""), tables)
        tables = (*tables, table)
        places.update({(table.name, name): spot for name, spot in spots.items()})
    return tables, places


def _stages(value: Any, place: Place) -> tuple[str, ...]:
    return tuple(
        choice(item, place.at(i, ""), what="stage", known=STAGES)
        for i, item in enumerate(listing(value, place, what="stages"))
    )


def _lateness(value: Any, place: Place) -> Lateness:
    mapping(value, place, known=("policy", "afterHours"), required=("policy", "afterHours"), what="lateness")
    policy = choice(value["policy"], place.at("policy"), what="lateness policy", known=POLICIES)
    return Lateness(policy, number(value["afterHours"], place.at("afterHours"), what="afterHours", least=0))


def _valid_days(own: dict[str, tuple[Any, Place]], tables: tuple[Table, ...], place: Place) -> int | None:
    answers = any(table.kind == "answer" for table in tables)
    if "answerValidDays" not in own:
        if answers:
            raise place.fault(
                "the contract does not state answerValidDays",
                rule="a source of answers says for how many days an answer counts",
                fix="add {property: answerValidDays, value: 30} to its customProperties",
            )
        return None
    value, spot = own["answerValidDays"]
    if not answers:
        raise spot.fault(
            "answerValidDays without an answer table",
            rule="only answers grow old",
            fix="remove it, or write kind: answer",
        )
    return int(number(value, spot, what="answerValidDays", least=1, whole=True))


def _monthly_fee(own: dict[str, tuple[Any, Place]]) -> float:
    if "monthlyFee" not in own:
        return 0.0
    return float(number(*own["monthlyFee"], what="monthlyFee", least=0))
