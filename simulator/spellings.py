"""How people write addresses and names: abbreviations, other signs, parts left out, old road names, slips.

What is written depends on nothing but what is meant, for which purpose, by whom and when: a file written again is the
same. Every text that was written is remembered with what it means; ``simulator.truth`` writes that down.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from simulator import identities
from simulator.assumptions import Assumptions

_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_SIGNS = "零一二三四五六七八九"
_SLIPS = {
    "甲": "申", "乙": "己", "丙": "内", "丁": "了", "戊": "戌", "己": "已", "庚": "康", "辛": "幸", "壬": "王",
    "癸": "葵", "木": "术", "火": "大", "土": "士", "金": "全", "水": "永", "风": "凤", "雷": "雪", "山": "出",
    "泽": "择", "天": "夫", "星": "皇", "岚": "风", "汀": "订", "禾": "木", "松": "柏", "柏": "伯", "溪": "奚",
    "原": "源", "野": "墅", "岭": "龄", "川": "州", "雨": "雪", "霜": "箱", "云": "去", "虹": "红", "晨": "辰",
    "暮": "幕", "春": "舂", "夏": "厦", "秋": "秌", "石": "右", "泉": "皇", "林": "材", "枫": "风", "竹": "行",
    "荷": "何", "菊": "掬", "兰": "蓝", "梅": "海", "麦": "卖", "稻": "滔", "豆": "逗", "茶": "荼", "桑": "嗓",
    "棉": "绵", "麻": "嘛", "陶": "淘", "瓷": "资", "砚": "现", "墨": "黑", "纸": "低", "笔": "毛", "琴": "芩",
    "棋": "其", "书": "韦", "画": "面", "舟": "丹", "桥": "侨", "亭": "停", "台": "合",
}  # fmt: skip
"""Signs that are mistaken for one another."""


class Dice:
    """Even chances drawn from a text: the same text, the same draws."""

    def __init__(self, *meant: object) -> None:
        self._bytes = hashlib.blake2b("/".join(map(str, meant)).encode(), digest_size=32).digest()
        self._at = 0

    def draw(self) -> float:
        """The next number from 0 to 1."""
        if self._at + 2 > len(self._bytes):
            self._bytes, self._at = hashlib.blake2b(self._bytes, digest_size=32).digest(), 0
        self._at += 2
        return int.from_bytes(self._bytes[self._at - 2 : self._at], "big") / 65_536

    def pick(self, size: int) -> int:
        """The next number from 0 to ``size - 1``."""
        return int(self.draw() * size)


@dataclass
class Spellings:
    """Writes addresses and names, and remembers what was written: text -> what is meant.

    ``addresses`` by dwelling number, ``employers`` by employer number, ``companies`` by company number; ``persons`` has
    who was registered again: the second customer number -> the first.
    """

    assume: Assumptions
    addresses: dict[str, set[int]] = field(default_factory=dict)
    employers: dict[str, set[int]] = field(default_factory=dict)
    companies: dict[str, set[int]] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)

    def address(self, dwelling: int, purpose: str, who: object = "", when: object = "") -> str:
        """Address text of a dwelling, as ``who`` writes it for ``purpose`` (a source) at ``when``."""
        dice = Dice("address", dwelling, purpose, who, when)
        plain = identities.address(dwelling)
        text = plain if dice.draw() >= self.assume.spelt_otherwise else _address(dwelling, dice)
        self.addresses.setdefault(text, set()).add(dwelling)
        return text

    def employer(self, number: int, purpose: str, who: object = "", when: object = "") -> str:
        """Name of an employer, written likewise."""
        text = self._name(identities.employer_name(number), ("employer", number, purpose, who, when))
        self.employers.setdefault(text, set()).add(number)
        return text

    def company(self, number: int, purpose: str, who: object = "", when: object = "") -> str:
        """Name of a customer's company, written likewise."""
        text = self._name(identities.company_name(number), ("company", number, purpose, who, when))
        self.companies.setdefault(text, set()).add(number)
        return text

    def name_of(self, plain: str, number: int, purpose: str, who: object = "", when: object = "") -> str:
        """The registered name of a customer's company, which it may have changed, written likewise."""
        text = self._name(plain, ("company", plain, purpose, who, when))
        self.companies.setdefault(text, set()).add(number)
        return text

    def _name(self, plain: str, meant: tuple[object, ...]) -> str:
        dice = Dice(*meant)
        return plain if dice.draw() >= self.assume.spelt_otherwise else _company(plain, dice)


def slip(text: str, dice: Dice) -> str:
    """One sign mistaken for another, if it has any that could be."""
    places = [at for at, sign in enumerate(text) if sign in _SLIPS]
    if not places:
        return text
    at = places[dice.pick(len(places))]
    return text[:at] + _SLIPS[text[at]] + text[at + 1 :]


def _numeral(digits: str) -> str:
    return "".join(_SIGNS[int(digit)] for digit in digits)


def _address(dwelling: int, dice: Dice) -> str:
    place = identities.dwelling(dwelling)
    road, street = place.road, "路"
    house, building, room = place.house, f"{place.building}栋", f"{place.room}室"
    head = ["九九省", "虚构市", f"{place.district}区"]
    for _ in range(1 + dice.pick(3)):
        what = dice.draw()
        if what < 0.18:
            head[0] = ""
        elif what < 0.28:
            head[0] = head[1] = ""
        elif what < 0.33:
            head[2] = ""
        elif what < 0.45:
            building, room = f"{place.building}-", place.room
        elif what < 0.55:
            building = f"{place.building}{('幢', '号楼', '#')[dice.pick(3)]}"
        elif what < 0.62:
            room = place.room
        elif what < 0.69:
            house = _numeral(place.house)
        elif what < 0.76:
            street = ("街", "大道", "道")[dice.pick(3)]
        elif what < 0.83:
            road = slip(road, dice)
        elif what < 0.89:
            road = place.old_road
        elif what < 0.94:
            room = ""
            building = f"{place.building}栋"
        elif what < 0.97:
            building = ""
        else:
            head[2] += " "
    if not head[1] and not head[2]:
        head[2] = f"{place.district}区"  # what says that it is nowhere stays
    text = f"{''.join(head)}{road}{street}{house}号{building}{room}"
    return text.translate(_WIDE) if dice.draw() < 0.12 else text


def _company(plain: str, dice: Dice) -> str:
    name, legal = plain.removesuffix("有限公司"), "有限公司"
    region = next(start for start in ("九九省虚构市", "虚构市", "") if name.startswith(start))
    core = name.removeprefix(region)
    for _ in range(1 + dice.pick(2)):
        what = dice.draw()
        if what < 0.25:
            region = ""
        elif what < 0.4:
            core, region = f"{core}（虚构）", ""
        elif what < 0.58:
            legal = ("有限责任公司", "公司", "")[dice.pick(3)]
        elif what < 0.68 and core.startswith("样例") and len(core) > 5:
            core = core[:-2]  # without its trade
        elif what < 0.85:
            core = slip(core, dice)
        elif what < 0.95:
            region = region.replace("九九省", "")
        else:
            legal = f" {legal}"
    return f"{region}{core}{legal}"
