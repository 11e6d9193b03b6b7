"""An address: administrative places, road, house number, building, unit, room, in the order of GB/T 23705."""

from __future__ import annotations

import re

from bluemirror.parts.spelling import OVER, with_digits

_UNITS = r"号|栋|幢|座|棟|单元|室|层|楼|弄|巷|#|-"
_PROVINCE = re.compile(r"(.{2,7}?)(?:省|自治区|特别行政区)")
_CITY = re.compile(r"(.{1,6}?)(?:自治州|地区|市|盟)(?!场)")
_DISTRICT = re.compile(r"(.{1,5}?)(?:(?<![小社园])区|自治县|县|旗|(?<=.)市(?!场))(?!府)")
_TOWN = re.compile(r"(.{1,6}?)(?:街道(?:办事处)?|镇|乡)(?!路|街)")
_ROAD = re.compile(r"(.{1,10}?)(大道|大街|胡同|公路|路|街|道|巷)([东南西北中]段?)?(?=[\d(#]|$|.*?\d)")
_NUMBER = re.compile(r"(\d+)(?:(?:-|号?之)(\d+))?(?:号|弄)(?!楼|栋|幢|室)(?:院|大院)?")
_BUILDING = re.compile(r"(?<!\d)(\d+|[a-z]\d*|[东南西北])(?:号楼|栋|幢|棟|座|#楼?|号(?=\d+室?$)|楼(?=\d|$))")
_UNIT = re.compile(r"(\d+|[a-z])单元")
_FLOOR = re.compile(r"(?<!\d)\d+(?:层|楼)")
_ROOM = re.compile(r"([a-z]?\d+[a-z]?)(?:室|房|户|号室?)?$")
_LOOSE = re.compile(r"^[-#]?(\d+|[a-z])[-#](?:(\d+)[-#])?(\d+[a-z]?)(?:室|房|户|号)?$")
_BRACKETS = re.compile(r"\([^()]*\)")
_WORDS = re.compile(r"[^\d#-]*")
_SIDES = {"东": "e", "南": "s", "西": "w", "北": "n"}


def address_parts(text: str) -> dict[str, str]:
    """The parts of a folded address, empty where it has none.

    ``province`` to ``district`` come without 省, 市, 区; ``road`` comes without 路, 街, 大道, which people exchange,
    but with a direction or section (东段). A place that has a name but no road (a village, an estate) stands in
    ``road`` too. ``number``, ``building``, ``unit`` and ``room`` are digits or letters; 3栋101室, 3-101 and 3#101
    are the same; a floor says nothing that the room does not. :data:`OVER` is what no part holds.
    """
    rest = with_digits(_BRACKETS.sub("", text), _UNITS)
    found = dict.fromkeys(("province", "city", "district", "town"), "")
    for name, pattern in (
        ("province", _PROVINCE),
        ("city", _CITY),
        ("district", _DISTRICT),
        ("town", _TOWN),
    ):
        match = pattern.match(rest)
        if match and match.end() < len(rest):
            found[name], rest = match[1], rest[match.end() :]
    road = _ROAD.match(rest)
    name = over = ""
    if road:
        name, rest = road[1] + (road[3] or ""), rest[road.end() :]
    house = _NUMBER.search(rest)
    if house:
        # Before the house number stands a village or an estate: with a road's name, people leave it out.
        name, over = (name, rest[: house.start()]) if name else (rest[: house.start()], "")
        rest = rest[house.end() :]
    elif not name:
        words = _WORDS.match(rest)
        name = words[0] if words else ""
        rest = rest[len(name) :]
    parts, left = _inside(rest)
    return {
        "province": found["province"], "city": found["city"], "district": found["district"], "road": name,
        "number": "-".join(text for text in house.groups() if text) if house else "", **parts,
        OVER: found["town"] + over + left,
    }  # fmt: skip


def _inside(rest: str) -> tuple[dict[str, str], str]:
    """Building, unit and room, from what follows the house number, and what is left over."""
    loose = _LOOSE.match(rest)
    if loose:
        return {"building": loose[1], "unit": loose[2] or "", "room": loose[3]}, ""
    found = {}
    for name, pattern in (("building", _BUILDING), ("unit", _UNIT), ("floor", _FLOOR), ("room", _ROOM)):
        match = pattern.search(rest)
        found[name] = match[1] if match and name != "floor" else ""
        if match:
            # A separator stays, or the digits on both sides would become one number.
            rest = rest[: match.start()] + "-" + rest[match.end() :]
    del found["floor"]
    found["building"] = _SIDES.get(found["building"], found["building"])
    return found, rest.replace("-", "").replace("#", "")
