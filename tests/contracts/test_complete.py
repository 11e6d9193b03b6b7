"""Every committed contract is complete: nothing that a reader, a buyer, a lawyer or a desk asks is left open.

What the language itself insists on (kind, times, stages, legal basis ...) is tested in ``test_mistakes``; here stands
what a contract could leave out and still be read. One test a contract, so that a new one is held to it unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluemirror.contracts import Contract, Field, read_contract
from bluemirror.contracts.service_levels import RESPONSE

FOLDER = Path(__file__).resolve().parents[2] / "data_contracts"
FILES = sorted(FOLDER.glob("*.odcs.yaml"))
UNFINISHED: set[str] = set()
"""Being completed; strict, so that a finished one leaves this list."""
UNITS = {
    *("count", "score", "ratio", "percent", "index", "level", "rank"),
    *("yuan", "yuan/m2", "yuan/day", "yuan/month"),
    *("ms", "second", "minute", "hour", "day", "week", "month", "year"),
    *(
        "metre",
        "km",
        "m2",
        "mu",
        "ha",
        "degree",
        "px",
        "dBm",
        "kWh",
        "m3",
        "kg",
        "t",
        "MB",
        "GB",
        "km/h",
        "mg/L",
    ),
}
"""What a number counts or is measured in; a new unit is added here, so that no source spells an old one anew."""
HASH_LENGTH = {"md5": 32, "sha1": 40, "sha256": 64, "sm3": 64}
IDENTITY = re.compile(
    r"(^|_)(id_?no|phone|cell|mobile|card|card_no|e?mail|addr|address|name|employer|owner|contact|imei|mac|oaid|plate)"
    r"(_hash|_md5|_sha256|_sm3|_no)?$"
)
"""Names of fields that sound like somebody's identity."""
CODED = re.compile(r"(^|_)(type|status|result|level|grade|band|kind|code|class|category|stage|channel)$")
"""Names of fields that sound like a list of codes."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _labels(field: Field) -> Iterator[str]:
    if not CHINESE.search(field.label_zh) and not re.fullmatch(r"[A-Z0-9]{2,10}", field.label_zh):
        yield f"nameZh {field.label_zh!r} is not Chinese"
    if CHINESE.search(field.label_en):
        yield f"description {field.label_en!r} is not English"
    for code, meaning in (field.codes or {}).items():
        zh, slash, en = meaning.partition(" / ")
        both = slash and zh.strip() and en.strip() and not CHINESE.search(en)
        # What is the same word in both languages (5G, VPN) is written once.
        if not both and (CHINESE.search(meaning) or len(meaning) > 10):
            yield f"code {code}: {meaning!r} is not written as: Chinese / English"


def _value(field: Field) -> Iterator[str]:
    if field.type in {"int", "float", "amount"} and field.unit not in UNITS:
        yield f"a number in {field.unit!r}; a unit is one of {', '.join(sorted(UNITS))} (count, if it counts)"
    if field.type == "amount" and field.unit != "yuan":
        yield f"an amount in {field.unit!r}, not in yuan as files carry it"
    bounded = field.codes or field.pattern or field.key or field.max_length
    if field.type == "string" and CODED.search(field.name) and not bounded:
        yield "sounds like a code and has neither codes nor a pattern nor maxLength"
    if field.key and field.key.form != "plain":
        size = HASH_LENGTH[field.key.form]
        fits = [
            re.search(field.pattern or "", "0" * length) is not None for length in (size - 1, size, size + 1)
        ]
        if fits != [False, True, False]:
            yield f'a hash without logicalTypeOptions: {{pattern: "^[0-9a-f]{{{size}}}$"}}'


def _personal(field: Field) -> Iterator[str]:
    stated = field.key or field.drop or field.classification
    if field.type == "string" and not field.codes and IDENTITY.search(field.name) and not stated:
        yield "sounds like somebody's identity: give it a key, drop it, or state its classification"
    if field.classification == "sensitive" and not (field.key or field.drop):
        yield "sensitive, and neither keyed nor dropped"
    text = field.type == "string" and not field.codes
    if field.classification == "personal" and text and not (field.key or field.drop):
        yield "a personal text that is neither keyed nor dropped would stand raw in the mart"


def _source(contract: Contract) -> Iterator[str]:
    if not CHINESE.search(contract.name_zh) or CHINESE.search(contract.name_en):
        yield "it has no name in both languages"
    for what in ("purpose", "limitations", "usage", "legal_basis", "authorisation"):
        if len(getattr(contract, what)) < 12:
            yield f"{what} says too little"
    missing = {"no_hit", "error", "cached"} - contract.price_by_result.keys()
    if missing:
        yield f"priceByResult leaves out {', '.join(sorted(missing))}"
    wanted = ["latency", "frequency"]
    if contract.header.kind == "answer" or contract.price("hit"):  # asked call by call
        wanted += [*RESPONSE, "hitRate", "errorRate"]
    for name in wanted:
        if contract.promised(name) is None:
            yield f"slaProperties leave out {name}"
    rules = [(table.name, rule) for table in contract.tables for rule in table.rules]
    if not any(rule.severity == "error" for _, rule in rules):
        yield "no quality rule of severity error beyond the types"
    for table, rule in rules:
        if not rule.dimension or (rule.kind in {"sql", "document_sql"} and not rule.note):
            yield f"the rule {table}.{rule.name} has no dimension or no description"
    if contract.verifies and not (contract.header.hit and len(contract.header.hit[1]) > 1):
        yield "it prices match and mismatch, but its header does not say that both are hits"


def _source_files() -> list[object]:
    marked = pytest.mark.xfail(reason="being completed", strict=True)
    names = [(file, file.name.split(".")[0]) for file in FILES]
    return [pytest.param(f, id=name, marks=[marked] if name in UNFINISHED else []) for f, name in names]


@pytest.mark.parametrize("file", _source_files())
def test_nothing_is_left_open(file: Path) -> None:
    contract = read_contract(file)
    left = [f"{contract.source}: {text}" for text in _source(contract)]
    for table in contract.tables:
        for field in table.fields:
            texts = [*_labels(field), *_value(field), *_personal(field)]
            left += [f"{table.name}.{field.name}: {text}" for text in texts]
    assert not left, "\n" + "\n".join(left)
