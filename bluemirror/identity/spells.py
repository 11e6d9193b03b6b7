"""From single pieces of evidence to ties over time: since when, until when, how often seen, as known at each moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

PAIR = "seen, a, b, role"
INFINITY = "TIMESTAMP 'infinity'"


def make_spells(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``_spell`` from ``_piece``.

    ``_piece`` holds what is said of a pair (``seen``, ``a``, ``b``: numbers; ``role``; none null): it
    holds from ``vf`` up to ``vt`` (null: open), last said of ``last``; believed from ``known`` until ``until``. Pieces
    of a pair that touch or overlap are one spell. ``_spell`` has a row for every version of a spell: ``vf``, ``vt``,
    ``last``, ``evidence`` (pieces), ``known``, ``until``. A moment sees the rows with ``known <= moment < until``,
    which depend on no piece that became known later.
    """
    # Most pairs are only ever added to, in the order of events: running sums do. The others are looked at again at
    # every moment at which something changes, which is quadratic in their pieces.
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE _ordered AS
        SELECT *, max(vf) OVER pair AS newest, max(coalesce(vt, {INFINITY})) OVER pair AS reach
        FROM _piece
        WINDOW pair AS (PARTITION BY {PAIR} ORDER BY known, vf ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE _mixed AS
        SELECT {PAIR} FROM _ordered GROUP BY ALL
        HAVING bool_or(until IS NOT NULL) OR (bool_or(vt IS NOT NULL) AND bool_or(vf < newest))
    """)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _spell AS ({_added()}) UNION ALL ({_changed()})")
    for name in ("_ordered", "_mixed"):
        connection.execute(f"DROP TABLE {name}")


def _added() -> str:
    """Versions of the pairs that are only added to: one at each moment at which a piece became known."""
    return f"""
        WITH spelled AS (
          SELECT *, sum(CASE WHEN vf > reach THEN 1 ELSE 0 END) OVER (
            PARTITION BY {PAIR} ORDER BY known, vf ROWS UNBOUNDED PRECEDING) AS spell
          FROM _ordered ANTI JOIN _mixed USING ({PAIR})
        ),
        counted AS (
          SELECT {PAIR}, spell, known, min(vf) OVER so_far AS vf, max(last) OVER so_far AS last,
            max(coalesce(vt, {INFINITY})) OVER so_far AS vt, count(*) OVER so_far AS evidence
          FROM spelled
          WINDOW so_far AS (PARTITION BY {PAIR}, spell ORDER BY known, vf ROWS UNBOUNDED PRECEDING)
        ),
        version AS (  -- of pieces that became known at one moment, the last has counted them all
          SELECT {PAIR}, spell, known, min(vf) AS vf, max(vt) AS vt, max(last) AS last, max(evidence) AS evidence
          FROM counted GROUP BY {PAIR}, spell, known
        )
        SELECT {PAIR}, vf, nullif(vt, {INFINITY}) AS vt, last, evidence, known,
          lead(known) OVER (PARTITION BY {PAIR}, spell ORDER BY known) AS until
        FROM version
    """


def _changed() -> str:
    """Versions of the other pairs: the spells at each moment, and equal ones one after another as one."""
    spell = "vf, vt, last, evidence"
    return f"""
        WITH piece AS (SELECT * FROM _piece SEMI JOIN _mixed USING ({PAIR})),
        moments AS (
          SELECT *, lead(instant) OVER (PARTITION BY {PAIR} ORDER BY instant) AS next
          FROM (
            SELECT {PAIR}, known AS instant FROM piece
            UNION SELECT {PAIR}, until FROM piece WHERE until IS NOT NULL
          )
        ),
        seen AS (
          SELECT {PAIR}, instant, next, vf, vt, last,
            max(coalesce(vt, {INFINITY})) OVER (
              PARTITION BY {PAIR}, instant ORDER BY vf, vt ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
          FROM piece JOIN moments USING ({PAIR})
          WHERE known <= instant AND (until IS NULL OR instant < until)
        ),
        numbered AS (
          SELECT *, sum(CASE WHEN vf > reach THEN 1 ELSE 0 END) OVER (
            PARTITION BY {PAIR}, instant ORDER BY vf, vt ROWS UNBOUNDED PRECEDING) AS spell
          FROM seen
        ),
        version AS (
          SELECT {PAIR}, instant, next, min(vf) AS vf, max(last) AS last, count(*) AS evidence,
            CASE WHEN bool_or(vt IS NULL) THEN NULL ELSE max(vt) END AS vt
          FROM numbered GROUP BY {PAIR}, instant, next, spell
        ),
        run AS (
          SELECT *, sum(CASE WHEN before = instant THEN 0 ELSE 1 END) OVER (
            PARTITION BY {PAIR}, {spell} ORDER BY instant ROWS UNBOUNDED PRECEDING) AS run
          FROM (
            SELECT *, lag(next) OVER (PARTITION BY {PAIR}, {spell} ORDER BY instant) AS before FROM version
          )
        )
        SELECT {PAIR}, {spell}, min(instant) AS known,
          CASE WHEN bool_or(next IS NULL) THEN NULL ELSE max(next) END AS until
        FROM run GROUP BY {PAIR}, {spell}, run
    """
