"""A small world for property tests: contracts, tables of random rows, and the same rows for engine and oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml
from hypothesis import strategies as st

from bluemirror.contracts import Contract
from bluemirror.contracts.model import Field, Landing, Lateness
from bluemirror.contracts.model import Table as Contracted
from bluemirror.variables.cross_engine import CrossEngine, engine_of
from bluemirror.variables.dealings import Calls
from bluemirror.variables.declarations import Block
from bluemirror.variables.engine import BlockEngine
from bluemirror.variables.language import read_blocks
from bluemirror.variables.spine import Spine
from tests.oracles.known import Row, Table

BLOCKS = Path(__file__).parent / "blocks"

COLUMNS: dict[str, dict[str, type[pl.DataType]]] = {
    "ev": {
        "id": pl.String, "person": pl.String, "kind": pl.String, "org": pl.String, "amount": pl.Int64,
        "level": pl.Int64, "flag": pl.Boolean, "obs": pl.String,
    },
    "link": {"sid": pl.String, "person": pl.String, "device": pl.String},
    "state": {
        "person": pl.String, "valid_from": pl.Datetime, "valid_to": pl.Datetime, "income": pl.Int64, "city": pl.String,
    },
    "post": {"kind": pl.String, "amount": pl.Int64},
    "duty": {"status": pl.String},
    "report": {"req": pl.String, "person": pl.String, "hit": pl.String, "score": pl.Float64, "grade": pl.String},
    "mark": {"who": pl.String},
    "account": {"no": pl.String, "kind": pl.String, "amount": pl.Int64},
    "month": {"status": pl.String},
    "ledger": {"call": pl.String, "source": pl.String, "person": pl.String, "result": pl.String},
}  # fmt: skip
SYSTEM: dict[str, Any] = {
    "event_time": pl.Datetime("us"),
    "known_time": pl.Datetime("us"),
    "_doc": pl.Int64,
    "_seq": pl.Int32,
    "_parent": pl.Int32,
    "_delivery": pl.Date,
    "_file": pl.String,
    "_line": pl.Int32,
    "_deleted": pl.Boolean,
}

OBSERVATIONS: list[Row] = [
    {"observation_id": "o1", "person": "p1", "as_of": dt.datetime(2024, 5, 31, 10, 30)},
    {"observation_id": "o2", "person": "p1", "as_of": dt.datetime(2024, 3, 31, 23, 59, 59, 999999)},
    {"observation_id": "o3", "person": "p2", "as_of": dt.datetime(2024, 5, 31, 10, 30)},
    {"observation_id": "o4", "person": "p3", "as_of": dt.datetime(2024, 2, 29)},
    {"observation_id": "o5", "person": None, "as_of": dt.datetime(2024, 4, 30, 12)},
]


def _table(name: str, kind: str, key: tuple[str, ...] = (), **more: Any) -> Contracted:
    fields = tuple(Field(one, one, "string", False, one, one) for one in COLUMNS[name])
    return Contracted(name, kind, "", fields, business_key=key, **more)


def _contract(source: str, *tables: Contracted, valid_days: int | None = None) -> Contract:
    return Contract(
        source, "1.0.0", source, source, "", "active", Path(f"{source}.odcs.yaml"), ("pre",), "", "",
        Landing(("csv",), "_DONE.json"), Lateness("block", 1), {}, tables, valid_days,
    )  # fmt: skip


CONTRACTS = {
    "src": _contract("src", _table("ev", "event", ("id",)), _table("link", "event", ("sid",))),
    "master": _contract(
        "master",
        _table("state", "state", ("person",), valid_to="valid_to"),
        _table("post", "state", parent="state", header="state"),
        _table("duty", "state", parent="post", header="state"),
    ),
    "bureau": _contract(
        "bureau",
        _table("report", "answer", ("req",), hit=("hit", ("1",))),
        _table("mark", "answer", parent="report", header="report"),
        _table("account", "answer", parent="report", header="report"),
        _table("month", "answer", parent="account", header="report"),
        valid_days=30,
    ),
    "calls": _contract("calls", _table("ledger", "event", ("call",))),
}

CALLS = Calls(
    "ledger", "source", "person", "known_time", "result", {"hit": "hit", "no_hit": "no_hit", "error": "error"}
)


def oracle_tables(rows: dict[str, list[Row]]) -> dict[str, Table]:
    """The rows as the oracle takes them."""
    return {
        "ev": Table("ev", "event", rows["ev"], ("id",)),
        "link": Table("link", "event", rows["link"], ("sid",)),
        "state": Table("state", "state", rows["state"], ("person",), valid_to="valid_to"),
        "post": Table("post", "state", rows["post"], parent="state"),
        "duty": Table("duty", "state", rows["duty"], parent="post"),
        "report": Table("report", "answer", rows["report"], ("req",), valid_days=30, hit=("hit", "1")),
        "mark": Table("mark", "answer", rows["mark"], parent="report"),
        "account": Table("account", "answer", rows["account"], parent="report"),
        "month": Table("month", "answer", rows["month"], parent="account"),
        "ledger": Table("ledger", "event", rows["ledger"], ("call",)),
    }


def connection(rows: dict[str, list[Row]]) -> duckdb.DuckDBPyConnection:
    """The rows as the engine takes them: a DuckDB with one table each."""
    found = duckdb.connect()
    for name, columns in COLUMNS.items():
        schema = {**columns, **SYSTEM}
        frame = pl.DataFrame([{key: row.get(key) for key in schema} for row in rows[name]], schema=schema)
        found.register(f"_{name}", frame)
        found.execute(f'CREATE TABLE "{name}" AS SELECT * FROM "_{name}"')
    return found


def engine(
    name: str, rows: dict[str, list[Row]], observations: list[Row] | None = None, *, ledger: bool = False
) -> BlockEngine | CrossEngine:
    """The engine for a block of ``blocks/`` over these rows."""
    block = parsed(name)
    spine = Spine({}, {}, CALLS if ledger else None, Path("spine.yaml"))
    seen = pl.DataFrame(
        observations if observations is not None else OBSERVATIONS,
        schema={"observation_id": pl.String, "person": pl.String, "as_of": pl.Datetime("us")},
    )
    return engine_of(connection(rows), block, CONTRACTS, spine, seen.sort("observation_id"))


@lru_cache
def parsed(name: str) -> Block:
    """A block as the library reads it."""
    return next(one for one in read_blocks(BLOCKS) if one.path.stem == name)


@lru_cache
def declared(name: str) -> dict[str, Any]:
    """The plain words of a block."""
    return dict(yaml.safe_load((BLOCKS / f"{name}.yaml").read_text(encoding="utf-8")))


def _maybe(function: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else function(value)


SQL: dict[str, Callable[[Row], Any]] = {
    "amount / 2.0": lambda row: _maybe(lambda v: v / 2, row["amount"]),
    "kind || '_' || CAST(flag AS VARCHAR)": lambda row: (
        None if row["kind"] is None or row["flag"] is None else f"{row['kind']}_{str(row['flag']).lower()}"
    ),
    "CAST(event_time AS DATE) + CAST(amount * 9 AS INTEGER)": lambda row: _maybe(
        lambda v: row["event_time"].date() + dt.timedelta(days=v * 9), row["amount"]
    ),
    "NOT flag": lambda row: row["flag"] is False,
    "coalesce(level, 0) < 3": lambda row: (row["level"] or 0) < 3,
    "score * 2": lambda row: _maybe(lambda v: v * 2, row["score"]),
    "date_diff('day', CAST(t.event_time AS DATE), CAST(header.event_time AS DATE))": lambda row: (
        (row["_header"].date() - row["event_time"].date()).days
    ),
    "t.kind IS NOT NULL": lambda row: row["kind"] is not None,
    "t.status <> '#'": lambda row: row["status"] is not None and row["status"] != "#",
    "CASE t.status WHEN 'N' THEN 0 WHEN '1' THEN 1 WHEN '2' THEN 2 END": lambda row: {
        "N": 0,
        "1": 1,
        "2": 2,
    }.get(row["status"]),
    "t.amount >= 5": lambda row: _maybe(lambda v: v >= 5, row["amount"]),
    "coalesce(t.kind, 'z') <> 'c'": lambda row: (row["kind"] or "z") != "c",
}
"""What each SQL expression of the blocks means, row by row."""

# Random rows ---------------------------------------------------------------------------------------------------------

EDGES = [
    observed["as_of"] - offset
    for observed in OBSERVATIONS
    for offset in (
        dt.timedelta(0),
        dt.timedelta(microseconds=-1),
        dt.timedelta(days=1),
        dt.timedelta(days=30),
        dt.timedelta(days=30, microseconds=-1),
        dt.timedelta(days=60),
        dt.timedelta(days=90, microseconds=1),
        dt.timedelta(days=-3),
    )
]
DAYS = [dt.datetime(2024, 2, day) for day in (28, 29)] + [
    dt.datetime(2024, 1, 31), dt.datetime(2024, 3, 1), dt.datetime(2024, 4, 30), dt.datetime(2023, 11, 30),
    dt.datetime(2023, 5, 31, 10, 30), dt.datetime(2024, 5, 31),
]  # fmt: skip
TIMES = st.one_of(
    st.sampled_from(EDGES + DAYS),
    st.integers(0, 200 * 24).map(lambda hours: dt.datetime(2024, 6, 5) - dt.timedelta(hours=hours)),
)
LAGS = st.sampled_from(
    [dt.timedelta(0), dt.timedelta(seconds=1), dt.timedelta(days=1), dt.timedelta(days=45)]
)
AHEAD = st.sampled_from(
    [dt.timedelta(0)] * 4 + [dt.timedelta(days=1), dt.timedelta(days=45), dt.timedelta(days=-20)]
)
"""Lags of events, which may be known before they happen (an instalment that falls due)."""
# Most rows are about somebody who is observed and pass the filters: a row that never counts shows little.
PERSONS = st.sampled_from(["p1", "p1", "p1", "p2", "p2", "p3", None])


def _system(time: dt.datetime, lag: dt.timedelta, line: int, *, deleted: bool = False) -> Row:
    known = time + lag
    return {
        "event_time": time, "known_time": known, "_doc": line, "_seq": 0, "_parent": None,
        "_delivery": known.date(), "_file": "f", "_line": line, "_deleted": deleted,
    }  # fmt: skip


@st.composite
def events(draw: st.DrawFn, most: int = 30) -> list[Row]:
    """Events with versions: some ids come again, changed, deleted or for somebody else."""
    return [
        {
            "id": f"e{draw(st.integers(0, most))}",
            "person": draw(PERSONS),
            "kind": draw(st.sampled_from(["a", "b", "c", None, "unknown"])),
            "org": draw(st.sampled_from(["x", "y", None])),
            "amount": draw(st.one_of(st.none(), st.integers(-2, 10))),
            "level": draw(st.sampled_from([None, 1, 2, 3])),
            "flag": draw(st.sampled_from([False] * 8 + [True, None])),
            "obs": draw(st.sampled_from([None, None, None, "o1", "o2", "elsewhere"])),
            **_system(draw(TIMES), draw(AHEAD), line, deleted=draw(st.integers(0, 11)) == 0),
        }
        for line in range(draw(st.integers(most // 2, most)))
    ]


@st.composite
def links(draw: st.DrawFn) -> list[Row]:
    return [
        {
            "sid": f"s{draw(st.integers(0, 8))}",
            "person": draw(PERSONS),
            "device": draw(st.sampled_from(["d1", "d2", None])),
            **_system(draw(TIMES), draw(LAGS), line, deleted=draw(st.integers(0, 7)) == 0),
        }
        for line in range(draw(st.integers(0, 8)))
    ]


@st.composite
def states(draw: st.DrawFn) -> list[Row]:
    rows = []
    for line in range(draw(st.integers(0, 6))):
        time = draw(TIMES)
        ends = draw(st.one_of(st.none(), st.integers(1, 100).map(lambda days: dt.timedelta(days=days))))
        rows.append(
            {
                "person": draw(PERSONS),
                "valid_from": time,
                "valid_to": None if ends is None else time + ends,
                "income": draw(st.one_of(st.none(), st.integers(0, 9))),
                "city": draw(st.sampled_from(["bj", "sh", "else", None])),
                **_system(time, draw(LAGS), line),
            }
        )
    return rows


@st.composite
def registers(draw: st.DrawFn) -> dict[str, list[Row]]:
    """States with what hangs under them: posts, and their duties."""
    heads, posts, duties = draw(states()), [], []
    for head in heads:
        system = {name: head[name] for name in SYSTEM}
        for seq in range(draw(st.integers(0, 3))):
            since = head["event_time"] - dt.timedelta(
                days=draw(st.sampled_from([0, 1, 29, 30, 31, 89, 90, -2]))
            )
            posts.append(
                {
                    "kind": draw(st.sampled_from(["a", "b", None])),
                    "amount": draw(st.one_of(st.none(), st.integers(0, 9))),
                    **system,
                    "event_time": since,
                    "_seq": seq,
                    "_parent": 0,
                }
            )
            duties += [
                {
                    "status": draw(st.sampled_from(["x", None])),
                    **system,
                    "event_time": since + dt.timedelta(days=draw(st.sampled_from([0, 1, 30, 200]))),
                    "_seq": 10 * seq + number,
                    "_parent": seq,
                }
                for number in range(draw(st.integers(0, 2)))
            ]
    return {"state": heads, "post": posts, "duty": duties}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Reports with accounts and months."""
    reports, marks, accounts, months = [], [], [], []
    for line in range(draw(st.integers(2, 7))):
        time = draw(TIMES)
        system = _system(time, draw(LAGS), line, deleted=draw(st.integers(0, 9)) == 0)
        reports.append(
            {
                "req": f"r{draw(st.integers(0, 4))}",
                "person": draw(PERSONS),
                "hit": draw(st.sampled_from(["1", "1", "1", "0", None])),
                "score": draw(st.one_of(st.none(), st.integers(0, 9).map(float))),
                "grade": draw(st.sampled_from(["x", "y", "z", None])),
                **system,
            }
        )
        marks += [
            {"who": who, **system, "_seq": seq, "_parent": 0}
            for seq, who in enumerate(draw(st.lists(PERSONS, max_size=3)))
        ]
        number = 0
        for seq in range(draw(st.integers(0, 3))):
            opened = time - dt.timedelta(days=draw(st.sampled_from([0, 1, 30, 31, 91, 92, 400, -2])))
            accounts.append(
                {
                    "no": str(seq),
                    "kind": draw(st.sampled_from(["a", "b", "c", None])),
                    "amount": draw(st.one_of(st.none(), st.integers(0, 9))),
                    **system,
                    "event_time": dt.datetime.combine(opened.date(), dt.time()),
                    "_seq": seq,
                    "_parent": 0,
                }
            )
            for back in range(draw(st.integers(0, 4))):
                month = (time.year * 12 + time.month - 1) - back * draw(st.integers(1, 2))
                months.append(
                    {
                        "status": draw(st.sampled_from(["N", "1", "2", "#", "?", None])),
                        **system,
                        "event_time": dt.datetime(month // 12, month % 12 + 1, 1),
                        "_seq": number,
                        "_parent": seq,
                    }
                )
                number += 1
    for one in marks + accounts + months:
        one["_header"] = next(row["event_time"] for row in reports if row["_doc"] == one["_doc"])
        one["_deleted"] = False
    return {"report": reports, "mark": marks, "account": accounts, "month": months}


@st.composite
def ledgers(draw: st.DrawFn) -> list[Row]:
    return [
        {
            "call": f"c{line}",
            "source": draw(st.sampled_from(["src", "bureau", "other"])),
            "person": draw(PERSONS),
            "result": draw(st.sampled_from(["hit", "no_hit", "error"])),
            **_system(draw(TIMES), draw(LAGS), line),
        }
        for line in range(draw(st.integers(0, 5)))
    ]


def world(**rows: Any) -> dict[str, list[Row]]:
    """All tables, empty but for those given."""
    return {name: rows.get(name, []) for name in COLUMNS}
