"""Fictitious identity numbers, phones, devices, names and addresses, and the hashes vendors send.

Nobody real can be met: identity numbers carry the unassigned region prefix 99 (with a valid check digit),
phones start with 12, which no mobile network uses, and names and addresses are made of neutral parts that
say that they are samples.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_FAMILY = "测虚拟样仿"
_GIVEN = "星岚汀禾松柏溪原野岭川泽雨雪霜云虹晨暮春夏秋冬山石泉林枫竹荷菊兰梅麦稻豆茶桑棉麻陶瓷砚墨纸笔琴棋书画舟桥亭台"
_ROADS = ("甲木", "乙火", "丙土", "丁金", "戊水", "己风", "庚雷", "辛山", "壬泽", "癸天")
_OLD_ROADS = ("子鼠", "丑牛", "寅虎", "卯兔", "辰龙", "巳蛇", "午马", "未羊", "申猴", "酉鸡")
_TRADES = ("制造", "商贸", "物流", "餐饮", "科技", "建材", "教育", "医药")


def check_digit(first17: str) -> str:
    """Check character of an 18-digit identity number (ISO 7064, MOD 11-2)."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def id_numbers(birth: np.ndarray, male: np.ndarray, serial: np.ndarray) -> list[str]:
    """18-character identity numbers, unique as long as ``serial`` is.

    The region part is ``99`` and four digits of the serial; the serial's rest fills the sequence.
    """
    texts = []
    for day, man, number in zip(np.datetime_as_string(birth).tolist(), male, serial.tolist(), strict=True):
        sequence = (number // 10_000) % 500 * 2 + int(man)
        first17 = f"99{number % 10_000:04d}{day.replace('-', '')}{sequence:03d}"
        texts.append(first17 + check_digit(first17))
    return texts


def phone(number: int) -> str:
    """Phone text of the ``number``-th phone ever sold; an odd multiplier keeps them apart and unordered."""
    return f"12{(number * 387_420_489 + 123_456_789) % 1_000_000_000:09d}"


def device(number: int, seed: int) -> str:
    """Device identifier of the ``number``-th device: 32 hexadecimal characters."""
    return hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=16).hexdigest()


def person_name(number: int) -> str:
    """A three-character name whose first character says that it is a sample."""
    size = len(_GIVEN)
    return (
        _FAMILY[number % 5]
        + _GIVEN[(number // 5) % size]
        + _GIVEN[(number // (5 * size) + number * 7) % size]
    )


@dataclass(frozen=True)
class Dwelling:
    """Where a dwelling is."""

    district: str
    road: str
    old_road: str
    house: str
    building: str
    room: str


_STAIRS = 9 * 10 * 240 * 12


def dwelling(number: int) -> Dwelling:
    """The ``number``-th dwelling; no two are alike.

    Three share a building, so that neighbours are told by the room alone; buildings lie scattered over ten roads a
    district. Roads were renamed once: some people keep the old name.
    """
    stair, at = divmod(number, 3)
    era, mixed = divmod(stair, _STAIRS)
    mixed = (mixed * 7_919 + 17) % _STAIRS  # a bijection: 7,919 is a prime that does not divide the number
    rest, district = divmod(mixed, 9)
    rest, road = divmod(rest, 10)
    building, house = divmod(rest, 240)
    floor, flat = divmod((stair * 53 + at * 37) % 120, 4)
    room = f"{floor + 1}0{flat + 1}"
    house += 240 * era
    return Dwelling(
        f"样例{district + 1}", _ROADS[road], _OLD_ROADS[road], str(house + 1), str(building + 1), room
    )


def address(number: int) -> str:
    """Address text of the ``number``-th dwelling, as it stands in the register."""
    place = dwelling(number)
    return f"九九省虚构市{place.district}区{place.road}路{place.house}号{place.building}栋{place.room}室"


def _core(mixed: int) -> str:
    """Four characters; of several million names few differ in one of them, as in life."""
    size = len(_GIVEN)
    return "".join(_GIVEN[mixed // size**place % size] for place in range(4))


def employer_name(number: int) -> str:
    """Name of the ``number``-th employer, as it is registered; the first eight million are all different."""
    # a bijection: 5,000,011 is a prime that does not divide the size
    core = _core((number * 5_000_011 + 13) % len(_GIVEN) ** 4)
    return f"九九省虚构市样例{core}{_TRADES[number % len(_TRADES)]}有限公司"


_CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_WARES = ("百货", "食品", "服饰", "五金", "农产", "包装", "信息", "运输")


def company_code(number: int) -> str:
    """Unified social credit code (GB 32100-2015) of the ``number``-th company: 99 is no registering authority.

    The last character is the standard's check character.
    """
    first17 = f"99990000{number:09d}"
    total = sum(_CODE_SIGNS.index(sign) * weight for sign, weight in zip(first17, _CODE_WEIGHTS, strict=True))
    return first17 + _CODE_SIGNS[(31 - total % 31) % 31]


def company_name(number: int) -> str:
    """Name of the ``number``-th customer's company; the first eight million are all different."""
    core = _core((number * 3_000_017 + 71_003) % len(_GIVEN) ** 4)
    return f"虚构市样例{core}{_WARES[number // 3 % len(_WARES)]}有限公司"


BANKS = 60
"""Banks that issue cards."""


def card_bank(number: Any) -> Any:
    """Which bank issued the ``number``-th card, 0 to :data:`BANKS` - 1, low numbers more often; takes arrays too."""
    place = number * 2_654_435_761 // 64 % 3_600
    return place * place // 216_000


def card(number: int) -> str:
    """The ``number``-th bank card: 19 digits from 9999, which no network uses, with Luhn's check digit.

    Digits five and six are the bank's.
    """
    digits = [int(sign) for sign in f"9999{card_bank(number):02d}0{number:011d}"]
    doubled = [sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(digits, 1)]
    return "".join(map(str, digits)) + str(-sum(doubled) % 10)


def ip(number: int) -> str:
    """The ``number``-th network address, of 198.18.0.0/15, which is kept for benchmarks (RFC 2544)."""
    low = number % 131_072
    return f"198.{18 + (low >> 16)}.{(low >> 8) & 255}.{low & 255}"


def md5(text: str) -> str:
    """MD5 as vendors send it: of the text as it is written, an identity number with a capital X."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    """SHA-256 of the text as it is written."""
    return hashlib.sha256(text.encode()).hexdigest()


def sm3(text: str) -> str:
    """SM3 (GB/T 32905) of the text as it is written, as public offices send it."""
    return hashlib.new("sm3", text.encode()).hexdigest()


def hashed(text: str, form: str) -> str:
    """The text in a vendor's form: ``md5``, ``sha1``, ``sha256`` or ``sm3``."""
    return hashlib.new(form, text.encode(), usedforsecurity=False).hexdigest()
