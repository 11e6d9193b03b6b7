"""Rows and documents of the small sources in this folder."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

PEOPLE_HEADER = "person_id,op,since,recorded_ts,id_no,phone,email,city,income"


def person(number: int, **changes: Any) -> dict[str, Any]:
    """A row of the source ``people``."""
    row = {
        "person_id": f"P{number}",
        "op": "i",
        "since": "2024-01-02",
        "recorded_ts": "2024-01-02T10:00:00",
        "id_no": f"{110101199001010000 + number}",
        "phone": f"{13800000000 + number}",
        "email": f"who{number}@example.test",
        "city": "sh",
        "income": "1234.56",
    }
    return row | changes


def people_csv(rows: list[dict[str, Any]]) -> str:
    """Lines of the source ``people``."""
    names = PEOPLE_HEADER.split(",")
    return "\n".join([PEOPLE_HEADER, *(",".join(str(row[name]) for name in names) for row in rows)]) + "\n"


def answer(number: int, records: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of the source ``asked``."""
    row = {
        "req_id": f"R{number}",
        "id_hash": f"{number:032x}",
        "report_ts": "2024-01-02T10:00:00",
        "hit": "1" if records else "0",
        "record_count": records,
        "records": [{"apply_ts": f"2023-12-0{n + 1}T08:00:00", "lender": "bank"} for n in range(records)],
    }
    return row | changes


def lines(rows: list[dict[str, Any]]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def moves(count: int, **changes: Any) -> pl.DataFrame:
    """Rows of the source ``moves``."""
    frame = pl.DataFrame(
        {
            "move_id": [f"M{n}" for n in range(count)],
            "moved_ts": ["2024-01-01T09:00:00"] * count,
            "book_date": ["2024-01-01"] * count,
            "amount": [10.25] * count,
            "reversed": [False] * count,
        },
        schema_overrides={"amount": pl.Float64, "reversed": pl.Boolean, "move_id": pl.String},
    )
    frame = frame.with_columns(
        pl.col("moved_ts").cast(pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us"),
        pl.col("book_date").cast(pl.String).str.to_date("%Y-%m-%d"),
    )
    return frame.with_columns(**changes) if changes else frame


def report_xml(number: int, accounts: int = 2, months: int = 2, time: str = "2024-01-02T08:00:00") -> str:
    """A document of the source ``report``, as XML."""
    blocks = ""
    for a in range(accounts):
        rows = "".join(f"<M><MON>2023-{m + 1:02d}</MON><ST>N</ST></M>" for m in range(months))
        blocks += (
            f"<ACC><BASE><NR>A{a}</NR><OPEN>2020-01-0{a + 1}</OPEN></BASE>"
            f"<LATEST><BAL>1,{a}00</BAL></LATEST><HIST>{rows}</HIST></ACC>"
        )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><Document>"
        f"<HEAD><A><NR>{number}</NR><TIME>{time}</TIME></A>"
        f"<B><NAME>Somebody {number}</NAME><MAIL>m{number}@example.test</MAIL></B>"
        f"<P><PH><NR>{13900000000 + number}</NR></PH></P></HEAD>"
        f"<SUM><COUNT>{accounts}</COUNT></SUM><ACCS>{blocks}</ACCS></Document>"
    )


def report_json(
    number: int, accounts: int = 2, months: int = 2, time: str = "2024-01-02T08:00:00"
) -> dict[str, Any]:
    """The same document as an object, with lists throughout."""
    return {
        "HEAD": {
            "A": {"NR": str(number), "TIME": time},
            "B": {"NAME": f"Somebody {number}", "MAIL": f"m{number}@example.test"},
            "P": {"PH": [{"NR": str(13900000000 + number)}]},
        },
        "SUM": {"COUNT": str(accounts)},
        "ACCS": {
            "ACC": [
                {
                    "BASE": {"NR": f"A{a}", "OPEN": f"2020-01-0{a + 1}"},
                    "LATEST": {"BAL": f"1,{a}00"},
                    "HIST": {"M": [{"MON": f"2023-{m + 1:02d}", "ST": "N"} for m in range(months)]},
                }
                for a in range(accounts)
            ]
        },
    }


def collapsed(value: Any) -> Any:
    """What an XML-to-JSON converter makes of it: lists of one become the element, empty ones null."""
    if isinstance(value, dict):
        return {name: collapsed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return (
            None if not value else collapsed(value[0]) if len(value) == 1 else [collapsed(v) for v in value]
        )
    return value


def sums(workspace: Any, source: str) -> tuple[int, int, int]:
    """(in, accepted, quarantined) as counted from the files of the mart and the quarantine, not from manifests."""
    from bluemirror.contracts import read_contract
    from bluemirror.mart.manifests import read_manifest, read_snapshot
    from bluemirror.mart.quarantine import read_quarantine

    snapshot = read_snapshot(workspace)
    header = read_contract(workspace.contracts_dir / f"{source}.odcs.yaml").header.name
    accepted = sum(pl.read_parquet(path)["_doc"].n_unique() for path in snapshot.files(workspace, header))
    quarantined = int(read_quarantine(snapshot.quarantine_files(workspace, source))["records"].sum())
    stated = [read_manifest(workspace, entry)["records"]["in"] for entry in snapshot.of(source).values()]
    return sum(stated), accepted, quarantined
