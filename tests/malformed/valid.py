"""Records that a contract takes, made from the contract alone: drawn by type, then mended until its rules hold.

Rules are any SQL, so they are met as a search meets them: a record that breaks some is changed at the fields that those
name, and the change is kept if no more rules break. What a rule says most often (a time before another, a value exactly
where there is a hit, a count that agrees) is found within some rounds.
"""

from __future__ import annotations

import random
import re
from typing import Any

import duckdb

from bluemirror.contracts import Contract, Field, Rule, Table
from tests.malformed.drawing import draw
from tests.malformed.oracle import judge
from tests.malformed.rules import broken_rules, database, frames
from tests.malformed.shape import Node, Path, Shape

CANDIDATES = 24
TRIALS = 4
"""Changes tried of each record in a round: the rules are asked of many at once."""
ROUNDS = 60
NUMBERS = ("int", "float", "amount")
EMPTY = 0.3
"""Share of optional values that stay empty."""


def draw_record(shape: Shape, rng: random.Random, *, fullness: float = 0.5, empty: float = EMPTY) -> Node:
    """A record whose values each fit their field.

    ``fullness`` is the chance of each further repetition, ``empty`` that an optional value stays empty.
    """
    return _draw_node(shape, (), rng, fullness, empty)


def _draw_node(shape: Shape, path: Path, rng: random.Random, fullness: float, share: float = EMPTY) -> Node:
    node = Node(path)
    scope = shape.scopes[path]
    empty = {
        table.name for table, rest in scope.tables if rest and table.header is not None and rng.random() < 0.5
    }
    for place in scope.leaves:
        node.leaves[place] = _draw_leaf(shape, path, place, rng, share, empty)
    for below in shape.below(path):
        times = 0
        while times < 3 and rng.random() < fullness:
            times += 1
        if times:
            node.below[below.path] = [
                _draw_node(shape, below.path, rng, fullness * 0.6, share) for _ in range(times)
            ]
    return node


def _reader(shape: Shape, path: Path, place: Path) -> tuple[Table, Field]:
    """The strictest field that reads a place."""
    return max(
        shape.scopes[path].leaves[place], key=lambda pair: (pair[1].required, pair[1].codes is not None)
    )


def _draw_leaf(
    shape: Shape, path: Path, place: Path, rng: random.Random, share: float, empty: set[str]
) -> Any:
    table, item = _reader(shape, path, place)
    if table.name in empty or (not item.required and rng.random() <= share):
        return None
    if table.tombstone is not None and item.name == table.tombstone[0] and item.codes:
        return rng.choice([code for code in item.codes if code != table.tombstone[1]])
    if share == 1.0 and item.type in NUMBERS:
        return max(0, int(item.minimum or 0))
    return draw(item, rng)


def valid_records(contract: Contract, rng: random.Random, want: int) -> list[Node]:
    """Records that the contract takes, at most ``want``; fewer, or none, if its rules are not met by searching."""
    shape = Shape(contract)
    ways = ((0.0, 1.0), (0.0, EMPTY), (0.2, EMPTY), (0.5, EMPTY))
    pool = [draw_record(shape, rng, fullness=ways[n % 4][0], empty=ways[n % 4][1]) for n in range(CANDIDATES)]
    scores = _scores(shape, pool)
    for _ in range(ROUNDS):
        open_ = [number for number, score in enumerate(scores) if score]
        if CANDIDATES - len(open_) >= want:
            break
        numbers = open_ * TRIALS
        trial = [_changed(shape, pool[number], scores[number], rng) for number in numbers]
        for number, record, now in zip(numbers, trial, _scores(shape, trial), strict=True):
            if len(now) <= len(scores[number]) or rng.random() < 0.01:
                pool[number], scores[number] = record, now
    return [record for record, score in zip(pool, scores, strict=True) if not score][:want]


def _scores(shape: Shape, records: list[Node]) -> list[list[tuple[str, str]]]:
    """What each record breaks: (table, rule), and ("", reason) for what needs no SQL."""
    verdicts = [judge(shape, record) for record in records]
    scores = [[("", reason) for reason in sorted(verdict.must | verdict.may)] for verdict in verdicts]
    for key, numbers in broken_rules(shape.contract, verdicts).items():
        for number in numbers:
            scores[number].append(key)
    return scores


def _changed(shape: Shape, record: Node, broken: list[tuple[str, str]], rng: random.Random) -> Node:
    """A copy with one broken rule's fields drawn anew."""
    table_name, rule_name = rng.choice(broken)
    if not table_name:
        return draw_record(shape, rng, fullness=rng.choice((0.0, 0.3)))
    made = record.copy()
    rule = next(rule for rule in shape.contract.table(table_name).rules if rule.name == rule_name)
    for _ in range(rng.choice((1, 1, 2))):
        if rule.kind == "sql" and rng.random() < 0.2 and _solved(shape, made, table_name, rule):
            continue
        if rule.kind == "sql" and rng.random() < 0.3:
            _redraw_all(shape, made, table_name, rule, rng)
            continue
        if rule.kind == "document_sql" and rng.random() < 0.5 and _restructure(shape, made, rule, rng):
            continue
        _redraw(shape, made, table_name, rule, rng)
    return made


def _places(shape: Shape, table: str, rule: Rule) -> list[tuple[Path, Path, Field]]:
    """Scope, place and field of all that a rule's text names."""
    words = set(re.findall(r"\w+", rule.expression)) | set(rule.fields)
    contract = shape.contract
    above = set(re.findall(r"\b(?:header|parent)\.(\w+)", rule.expression))
    found = []
    for one in contract.tables:
        near = one.name == table or (rule.kind == "document_sql" and one.name in words)
        names = words if near else above
        found += [
            (*shape.leaf(one.name, item.name), item)
            for item in one.fields
            if item.name in names and not item.drop
        ]
    return found


def _redraw(shape: Shape, record: Node, table: str, rule: Rule, rng: random.Random) -> None:
    places = _places(shape, table, rule)
    if not places:
        return
    scope, place, item = rng.choice(places)
    nodes = [node for node in record.all() if node.scope == scope]
    others = [
        (path, at)
        for path, at, other in places
        if at != place and {other.type, item.type} <= {"amount", "float", "int"} | {item.type}
    ]
    way = rng.random()
    literal = [
        code for code in re.findall(r"'([^']*)'", rule.expression) if not item.codes or code in item.codes
    ]
    whole = rng.random() < 0.5
    for node in nodes if whole else rng.sample(nodes, min(1, len(nodes))):
        if way < 0.2 and not item.required:
            node.leaves[place] = None
        elif way < 0.4 and others:
            path, at = rng.choice(others)
            source = node if path == scope else next((one for one in record.all() if one.scope == path), node)
            node.leaves[place] = source.leaves.get(at)
        elif way < 0.5 and item.type in {"int", "amount", "float"}:
            low = item.minimum or 0
            node.leaves[place] = int(rng.choice((low, low, low + 1, low + 2)))
        elif way < 0.6 and literal and item.type == "string":
            node.leaves[place] = rng.choice(literal)
        elif way < 0.7 and item.type in {"date", "timestamp", "month"}:
            node.leaves[place] = draw(item, rng, back=rng.choice((3, 300, 690, 9000)))
        else:
            node.leaves[place] = draw(item, rng)


def _redraw_all(shape: Shape, record: Node, table: str, rule: Rule, rng: random.Random) -> None:
    """Every field that a rule names, in one row: drawn anew, or empty."""
    places = _places(shape, table, rule)
    nodes = [node for node in record.all() if node.scope == shape.place[table][0]]
    if not nodes:
        return
    node = rng.choice(nodes)
    for scope, place, item in places:
        if scope == node.scope:
            node.leaves[place] = None if not item.required and rng.random() < 0.5 else draw(item, rng)


def _solved(shape: Shape, record: Node, table: str, rule: Rule) -> bool:
    """Give a field the value that ``field = expression`` asks for, where DuckDB can compute it; False if it cannot."""
    found = re.search(r"\b(\w+) = (.+)$", rule.expression, re.DOTALL)
    names = {item.name for item in shape.contract.table(table).fields}
    if not found or found[1] not in names or shape.place[table][0]:
        return False
    typed = frames(shape.contract, [judge(shape, record)])[table]
    connection = database()
    connection.register("_rows", typed.to_arrow())
    try:
        value = connection.sql(f"SELECT CAST(({found[2]}) AS VARCHAR) FROM _rows").fetchall()[0][0]
    except duckdb.Error:
        return False
    finally:
        connection.unregister("_rows")
    record.leaves[shape.leaf(table, found[1])[1]] = value
    return True


def _restructure(shape: Shape, record: Node, rule: Rule, rng: random.Random) -> bool:
    """Take away, or add, repetitions of a table that a document rule names; False if it names none."""
    words = set(re.findall(r"\w+", rule.expression))
    scopes = [shape.place[table.name][0] for table in shape.contract.tables if table.name in words]
    scopes = [path for path in scopes if path]
    if not scopes:
        return False
    path = rng.choice(scopes)
    up = shape.scopes[path].up
    for node in [node for node in record.all() if node.scope == up]:
        if rng.random() < 0.7:
            node.below.pop(path, None)
        else:
            node.below.setdefault(path, []).append(_draw_node(shape, path, rng, 0.0))
    return True


def sound(shape: Shape, records: list[Node]) -> list[Node]:
    """Those records that the contract takes as they are."""
    return (
        [record for record, score in zip(records, _scores(shape, records), strict=True) if not score]
        if records
        else []
    )
