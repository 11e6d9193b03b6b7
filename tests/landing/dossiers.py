"""One dossier in four serialisations, each spelt out by hand from the same values."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

Rows = Mapping[str, list[list[str]]]
HEADS = {
    "CR_TOP": ("BATCH_ID", "ID", "A01", "A02", "B01", "B02"),
    "CR_C": ("PARENT_ID", "C01", "C02"),
    "CR_SUM": ("BATCH_ID", "ID", "S01", "S02"),
    "CR_PH": ("PARENT_ID", "P01"),
    "CR_LOANS": ("BATCH_ID", "ID", "L101", "L102", "L201", "L202", "L301"),
    "CR_L3H": ("PARENT_ID", "ID", "H01", "H02"),
    "CR_NOTE": ("PARENT_ID", "N01"),
    "CR_ASKED": ("BATCH_ID", "ID", "Q01", "Q02"),
}


def dossier(
    number: int, loans: int = 2, months: int = 2, notes: int = 1, alert: bool = True
) -> dict[str, Any]:
    """The tree, every group that repeats as a list."""
    return {
        "TOP": {
            "A": {"A01": f"D{number}", "A02": "2024-01-02T08:00:00"},
            "B": {"B01": f"Some & body {number}", "B02": f"m{number}@example.test"},
            "C": {"C01": "1", "C02": "2024-01-01"} if alert else {},
            "P": {"PH": [{"P01": f"{13900000000 + n}"} for n in range(number % 3)]},
        },
        "SUM": {"S01": str(loans), "S02": "01,02"},
        "LOANS": {
            "LOAN": [
                {
                    "L1": {"L101": f"A{n}", "L102": f"2020-01-0{n + 1}"},
                    "L2": {"L201": f"1,{n}00.50", "L202": ""} if n % 2 == 0 else {},
                    "L3": {
                        "L301": "2023-01",
                        "L3H": [
                            {
                                "H01": f"2023-{m + 1:02d}",
                                "H02": "1" if m == n else "N",
                                "NOTE": [{"N01": f"{n}, {m} <{k}>"} for k in range(notes)],
                            }
                            for m in range(months)
                        ],
                    },
                }
                for n in range(loans)
            ]
        },
        "ASKED": [{"Q01": "2023-12-01", "Q02": "--"}, {"Q01": "2023-12-02", "Q02": "02"}],
    }


def as_xml(tree: Any) -> str:
    """XML with ``Document`` around."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Document>{_xml(tree)}</Document>'


def _xml(tree: Any) -> str:
    if isinstance(tree, str):
        return tree.replace("&", "&amp;").replace("<", "&lt;")
    parts = []
    for name, value in tree.items():
        parts += [
            f"<{name}>{_xml(item)}</{name}>" for item in (value if isinstance(value, list) else [value])
        ]
    return "".join(parts)


def as_json(tree: Any) -> str:
    """JSON as converters make it: a group of one is an object, an empty one null."""
    return json.dumps(_collapsed(tree), ensure_ascii=False)


def _collapsed(tree: Any) -> Any:
    if isinstance(tree, list):
        items = [_collapsed(item) for item in tree]
        return None if not items else items[0] if len(items) == 1 else items
    if isinstance(tree, dict):
        return {name: _collapsed(value) for name, value in tree.items()} or None
    return tree


def as_camel(tree: Mapping[str, Any]) -> str:
    """The contract's dialect ``camel``."""
    loans = [
        {
            "basic": _lower(loan["L1"]),
            "l2": _lower(loan["L2"]),
            "last5": {"l301": loan["L3"]["L301"], "details": [_lower(month) for month in loan["L3"]["L3H"]]},
        }
        for loan in tree["LOANS"]["LOAN"]
    ]
    spelt = {
        "header": _lower(tree["TOP"]),
        "sum": _lower(tree["SUM"]),
        "loanInfos": loans,
        "asked": _lower(tree["ASKED"]),
    }
    return json.dumps(_collapsed(spelt), ensure_ascii=False)


def _lower(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_lower(item) for item in tree]
    return {k.lower(): _lower(v) for k, v in tree.items()} if isinstance(tree, dict) else tree


def as_rows(trees: Sequence[Mapping[str, Any]]) -> dict[str, list[list[str]]]:
    """The relational copy of some dossiers as rows by table, in the order of :data:`HEADS`."""
    rows: dict[str, list[list[str]]] = {name: [] for name in HEADS}

    def add(table: str, tie: str, *values: str) -> str:
        number = str(1000 + len(rows[table]))
        tied = [tie, number] if "ID" in HEADS[table] else [tie]
        rows[table].append([*tied, *values])
        return number

    for n, tree in enumerate(trees):
        batch, top = f"B{n}", tree["TOP"]
        top_id = add("CR_TOP", batch, top["A"]["A01"], top["A"]["A02"], top["B"]["B01"], top["B"]["B02"])
        if top["C"]:
            add("CR_C", top_id, top["C"]["C01"], top["C"]["C02"])
        add("CR_SUM", batch, tree["SUM"]["S01"], tree["SUM"]["S02"])
        for phone in top["P"]["PH"]:
            add("CR_PH", top_id, phone["P01"])
        for loan in tree["LOANS"]["LOAN"]:
            one, two, three = loan["L1"], loan["L2"], loan["L3"]
            state = (two.get("L201", ""), two.get("L202", ""))
            loan_id = add("CR_LOANS", batch, one["L101"], one["L102"], *state, three["L301"])
            for month in three["L3H"]:
                month_id = add("CR_L3H", loan_id, month["H01"], month["H02"])
                for note in month["NOTE"]:
                    add("CR_NOTE", month_id, note["N01"])
        for asked in tree["ASKED"]:
            add("CR_ASKED", batch, asked["Q01"], asked["Q02"])
    return rows


def as_zip(rows: Rows, heads: Mapping[str, Sequence[str]] = HEADS, folder: str = "", **extra: bytes) -> bytes:
    """The ZIP of those rows; ``extra`` members are added as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, head in heads.items():
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(head)
            writer.writerows(rows[table])
            archive.writestr(f"{folder}{table}.csv", text.getvalue())
        for name, content in extra.items():
            archive.writestr(name, content)
    return out.getvalue()
