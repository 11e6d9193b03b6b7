"""Groups of goods and services, what each industry sells, and the tax on them."""

from __future__ import annotations

import numpy as np

from simulator.companies import Companies
from simulator.trade import OUTSIDE

GROUPS = (
    "grain", "drink", "textile", "paper", "chemical", "plastic", "metal", "building", "machine", "electric", "vehicle",
    "furniture", "medical", "energy", "transport", "catering", "software", "leasing", "repair", "consulting",
)  # fmt: skip
WARES = (
    "粮油食品", "酒水饮料", "纺织服装", "纸品包装", "化工产品", "塑料橡胶", "金属制品", "建筑材料", "机械设备",
    "电气电子", "车辆配件", "家具日用", "医药器械", "能源水电", "运输仓储", "餐饮住宿", "软件信息", "租赁服务",
    "修理服务", "咨询鉴证",
)  # fmt: skip
USUAL = {
    "C": (2, 3, 4, 5, 6, 8, 9), "F": (0, 1, 2, 7, 9, 11, 12), "G": (14,), "H": (15, 0, 1), "I": (16,), "L": (17,),
    "O": (18,), "S": (19, 18),
}  # fmt: skip
"""What each industry sells, as numbers of groups."""
SERVICES_FROM = 14
RATES = np.array([0.13] * 14 + [0.09, 0.06, 0.06, 0.13, 0.06, 0.06])
"""Tax rates of general taxpayers by group [published]."""


def group_of(companies: Companies, seller: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Group of the goods by even ``draws``: what the seller's industry sells, each seller one thing above all."""
    own = (seller >= 0) & (seller < OUTSIDE)
    table = np.array([[*USUAL[letter], *USUAL[letter] * 8][:8] for letter in USUAL])
    letters = list(USUAL)
    of_outside = seller * 13 % len(letters)
    kind = np.array([letters.index(letter) for letter in companies.letter])[np.where(own, seller, 0)]
    kind = np.where(own, kind, of_outside)
    favourite = np.where(draws < 0.75, seller * 5 % 7, (draws * 800).astype(int) % 7)
    return table[kind, favourite]


def small_taxpayer(companies: Companies, seller: np.ndarray) -> np.ndarray:
    """Small-scale taxpayers, who pay a lower rate."""
    own = (seller >= 0) & (seller < OUTSIDE)
    small = (companies.scale < 60_000) & (np.arange(companies.size) % 3 > 0)
    return np.where(own, small[np.where(own, seller, 0)], seller % 5 == 0)
