"""Customers who are registered a second time, under another number, instead of being found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from simulator.identities import check_digit
from simulator.spellings import Dice, slip

if TYPE_CHECKING:
    from simulator.population import Population


def registered_again(
    rows: pl.DataFrame, who: np.ndarray, dwellings: np.ndarray, people: Population
) -> pl.DataFrame:
    """Some of the rows once more, as the clerk took them down who did not find the customer.

    The number is new, a digit of the identity number is wrong, the name may have a slip, the address is spelt anew;
    telephone, date of birth and the rest are the same.

    Parameters
    ----------
    rows
        Rows of the customer master, one an entry of ``who`` and ``dwellings``.
    """
    picked, changed = [], []
    texts = rows.select(
        "person_id",
        "id_no",
        "name",
        start=pl.col("valid_from").cast(pl.String),
        open=pl.col("valid_to").is_null(),
    )
    for at, (person, id_no, name, start, still) in enumerate(texts.iter_rows()):
        dice = Dice("again", person, start)
        if not still or dice.draw() >= people.spelt.assume.registered_again:
            continue
        number = f"P0{person[1:]}{dice.pick(10)}"
        written = slip(name, dice) if dice.draw() < 0.5 else name
        address = people.spelt.address(int(dwellings[at]), "registered again", int(who[at]), start)
        people.spelt.persons[number] = person
        picked.append(at)
        changed.append((number, _wrong_digit(id_no, dice), written, address))
    if not picked:
        return rows.clear()
    again = pl.DataFrame(
        changed, schema=dict.fromkeys(("person_id", "id_no", "name", "address"), pl.String), orient="row"
    )
    return rows[picked].with_columns(again.get_columns())


def _wrong_digit(id_no: str, dice: Dice) -> str:
    """One digit of the serial is another, and the check digit with it; its region stays 99, so it is nobody's."""
    at = 14 + dice.pick(3)
    other = (int(id_no[at]) + 1 + dice.pick(9)) % 10
    first17 = f"{id_no[:at]}{other}{id_no[at + 1 : 17]}"
    return first17 + check_digit(first17)
