"""Spells of a tie over time: held against laying out the pieces that are believed at every moment."""

from __future__ import annotations

import datetime as dt

import duckdb
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.identity.spells import make_spells

START = dt.datetime(2026, 1, 1)
DAYS = 14
SCHEMA = {
    "seen": pl.Int16, "a": pl.Int32, "b": pl.Int32, "role": pl.String,
    "vf": pl.Datetime("us"), "vt": pl.Datetime("us"), "last": pl.Datetime("us"),
    "known": pl.Datetime("us"), "until": pl.Datetime("us"),
}  # fmt: skip


def day(number: int | None) -> dt.datetime | None:
    return None if number is None else START + dt.timedelta(days=number)


@st.composite
def pieces(draw) -> list[dict[str, object]]:
    rows = []
    for _ in range(draw(st.integers(1, 7))):
        since = draw(st.integers(0, DAYS))
        known = draw(st.integers(since, DAYS + 3))
        rows.append(
            {
                "seen": 0, "a": 1, "b": draw(st.sampled_from([2, 3])), "role": "",
                "vf": day(since), "vt": day(draw(st.none() | st.integers(since + 1, DAYS + 4))),
                "last": day(since), "known": day(known),
                "until": day(draw(st.none() | st.integers(known + 1, DAYS + 6))) if draw(st.booleans()) else None,
            }
        )  # fmt: skip
    return rows


def spells(rows: list[dict[str, object]]) -> pl.DataFrame:
    connection = duckdb.connect(config={"threads": 1})
    connection.register("_given", pl.DataFrame(rows, schema=SCHEMA).to_arrow())
    connection.execute("CREATE TEMP TABLE _piece AS SELECT * FROM _given")
    make_spells(connection)
    found = connection.sql("SELECT * FROM _spell").pl()
    connection.close()
    return found


def by_laying_out(rows: list[dict[str, object]], moment: dt.datetime) -> set[tuple[object, ...]]:
    found = set()
    for end in {row["b"] for row in rows}:
        believed = sorted(
            (row["vf"], row["vt"] or dt.datetime.max, row["last"])
            for row in rows
            if row["b"] == end and row["known"] <= moment and (row["until"] is None or moment < row["until"])
        )
        groups: list[list[tuple[dt.datetime, dt.datetime, dt.datetime]]] = []
        for piece in believed:
            if groups and piece[0] <= max(vt for _, vt, _ in groups[-1]):
                groups[-1].append(piece)
            else:
                groups.append([piece])
        for group in groups:
            vt = max(each[1] for each in group)
            found.add(
                (
                    end,
                    group[0][0],
                    None if vt == dt.datetime.max else vt,
                    max(each[2] for each in group),
                    len(group),
                )
            )
    return found


def at(frame: pl.DataFrame, moment: dt.datetime) -> set[tuple[object, ...]]:
    rows = frame.filter(
        (pl.col("known") <= moment) & (pl.col("until").is_null() | (pl.col("until") > moment))
    )
    listed = rows.select("b", "vf", "vt", "last", "evidence").rows()
    assert len(set(listed)) == len(listed)
    return set(listed)


@given(pieces())
@settings(max_examples=80, deadline=None)
def test_every_moment_sees_the_pieces_believed_then(rows):
    frame = spells(rows)
    for number in range(DAYS + 8):
        moment = day(number)
        assert moment is not None
        assert at(frame, moment) == by_laying_out(rows, moment)


def test_pieces_that_touch_are_one_spell_and_a_gap_makes_two():
    def piece(since: int, to: int | None, known: int) -> dict[str, object]:
        return {
            "seen": 0, "a": 1, "b": 2, "role": "",
            "vf": day(since), "vt": day(to), "last": day(since), "known": day(known), "until": None,
        }  # fmt: skip

    frame = spells([piece(0, 3, 0), piece(3, 5, 4), piece(8, None, 9)])
    now = frame.filter(pl.col("until").is_null()).sort("vf")
    assert now.select("vf", "vt", "evidence").rows() == [(day(0), day(5), 2), (day(8), None, 1)]
