"""A company's name: region, core, trade, legal form, as the registration rules order them."""

from __future__ import annotations

import re

from bluemirror.parts.spelling import NUMERAL, with_digits

LEGAL = {
    "股份有限公司": "plc",
    "股份公司": "plc",
    "有限责任公司": "ltd",
    "有限公司": "ltd",
    "责任公司": "ltd",
    "集团公司": "group",
    "集团": "group",
    "合伙企业": "partnership",
    "有限合伙": "partnership",
    "个人独资企业": "sole",
    "个体工商户": "sole",
    "专业合作社": "coop",
    "合作社": "coop",
    "分公司": "branch",
    "公司": "ltd",
    "事务所": "office",
    "经营部": "shop",
    "商行": "shop",
    "厂": "works",
    "店": "shop",
}
"""Legal form -> its class; forms that people exchange (公司 for 有限公司) are of one class."""
_TRADES = (
    "信息技术 网络科技 电子商务 文化传媒 文化传播 建筑工程 装饰工程 物业管理 企业管理 "
    "投资管理 国际贸易 进出口 房地产 生物科技 医疗器械 农业发展 供应链 科技 "
    "技术 网络 信息 软件 电子 商贸 贸易 实业 制造 机械 工业 物流 运输 快递 餐饮 食品 酒店 旅游 "
    "建材 建筑 建设 工程 装饰 教育 培训 医药 医疗 药业 百货 服饰 服装 纺织 五金 农产 农业 包装 "
    "印刷 广告 传媒 文化 投资 咨询 管理 服务 发展 能源 环保 化工 汽车 租赁 劳务 金融 保险 置业 "
    "家具 电器 材料 "
)
TRADES = tuple(_TRADES.split())
"""Words that say what a company does, longer ones first."""
_LEGAL = re.compile("(" + "|".join(sorted(map(re.escape, LEGAL), key=len, reverse=True)) + ")$")
_TRADE = re.compile("|".join(sorted(TRADES, key=len, reverse=True)))
_REGION = re.compile(r"^(?:(.{1,7}?)(?:省|自治区))?(?:(.{1,6}?)市)?(?:(.{1,5}?)(?:区|县))?")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_NUMBERED = re.compile(f"第({NUMERAL})")


def company_parts(text: str) -> dict[str, str]:
    """The parts of a folded company name, empty where it has none.

    They are ``region``, ``core``, ``head``, ``tail``, ``trade`` and ``legal``. The region is the narrowest place that
    stands before the core or in brackets, without 省, 市 and 区. Swapped trade words are the same trade. What is no
    region, trade or legal form is core, wherever it stands; one wrong sign leaves one of its halves as it is.
    """
    inside = "".join(_BRACKETS.findall(text))
    rest = re.sub(r"[()#-]", "", _BRACKETS.sub("", text))
    legal = []
    while found := _LEGAL.search(rest):
        if found.start() == 0:
            break
        legal.append(LEGAL[found[1]])
        rest = rest[: found.start()]
    place = _REGION.match(rest)
    named = [name for name in place.groups() if name] if place else []
    after = rest[place.end() :] if place else rest
    if after:
        rest = after
    elif named:
        named = []
    region = named[-1] if named else re.sub(r"(省|市|区|县)$", "", inside)
    rest = _NUMBERED.sub(lambda m: "第" + with_digits(m[1] + "号", "号")[:-1], with_digits(rest, "号"))
    trades = _TRADE.findall(rest)
    core = _TRADE.sub("", rest)
    if not core:
        core, trades = rest, []
    half = (len(core) + 1) // 2
    return {
        "region": region,
        "core": core,
        "head": core[:half],
        "tail": core[half:],
        "trade": "".join(sorted(set(trades))),
        "legal": legal[-1] if legal else "",
    }
