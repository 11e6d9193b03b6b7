"""The 353 items of a person report: in which segment of which unit each stands, in the order of the report.

An item's code begins with its segment's (``PD01A``, or ``PB020`` where the unit has no segments) and ends with a type
letter and a number. What stands behind the bar repeats, as rows of a group called ``PA01CH``.
"""

from __future__ import annotations

UNITS = {
    "PRH": "PA01", "PIM": "PB01", "PMM": "PB02", "PRM": "PB03", "POM": "PB04", "PSM": "PC01", "PCO": "PC02",
    "PNO": "PC03", "PPO": "PC04", "PQO": "PC05", "PDA": "PD01", "PCA": "PD02", "PCR": "PD03", "PND": "PE01",
    "POT": "PF01", "PCJ": "PF02", "PCE": "PF03", "PAP": "PF04", "PHF": "PF05", "PBS": "PF06", "PPQ": "PF07",
    "PAH": "PF08", "POS": "PG01", "POQ": "PH01",
}  # fmt: skip
"""Wrapper -> the unit in it, in the order of the document."""
REPEATING = frozenset(
    ("PMM", "PRM", "POM", "PDA", "PCA", "PCR", "PND", "POT", "PCJ", "PCE", "PAP", "PHF", "PBS", "PPQ", "PAH", "POS",
     "POQ")
)  # fmt: skip
"""Wrappers whose unit may stand there any number of times (the spouse once at most)."""
NOTES = ("PD01", "PD02", "PD03", "PE01", *(f"PF0{number}" for number in range(1, 9)))
"""Units with a segment Z of notes and statements."""
_LAYOUT = {
    "PA01A": "I01 R01", "PA01B": "Q01 D01 I01 I02 D02", "PA01C": "S01 | D01 I01", "PA01D": "Q01 Q02 R01 R02",
    "PA01E": "S01",
    "PB01A": "D01 R01 D02 D03 D04 D05 Q01 Q02 Q03", "PB01B": "S01 | Q01 R01",
    "PB02": "D01 Q01 D02 I01 Q02 Q03", "PB03": "D01 Q01 Q02 R01", "PB04": "D01 Q01 D02 D03 Q02 Q03 D04 D05 D06 R01 R02",
    "PC01": "Q01 Q02 S01 D01",
    "PC02A": "S01 S02 | D01 D02 S03 R01", "PC02B": "S01 J01 S02 | D01 S03 J02", "PC02C": "S01 J01",
    "PC02D": "S01 | D01 S02 S03 J01 S04",
    "PC02E": "S01 S02 J01 J02 J03", "PC02F": "S01 S02 J01 J02 J03", "PC02G": "S01 S02 J01 J02 J03",
    "PC02H": "S01 S02 J01 J02 J03 J04 J05", "PC02I": "S01 S02 J01 J02 J03 J04 J05",
    "PC02K": "S01 | D01 D02 S02 J01 J02",
    "PC03": "S01 | D01 S02 J01", "PC04": "S01 | D01 S02 J01",
    "PC05A": "R01 D01 I01 Q01", "PC05B": "S01 S02 S03 S04 S05 S06 S07 S08",
    "PD01A": "I01 D01 D02 I02 I03 I04 D03 R01 D04 J01 J02 J03 R02 D05 D06 S01 D07 D08 D09 D10",
    "PD01B": "D01 R01 R04 J01 R02 J02 D03 D04 R03",
    "PD01C": "R01 D01 J01 J02 J03 D02 S01 R02 J04 J05 R03 S02 J06 J07 J08 J09 J10 J11 J12 J13 J14 J15 R04",
    "PD01D": "R01 R02 | R03 D01", "PD01E": "R01 R02 S01 | R03 D01 J01", "PD01F": "S01 | D01 R01 S02 J01 Q01",
    "PD01G": "S01 | R01 D01", "PD01H": "S01 | J01 R01 R02 J02",
    "PD02A": "I01 D01 I02 I03 D02 J01 D03 R01 R02 D04 J04 J03 I04",
    "PD03A": "D08 D01 Q01 D02 R01 R02 D03 Q02 J01 D04 J02 D05 D06 D07 S01 R03",
    "PE01A": "D01 Q01 D02 R01 D03 J01 R02 Q02",
    "PF01A": "Q01 J01 R01", "PF02A": "Q01 Q02 R01 D01 Q03 R02 Q04 J01",
    "PF03A": "Q01 Q02 R01 D01 Q03 R02 Q04 J01 Q05 J02",
    "PF04A": "Q01 Q02 J01 R01 R02 Q03", "PF05A": "Q01 R01 D01 R02 R03 Q02 Q03 J01 Q04 R04",
    "PF06A": "D01 Q01 Q02 Q03 R01 R02 R03", "PF07A": "Q01 Q02 D01 D02 R01 R02 R03", "PF08A": "Q01 Q02 R01 R02",
    **{f"{unit}Z": "S01 | D01 Q01 R01" for unit in NOTES},
    "PG01": "D01 D02 S01 | D03 Q01 R01", "PH01": "R01 D01 Q02 Q03",
}  # fmt: skip


def _prefix(segment: str) -> str:
    return segment if len(segment) == 5 else f"{segment}0"


SCALARS = {
    segment: tuple(_prefix(segment) + code for code in text.split("|")[0].split())
    for segment, text in _LAYOUT.items()
}
"""Segment -> codes of its items that do not repeat."""
ROWS = {
    segment: tuple(_prefix(segment) + code for code in text.split("|")[1].split())
    for segment, text in _LAYOUT.items()
    if "|" in text
}
"""Segment -> codes of its repeating group's items."""
GROUPS = {segment: f"{_prefix(segment)}H" for segment in ROWS}
"""Segment -> name of its repeating group."""
SEGMENTS = {
    unit: tuple(sorted(segment for segment in SCALARS if segment.startswith(unit))) for unit in UNITS.values()
}
"""Unit -> its segments; a unit without segments is its own."""


def is_amount(code: str) -> bool:
    """Whether an item is an amount of money, which some front ends write with thousands commas."""
    return code[5] == "J"
