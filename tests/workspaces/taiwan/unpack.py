"""Unpack the public file into deliveries, as a bank would have sent them month by month.

The file has one line a client with six statements side by side: column ``PAY_0`` is September 2005, ``PAY_2``
August, ... ``PAY_6`` April (there is no ``PAY_1``); ``BILL_AMT1`` and ``PAY_AMT1`` are September.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

FILE = "taiwan_credit.csv"
# month end, column of the status, number of the bill and payment columns; the newest first, as in the file
STATEMENTS = (
    ("2005-09-30", "PAY_0", 1),
    ("2005-08-31", "PAY_2", 2),
    ("2005-07-31", "PAY_3", 3),
    ("2005-06-30", "PAY_4", 4),
    ("2005-05-31", "PAY_5", 5),
    ("2005-04-30", "PAY_6", 6),
)
OUTCOME_DAY = "2005-10-31"
CLIENT_COLUMNS = ("client_id", "valid_from", "limit", "sex", "education", "marriage", "age")


def land(workspace: Any, *, data: str | Path | None = None) -> dict[str, Any]:
    """Write every delivery that is not yet there.

    Parameters
    ----------
    workspace
        Its ``landing`` folder is filled and its ``root`` tells where the shared data stands.
    data
        Folder or file of the data; default: ``TAIWAN_DATA``, else ``shared/data/taiwan`` beside the repository.

    Returns
    -------
    ``deliveries``: number of deliveries written now; ``rows``: by source.
    """
    target = Path(workspace.landing)
    wanted = [("card_statement", day) for day, _, _ in STATEMENTS]
    wanted += [("card_client", STATEMENTS[0][0]), ("card_outcome", OUTCOME_DAY)]
    missing = [one for one in wanted if not (target / one[0] / one[1] / "_DONE.json").is_file()]
    if not missing:
        return {"deliveries": 0, "rows": {}}
    with find(workspace, data).open(encoding="utf-8-sig", newline="") as lines:
        clients = list(csv.DictReader(lines))
    rows: dict[str, int] = {}
    for source, day in missing:
        folder = target / source / day
        folder.mkdir(parents=True, exist_ok=True)
        written = WRITERS[source](folder, day, clients)
        (folder / "_DONE.json").write_text(json.dumps({"files": written}) + "\n", encoding="utf-8")
        rows[source] = rows.get(source, 0) + sum(file["rows"] for file in written.values())
    return {"deliveries": len(missing), "rows": rows}


def find(workspace: Any, data: str | Path | None = None) -> Path:
    """The public file.

    Raises
    ------
    WorkspaceError
        If it is in none of the places where it may be.
    """
    given = data or os.environ.get("TAIWAN_DATA")
    if given:
        places = [Path(given)]
    else:
        places = [parent / "shared" / "data" / "taiwan" for parent in Path(workspace.root).parents]
    for place in places:
        file = place if place.is_file() else place / FILE
        if file.is_file():
            return file
    from bluemirror.errors import WorkspaceError

    raise WorkspaceError(
        f"the public data file {FILE} is not here",
        file=places[0],
        rule="the data is read where it stands and is never part of the repository",
        fix="name its folder: TAIWAN_DATA=FOLDER, or bluemirror simulate --option data=FOLDER",
    )


def _statements(folder: Path, day: str, clients: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    """One month of statements as Parquet: what a statement shows, the previous balance among it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _, status, number = next(one for one in STATEMENTS if one[0] == day)
    previous = f"BILL_AMT{number + 1}"
    table = pa.table(
        {
            "client_id": pa.array([one["ID"] for one in clients], pa.string()),
            "statement_date": pa.array([dt.date.fromisoformat(day)] * len(clients), pa.date32()),
            "pay_status": pa.array([int(one[status]) for one in clients], pa.int32()),
            "credit_limit": pa.array([float(one["LIMIT_BAL"]) for one in clients], pa.float64()),
            "previous_balance": pa.array(
                [float(one[previous]) if previous in one else None for one in clients], pa.float64()
            ),
            "balance": pa.array([float(one[f"BILL_AMT{number}"]) for one in clients], pa.float64()),
            "paid": pa.array([float(one[f"PAY_AMT{number}"]) for one in clients], pa.float64()),
        }
    )
    pq.write_table(table, folder / "statements.parquet")
    return {"statements.parquet": {"rows": table.num_rows}}


def _clients(folder: Path, day: str, clients: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    """The client master as it stood at the last statement."""
    keys = ("LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE")
    lines = [[one["ID"], day, *(one[key] for key in keys)] for one in clients]
    return _csv(folder / "clients.csv", CLIENT_COLUMNS, lines)


def _outcomes(folder: Path, day: str, clients: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    """Whether the payment due in October came, known at the end of that month."""
    lines = [[one["ID"], day, one["DEFAULT"]] for one in clients]
    return _csv(folder / "outcomes.csv", ("client_id", "due_date", "defaulted"), lines)


def _csv(path: Path, header: tuple[str, ...], lines: list[list[str]]) -> dict[str, dict[str, int]]:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(lines)
    return {path.name: {"rows": len(lines)}}


WRITERS = {"card_statement": _statements, "card_client": _clients, "card_outcome": _outcomes}
