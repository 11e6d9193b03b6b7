"""The compiled scanner never differs from the walker: what it takes, it takes alike; what it gives up is walked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluemirror.contracts import read_contract
from bluemirror.landing.documents import read_documents
from bluemirror.landing.formats import json as reader
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.objects import Objects
from bluemirror.landing.plain import PlainDocuments
from bluemirror.landing.plan import compile_plan
from bluemirror.landing.tree import Node
from tests.landing.dossiers import as_camel, as_json, dossier

PLAN = compile_plan(read_contract(Path(__file__).with_name("contracts") / "dossier.odcs.yaml"))
PLAIN = st.one_of(
    st.sampled_from(["", "--", "null", " x ", "2024-01-31", "1,234.50", "{", "[1]", "九九省虚构市"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters='"\\'), max_size=20),
)
NOTHING = st.sampled_from([None, "", "--"])
LEAVES = st.one_of(PLAIN, PLAIN, NOTHING, st.lists(PLAIN, max_size=3))
WRONG = st.one_of(
    st.text(max_size=20),
    st.integers(),
    st.booleans(),
    st.sampled_from(["text", '":"', [], {}, [[]], [None], [{}], [{"Q": "1"}, {"Q": "2"}], {"Q": {"R": "1"}}]),
)
UNKNOWN = st.dictionaries(
    st.sampled_from(["Q", "R", "header", "TOP"]),
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(PLAIN, inner, max_size=2)
    ),
    max_size=2,
)


@st.composite
def objects(draw: st.DrawFn, node: Node, oddness: int) -> dict[str, Any]:
    """What may stand at a node; one place in ``oddness`` or so is none of what the contract says."""
    found: dict[str, Any] = {}
    for name in draw(st.permutations(sorted(node.names))):
        luck = draw(st.integers(0, oddness))
        if luck == 0:
            found[name] = draw(WRONG)
        elif name in node.leaves:
            found[name] = draw(LEAVES if luck < 4 else PLAIN)
        elif luck == 1:
            found[name] = draw(NOTHING)
        elif luck == 2:
            continue
        elif name in node.groups:
            inner = draw(objects(node.groups[name], oddness))
            found[name] = [inner] if luck == 3 else inner
        else:
            rows = draw(st.lists(objects(node.repeats[name].node, oddness), max_size=3))
            found[name] = rows[0] if len(rows) == 1 else rows
    return found | (draw(UNKNOWN) if draw(st.integers(0, oddness)) == 0 else {})


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A document in either spelling, written compactly or not."""
    scopes = draw(st.sampled_from([PLAN.scopes, *(dialect.scopes for dialect in PLAN.dialects)]))
    value: Any = draw(objects(scopes[0].node, draw(st.sampled_from([5, 30, 300]))))
    if draw(st.integers(0, 9)) == 0:
        value = {"Document": value}
    text = json.dumps(
        value, ensure_ascii=draw(st.integers(0, 5)) == 0, indent=draw(st.sampled_from([None, 1]))
    )
    return text.encode("utf-8", "surrogatepass")


def files(folder: Path, contents: list[bytes]) -> list[LandedFile]:
    landed = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.json"
        path.write_bytes(content)
        landed.append(LandedFile(number, path, f"dossier/2024-01-02/{number}.json", 1, len(content)))
    return landed


def walked(landed: list[LandedFile]) -> Read:
    return read_documents(Objects(PLAN), landed, reader.parse_json, reader.RULE)


def as_text(read: Read) -> dict[int, pl.DataFrame]:
    return {number: frame.cast(pl.String) for number, frame in read.scopes.items()}


def same(folder: Path, contents: list[bytes]) -> None:
    landed = files(folder, contents)
    found, wanted = reader.read(PLAN, None, landed), walked(landed)
    for number, frame in as_text(wanted).items():
        assert frame.equals(as_text(found)[number]), PLAN.scopes[number].slots
    assert (found.counts, found.hashes) == (wanted.counts, wanted.hashes)
    assert sorted(map(str, found.faults)) == sorted(map(str, wanted.faults))
    assert sorted(map(str, found.lines)) == sorted(map(str, wanted.lines))


@pytest.fixture(autouse=True)
def _scanned(monkeypatch):
    monkeypatch.setattr(reader, "SCAN_FROM_BYTES", 0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents(), min_size=1, max_size=3))
def test_any_documents(tmp_path, contents):
    same(tmp_path, contents)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.integers(0, 10_000), st.integers(0, 3), st.binary(max_size=3))
def test_documents_with_a_few_other_bytes(tmp_path, content, place, cut, put):
    place %= len(content)
    same(tmp_path, [content[:place] + put + content[place + cut :], content])


@pytest.mark.parametrize("spelt", [as_json, as_camel])
def test_plain_documents_are_not_given_up(spelt):
    content = spelt(dossier(4)).encode()
    found = PlainDocuments(PLAN, {4: content, 9: content})
    assert not found.odd
    assert found.scopes[0]["_file_no"].to_list() == [4, 9]
    assert sum(frame.height for frame in found.scopes.values()) > 10


@pytest.mark.parametrize(
    "wrong",
    [
        '{"TOP": {"A": {"A01": "1"}}} x',
        '{"TOP": {"A": {"A01": "1"},}}',
        '{"TOP": {"A": {"A01": "1" "A02": "2"}}}',
        '{"TOP": {"A": {"A01": "1"}}',
        '{"TOP": {"A": {"A01": nul}}}',
        '{"TOP": {"A": {"A01": "1", "A01": "2"}}}',
        '{"TOP": {"A": {"A01": "a\\u0041"}}}',
        '{"TOP": {"A": {"A01": "a\tb"}}}',
        '{"TOP": {"A": {"A01": 1}}}',
        '{"TOP": ' + "[" * 100 + "]" * 100 + "}",
        '{"NEWS": {"TOP": {"A": {"A01": "1"}}}}',
        "[]",
        "",
        "\ufeff{}",
    ],
)
def test_what_is_not_plain_is_given_up(wrong):
    good = b'{"TOP": {"A": {"A01": "1"}, "C": {"C01": "1"}}}'
    found = PlainDocuments(PLAN, {0: good, 1: wrong.encode(), 2: good})
    assert found.odd == [1]
    assert found.scopes[0]["_file_no"].to_list() == [0, 2]
    assert found.scopes[1].height == 2


def test_bytes_that_are_not_utf8_are_given_up():
    good = '{"TOP": {"A": {"A01": "编"}}}'.encode()
    assert PlainDocuments(PLAN, {0: good, 1: good.replace("编".encode(), b"\xe7\xbc")}).odd == [1]
