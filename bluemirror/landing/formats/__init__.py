"""Readers of the landing formats, one module each; the table below says which suffix goes where."""

from __future__ import annotations

READERS = {
    ".xml": "bluemirror.landing.formats.xml",
    ".json": "bluemirror.landing.formats.json",
    ".jsonl": "bluemirror.landing.formats.jsonl",
    ".csv": "bluemirror.landing.formats.csv",
    ".parquet": "bluemirror.landing.formats.parquet",
    ".zip": "bluemirror.landing.formats.relational",
}
"""Suffix -> module with ``read(plan, contract, files) -> Read``."""

DOCUMENTS = frozenset({".xml", ".json"})
"""Formats in which a file is one record."""

IN_PYTHON = DOCUMENTS | {".zip"}
"""Formats that are parsed in Python, whatever their contract; JSON lines are if they nest."""
BESIDE = frozenset({".json"})
"""Of those, the formats whose bulk is read by compiled loops, so that a thread is enough to read beside other work."""
UNPACKED = {".parquet": 6, ".zip": 12}
"""How many bytes of text stand in a byte of a packed file, roughly."""
