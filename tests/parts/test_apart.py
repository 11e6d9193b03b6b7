"""Spellings of one thing come out alike, spellings of two things apart."""

from __future__ import annotations

import pytest

from bluemirror.contracts.model import PARTS
from bluemirror.parts import take_apart
from bluemirror.parts.shingles import shingles
from bluemirror.parts.spelling import fold, number

SAME_ADDRESS = [
    "九九省虚构市样例3区甲木路12号3栋101室",
    "九九省虚构市样例３区甲木路１２号３栋１０１室",
    "九九省 虚构市 样例3区，甲木路12号 3栋 101",
    "九九省虚构市样例3区甲木路十二号三栋一百零一室",
    "九九省虚构市样例3区甲木街12号3幢101",
    "九九省虚构市样例3区甲木路12号3-101",
    "九九省虚构市样例3区甲木路12号3#101",
    "九九省虚构市样例3区甲木路12号3号楼101室",
    "九九省虚构市样例3区甲木路12号3栋1层101室",
]


def test_spellings_of_one_address_are_one():
    assert {take_apart(text, "address").norm for text in SAME_ADDRESS} == {"九九|虚构|样例3|甲木|12|3||101|"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "江苏省南京市玄武区北京东路41号3栋2单元101室",
            ("江苏", "南京", "玄武", "北京东", "41", "3", "2", "101"),
        ),
        (
            "上海市浦东新区张江镇祖冲之路2305号B座12楼1203室",
            (None, "上海", "浦东新", "祖冲之", "2305", "b", None, "1203"),
        ),
        (
            "北京市海淀区中关村南大街5号院3号楼2单元1001",
            (None, "北京", "海淀", "中关村南", "5", "3", "2", "1001"),
        ),
        ("五一路88弄7号302室", (None, None, None, "五一", "88", "7", None, "302")),
        ("样例3区甲木小区5栋302", (None, None, "样例3", "甲木小区", None, "5", None, "302")),
        ("甲木路12号之3", (None, None, None, "甲木", "12", None, None, "3")),
        ("虚构市", (None, None, None, "虚构市", None, None, None, None)),
    ],
)
def test_address_parts(text, parts):
    assert take_apart(text, "address").parts == parts


def test_what_no_part_holds_still_tells_two_addresses_apart():
    plain, tower = (take_apart(f"甲木路8号{more}", "address") for more in ("", "乙火大厦"))
    assert plain.parts == tower.parts
    assert plain.norm != tower.norm


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("九九省虚构市样例川梅砚商贸有限公司", ("虚构", "样例川梅砚", "样例川", "梅砚", "商贸", "ltd")),
        ("样例川梅砚（虚构）商贸有限责任公司", ("虚构", "样例川梅砚", "样例川", "梅砚", "商贸", "ltd")),
        ("上海市浦东新区甲乙丙信息技术股份有限公司", ("浦东新", "甲乙丙", "甲乙", "丙", "信息技术", "plc")),
        ("甲乙丙集团有限公司", (None, "甲乙丙", "甲乙", "丙", None, "group")),
        ("样例第十二制造公司", (None, "样例第12", "样例第", "12", "制造", "ltd")),
        ("科技有限公司", (None, "科技", "科", "技", None, "ltd")),
        ("有限公司", (None, "有限公司", "有限", "公司", None, None)),
    ],
)
def test_company_parts(text, parts):
    assert take_apart(text, "company").parts == parts


def test_swapped_trade_words_are_one_trade():
    one, other = (take_apart(f"川梅{trade}有限公司", "company") for trade in ("餐饮服务", "服务餐饮"))
    assert one == other


def test_person_parts():
    assert take_apart("欧阳·星 岚", "person").parts == ("欧阳", "星岚")
    assert take_apart("测星岚", "person").parts == ("测", "星岚")
    assert take_apart("测", "person").parts == ("测", None)


@pytest.mark.parametrize("kind", PARTS)
@pytest.mark.parametrize(
    "text", ["", " ", "#", "()", "号", "-", "𠮷野家", "1" * 5000, "（" * 300, "路" * 2000]
)
def test_anything_can_be_taken_apart(kind, text):
    found = take_apart(text, kind)
    assert len(found.parts) == len(PARTS[kind])


def test_numerals():
    cases = {
        "十": 10,
        "十二": 12,
        "一百二十": 120,
        "一百零一": 101,
        "三千零五": 3005,
        "二〇三": 203,
        "贰佰": 200,
    }
    assert {text: int(number(text)) for text in cases} == cases


def test_fold():
    assert fold("Ａ－１ （乙）·。，") == "a-1(乙)"


def test_one_wrong_character_leaves_the_other_shingles():
    right, wrong = set(shingles("样例川梅砚")), set(shingles("样例川海砚"))
    assert len(right) == 9
    assert len(right & wrong) == 6
    assert shingles("") == ()
