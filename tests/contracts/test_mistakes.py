"""One test for each way to write a contract wrongly: the error says what is wrong, where, and what to write."""

from __future__ import annotations

import copy
import re

import pytest
import yaml

from bluemirror.contracts import read_contract, read_contracts
from bluemirror.contracts.service_levels import in_hours
from bluemirror.errors import ContractError
from tests.contracts.shop import GOOD, child, drop, field, header, level, own, put, rule, write

MISTAKES = {
    # the contract
    "another version of the standard": (
        lambda c: c.update(apiVersion="v2.2.0"),
        r"unknown apiVersion 'v2.2.0'.*v3\.1\.0",
    ),
    "no version": (lambda c: c.pop("apiVersion"), "a contract has no apiVersion"),
    "another kind of document": (lambda c: c.update(kind="DataProduct"), "unknown kind 'DataProduct'"),
    "unknown key": (
        lambda c: c.update(shema=c.pop("schema")),
        "unknown key 'shema' in a contract.*write 'schema'",
    ),
    "id is not the file": (lambda c: c.update(id="store"), r"stands in shop\.odcs\.yaml.*store\.odcs\.yaml"),
    "version is a number": (lambda c: c.update(version=1.0), "version is a number.*not text.*in quotes"),
    "version has no three parts": (lambda c: c.update(version="1.0"), "version is '1.0'.*1.0.0"),
    "unknown status": (lambda c: c.update(status="activ"), "unknown status 'activ'.*write 'active'"),
    "no purpose": (lambda c: c.update(description={"usage": "x"}), "description has no purpose"),
    "unknown custom property": (
        lambda c: c["customProperties"].append({"property": "legalBase", "value": 1}),
        "unknown custom property 'legalBase'.*write 'legalBasis'",
    ),
    "custom property twice": (
        lambda c: c["customProperties"].append({"property": "nameZh", "value": "x"}),
        "nameZh is stated twice",
    ),
    "custom property without value": (lambda c: own(c, "nameZh").pop("value"), "nameZh has no value"),
    "no legal basis": (lambda c: drop(c, "legalBasis"), "does not state legalBasis"),
    "unknown stage": (lambda c: put(c, "stages", ["pre", "late"]), "unknown stage 'late'.*mid, post, pre"),
    "no stage": (lambda c: put(c, "stages", []), "stages is empty.*at least one"),
    "unknown format": (
        lambda c: put(c, "landing", {"formats": ["jsonlines"], "complete": "x"}),
        "unknown format.*write 'jsonl'",
    ),
    "flat format, nested table": (
        lambda c: put(c, "landing", {"formats": ["csv"], "complete": "x"}),
        "csv files cannot carry the nested table 'shop_item'",
    ),
    "nothing completes a delivery": (
        lambda c: put(c, "landing", {"formats": ["jsonl"]}),
        "landing has no complete",
    ),
    "unknown lateness": (
        lambda c: put(c, "lateness", {"policy": "goon", "afterHours": 1}),
        "unknown lateness policy 'goon'.*write 'go_on'",
    ),
    "price in words": (
        lambda c: put(c, "priceByResult", {"hit": "0.5 yuan"}),
        "price of hit is text.*is a number",
    ),
    "no price of an answer": (
        lambda c: put(c, "priceByResult", {"no_hit": 0}),
        "no price of an answer.*hit or, if it verifies.*write hit: 0.5, or match",
    ),
    "a record and a verdict priced": (
        lambda c: put(c, "priceByResult", {"hit": 1, "match": 1, "mismatch": 1}),
        "priceByResult has hit and match and mismatch",
    ),
    "half a verdict priced": (
        lambda c: put(c, "priceByResult", {"match": 1, "no_hit": 0}),
        "priceByResult has match.*match and mismatch",
    ),
    "a negative fee": (lambda c: put(c, "monthlyFee", -5), "monthlyFee is a number.*at least 0"),
    "a fee in words": (lambda c: put(c, "monthlyFee", "5 yuan"), "monthlyFee is text.*a number"),
    "unknown service level": (
        lambda c: level(c, "latencey", 1, unit="d"),
        "unknown service level 'latencey'.*write 'latency'",
    ),
    "a service level twice": (lambda c: level(c, "latency", 2, unit="d"), "latency is promised twice"),
    "a time without a unit": (lambda c: level(c, "frequency", 1), "frequency has no unit.*unit: d"),
    "minutes or months": (
        lambda c: level(c, "frequency", 1, unit="m"),
        "unknown unit of time 'm'.*one of: d, day",
    ),
    "every nothing": (lambda c: level(c, "frequency", 0, unit="d"), "frequency is 0"),
    "a share in percent": (
        lambda c: level(c, "hitRate", 60, valueExt=98),
        "hitRate is 60.*write 0.98 for 98 percent",
    ),
    "a share with a unit": (lambda c: level(c, "errorRate", 1, unit="percent"), "errorRate with a unit"),
    "a band with one edge": (lambda c: level(c, "hitRate", 0.6), "hitRate has one edge.*add valueExt"),
    "a band upside down": (
        lambda c: level(c, "hitRate", 0.9, valueExt=0.6),
        "between 0.9 and 0.6.*exchange them",
    ),
    "a band of something else": (
        lambda c: level(c, "errorRate", 0.1, valueExt=0.6),
        "errorRate has two values",
    ),
    "a response time alone": (
        lambda c: level(c, "responseTimeP99", 900, unit="ms"),
        "responseTimeP99 stands alone",
    ),
    "response times in seconds": (
        lambda c: [level(c, "responseTimeP50", 1, unit="s"), level(c, "responseTimeP99", 2, unit="s")],
        "responseTimeP50 in s.*in ms, as the call ledger",
    ),
    "response times upside down": (
        lambda c: [level(c, "responseTimeP50", 900, unit="ms"), level(c, "responseTimeP99", 200, unit="ms")],
        "responseTimeP50 900 ms is above responseTimeP99 200 ms",
    ),
    "since a version to come": (
        lambda c: put(field(c, "spent"), "since", "1.1.0"),
        "since is 1.1.0, the contract is 1.0.0",
    ),
    "since no version": (lambda c: put(field(c, "spent"), "since", "June"), "since is 'June'.*write it like"),
    "since a major version": (
        lambda c: [c.update(version="2.1.0"), put(field(c, "spent"), "since", "1.1.0")],
        "since is 1.1.0, the contract is 2.1.0",
    ),
    "required since": (
        lambda c: put(field(c, "found"), "since", "1.0.0"),
        "a required field states since.*it is optional",
    ),
    "negative price": (lambda c: put(c, "priceByResult", {"hit": -1}), "price of hit.*at least 0"),
    "price of an unknown result": (
        lambda c: put(c, "priceByResult", {"hit": 1, "nohit": 0}),
        "unknown key 'nohit'.*write 'no_hit'",
    ),
    "answers without valid days": (lambda c: drop(c, "answerValidDays"), "does not state answerValidDays"),
    "half a valid day": (lambda c: put(c, "answerValidDays", 0.5), "answerValidDays.*whole number"),
    "service level without value": (
        lambda c: c["slaProperties"][0].pop("value"),
        "a service level has no value",
    ),
    "no table": (lambda c: c.update(schema=[]), "schema is empty"),
    # tables
    "no kind": (lambda c: drop(header(c), "kind"), "'shop' has no kind.*event, answer or state"),
    "unknown kind of table": (lambda c: put(header(c), "kind", "fact"), "unknown kind 'fact'"),
    "table's name": (lambda c: header(c).update(name="Shop"), "table's name is 'Shop'"),
    "table twice": (lambda c: child(c).update(name="shop"), "'shop' is declared twice"),
    "unknown parent": (lambda c: put(child(c), "parent", "shopp"), "unknown parent 'shopp'.*write 'shop'"),
    "second table without parent": (
        lambda c: drop(child(c), "parent"),
        "has no parent, but 'shop' stands before",
    ),
    "child of another kind": (
        lambda c: put(child(c), "kind", "event"),
        "of kind event, its parent of kind answer",
    ),
    "child does not repeat": (lambda c: put(child(c), "path", "items"), "does not lead on.*marks the step"),
    "broken path": (lambda c: put(child(c), "path", "items[0]"), "path is 'items\\[0\\]'"),
    "no event time": (lambda c: drop(header(c), "eventTime"), "has no eventTime"),
    "no known time": (lambda c: drop(header(c), "knownTime"), "has no knownTime"),
    "child knows another time": (
        lambda c: put(child(c), "knownTime", {"field": "day"}),
        "child table states knownTime",
    ),
    "time of an unknown field": (
        lambda c: put(header(c), "eventTime", {"field": "reported_ts"}),
        "unknown field 'reported_ts'.*write 'report_ts'",
    ),
    "time of a text": (
        lambda c: put(header(c), "eventTime", {"field": "req_id"}),
        "req_id is of type string, no time",
    ),
    "time that may be empty": (
        lambda c: field(c, "report_ts").update(required=False),
        "report_ts may be empty",
    ),
    "end of a timestamp": (
        lambda c: put(header(c), "eventTime", {"field": "report_ts", "at": "end"}),
        "timestamp and has no start or end",
    ),
    "unknown end of a day": (
        lambda c: put(child(c), "eventTime", {"field": "day", "at": "noon"}),
        "unknown at 'noon'",
    ),
    "days before": (
        lambda c: put(header(c), "knownTime", {"field": "report_ts", "plusDays": -1}),
        "plusDays.*at least 0",
    ),
    "two times in one": (
        lambda c: put(header(c), "knownTime", {"field": "report_ts", "rule": "delivery"}),
        "either a field or a rule",
    ),
    "unknown time rule": (
        lambda c: put(header(c), "knownTime", {"rule": "arrival"}),
        "unknown rule 'arrival'.*delivery",
    ),
    "known ahead": (
        lambda c: put(header(c), "knownTime", {"field": "report_ts", "ahead": True}),
        "unknown key 'ahead' in a time rule",
    ),
    "ahead is text": (
        lambda c: put(child(c), "eventTime", {"field": "day", "ahead": "yes"}),
        "ahead is text",
    ),
    "no business key": (lambda c: field(c, "req_id").pop("primaryKey"), "no business key"),
    "tombstone on an answer": (
        lambda c: put(header(c), "tombstone", {"field": "found", "value": "0"}),
        "a tombstone on an answer",
    ),
    "valid-to on an answer": (
        lambda c: put(header(c), "validTo", "report_ts"),
        "validTo on a table of kind answer",
    ),
    "hit below the header": (
        lambda c: put(child(c), "hit", {"field": "day", "yes": ["1"]}),
        "no answer's header",
    ),
    "hit of an unknown field": (
        lambda c: put(header(c), "hit", {"field": "hit", "yes": ["1"]}),
        "unknown field 'hit'",
    ),
    "hit of an unknown code": (
        lambda c: put(header(c), "hit", {"field": "found", "yes": ["2"]}),
        "unknown code of found '2'",
    ),
    "hit of a number": (
        lambda c: put(header(c), "hit", {"field": "found", "yes": [1]}),
        "the value is a number",
    ),
    # fields
    "no type": (lambda c: field(c, "day").pop("logicalType"), "a field has no logicalType"),
    "unknown type": (
        lambda c: field(c, "found").update(logicalType="str"),
        "unknown logicalType 'str'.*write 'string'",
    ),
    "types that do not agree": (
        lambda c: field(c, "day").update(physicalType="amount"),
        "physicalType 'amount' does not go with logicalType 'date'.*month",
    ),
    "unknown physical type": (
        lambda c: field(c, "spent").update(physicalType="money"),
        "'money' does not go.*amount",
    ),
    "no English label": (lambda c: field(c, "day").pop("description"), "a field has no description"),
    "no Chinese label": (lambda c: drop(field(c, "day"), "nameZh"), "a field has no Chinese name"),
    "field's name": (lambda c: field(c, "day").update(name="Day"), "field's name is 'Day'"),
    "name of the platform's own": (
        lambda c: field(c, "spent").update(name="event_time"),
        "'event_time' is a name of the platform",
    ),
    "field twice": (
        lambda c: header(c)["properties"].append(copy.deepcopy(field(c, "found"))),
        "column 'found' is declared twice",
    ),
    "two fields read one": (
        lambda c: field(c, "spent").update(physicalName="found"),
        "spent and found read the same 'found'",
    ),
    "repeating step in a field": (
        lambda c: field(c, "spent").update(physicalName="a[]/b"),
        "physicalName is 'a\\[\\]/b'",
    ),
    "required is text": (lambda c: field(c, "day").update(required="yes"), "required is text.*true or false"),
    "unknown option": (
        lambda c: field(c, "spent").update(logicalTypeOptions={"min": 0}),
        "unknown key 'min'.*write 'minimum'",
    ),
    "bounds of a text": (
        lambda c: field(c, "req_id").update(logicalTypeOptions={"minimum": 0}),
        "minimum does not go with.*string",
    ),
    "pattern of a number": (
        lambda c: field(c, "spent").update(logicalTypeOptions={"pattern": "x"}),
        "pattern does not go with.*amount",
    ),
    "pattern is broken": (
        lambda c: field(c, "req_id").update(logicalTypeOptions={"pattern": "("}),
        "no regular expression",
    ),
    "bounds exchanged": (
        lambda c: field(c, "spent").update(logicalTypeOptions={"minimum": 2, "maximum": 1}),
        "minimum 2 is above maximum 1",
    ),
    "unknown class": (
        lambda c: field(c, "phone").update(classification="private"),
        "unknown classification 'private'",
    ),
    "codes is a list": (lambda c: put(field(c, "found"), "codes", ["1", "0"]), "codes is not a mapping"),
    "codes is empty": (
        lambda c: put(field(c, "found"), "codes", {}),
        "codes is not a mapping of at least one",
    ),
    "a code is a number": (
        lambda c: put(field(c, "found"), "codes", {1: "yes"}),
        "the code 1 is not text.*in quotes",
    ),
    "a code without meaning": (lambda c: put(field(c, "found"), "codes", {"1": ""}), "'1' has no meaning"),
    "codes of a date": (lambda c: put(field(c, "day"), "codes", {"1": "x"}), "codes on a field of type date"),
    "unknown entity": (
        lambda c: put(field(c, "phone"), "key", {"entity": "fone", "form": "md5"}),
        "unknown entity 'fone'.*write 'phone'",
    ),
    "unknown key form": (
        lambda c: put(field(c, "phone"), "key", {"entity": "phone", "form": "md-5"}),
        "unknown key form 'md-5'.*write 'md5'",
    ),
    "forms of a hash": (
        lambda c: put(
            field(c, "phone"), "key", {"entity": "phone", "form": "md5", "forms": ["md5", "sha256"]}
        ),
        "sent as md5 cannot be brought into other forms",
    ),
    "a form twice": (
        lambda c: put(
            field(c, "phone"), "key", {"entity": "phone", "form": "plain", "forms": ["md5", "md5"]}
        ),
        "a form is listed twice",
    ),
    "a key without class": (
        lambda c: field(c, "phone").pop("classification"),
        "a key without a personal-data class",
    ),
    "key and codes": (lambda c: put(field(c, "phone"), "codes", {"1": "x"}), "both key and codes"),
    "key never stored": (lambda c: put(field(c, "phone"), "drop", True), "never stored is used as a key"),
    "a form is a column already": (
        lambda c: (
            put(field(c, "phone"), "key", {"entity": "phone", "form": "plain", "forms": ["md5"]}),
            field(c, "spent").update(name="phone_md5"),
        ),
        "the column 'phone_md5' is declared twice",
    ),
    # rules
    "no severity": (lambda c: rule(c).pop("severity"), "a rule has no severity"),
    "unknown severity": (lambda c: rule(c).update(severity="fatal"), "unknown severity 'fatal'"),
    "unknown dimension": (
        lambda c: rule(c).update(dimension="consistent"),
        "unknown dimension.*write 'consistency'",
    ),
    "unknown type of rule": (lambda c: rule(c).update(type="sql"), "unknown type of quality rule 'sql'"),
    "another engine": (lambda c: rule(c).update(engine="soda"), "unknown engine 'soda'"),
    "rule without SQL": (lambda c: rule(c).pop("implementation"), "a custom rule has no implementation"),
    "SQL that does not parse": (
        lambda c: rule(c).update(implementation="spent >"),
        "is no condition on a row of shop: Parser Error",
    ),
    "SQL with an unknown column": (
        lambda c: rule(c).update(implementation="spend > 0"),
        'is no condition.*"spend" not found',
    ),
    "SQL that is no condition": (
        lambda c: rule(c).update(implementation="spent + 1"),
        "of type BIGINT, not true or false",
    ),
    "SQL over two types": (
        lambda c: rule(c).update(implementation="report_ts > 5"),
        "is no condition.*Binder Error",
    ),
    "rule over a dropped field": (
        lambda c: child(c)["quality"][0].update(implementation="note is null"),
        'is no condition.*"note" not found',
    ),
    "document rule without _doc": (
        lambda c: rule(c).update(
            implementation="SELECT req_id FROM shop",
            customProperties=[{"property": "scope", "value": "document"}],
        ),
        'is no query for documents.*"_doc" not found',
    ),
    "document rule over a foreign table": (
        lambda c: rule(c).update(
            implementation="SELECT _doc FROM shops",
            customProperties=[{"property": "scope", "value": "document"}],
        ),
        "is no query for documents.*shops",
    ),
    "unknown scope": (
        lambda c: rule(c).update(customProperties=[{"property": "scope", "value": "file"}]),
        "unknown scope 'file'",
    ),
    "a rule's name twice": (
        lambda c: header(c)["quality"].append(copy.deepcopy(rule(c))),
        "'found_spends' stands twice",
    ),
    "unknown metric": (
        lambda c: header(c).update(quality=[{"metric": "rowcount", "severity": "error", "mustBe": 1}]),
        "unknown metric 'rowcount'.*write 'rowCount'",
    ),
    "metric without a condition": (
        lambda c: header(c).update(quality=[{"metric": "rowCount", "severity": "error"}]),
        "a library rule has 0 conditions",
    ),
    "metric with a tolerance": (
        lambda c: field(c, "spent").update(
            quality=[{"metric": "nullValues", "severity": "error", "mustBe": 3}]
        ),
        "nullValues with a tolerance",
    ),
    "duplicates of an unknown field": (
        lambda c: header(c).update(
            quality=[
                {
                    "metric": "duplicateValues",
                    "severity": "error",
                    "mustBe": 0,
                    "arguments": {"properties": ["reqid"]},
                }
            ]
        ),
        "unknown field 'reqid'.*write 'req_id'",
    ),
    "invalid without a list": (
        lambda c: field(c, "spent").update(
            quality=[{"metric": "invalidValues", "severity": "error", "mustBe": 0}]
        ),
        "validValues is missing",
    ),
}


def test_yes_and_no_are_words(tmp_path):
    """YAML 1.1 would read them as true and false."""
    good = copy.deepcopy(GOOD)
    header(good).pop("quality")
    text = (
        yaml.safe_dump(good, allow_unicode=True)
        .replace("'1'", "yes")
        .replace("'0'", "no")
        .replace("'yes':", "yes:")
    )
    contract = read_contract(write(tmp_path, text))
    assert contract.header.hit == ("found", ("yes",))
    assert list(contract.header.field("found").codes) == ["no", "yes"]


def test_the_good_one_reads(tmp_path):
    contract = read_contract(write(tmp_path, GOOD))
    assert contract.source == "shop"
    assert contract.header.hit == ("found", ("1",))
    assert [r.name for t in contract.tables for r in t.rules] == ["found_spends", "not_later"]


def test_what_was_promised_and_what_it_costs(tmp_path):
    good = copy.deepcopy(GOOD)
    level(good, "responseTimeP50", 250, unit="ms")
    level(good, "responseTimeP99", 1500, unit="ms")
    level(good, "hitRate", 0.6, valueExt=0.75)
    level(good, "retention", 2, unit="years")
    put(good, "priceByResult", {"match": 0.3, "mismatch": 0.2, "no_hit": 0, "error": 0.01})
    put(good, "monthlyFee", 5000)
    contract = read_contract(write(tmp_path, good))
    assert contract.promised("responseTimeP99").value == 1500
    assert (contract.promised("hitRate").value, contract.promised("hitRate").upper) == (0.6, 0.75)
    assert contract.promised("errorRate") is None
    assert in_hours(contract.promised("latency")) == 24
    assert in_hours(contract.promised("retention")) == 2 * 366 * 24
    assert in_hours(contract.promised("hitRate")) is None
    assert contract.verifies
    assert contract.monthly_fee == 5000
    prices = {result: contract.price(result) for result in ("hit", "match", "mismatch", "no_hit", "timeout")}
    assert prices == {"hit": 0.3, "match": 0.3, "mismatch": 0.2, "no_hit": 0, "timeout": 0.01}


def test_a_source_of_records_prices_its_hits(tmp_path):
    contract = read_contract(write(tmp_path, GOOD))
    assert not contract.verifies
    assert contract.monthly_fee == 0
    assert [contract.price(result) for result in ("hit", "match", "cached", "timeout")] == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, tmp_path):
    break_it, expected = MISTAKES[name]
    contract = copy.deepcopy(GOOD)
    break_it(contract)
    with pytest.raises(ContractError) as caught:
        read_contract(write(tmp_path, contract))
    text = str(caught.value)
    assert re.search(expected, text, re.DOTALL), text
    assert re.search(r"shop\.odcs\.yaml, line \d+", text), text
    assert caught.value.rule
    assert caught.value.fix


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: [1\nb: 2\n", r"not readable as YAML.*line 2|line 3"),
        ("id: shop\nid: shop\n", r"the key 'id' is written twice"),
        ("- 1\n- 2\n", "a contract is a list"),
        ("", "a contract is missing"),
        ("a:\n\t- b", "not readable as YAML: found character"),
    ],
)
def test_not_a_contract_at_all(content, expected, tmp_path):
    with pytest.raises(ContractError, match="(?s)" + expected):
        read_contract(write(tmp_path, content))


def test_not_utf8(tmp_path):
    file = tmp_path / "shop.odcs.yaml"
    file.write_bytes("name: 商店".encode("gbk"))
    with pytest.raises(ContractError, match="cannot be read: UnicodeDecodeError"):
        read_contract(file)


def test_no_file(tmp_path):
    with pytest.raises(ContractError, match="cannot be read: FileNotFoundError"):
        read_contract(tmp_path / "shop.odcs.yaml")


def test_no_folder(tmp_path):
    with pytest.raises(ContractError, match=r"(?s)there is no contract.*data_contracts"):
        read_contracts(tmp_path / "data_contracts")


def test_two_contracts_with_one_table(tmp_path):
    write(tmp_path, GOOD)
    other = copy.deepcopy(GOOD)
    other["id"] = "store"
    write(tmp_path, other, "store")
    with pytest.raises(
        ContractError,
        match=r"(?s)'shop' is declared by shop\.odcs\.yaml too.*rename it, for example store_shop",
    ):
        read_contracts(tmp_path)


def test_the_line_is_the_mistakes_own(tmp_path):
    text = yaml.safe_dump(GOOD, allow_unicode=True).replace("entity: phone", "entity: fone")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "entity: fone" in row)
    with pytest.raises(ContractError) as caught:
        read_contract(write(tmp_path, text))
    assert caught.value.file.endswith(f"line {line}")
    assert caught.value.field == "schema.shop.properties.phone.customProperties.key.entity".replace(
        ".properties.", "."
    ).replace(".customProperties.", ".")
