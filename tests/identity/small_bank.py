"""A bank of three small sources, straight as mart tables: what is tested is what comes of them, not their ingestion."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from bluemirror.contracts import read_contracts
from bluemirror.identity.declared import Declared, read_declared
from bluemirror.mart.connect import mart_columns
from bluemirror.mart.keys import KeyHasher
from bluemirror.workspace import Workspace

HERE = Path(__file__).parent
START = dt.datetime(2026, 1, 1)
HASHER = KeyHasher(b"small bank")


def at(day: float | None) -> dt.datetime | None:
    return None if day is None else START + dt.timedelta(days=day)


def declare(root: Path) -> Declared:
    """The declarations of the small bank, in a workspace at ``root``."""
    (root / "feature_repo").mkdir(parents=True)
    (root / "workspace.yaml").write_text("name: small\n")
    (root / "feature_repo" / "entities.yaml").write_text((HERE / "entities.yaml").read_text(encoding="utf-8"))
    return read_declared(Workspace.open(root), read_contracts(HERE / "contracts"))


def key(value: str | None, entity: str, form: str) -> str | None:
    """The mart's hash of a value that was sent plain and is kept in ``form``; short, so that a failure can be read."""
    return None if value is None else f"{entity}-{form}-{value}"


def client(
    person: str,
    start: float,
    end: float | None,
    recorded: float,
    id_no: str,
    phone: str,
    home: str | None = None,
) -> dict[str, Any]:
    row = {
        "client_id": person, "valid_from": at(start), "valid_to": at(end), "recorded_ts": at(recorded),
        "id_no_plain": key(id_no, "id", "plain"), "id_no_md5": key(id_no, "id", "md5"),
        "phone_plain": key(phone, "phone", "plain"), "phone_md5": key(phone, "phone", "md5"),
        "home": home, "home_part_norm": home, "event_time": at(start), "known_time": at(recorded),
    }  # fmt: skip
    return {"clients": row}


def visit(
    number: str, person: str, device: str, happened: float, received: float, deleted: bool = False
) -> dict[str, Any]:
    row = {
        "visit_id": number, "op": "d" if deleted else "i", "client_id": person, "device": key(device, "device", "plain"),
        "event_time": at(happened), "known_time": at(received), "_deleted": deleted,
    }  # fmt: skip
    return {"visits": row}


def answer(
    number: int, id_no: str, answered: float, phones: list[tuple[str, str | None, float]]
) -> list[dict[str, Any]]:
    head = {"req_id": f"R{number}", "id_hash": key(id_no, "id", "md5"), "event_time": at(answered)}
    common = {"known_time": at(answered), "_doc": number}
    rows: list[dict[str, Any]] = [{"vendor_answer": head | common}]
    for seq, (phone, role, seen) in enumerate(phones):
        below = {"cell_hash": key(phone, "phone", "md5"), "role": role, "event_time": at(seen), "_seq": seq}
        rows.append({"vendor_phone": below | common})
    return rows


def mart(
    declared: Declared, rows: list[dict[str, Any]], until: dt.datetime | None = None
) -> duckdb.DuckDBPyConnection:
    """The mart's tables holding ``rows``, those that were known by ``until``."""
    connection = duckdb.connect(config={"threads": 1})
    for contract in declared.contracts.values():
        for table in contract.tables:
            columns = mart_columns(table)
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
            connection.execute(f"CREATE TABLE {table.name} ({listed})")
            own = [row[table.name] for row in rows if table.name in row]
            own = [row for row in own if until is None or row["known_time"] <= until]
            for line, row in enumerate(own):
                filled = {
                    "_doc": line,
                    "_seq": 0,
                    "_deleted": False,
                    "_file": "f",
                    "_line": line,
                    "_delivery": START.date(),
                } | row
                names = ", ".join(f'"{name}"' for name in filled)
                marks = ", ".join("?" for _ in filled)
                connection.execute(
                    f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(filled.values())
                )
    return connection


def known(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    moment: dt.datetime,
    columns: str = "* EXCLUDE superseded_time",
) -> pl.DataFrame:
    """Rows of a table as a moment saw them, without what it could not know."""
    return connection.sql(
        f"SELECT {columns} FROM {table} WHERE known_time <= TIMESTAMP '{moment}'"
        f" AND (superseded_time IS NULL OR superseded_time > TIMESTAMP '{moment}') ORDER BY ALL"
    ).pl()
