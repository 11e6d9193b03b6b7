"""What breaks and what does not: one line for each way to change a contract."""

from __future__ import annotations

import copy
import json

import pytest

from bluemirror.contracts import read_contract, read_contracts
from bluemirror.contracts.change import raised
from bluemirror.contracts.changes import compare
from bluemirror.contracts.compiled import compiled, fingerprint, from_compiled
from bluemirror.errors import ContractError
from tests.contracts.shop import GOOD, child, drop, field, header, own, put, rule, write
from tests.contracts.test_committed import FOLDER

BREAKING, COMPATIBLE, WORDING = "breaking", "compatible", "wording"


def options(c, name, **values):
    field(c, name).setdefault("logicalTypeOptions", {}).update(values)


def add(c, name, **more):
    header(c)["properties"].append(
        {
            "name": name,
            "logicalType": "string",
            "description": "new",
            "customProperties": [{"property": "nameZh", "value": "新"}],
            **more,
        }
    )


def flat(c):
    """The header alone, from files with a header line."""
    c["schema"].pop()
    put(c, "landing", {"formats": ["csv"], "complete": "_DONE.json"})


def item(name, values):
    """A quality rule of severity error."""
    return {
        "type": "custom",
        "engine": "bluemirror",
        "severity": "error",
        "dimension": "accuracy",
        "name": name,
        "implementation": "true",
        **values,
    }


CHANGES = {
    # fields
    "renamed, the same label": (
        lambda c: field(c, "paid").update(name="outlay"),
        (BREAKING, "shop.paid", "field renamed"),
    ),
    "renamed, the same place in the file": (
        lambda c: field(c, "paid").update(name="zz", physicalName="paid", description="sum of it all"),
        (BREAKING, "shop.paid", "field renamed"),
    ),
    "another place in the file": (
        lambda c: field(c, "paid").update(physicalName="outlay"),
        (BREAKING, "shop.paid", "place in the file changed"),
    ),
    "removed": (
        lambda c: header(c)["properties"].remove(field(c, "paid")),
        (BREAKING, "shop.paid", "field removed"),
    ),
    "a dropped field removed": (
        lambda c: child(c)["properties"].pop(1),
        (COMPATIBLE, "shop_item.note", "field removed"),
    ),
    "optional field added": (lambda c: add(c, "city"), (COMPATIBLE, "shop.city", "field added")),
    "required field added": (
        lambda c: add(c, "city", required=True),
        (BREAKING, "shop.city", "required field added"),
    ),
    "no longer stored": (
        lambda c: put(field(c, "paid"), "drop", True),
        (BREAKING, "shop.paid", "field no longer stored"),
    ),
    "stored from now on": (
        lambda c: drop(field(c, "note"), "drop"),
        (COMPATIBLE, "shop_item.note", "field stored"),
    ),
    "type widened": (
        lambda c: field(c, "count").update(logicalType="number"),
        (COMPATIBLE, "shop.count", "type widened"),
    ),
    "type narrowed": (
        lambda c: field(c, "share").update(logicalType="integer"),
        (BREAKING, "shop.share", "type changed"),
    ),
    "money to number": (
        lambda c: field(c, "paid").pop("physicalType"),
        (BREAKING, "shop.paid", "type changed"),
    ),
    "required from now on": (
        lambda c: field(c, "paid").update(required=True),
        (BREAKING, "shop.paid", "field required"),
    ),
    "no longer required": (
        lambda c: field(c, "found").update(required=False),
        (COMPATIBLE, "shop.found", "field no longer required"),
    ),
    "minimum raised": (
        lambda c: options(c, "paid", minimum=1),
        (BREAKING, "shop.paid", "minimum narrowed"),
    ),
    "minimum lowered": (
        lambda c: options(c, "paid", minimum=-1),
        (COMPATIBLE, "shop.paid", "minimum widened"),
    ),
    "minimum gone": (
        lambda c: field(c, "paid").pop("logicalTypeOptions"),
        (COMPATIBLE, "shop.paid", "minimum widened"),
    ),
    "maximum set": (lambda c: options(c, "paid", maximum=9), (BREAKING, "shop.paid", "maximum narrowed")),
    "longer": (
        lambda c: options(c, "remark", maxLength=90),
        (COMPATIBLE, "shop.remark", "maxLength widened"),
    ),
    "shorter": (lambda c: options(c, "remark", maxLength=9), (BREAKING, "shop.remark", "maxLength narrowed")),
    "not so short": (
        lambda c: options(c, "remark", minLength=1),
        (COMPATIBLE, "shop.remark", "minLength widened"),
    ),
    "at least so long": (
        lambda c: options(c, "remark", minLength=5),
        (BREAKING, "shop.remark", "minLength narrowed"),
    ),
    "pattern set": (
        lambda c: options(c, "req_id", pattern="^R"),
        (BREAKING, "shop.req_id", "pattern changed"),
    ),
    "pattern gone": (
        lambda c: field(c, "remark")["logicalTypeOptions"].pop("pattern"),
        (COMPATIBLE, "shop.remark", "pattern removed"),
    ),
    "code added": (
        lambda c: own(field(c, "found"), "codes")["value"].update({"2": "maybe"}),
        (BREAKING, "shop.found", "code added"),
    ),
    "code removed": (
        lambda c: own(field(c, "grade"), "codes")["value"].pop("b"),
        (BREAKING, "shop.grade", "code removed"),
    ),
    "codes listed": (
        lambda c: put(field(c, "req_id"), "codes", {"a": "one"}),
        (BREAKING, "shop.req_id", "code list added"),
    ),
    "codes no longer listed": (
        lambda c: drop(field(c, "grade"), "codes"),
        (BREAKING, "shop.grade", "code list removed"),
    ),
    "code reworded": (
        lambda c: own(field(c, "grade"), "codes")["value"].update(a="best of all"),
        (WORDING, "shop.grade", "meaning of a code reworded"),
    ),
    "unit changed": (
        lambda c: put(field(c, "share"), "unit", "percent"),
        (BREAKING, "shop.share", "unit changed"),
    ),
    "unit stated": (
        lambda c: put(field(c, "count"), "unit", "count"),
        (WORDING, "shop.count", "unit stated"),
    ),
    "key form": (
        lambda c: put(field(c, "phone"), "key", {"entity": "phone", "form": "sha256"}),
        (BREAKING, "shop.phone", "key changed"),
    ),
    "key entity": (
        lambda c: put(field(c, "phone"), "key", {"entity": "card", "form": "md5"}),
        (BREAKING, "shop.phone", "key changed"),
    ),
    "key gone": (lambda c: drop(field(c, "phone"), "key"), (BREAKING, "shop.phone", "key changed")),
    "kept in one more form": (
        lambda c: own(field(c, "mail"), "key")["value"]["forms"].append("sha256"),
        (COMPATIBLE, "shop.mail", "columns added"),
    ),
    "kept in one form less": (
        lambda c: own(field(c, "mail"), "key")["value"]["forms"].pop(),
        (BREAKING, "shop.mail", "columns removed"),
    ),
    "kept in parts": (
        lambda c: own(field(c, "home"), "key")["value"].update(parts="address"),
        (COMPATIBLE, "shop.home", "columns added"),
    ),
    "classified otherwise": (
        lambda c: field(c, "phone").update(classification="sensitive"),
        (COMPATIBLE, "shop.phone", "classification changed"),
    ),
    "labels": (
        lambda c: field(c, "paid").update(description="all of it"),
        (WORDING, "shop.paid", "label (en) changed"),
    ),
    "labels in Chinese": (
        lambda c: put(field(c, "paid"), "nameZh", "花费"),
        (WORDING, "shop.paid", "label (zh) changed"),
    ),
    # tables
    "table removed": (lambda c: c["schema"].pop(), (BREAKING, "shop_item", "table removed")),
    "table renamed": (
        lambda c: child(c).update(name="shop_things"),
        (BREAKING, "shop_item", "table renamed"),
    ),
    "table added": (
        lambda c: c["schema"].append(
            {**copy.deepcopy(child(c)), "name": "other"}
            | {
                "customProperties": [
                    {"property": "kind", "value": "answer"},
                    {"property": "path", "value": "others[]"},
                    {"property": "parent", "value": "shop"},
                ]
            }
        ),
        (COMPATIBLE, "other", "table added"),
    ),
    "another path": (lambda c: put(child(c), "path", "things[]"), (BREAKING, "shop_item", "path changed")),
    "another event time": (
        lambda c: put(header(c), "eventTime", {"field": "report_ts", "plusDays": 1}),
        (BREAKING, "shop", "eventTime changed"),
    ),
    "another known time": (
        lambda c: put(header(c), "knownTime", {"rule": "delivery"}),
        (BREAKING, "shop", "knownTime changed"),
    ),
    "a child's own time gone": (
        lambda c: drop(child(c), "eventTime"),
        (BREAKING, "shop_item", "eventTime changed"),
    ),
    "may lie ahead": (
        lambda c: put(child(c), "eventTime", {"field": "day", "ahead": True}),
        (COMPATIBLE, "shop_item", "eventTime may lie ahead"),
    ),
    "another kind": (
        lambda c: (
            [put(t, "kind", "event") for t in c["schema"]]
            + [drop(header(c), "hit"), drop(c, "answerValidDays")]
        ),
        (BREAKING, "shop", "kind changed"),
    ),
    "another key": (
        lambda c: field(c, "found").update(primaryKey=True),
        (BREAKING, "shop", "business key changed"),
    ),
    "other answers are hits": (
        lambda c: put(header(c), "hit", {"field": "found", "yes": ["1", "0"]}),
        (BREAKING, "shop", "hit changed"),
    ),
    "table described otherwise": (
        lambda c: header(c).update(description="answers"),
        (WORDING, "shop", "description changed"),
    ),
    # rules
    "error rule added": (
        lambda c: header(c)["quality"].append(item("fresh", {})),
        (BREAKING, "shop.fresh", "rule added"),
    ),
    "warning rule added": (
        lambda c: header(c)["quality"].append(item("fresh", {"severity": "warning"})),
        (COMPATIBLE, "shop.fresh", "rule added"),
    ),
    "rule removed": (lambda c: header(c).pop("quality"), (COMPATIBLE, "shop.found_spends", "rule removed")),
    "rule asks more": (
        lambda c: rule(c).update(implementation="found = '1'"),
        (BREAKING, "shop.found_spends", "rule changed"),
    ),
    "error to warning": (
        lambda c: rule(c).update(severity="warning"),
        (COMPATIBLE, "shop.found_spends", "rule made a warning"),
    ),
    "rule explained": (
        lambda c: rule(c).update(description="why"),
        (WORDING, "shop.found_spends", "rule reworded"),
    ),
    # the source
    "stage removed": (lambda c: put(c, "stages", ["pre"]), (BREAKING, "source", "stage removed")),
    "stage added": (
        lambda c: put(c, "stages", ["pre", "mid", "post"]),
        (COMPATIBLE, "source", "stage added"),
    ),
    "format removed": (
        lambda c: put(c, "landing", {"formats": ["json"], "complete": "_DONE.json"}),
        (BREAKING, "source", "format removed"),
    ),
    "format added": (
        lambda c: put(c, "landing", {"formats": ["jsonl", "json"], "complete": "_DONE.json"}),
        (COMPATIBLE, "source", "format added"),
    ),
    "dialect added": (
        lambda c: put(
            c, "landing", {"formats": ["jsonl"], "complete": "_DONE.json", "dialects": {"x": {"marker": "X"}}}
        ),
        (COMPATIBLE, "source", "dialect added"),
    ),
    "completed otherwise": (
        lambda c: put(c, "landing", {"formats": ["jsonl"], "complete": "READY"}),
        (BREAKING, "landing", "completing file changed"),
    ),
    "answers count longer": (
        lambda c: put(c, "answerValidDays", 60),
        (BREAKING, "source", "answerValidDays changed"),
    ),
    "dearer": (
        lambda c: put(c, "priceByResult", {"hit": 0.7, "no_hit": 0}),
        (COMPATIBLE, "priceByResult", "prices changed"),
    ),
    "a verdict for a record": (
        lambda c: put(c, "priceByResult", {"match": 0.5, "mismatch": 0.5}),
        (BREAKING, "priceByResult", "results changed"),
    ),
    "by the month": (lambda c: put(c, "monthlyFee", 100), (COMPATIBLE, "source", "monthlyFee changed")),
    "promised faster": (
        lambda c: c["slaProperties"][0].update(value=2),
        (COMPATIBLE, "source", "slaProperties changed"),
    ),
    "later is late": (
        lambda c: put(c, "lateness", {"policy": "go_on", "afterHours": 48}),
        (COMPATIBLE, "source", "lateness changed"),
    ),
    "on another ground": (
        lambda c: put(c, "legalBasis", "law"),
        (COMPATIBLE, "source", "legalBasis changed"),
    ),
    "deprecated": (lambda c: c.update(status="deprecated"), (COMPATIBLE, "source", "status changed")),
    "called otherwise": (lambda c: c.update(name="Shops"), (WORDING, "source", "name changed")),
}


def base():
    """The shop's contract with one field more of each sort."""
    c = copy.deepcopy(GOOD)
    add(c, "remark", logicalTypeOptions={"minLength": 2, "maxLength": 40, "pattern": "^[a-z]"})
    add(c, "grade")
    put(field(c, "grade"), "codes", {"a": "good", "b": "bad"})
    add(c, "count", logicalType="integer")
    add(c, "paid", logicalType="number", physicalType="amount", logicalTypeOptions={"minimum": 0})
    add(c, "share", logicalType="number")
    put(field(c, "share"), "unit", "ratio")
    add(c, "mail", classification="personal")
    put(field(c, "mail"), "key", {"entity": "email", "form": "plain", "forms": ["plain", "md5"]})
    add(c, "home", classification="personal")
    put(field(c, "home"), "key", {"entity": "address", "form": "plain"})
    for name in ("remark", "grade", "count", "paid", "share", "mail", "home"):
        field(c, name)["description"] = name
        put(field(c, name), "nameZh", f"名称{name}")
    return c


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder, so that a content that comes again is not read again."""
    made = tmp_path_factory.mktemp("contracts")
    (made / "new").mkdir()
    return made


def compared(folder, changed, old=None):
    before = read_contract(write(folder, old or base()))
    return compare(before, read_contract(write(folder / "new", changed)))


@pytest.mark.parametrize("name", CHANGES)
def test_change(name, folder):
    change, (verdict, where, what) = CHANGES[name]
    contract = base()
    change(contract)
    comparison = compared(folder, contract)
    found = [(one.verdict, one.where, one.what) for one in comparison.changes]
    assert (verdict, where, what) in found
    assert comparison.verdict == verdict
    assert all(one.reason and one.todo for one in comparison.changes)
    step = {BREAKING: "2.0.0", COMPATIBLE: "1.1.0", WORDING: "1.0.1"}[verdict]
    assert comparison.least_version == step
    assert not comparison.follows
    assert comparison.refused == (verdict == BREAKING)
    # undone, it is a change as well
    assert compare(
        read_contract(folder / "new" / "shop.odcs.yaml"), read_contract(write(folder, base()))
    ).changes
    contract["version"] = step
    said = compared(folder, contract)
    assert said.follows
    assert not said.refused


def test_nothing_changed(folder):
    comparison = compared(folder, base())
    assert (comparison.changes, comparison.verdict, comparison.follows) == ((), "", True)


def test_two_sources(folder):
    other = base()
    other["id"] = "store"
    with pytest.raises(ContractError, match="'shop' and 'store' are two sources"):
        compare(read_contract(write(folder, base())), read_contract(write(folder / "new", other, "store")))


def test_a_rename_beside_another_field(folder):
    """The field that keeps its label is the renamed one; the other is new."""
    contract = base()
    field(contract, "paid").update(name="amount")
    add(contract, "spend_kind")
    what = {(one.what, one.where) for one in compared(folder, contract).changes}
    assert what == {("field renamed", "shop.paid"), ("field added", "shop.spend_kind")}


def test_removed_and_added_of_another_sort_is_no_rename(folder):
    contract = base()
    header(contract)["properties"].remove(field(contract, "share"))
    add(contract, "shares")
    what = {(one.what, one.where) for one in compared(folder, contract).changes}
    assert what == {("field removed", "shop.share"), ("field added", "shop.shares")}


def test_a_renamed_field_tells_what_else_changed(folder):
    contract = base()
    field(contract, "paid").update(name="amount", required=True)
    what = {(one.what, one.where) for one in compared(folder, contract).breaking}
    assert what == {("field renamed", "shop.paid"), ("field required", "shop.amount")}


def test_a_file_with_a_header_line_needs_since(folder):
    old, new = base(), base()
    flat(old)
    flat(new)
    add(new, "city")
    assert "add {property: since" in compared(folder, new, old).changes[0].todo
    new["version"] = "1.1.0"
    put(field(new, "city"), "since", "1.1.0")
    assert compared(folder, new, old).changes[0].todo == "raise the minor version"


def test_an_older_version_is_no_new_one(folder):
    old, new = base(), base()
    old["version"] = "2.0.0"
    header(new)["properties"].remove(field(new, "paid"))
    comparison = compared(folder, new, old)
    assert (comparison.least_version, comparison.follows, comparison.refused) == ("3.0.0", False, True)


@pytest.mark.parametrize(
    ("version", "step", "next_version"),
    [("1.2.3", 0, "2.0.0"), ("1.2.3", 1, "1.3.0"), ("1.2.9", 2, "1.2.10")],
)
def test_next_versions(version, step, next_version):
    assert raised(version, step) == next_version


def test_the_compiled_form_says_the_same():
    for contract in read_contracts(FOLDER).values():
        again = from_compiled(json.loads(json.dumps(compiled(contract))), contract.path)
        assert again == contract
        assert fingerprint(again) == fingerprint(contract) == contract.fingerprint


def test_the_compiled_form_outlives_the_language(folder):
    """Words that the model no longer has are passed over; what it cannot do without is missed by name."""
    contract = read_contract(write(folder, base()))
    value = compiled(contract)
    value["tables"][0]["fields"][0]["colour"] = "blue"
    assert from_compiled(value, contract.path) == contract
    del value["landing"]
    with pytest.raises(ContractError, match="this kept contract cannot be read"):
        from_compiled(value, contract.path)
