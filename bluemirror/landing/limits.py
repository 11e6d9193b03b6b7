"""How much a file may ask of the reader: beyond it, it is held back or the record rejected, with the reason.

The limits are far above what a source sends on purpose and far below what would hurt the night; a source that needs
more splits its files.
"""

from __future__ import annotations

FILE_BYTES = 1 << 30
"""A file of lines; it is read whole."""
DOCUMENT_BYTES = 64 << 20
"""A file that is one record; a report of fifty accounts with all their months has about one MiB."""
UNPACKED_BYTES = 1 << 28
"""All members of a ZIP together, unpacked."""
PARQUET_CELLS = 200_000_000
"""Rows times columns of a Parquet file."""
MEMBERS = 10_000
"""Members of a ZIP."""
FIELD_BYTES = 65_536
"""One value of text, if its contract does not state a greater maximum length."""
