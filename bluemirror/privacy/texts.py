"""What stands in a file as text: plain, behind escapes, and in the members of packed files."""

from __future__ import annotations

import gzip
import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

CHUNK = 1 << 20
"""Characters looked at together."""
OVERLAP = 400
"""Characters that two neighbours share, so that nothing is cut in two."""
DEPTH = 3
"""Packed files within packed files."""
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def texts_of(content: bytes, depth: int = DEPTH) -> Iterator[str]:
    """Pieces of a file's text; of a packed file, those of its members."""
    if depth:
        for inner in _members(content):
            yield from texts_of(inner, depth - 1)
    text = content.decode("utf-8", "replace")
    readings = [text]
    if "\\u" in text:
        readings.append(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text))
    if "&#" in text or "&amp;" in text:
        readings.append(html.unescape(text))
    if re.search(r"%[89A-Fa-f][0-9A-Fa-f]%", text):
        readings.append(unquote(text, errors="replace"))
    for reading in readings:
        for start in range(0, max(len(reading), 1), CHUNK):
            yield reading[start : start + CHUNK + OVERLAP]


def _members(content: bytes) -> Iterator[bytes]:
    try:
        if content[:2] == b"\x1f\x8b":
            yield gzip.decompress(content)
        elif content[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for info in archive.infolist():
                    yield info.filename.encode()
                    yield archive.read(info)
        elif content[:1] == b"\x78":
            yield zlib.decompress(content)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        return
