"""Keyed hashes: what takes the place of an identity number, phone or card at the door of the mart.

``hmac_sha256(key, "<entity>:<form>:<value, stripped, lower case>")``, the first 32 hexadecimal digits. The form
is that in which a source sends the value: two sources that send the same MD5 of a phone meet, and a source that
sends it plain meets both, because it gets one column a form.

A field whose key states ``parts`` (an address, the name of a company or a person) gets columns of keyed hashes beside
them, so that two spellings of one thing can be matched without anybody seeing it:

``<field>_part_norm``
    of the value in its normal spelling, 32 digits; equal for spellings that differ in form only. The message is
    ``parts:<kind>:norm:<text>``, whatever the field and its entity: sources meet.
``<field>_part_<part>``
    one a part (:data:`bluemirror.contracts.model.PARTS`), 16 digits, ``parts:<kind>:<part>:<text>``; null where the
    value has none.
``<field>_part_shingles``
    of the pieces of what may be misspelt, a list of 32-bit numbers without repetition; null where there are none.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.contracts.model import PARTS

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Field

LENGTH = 32
PART_LENGTH = 16
SHINGLE_BYTES = 4
CACHE_LIMIT = 400_000
"""Hashes remembered by a hasher; beyond it, it starts afresh rather than grow."""


class KeyHasher:
    """Hashes columns under one key, each distinct value once.

    Parameters
    ----------
    key
        The secret, from :meth:`bluemirror.workspace.Workspace.secret_key`.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], dict[str, str]] = {}
        self._apart: dict[str, dict[str, tuple[Any, ...]]] = {}
        self._pieces: dict[str, str] = {}

    def one(self, value: str, entity: str, form: str) -> str:
        """Keyed hash of one value that stands in ``form``."""
        message = f"{entity}:{form}:{value.strip().lower()}".encode()
        return hmac.digest(self._key, message, "sha256").hex()[:LENGTH]

    def column(self, values: pl.Series, entity: str, form: str, sent: str) -> pl.Series:
        """Keyed hashes of a column.

        Parameters
        ----------
        values
            Text as the source sends it.
        entity
            What the values identify.
        form, sent
            The form to hash in, and the form in which they are sent; they differ only if ``sent`` is plain.
        """
        import polars as pl

        distinct = values.unique().drop_nulls()
        known = self._known.setdefault((entity, f"{sent}>{form}"), {})
        if len(known) > CACHE_LIMIT:
            known.clear()
        hashes = []
        for value in distinct.to_list():
            found = known.get(value)
            if found is None:
                found = known[value] = self.one(in_form(value, form) if sent != form else value, entity, form)
            hashes.append(found)
        if not hashes:
            return pl.Series(values.name, [None] * len(values), dtype=pl.String)
        return values.replace_strict(distinct, pl.Series(hashes), default=None, return_dtype=pl.String)

    def columns(self, values: pl.Series, field: Field) -> list[pl.Series]:
        """The mart columns of a keyed field, one a declared form."""
        assert field.key is not None
        sent = field.key.form
        forms = field.key.forms or (sent,)
        named = field.columns
        return [
            self.column(values, field.key.entity, form, sent).alias(name)
            for (name, _), form in zip(named, forms, strict=True)
        ]

    def part_columns(self, values: pl.Series, field: Field) -> list[pl.Series]:
        """The mart columns of a key's parts, none if it states none; each distinct value is taken apart once."""
        assert field.key is not None
        if field.key.parts is None:
            return []
        import polars as pl

        kind = field.key.parts
        known = self._apart.setdefault(kind, {})
        if len(known) > CACHE_LIMIT:
            known.clear()
        distinct = values.unique().drop_nulls()
        rows = []
        for value in distinct.to_list():
            found = known.get(value)
            if found is None:
                found = known[value] = self.apart(value, kind)
            rows.append(found)
        found_columns = list(zip(*rows, strict=True)) or [()] * len(field.part_columns)
        made = pl.DataFrame(
            [
                _lists(name, found) if how == "shingles" else pl.Series(name, found, dtype=pl.String)
                for (name, how), found in zip(field.part_columns, found_columns, strict=True)
            ]
            + [distinct.alias("_value")]
        )
        given = pl.DataFrame({"_value": values})
        return given.join(made, on="_value", how="left", maintain_order="left").drop("_value").get_columns()

    def apart(self, value: str, kind: str) -> tuple[Any, ...]:
        """Keyed hashes of one value: of its normal spelling, of each part, of its shingles."""
        from bluemirror.parts import take_apart

        found = take_apart(value, kind)
        names = PARTS[kind]
        parts = [
            None if text is None else self._piece(f"parts:{kind}:{name}:{text}")[:PART_LENGTH]
            for name, text in zip(names, found.parts, strict=True)
        ]
        pieces = {
            int(self._piece(f"parts:{kind}:shingle:{text}")[: 2 * SHINGLE_BYTES], 16)
            for text in found.shingles
        }
        return (
            self._digest(f"parts:{kind}:norm:{found.norm}")[:LENGTH],
            *parts,
            sorted(pieces) or None,
        )

    def _piece(self, message: str) -> str:
        """Hash of a part: few are distinct, so they are remembered."""
        found = self._pieces.get(message)
        if found is None:
            if len(self._pieces) > CACHE_LIMIT:
                self._pieces.clear()
            found = self._pieces[message] = self._digest(message)
        return found

    def _digest(self, message: str) -> str:
        return hmac.digest(self._key, message.encode(), "sha256").hex()


def _lists(name: str, values: Sequence[Sequence[int] | None]) -> pl.Series:
    """A column of lists; from one flat array, because Polars makes a column of each list it is given."""
    import polars as pl
    import pyarrow as pa

    filled = [value or () for value in values]
    ends = np.cumsum([0, *map(len, filled)])
    flat = np.fromiter(chain.from_iterable(filled), dtype=np.uint32, count=int(ends[-1]))
    there = np.packbits(np.array([value is not None for value in values], dtype=bool), bitorder="little")
    # From buffers: pa.array() would import pandas to see whether it was given something of pandas.
    items = pa.Array.from_buffers(pa.uint32(), len(flat), [None, pa.py_buffer(flat)])
    lists = pa.Array.from_buffers(
        pa.large_list(pa.uint32()), len(values), [pa.py_buffer(there), pa.py_buffer(ends)], children=[items]
    )
    return pl.Series(name, lists)


def in_form(value: str, form: str) -> str:
    """A plain value in a vendors' form: its hash, in hexadecimal, as a vendor computes it."""
    value = value.strip()
    return value if form == "plain" else hashlib.new(form, value.encode()).hexdigest()
