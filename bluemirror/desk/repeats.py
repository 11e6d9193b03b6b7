"""Answers that repeat: one request id on several calls, and one and the same content for many people.

What a source says may repeat by its nature (a verdict has three values), so a content counts as repeated only where its
share rose far beyond what it was in the weeks before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from bluemirror.desk.calls import TABLE
from bluemirror.desk.drift import with_record
from bluemirror.desk.evidence import ENOUGH, evidence_above, share_range
from bluemirror.desk.known import day, moment, quote
from bluemirror.desk.windows import Windows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Field, Table

LEAST_ANSWERS = 20
"""Answers that a window needs before one content is looked for in them."""
LEAST_PEOPLE = 5
"""Different people who must have got the same content."""
ENOUGH_COLUMNS = 15
"""Columns of content, of the record itself and then part by part, that tell people apart."""
RISE = 0.10
"""How much the share of one content must rise."""


@dataclass(frozen=True)
class SameAnswer:
    """The content that repeats most, in the as-of day (``days`` 1) or the recent week (``days`` 7).

    Parameters
    ----------
    days, answers, same, people
        Window; answers in it; answers with that content; different subjects among those.
    share_before
        Share of that content in the eight weeks before.
    repeated
        Whether it rose by more than chance and enough to matter.
    """

    days: int
    answers: int
    same: int
    people: int
    share_before: float
    repeated: bool


def repeated_requests(connection: duckdb.DuckDBPyConnection, windows: Windows) -> dict[str, int]:
    """Source -> calls of the recent week that carry the request id of another call that went out."""
    found = connection.sql(
        "SELECT source, sum(n - 1) FROM (SELECT source, request, count(*) AS n, max(day) AS last "
        f"FROM {TABLE} WHERE NOT cached AND outcome <> 'error' AND request IS NOT NULL "
        f"AND day >= {day(windows.baseline)} GROUP BY ALL HAVING count(*) > 1) "
        f"WHERE last >= {day(windows.recent)} GROUP BY source"
    ).fetchall()
    return {source: int(count) for source, count in found}


def same_answer(
    connection: duckdb.DuckDBPyConnection, contract: Contract, windows: Windows
) -> SameAnswer | None:
    """The content of the source's answers that repeats most; None with too few answers or nothing to compare."""
    header = contract.header
    parts = [table for table in contract.tables if table.name != header.name]
    own = [column for field in header.fields for column in _content(header, field)]
    of_parts: dict[str, list[str]] = {}
    for table in parts:
        columns = [column for field in table.fields for column in _content(table, field)]
        if columns and len(own) + sum(map(len, of_parts.values())) < ENOUGH_COLUMNS:
            of_parts[table.name] = columns
    subjects = [column for field in header.fields if field.key for column, _ in field.columns[:1]]
    if not subjects or not (own or of_parts):
        return None
    found = with_record(contract) or "true"
    limits = f"known_time >= {day(windows.baseline)} AND known_time <= {moment(windows.end)}"
    pieces = [f"hash({', '.join(quote(column) for column in own)})" if own else "hash(0)"]
    joins = ""
    for number, (name, columns) in enumerate(of_parts.items()):
        # The sum over a record's parts does not depend on their order.
        joins += (
            f" LEFT JOIN (SELECT _doc, sum(hash({', '.join(quote(c) for c in columns)})) AS h FROM {quote(name)} "
            f"WHERE {limits} GROUP BY _doc) p{number} ON p{number}._doc = t._doc"
        )
        pieces.append(f"coalesce(p{number}.h, 0)")
    answers = (
        f"SELECT CASE WHEN known_time >= {day(windows.as_of)} THEN 2 WHEN known_time >= {day(windows.recent)} THEN 1 "
        f"ELSE 0 END AS place, hash({', '.join(pieces)}) AS content, "
        f"hash({', '.join('t.' + quote(column) for column in subjects)}) AS subject "
        f"FROM {quote(header.name)} t{joins} WHERE {found} AND {limits} AND NOT coalesce(t._deleted, false)"
    )
    rows = connection.sql(
        f"WITH answers AS ({answers}), contents AS (SELECT content, count(*) FILTER (place = 2) AS today, "
        "count(DISTINCT subject) FILTER (place = 2) AS today_people, count(*) FILTER (place > 0) AS week, "
        "count(DISTINCT subject) FILTER (place > 0) AS week_people, count(*) FILTER (place = 0) AS before "
        "FROM answers GROUP BY content) "
        "SELECT sum(today), sum(week), sum(before), count(*) FILTER (today > 0), count(*) FILTER (week > 0), "
        "max_by((today, today_people, before), (today, before)), max_by((week, week_people, before), (week, before)) "
        "FROM contents"
    ).fetchall()[0]
    today, week, before, kinds_today, kinds_week, most_today, most_week = rows
    looked = []
    for days, answers_, kinds, most in (
        (1, today, kinds_today, most_today),
        (7, week, kinds_week, most_week),
    ):
        if answers_ and answers_ >= LEAST_ANSWERS and before >= LEAST_ANSWERS:
            looked.append(_judge(days, int(answers_), int(kinds), most, int(before)))
    repeated = [one for one in looked if one.repeated]
    return repeated[0] if repeated else looked[-1] if looked else None


def _judge(days: int, answers: int, kinds: int, most: tuple[int, int, int], before: int) -> SameAnswer:
    same, people, same_before = (int(count) for count in most)
    usual, high = same_before / before, share_range(same_before, before)[1]
    # The content was chosen after looking, so each content in the window costs its share of the evidence.
    evidence = evidence_above(same, answers, high) - log(max(kinds, 1))
    rose = same / answers - usual >= RISE
    return SameAnswer(
        days, answers, same, people, usual, bool(evidence >= ENOUGH and rose and people >= LEAST_PEOPLE)
    )


def _content(table: Table, field: Field) -> tuple[str, ...]:
    """The columns that say something about the subject: no keys, no ids, no texts, no times of the answer itself."""
    times = {rule.field for rule in (table.event_time, table.known_time) if rule is not None}
    if field.drop or field.key or field.primary_key or field.name in times:
        return ()
    if field.type == "timestamp" or (field.type == "string" and field.codes is None):
        return ()
    return tuple(name for name, _ in field.columns)
