"""The desk's figures the slow and obvious way: straight from the landing files, a row at a time, with plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def rows(root: Path, source: str, as_of: dt.date) -> Iterator[Row]:
    """Rows of the complete deliveries of a source up to a day, in the order in which they came, with ``_day``."""
    folder = root / "landing" / source
    for delivery in sorted(folder.iterdir()) if folder.is_dir() else ():
        day = dt.date.fromisoformat(delivery.name)
        if day > as_of or not (delivery / "_DONE.json").is_file():
            continue
        for file in sorted(delivery.iterdir()):
            if file.suffix == ".csv":
                with file.open(encoding="utf-8", newline="") as lines:
                    for row in csv.DictReader(lines):
                        yield {**{name: value or None for name, value in row.items()}, "_day": day}
            elif file.suffix == ".jsonl":
                for line in file.read_text(encoding="utf-8").splitlines():
                    yield {**json.loads(line), "_day": day}


def calls(root: Path, as_of: dt.date) -> list[Row]:
    """The ledger: of each call the version that was written last."""
    found: dict[str, Row] = {}
    for row in rows(root, "ledger", as_of):
        at = dt.datetime.fromisoformat(row["at"])
        if at.date() <= as_of:
            found[row["call_id"]] = row | {
                "at": at,
                "day": at.date(),
                "cached": row["cached"] == "true",
                "ms": int(row["ms"]),
                "paid": float(row["paid"]),
            }
    return list(found.values())


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    if not ordered:
        return None
    for number, value in enumerate(ordered, start=1):
        if number >= share * len(ordered) - 1e-9:
            return value
    return ordered[-1]


def figures(ledger: Iterable[Row], price: Callable[[str, bool], float]) -> dict[str, Any]:
    """What ``CallFigures`` holds, of these calls."""
    every = list(ledger)
    out = [row for row in every if not row["cached"]]
    answered = [row for row in out if row["result"] not in {"error", "timeout"}]
    return {
        "calls": len(every),
        "outside": len(out),
        "cached": len(every) - len(out),
        "hits": sum(row["result"] in {"hit", "match", "mismatch"} for row in out),
        "matches": sum(row["result"] == "match" for row in out),
        "mismatches": sum(row["result"] == "mismatch" for row in out),
        "misses": sum(row["result"] == "no_hit" for row in out),
        "errors": sum(row["result"] in {"error", "timeout"} for row in out),
        "timeouts": sum(row["result"] == "timeout" for row in out),
        "p50_ms": quantile((row["ms"] for row in answered), 0.5),
        "p99_ms": quantile((row["ms"] for row in answered), 0.99),
        "cost_yuan": sum(row["paid"] for row in every),
        "expected_yuan": sum(price(row["result"], row["cached"]) for row in every),
        "mispriced": sum(abs(row["paid"] - price(row["result"], row["cached"])) > 1e-4 for row in every),
    }


def psi(before: Counter[Any], now: Counter[Any]) -> float:
    """Population stability index of two counts; an empty side counts half a row."""
    total, total_now = sum(before.values()), sum(now.values())
    index = 0.0
    for name in {*before, *now}:
        expected = (before[name] or 0.5) / total
        actual = (now[name] or 0.5) / total_now
        index += (actual - expected) * math.log(actual / expected)
    return index


def deciles(values: list[float]) -> list[float]:
    """The distinct deciles of some values."""
    found = {quantile(values, step / 10) for step in range(1, 10)}
    return sorted(value for value in found if value is not None)


def decile(value: float, edges: list[float]) -> int:
    """Which bin a value falls into: up to the first edge, up to the second ..., above the last."""
    return next((place for place, edge in enumerate(edges) if value <= edge), len(edges))
