"""Answers of the asked sources beside the truth about those whom they are about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace

FORMS = ("md5", "sha256", "sm3")


@pytest.fixture(scope="session")
def truth(landed: Workspace) -> pl.DataFrame:
    """One row a customer: the truth, and the identity number in each form that vendors send."""
    people = pl.read_parquet(landed.data / "truth" / "persons.parquet")
    return people.with_columns(
        pl.Series(form, [hashlib.new(form, text.encode()).hexdigest() for text in people["id_no"]])
        for form in FORMS
    )


@pytest.fixture(scope="session")
def answers(
    landed: Workspace, lines: Callable[[str], pl.DataFrame], truth: pl.DataFrame
) -> Callable[[str], pl.DataFrame]:
    """The answers of a source that found something, with the truth about the person; all of them are customers."""
    contracts = read_contracts(landed.contracts_dir)

    def read(source: str) -> pl.DataFrame:
        frame = lines(source).filter(pl.col("hit").cast(pl.String) == "1")
        key = contracts[source].header.field("id_hash").key
        joined = frame.join(truth, left_on="id_hash", right_on=key.form)
        assert joined.height == frame.height
        return joined

    return read
