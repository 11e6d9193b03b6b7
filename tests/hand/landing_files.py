"""Tiny parsers of the landing files, for the values computed by hand; they share no code with the library."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.report_files import reports

Record = dict[str, Any]


def records(landing: Path, source: str, rejected: set[tuple[str, int]]) -> list[Record]:
    """Every landed record of a source in the order of delivery, but for those whose (file, line) was rejected."""
    found = []
    for delivery in sorted((landing / source).iterdir()):
        if not (delivery / "_DONE.json").is_file():
            continue
        for path in sorted(delivery.iterdir()):
            if path.name == "_DONE.json":
                continue
            name = f"{source}/{delivery.name}/{path.name}"
            found += [one for line, one in enumerate(parse(path), start=1) if (name, line) not in rejected]
    return found


def parse(path: Path) -> list[Record]:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return reports(path)


def at(node: Any, path: str) -> Any:
    """The value at ``a/b/c``, None where it is absent; ``--`` and empty text are absent."""
    for step in path.split("/"):
        if not isinstance(node, dict):
            return None
        node = node.get(step)
    return None if node in (None, "", "--", "null") else node


def many(node: Any, path: str) -> list[Any]:
    """The repeated group at a path: a list, a single object, or nothing."""
    found = at(node, path)
    return [] if found is None else found if isinstance(found, list) else [found]


def number(text: Any) -> float | None:
    return None if text is None else float(str(text).replace(",", ""))


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def day(text: str | None) -> dt.date | None:
    """A date, or the first day of a month."""
    if text is None:
        return None
    return dt.date.fromisoformat(text if len(text) == 10 else f"{text}-01")
