"""Keyed hashes: what takes the place of an identity number, phone or card at the door of the mart.

``hmac_sha256(key, "<entity>:<form>:<value, stripped, lower case>")``, the first 32 hexadecimal digits. The form
is that in which a source sends the value: two sources that send the same MD5 of a phone meet, and a source that
sends it plain meets both, because it gets one column a form.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Field

LENGTH = 32
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


def in_form(value: str, form: str) -> str:
    """A plain value in a vendors' form: its hash, in hexadecimal, as a vendor computes it."""
    value = value.strip()
    return value if form == "plain" else hashlib.new(form, value.encode()).hexdigest()
