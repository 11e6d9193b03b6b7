"""ODCS contracts read into frozen values, with an error that helps for every way to write one wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bluemirror.contracts.binding import Binder
from bluemirror.contracts.fields import NAME
from bluemirror.contracts.model import Contract, Landing, Lateness, ServiceLevel, Table
from bluemirror.contracts.place import Place, choice, custom, listing, load, mapping, number, text
from bluemirror.contracts.tables import read_table
from bluemirror.errors import ContractError

SUFFIX = ".odcs.yaml"
API_VERSION = "v3.1.0"
STAGES = ("pre", "mid", "post")
FORMATS = ("csv", "json", "jsonl", "parquet", "xml")
NESTED_FORMATS = ("json", "jsonl", "xml")
POLICIES = ("block", "use_last_good", "go_on")
RESULTS = ("hit", "no_hit", "error", "timeout", "cached")
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
)
NEEDED = ("apiVersion", "kind", "id", "name", "version", "status", "domain", "description", "schema")


def read_contracts(folder: str | Path) -> dict[str, Contract]:
    """All contracts of a folder by source, in the order of the names.

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
    binder = Binder()
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


def read_contract(file: str | Path) -> Contract:
    """One contract.

    Raises
    ------
    ContractError
        With file, line, field, rule and fix, for the first thing that is written wrongly.
    """
    return _read(Path(file), Binder())


def _read(file: Path, binder: Binder) -> Contract:
    value, place = load(file), Place(file)
    mapping(value, place, known=ODCS_KEYS, required=NEEDED, what="a contract")
    choice(value["kind"], place.at("kind"), what="kind", known=("DataContract",))
    choice(value["apiVersion"], place.at("apiVersion"), what="apiVersion", known=(API_VERSION,))
    source = text(value["id"], place.at("id"), what="id", pattern=NAME, example="tax_invoice")
    if file.name != source + SUFFIX:
        raise place.fault(
            f"the contract of {source!r} stands in {file.name}",
            of="id",
            rule=f"the file is called by the source: <id>{SUFFIX}",
            fix=f"rename the file to {source}{SUFFIX}, or correct id",
        )
    own = custom(value.get("customProperties"), place, known=CUSTOM, what="a contract")
    for name in CUSTOM:
        if name not in own and name != "answerValidDays":
            raise place.fault(
                f"the contract does not state {name}",
                rule=f"a contract states {', '.join(n for n in CUSTOM if n != 'answerValidDays')}",
                fix=f"add {{property: {name}, value: ...}} to its customProperties",
            )
    tables, places = _tables(value["schema"], place.at("schema"))
    landing = _landing(*own["landing"], tables)
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
        price_by_result=_prices(*own["priceByResult"]),
        tables=tables,
        answer_valid_days=_valid_days(own, tables, place),
        sla=_service_levels(value.get("slaProperties"), place.at("slaProperties")),
        purpose=says["purpose"],
        limitations=says.get("limitations") or "",
        usage=says.get("usage") or "",
    )
    binder.check(contract, places)
    return contract


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


def _landing(value: Any, place: Place, tables: tuple[Table, ...]) -> Landing:
    mapping(value, place, known=("formats", "complete"), required=("formats", "complete"), what="landing")
    formats = listing(value["formats"], place.at("formats"), what="formats")
    nested = [table.name for table in tables if "[]" in table.path]
    for i, item in enumerate(formats):
        choice(item, place.at("formats").at(i, ""), what="format", known=FORMATS)
        if nested and item not in NESTED_FORMATS:
            raise place.fault(
                f"{item} files cannot carry the nested table {nested[0]!r}",
                of="formats",
                rule=f"tables that repeat within a record need one of {', '.join(NESTED_FORMATS)}",
                fix="write another format, or make the table a source of its own",
            )
    return Landing(tuple(formats), text(value["complete"], place.at("complete"), what="complete"))


def _lateness(value: Any, place: Place) -> Lateness:
    mapping(value, place, known=("policy", "afterHours"), required=("policy", "afterHours"), what="lateness")
    policy = choice(value["policy"], place.at("policy"), what="lateness policy", known=POLICIES)
    return Lateness(policy, number(value["afterHours"], place.at("afterHours"), what="afterHours", least=0))


def _prices(value: Any, place: Place) -> dict[str, float]:
    mapping(value, place, known=RESULTS, required=("hit",), what="priceByResult")
    return {
        name: float(number(price, place.at(name), what=f"the price of {name}", least=0))
        for name, price in value.items()
    }


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


def _service_levels(value: Any, place: Place) -> tuple[ServiceLevel, ...]:
    levels = []
    for i, item in enumerate(
        listing(value if value is not None else [], place, what="slaProperties", empty=True)
    ):
        spot = place.at(i, "")
        known = ("id", "property", "value", "valueExt", "unit", "element", "driver", "description")
        mapping(item, spot, known=known, required=("property", "value"), what="a service level")
        levels.append(
            ServiceLevel(
                text(item["property"], spot.at("property"), what="property"), item["value"], item.get("unit")
            )
        )
    return tuple(levels)
