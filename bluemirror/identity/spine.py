"""The entity spine: the tables ``entity``, ``entity_key`` and ``entity_link`` of the mart.

All three say what was known when: a row counts for a moment if ``known_time <= moment`` and ``superseded_time`` is null
or later. They are worked out anew from what the mart holds (docs/decisions/0012); a moment's rows do not depend on
anything that became known after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.identity.evidence import evidence_sql
from bluemirror.identity.keys import resolve_keys
from bluemirror.identity.spells import make_spells
from bluemirror.mart.writeback import replace_table

if TYPE_CHECKING:
    import duckdb

    from bluemirror.identity.declared import Declared
    from bluemirror.workspace import Workspace

LINK = "entity_link"
KEY = "entity_key"
ENTITY = "entity"


def make_spine(connection: duckdb.DuckDBPyConnection, declared: Declared) -> None:
    """Make the three tables as temporary tables of ``connection``, which shows the mart's tables."""
    entries = sorted({(link.name, seen.source) for link in declared.links.values() for seen in link.seen})
    rows = ", ".join(
        f"({number}, '{name}', '{source}', '{declared.links[name].from_}', '{declared.links[name].to}')"
        for number, (name, source) in enumerate(entries)
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE _seen AS
        SELECT seen::SMALLINT AS seen, link, source, a, b FROM (VALUES {rows}) AS v (seen, link, source, a, b)
    """)
    parts = [
        evidence_sql(declared, link, seen, entries.index((link.name, seen.source)))
        for link in declared.links.values()
        for seen in link.seen
    ]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _evidence AS " + " UNION ALL ".join(f"({part})" for part in parts)
    )
    resolve_keys(connection, declared)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE _piece AS
        SELECT e.seen, a.number AS a, b.number AS b, coalesce(e.role, '') AS role,
          e.vf, e.vt, e.last, greatest(e.known, a.known, b.known) AS known, least(e.until, a.until, b.until) AS until
        FROM _evidence e JOIN _seen n ON n.seen = e.seen
        JOIN _key a ON a.entity = n.a AND a.form = e.a_form AND a.key = e.a_key
        JOIN _key b ON b.entity = n.b AND b.form = e.b_form AND b.key = e.b_key
        WHERE greatest(e.known, a.known, b.known) < coalesce(least(e.until, a.until, b.until), TIMESTAMP 'infinity')
    """)
    make_spells(connection)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {LINK} AS
        WITH name AS (SELECT DISTINCT entity, number, entity_id FROM _key)
        SELECT n.link, n.a AS from_entity, a.entity_id AS from_id, n.b AS to_entity, b.entity_id AS to_id,
          nullif(role, '') AS role, source, vf AS valid_from, vt AS valid_to, last AS last_seen,
          CAST(evidence AS INTEGER) AS evidence, known AS known_time, until AS superseded_time
        FROM _spell s JOIN _seen n ON n.seen = s.seen
        JOIN name a ON a.entity = n.a AND a.number = s.a
        JOIN name b ON b.entity = n.b AND b.number = s.b
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {KEY} AS
        SELECT entity, form, key, entity_id, known AS known_time, until AS superseded_time FROM _key
    """)
    _entities(connection)
    for name in ("_evidence", "_piece", "_spell", "_seen", "_key"):
        connection.execute(f"DROP TABLE {name}")


def _entities(connection: duckdb.DuckDBPyConnection) -> None:
    """Entities with the days on which they were first and last seen: a version for each day on which that changed."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {ENTITY} AS
        WITH told AS (
          SELECT entity, number, known, CAST(min(vf) AS DATE) AS first, CAST(max(last) AS DATE) AS last
          FROM (
            SELECT n.a AS entity, s.a AS number, known, vf, last FROM _spell s JOIN _seen n ON n.seen = s.seen
            UNION ALL SELECT n.b, s.b, known, vf, last FROM _spell s JOIN _seen n ON n.seen = s.seen
          ) GROUP BY ALL
        ),
        so_far AS (
          SELECT entity, number, known, min(first) OVER life AS first, max(last) OVER life AS last
          FROM told WINDOW life AS (PARTITION BY entity, number ORDER BY known ROWS UNBOUNDED PRECEDING)
        ),
        changed AS (
          SELECT * FROM so_far
          WINDOW life AS (PARTITION BY entity, number ORDER BY known)
          QUALIFY lag(first) OVER life IS DISTINCT FROM first OR lag(last) OVER life IS DISTINCT FROM last
        ),
        version AS (
          SELECT *, lead(known) OVER (PARTITION BY entity, number ORDER BY known) AS until FROM changed
        )
        SELECT v.entity, k.entity_id, first AS first_seen, last AS last_seen,
          greatest(v.known, k.known) AS known_time, least(v.until, k.until) AS superseded_time
        FROM version v
        -- as long as its name is a name: a vendor's hash is none any more once it is known whose it is
        JOIN _key k ON k.entity = v.entity AND k.number = v.number AND k.key = k.entity_id
        WHERE greatest(v.known, k.known) < coalesce(least(v.until, k.until), TIMESTAMP 'infinity')
    """)


def write_spine(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Put the three tables into the mart, each in one step."""
    for name, order in (
        (LINK, "link, from_id, to_id, source, role, valid_from, known_time"),
        (KEY, "entity, form, key, known_time"),
        (ENTITY, "entity, entity_id, known_time"),
    ):
        replace_table(workspace, name, connection, f"SELECT * FROM {name} ORDER BY {order}")
