"""What a contract says of a raw record, slowly and one value at a time: taken with these values, or why not.

Shares no code with the mart's door but DuckDB, which both ask the contract's own SQL. A value whose writing two honest
readers could take differently (``+5``, ``1e3``, ``2025-1-1``) *may* be refused; taken, it has to be taken for what it
says.
"""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import hmac
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from bluemirror.contracts import Contract, Field, Table, TimeRule
from tests.malformed.drawing import DAY
from tests.malformed.shape import Node, Path, Shape

NOTHING = {"", "--", "null", "NULL"}
MOST_BYTES = 65_536
"""Bytes of a value, whatever its contract says."""
SAFE = 2**53
"""Beyond this a float no longer tells one fen from the next."""
INT64 = 2**63
REFUSED = object()
END = dt.datetime.combine(DAY, dt.time.max)


@dataclass
class Value:
    """A typed value, or :data:`REFUSED`; ``may`` tells that refusing is right as well."""

    value: Any
    may: bool = False


@dataclass
class Row:
    """One row of a table: typed values, the raw texts of its keys, where it stands."""

    table: Table
    values: dict[str, Any]
    texts: dict[str, str | None]
    seq: int
    parent: int | None
    deleted: bool = False
    event_time: dt.datetime | None = None
    known_time: dt.datetime | None = None


@dataclass
class Verdict:
    """What must, and what may, keep a record out: names of rules; and its rows if it is taken."""

    must: set[str] = field(default_factory=set)
    may: set[str] = field(default_factory=set)
    rows: dict[str, list[Row]] = field(default_factory=dict)


def text_of(raw: Any) -> str | None:
    """A raw value as the text that stands for it; None for "no value"."""
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return None
    if isinstance(raw, bool):
        return "true" if raw else "false"
    text = str(raw).strip()
    return None if text in NOTHING else text


def typed(raw: Any, kind: str) -> Value:
    """A raw value as the contract's type."""
    if nested(raw):
        return Value(REFUSED)
    if isinstance(raw, list):
        # A list of plain values is the comma-separated text that converters make of a leaf that repeats.
        joined = typed(",".join(_item(item) for item in raw), kind)
        return Value(joined.value, may=True)
    text = text_of(raw)
    if text is None:
        return Value(None)
    return _READ[kind](text)


def nested(raw: Any) -> bool:
    """Whether something stands where a value should."""
    inner = raw if isinstance(raw, list) else [raw]
    return isinstance(raw, dict) or any(isinstance(item, dict | list) for item in inner if item is not raw)


def _item(raw: Any) -> str:
    return text_of(raw) or ""


def _without_commas(text: str) -> str:
    return text.replace(",", "") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text) else text


def _int(text: str) -> Value:
    text = _without_commas(text)
    if re.fullmatch(r"-?[0-9]+", text):
        value = int(text)
        return Value(value if -INT64 <= value < INT64 else REFUSED)
    number = _number(text)
    if number is None or number != number.to_integral_value() or abs(number) >= INT64:
        return Value(REFUSED)
    return Value(int(number), may=True)


def _number(text: str) -> Decimal | None:
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _float(text: str) -> Value:
    text = _without_commas(text)
    if _number(text) is None:
        return Value(REFUSED)
    value = float(text)
    if not math.isfinite(value):
        return Value(REFUSED)
    return Value(value, may=not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text))


def _amount(text: str) -> Value:
    text = _without_commas(text)
    number = _number(text)
    if number is None or abs(number) > Decimal(10) ** 30:
        return Value(REFUSED)
    fen = number * 100
    whole = fen.to_integral_value()
    if abs(fen - whole) > Decimal("0.01") or abs(whole) >= SAFE:
        return Value(REFUSED)
    plain = re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", text)
    return Value(int(whole), may=not plain)


def _bool(text: str) -> Value:
    return Value(
        {
            **dict.fromkeys(("true", "1", "y", "yes"), True),
            **dict.fromkeys(("false", "0", "n", "no"), False),
        }.get(text.lower(), REFUSED)
    )


def _date(text: str) -> Value:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", text):
        return Value(REFUSED)
    try:
        day = dt.date(*map(int, text.split("-")))
    except ValueError:
        return Value(REFUSED)
    return Value(day, may=len(text) != 10)


def _month(text: str) -> Value:
    return _date(f"{text}-01") if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text) else Value(REFUSED)


def _timestamp(text: str) -> Value:
    found = re.fullmatch(
        r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[T ]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]+)?(\+08:00)?",
        text,
    )
    if not found:
        return Value(REFUSED)
    *parts, fraction, _ = found.groups()
    leap = int(parts[5]) == 60
    try:
        # Shanghai wall time, as the mart keeps it; a leap second is the first of the next minute
        moment = dt.datetime(*map(int, parts[:5]), 59 if leap else int(parts[5]))
        moment += dt.timedelta(seconds=leap)
    except (ValueError, OverflowError):
        return Value(REFUSED)
    micro = int((fraction or ".0")[1:7].ljust(6, "0"))
    plain = all(len(part) in {2, 4} for part in parts) and len(fraction or "") <= 7 and not leap
    return Value(moment.replace(microsecond=micro), may=not plain)


_READ = {
    "string": Value,
    "int": _int,
    "float": _float,
    "amount": _amount,
    "bool": _bool,
    "date": _date,
    "month": _month,
    "timestamp": _timestamp,
}


def judge(shape: Shape, record: Node) -> Verdict:
    """Everything but the rules in SQL and what lies between records."""
    verdict = Verdict()
    for table in shape.contract.tables:
        verdict.rows[table.name] = []
    _rows(shape, record, verdict)
    _times(shape.contract, verdict)
    for table in shape.contract.tables:
        if table.header is not None and table.business_key:
            keys = [
                tuple(row.values[name] for name in table.business_key) for row in verdict.rows[table.name]
            ]
            if len(set(keys)) < len(keys):
                verdict.must.add("duplicate")
    return verdict


def _rows(shape: Shape, record: Node, verdict: Verdict) -> None:
    seqs: dict[Path, int] = {}
    where: dict[tuple[int, str], int] = {}  # (id of node, table) -> seq of its row

    def visit(node: Node, around: list[Node]) -> None:
        if around and not node.below and all(raw is None for raw in node.leaves.values()):
            return  # An empty element stands for none.
        seq = seqs.get(node.scope, 0)
        seqs[node.scope] = seq + 1
        chain = [*around, node]
        for table, rest in shape.scopes[node.scope].tables:
            raw = {
                item.name: node.leaves.get((*rest, *(item.physical or item.name).split("/")))
                for item in table.fields
                if not item.drop
            }
            optional = rest and table.header is not None
            if optional and all(not isinstance(v, dict | list) and text_of(v) is None for v in raw.values()):
                continue
            parent = None
            if table.parent is not None:
                parent = next(
                    (
                        where[id(up), table.parent]
                        for up in reversed(chain)
                        if (id(up), table.parent) in where
                    ),
                    0,
                )
            where[id(node), table.name] = seq
            verdict.rows[table.name].append(_row(table, raw, seq, parent, verdict))
        for nodes in node.below.values():
            for below in nodes:
                visit(below, chain)

    visit(record, [])


def _row(table: Table, raw: dict[str, Any], seq: int, parent: int | None, verdict: Verdict) -> Row:
    values, texts, misfit = {}, {}, set()
    for name, value in raw.items():
        item = table.field(name)
        read = typed(value, item.type)
        if read.value is REFUSED:
            verdict.must.add("readable_json" if nested(value) else "type")
            verdict.may |= _all_rules(item)
            misfit.add(name)
            values[name] = None
        else:
            values[name] = read.value
        if read.may:
            verdict.may.add("type")
        joined = ",".join(_item(one) for one in value) if isinstance(value, list) else value
        texts[name] = None if name in misfit else text_of(joined)
    row = Row(table, values, texts, seq, parent)
    if table.tombstone is not None:
        name, mark = table.tombstone
        row.deleted = text_of(raw.get(name)) == mark
    for name in raw:
        item = table.field(name)
        if values[name] is None:
            key = item.name in table.business_key
            if item.required and name not in misfit and (key or not row.deleted):
                verdict.must.add("required")
            continue
        verdict.must |= _broken(item, values[name])
    return row


def _all_rules(item: Field) -> set[str]:
    """Every rule of a field: what does not fit the type may be told by any of them."""
    return {
        "codes",
        "pattern",
        "required",
        f"minimum {item.minimum or 0:.15g}",
        f"maximum {item.maximum or 0:.15g}",
        f"min_length {item.min_length}",
        f"max_length {item.max_length}",
        "field_size",
    }


def _broken(item: Field, value: Any) -> set[str]:
    broken = set()
    low, high = item.bounds
    if item.codes and str(value) not in item.codes:
        broken.add("codes")
    if low is not None and value < low:
        broken.add(f"minimum {item.minimum:.15g}")
    if high is not None and value > high:
        broken.add(f"maximum {item.maximum:.15g}")
    if item.type == "string":
        if item.pattern and not re.search(item.pattern, value):
            broken.add("pattern")
        if item.min_length is not None and len(value) < item.min_length:
            broken.add(f"min_length {item.min_length}")
        if item.max_length is not None and len(value) > item.max_length:
            broken.add(f"max_length {item.max_length}")
        if len(value.encode()) > max(MOST_BYTES, 4 * (item.max_length or 0)):
            broken.add("field_size")
    return broken


def _moment(row: Row, rule: TimeRule) -> dt.datetime | None:
    if rule.field is None:
        return END + dt.timedelta(days=rule.plus_days)
    value = row.values[rule.field]
    if value is not None and not isinstance(value, dt.datetime):
        if rule.at == "end":
            if row.table.field(rule.field).type == "month":
                value = value.replace(day=calendar.monthrange(value.year, value.month)[1])
            value = dt.datetime.combine(value, dt.time.max)
        else:
            value = dt.datetime.combine(value, dt.time.min)
    if value is not None and rule.plus_days:
        try:
            value += dt.timedelta(days=rule.plus_days)
        except OverflowError:
            value = dt.datetime.max
    if value is None and rule.or_else is not None:
        value = row.values[rule.or_else]
        if value is not None and not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time.min)
    return value


def _times(contract: Contract, verdict: Verdict) -> None:
    header = contract.header
    first = verdict.rows[header.name][0]
    known = _moment(first, header.known_time) if header.known_time else END
    by_seq: dict[tuple[str, int], Row] = {}
    for table in contract.tables:
        for row in verdict.rows[table.name]:
            by_seq[table.name, row.seq] = row
            row.known_time = known
            above = (
                by_seq.get((table.parent, row.parent)) if table.parent and row.parent is not None else None
            )
            inherited = (above or first).event_time if row is not first else None
            own = _moment(row, table.event_time) if table.event_time else None
            row.event_time = own if own is not None else inherited if row is not first else own
            ahead = bool(table.event_time and table.event_time.ahead)
            if row.event_time is not None and row.event_time > END and not ahead:
                verdict.must.add("not_in_future")
    if known is not None and known > END:
        verdict.must.add("not_in_future")
    for name, rule, moment in (
        ("event_time", header.event_time, first.event_time),
        ("known_time", header.known_time, known),
    ):
        stated = rule is not None and rule.field and header.field(rule.field).required
        if moment is None and not stated:
            verdict.must.add(f"{name}_required")


def hashed(value: str, entity: str, form: str, key: bytes) -> str:
    """The keyed hash that the mart must hold in place of a value."""
    message = f"{entity}:{form}:{value.strip().lower()}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def stored(row: Row, key: bytes) -> dict[str, Any]:
    """The columns of a taken row as the mart must hold them, parts of keys left out."""
    columns: dict[str, Any] = {}
    for item in row.table.fields:
        if item.drop:
            continue
        if item.key is None:
            columns[item.name] = row.values[item.name]
            continue
        text = row.texts[item.name]
        for form in item.key.forms or (item.key.form,):
            name = f"{item.name}_{form}" if item.key.forms else item.name
            if text is None:
                columns[name] = None
                continue
            sent = text if form in {item.key.form, "plain"} else hashlib.new(form, text.encode()).hexdigest()
            columns[name] = hashed(sent, item.key.entity, form, key)
    return columns | {"event_time": row.event_time, "known_time": row.known_time}
