"""Every item of the person report has its place in the mart, and none is stored that must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.contracts import Contract, Field, Table, read_contract

HERE = Path(__file__).resolve().parent
ITEMS = (HERE / "pboc_items.txt").read_text(encoding="utf-8").split()
"""Paths of the 353 items in the XML document, in the order of the report."""
DROPPED = {
    "PB01AQ01", "PD01FQ01", "PF02AQ03", "PF02AQ04", "PF03AQ04", "PF03AQ05", "PF04AQ02", "PF04AQ03", "PF08AQ02",
    "PG010Q01", *(f"{unit}ZQ01" for unit in ("PD01", "PD02", "PD03", "PE01", *(f"PF0{n}" for n in range(1, 9)))),
}  # fmt: skip
"""E-mail and free text: read past and never stored."""
KEYED = {
    "PA01BQ01": "name", "PA01BI01": "id_no", "PA01CI01": "other_id", "PA01DQ02": "phone", "PB01AQ02": "address",
    "PB01AQ03": "address", "PB01BQ01": "phone", "PB020Q01": "name", "PB020I01": "id_no", "PB020Q02": "employer",
    "PB020Q03": "phone", "PB030Q01": "address", "PB030Q02": "phone", "PB040Q01": "employer", "PB040Q02": "address",
    "PB040Q03": "phone", "PF05AQ04": "employer", "PF06AQ02": "employer",
}  # fmt: skip
"""Items that identify somebody, and what they are."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(HERE.parents[1] / "data_contracts" / "pboc_person.odcs.yaml")


@pytest.fixture(scope="module")
def fields(contract: Contract) -> dict[str, tuple[Table, Field]]:
    """Path in the document -> the table and field that hold it."""
    return {
        "/".join(part for part in (table.path.replace("[]", ""), field.physical) if part): (table, field)
        for table in contract.tables
        for field in table.fields
    }


def test_the_list_is_the_report() -> None:
    codes = [path.rsplit("/", 1)[1] for path in ITEMS]
    assert len(ITEMS) == len(set(codes)) == 353
    assert len({code[:4] for code in codes}) == 24  # units
    assert len({path.split("/")[0] for path in ITEMS}) == 24  # wrappers


def test_every_item_has_its_field_and_there_is_no_other(fields: dict[str, tuple[Table, Field]]) -> None:
    assert set(fields) == set(ITEMS)


def test_free_text_is_dropped_and_nothing_else(fields: dict[str, tuple[Table, Field]]) -> None:
    assert {path.rsplit("/", 1)[1] for path, (_, field) in fields.items() if field.drop} == DROPPED


def test_whatever_identifies_somebody_is_keyed(fields: dict[str, tuple[Table, Field]]) -> None:
    keys = {path.rsplit("/", 1)[1]: field.key.entity for path, (_, field) in fields.items() if field.key}
    assert keys == KEYED


def test_the_kind_of_an_item_is_the_letter_in_its_code(fields: dict[str, tuple[Table, Field]]) -> None:
    """D coded, J amount, R time, S count; I and Q are text. What differs is named here."""
    kinds = {
        "J": {"amount"},
        "S": {"int"},
        "R": {"date", "month", "timestamp"},
        "D": {"string"},
        "I": {"string"},
        "Q": {"string"},
    }
    other = {"PC010Q01": "int", "PC010Q02": "int", "PB040R01": "int"}
    for path, (_, field) in fields.items():
        code = path.rsplit("/", 1)[1]
        assert field.type in ({other[code]} if code in other else kinds[code[5]]), code


def test_a_coded_item_has_its_codes(fields: dict[str, tuple[Table, Field]]) -> None:
    """Every D item but two: the nationality follows ISO 3166, the place of an issuer the six-digit areas."""
    patterned = {"PB01AD05", "PC010D01", "PF07AD02"}
    for path, (_, field) in fields.items():
        code = path.rsplit("/", 1)[1]
        if code[5] == "D":
            assert field.pattern if code in patterned else field.codes, code


def test_every_repeating_place_is_a_table(contract: Contract) -> None:
    """The same paths, by the tables: a part hangs under the table of its enclosing place."""
    assert len(contract.tables) == 44
    assert len({table.path for table in contract.tables}) == 44
    for table in contract.tables[1:]:
        above = contract.table(table.parent)
        assert table.path.startswith(above.path)
        assert table.path[len(above.path) :].count("[]") == 1
