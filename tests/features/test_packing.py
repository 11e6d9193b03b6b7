"""A packed row gives back what was packed, one at a time and many at once, and is found by Feast's own key."""

from __future__ import annotations

import math
import struct

import numpy as np
import polars as pl
import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from bluemirror.errors import StoreError
from bluemirror.features.online_tables import key_texts, text_keys
from bluemirror.features.packing import Layout

VALUE = {
    "f": st.floats(width=32, allow_nan=False),
    "d": st.floats(allow_nan=False),
    "i": st.integers(-(2**31), 2**31 - 1),
    "q": st.integers(-(2**63), 2**63 - 1),
    "?": st.booleans(),
    "v": st.binary(max_size=9),
}
MOMENT = st.integers(-(2**62), 2**62)


@given(st.lists(st.sampled_from(sorted(VALUE)), max_size=20), MOMENT, st.data())
def test_a_row_gives_back_what_was_packed(kinds: list[str], moment: int, data: st.DataObject) -> None:
    layout = Layout(tuple((f"x{at}", kind) for at, kind in enumerate(kinds)))
    values = {name: data.draw(st.none() | VALUE[kind]) for name, kind in layout.fields}
    found, unpacked = layout.unpack(layout.pack(moment, values))
    assert found == moment
    assert dict(zip(layout.names, unpacked, strict=True)) == values
    assert Layout.read(layout.text) == layout


@given(
    st.lists(st.sampled_from("fdiq?"), min_size=1, max_size=12),
    st.lists(MOMENT, min_size=1, max_size=9),
    st.data(),
)
def test_many_rows_are_packed_like_one(kinds: list[str], moments: list[int], data: st.DataObject) -> None:
    types = {"f": pl.Float32, "d": pl.Float64, "i": pl.Int32, "q": pl.Int64, "?": pl.Boolean}
    layout = Layout(tuple((f"x{at}", kind) for at, kind in enumerate(kinds)))
    columns = {
        name: pl.Series(name, [data.draw(st.none() | VALUE[kind]) for _ in moments], types[kind])
        for name, kind in layout.fields
    }
    frame = pl.DataFrame(columns)
    rows = layout.pack_all(np.array(moments, np.int64), frame)
    assert rows == [layout.pack(at, row) for at, row in zip(moments, frame.to_dicts(), strict=True)]
    found, values = layout.unpack_all(rows)
    assert found.tolist() == moments
    assert values.select(frame.columns).equals(frame, null_equal=True)


def test_a_number_takes_four_bytes_and_a_bit() -> None:
    layout = Layout(tuple((f"x{at}", "f") for at in range(200)))
    assert len(layout.pack(0, {})) == 8 + 25 + 800


def test_not_a_number_is_not_missing() -> None:
    layout = Layout((("x", "f"), ("y", "f")))
    _, (x, y) = layout.unpack(layout.pack(0, {"x": math.nan}))
    assert math.isnan(x)
    assert y is None


def test_text_is_not_published_by_the_night() -> None:
    layout = Layout((("name", "v"),))
    with pytest.raises(StoreError, match="name is no number"):
        layout.pack_all(np.array([0]), pl.DataFrame({"name": ["x"]}))


def test_a_row_of_another_length_is_not_read() -> None:
    layout = Layout((("x", "f"), ("y", "f")))
    with pytest.raises(struct.error):
        layout.unpack(layout.pack(0, {"x": 1.0})[:-2])


@given(st.lists(st.text(max_size=12), max_size=5))
def test_keys_are_feasts(values: list[str]) -> None:
    expected = [
        serialize_entity_key(EntityKey(join_keys=["person_id"], entity_values=[Value(string_val=value)]), 3)
        for value in values
    ]
    assert text_keys("person_id", values) == expected
    assert key_texts("person_id", expected) == values
