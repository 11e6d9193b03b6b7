"""What is read is what is stored, whatever rows are asked for and however few columns fit at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluemirror.errors import FamilyError
from bluemirror.variables import stored_columns
from bluemirror.variables.store import variable_files
from bluemirror.variables.stored_columns import StoredBlock
from bluemirror.workspace import Workspace
from tests.health.world import SET

BLOCK = "vehicle"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_rows_in_any_order(
    quiet_once: Workspace, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    files = variable_files(quiet_once, SET, BLOCK)
    stored = pl.read_parquet(files)
    chosen = data.draw(st.lists(st.integers(0, len(stored) - 1), unique=True, max_size=50))
    if data.draw(st.booleans()):
        first = data.draw(st.integers(0, len(stored) - 1))
        chosen = list(range(first, min(first + data.draw(st.integers(1, 1200)), len(stored))))
    monkeypatch.setattr(stored_columns, "BATCH_BYTES", data.draw(st.sampled_from([1, 4096, 10**8])))
    wanted = stored[chosen]
    rows = wanted.select("observation_id", place=pl.int_range(len(chosen), dtype=pl.Int64))
    block = StoredBlock(files, BLOCK, rows)
    assert block.reason.tolist() == wanted[f"{BLOCK}__reason"].to_list()
    names = stored.columns[3:]
    read = 0
    for which, values in block.batches(names):
        for name, column in zip(names[which], values, strict=True):
            assert np.array_equal(column, wanted[name].fill_null(np.nan).to_numpy(), equal_nan=True)
            read += 1
    assert read == len(names)


def test_an_observation_that_is_not_stored_is_told(quiet_once: Workspace) -> None:
    rows = pl.DataFrame({"observation_id": ["nobody"], "place": [0]})
    with pytest.raises(FamilyError, match="bluemirror features"):
        StoredBlock(variable_files(quiet_once, SET, BLOCK), BLOCK, rows)
