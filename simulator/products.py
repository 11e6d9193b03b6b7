"""Kinds of credit account, the products and institutions they come from, and their terms."""

from __future__ import annotations

import numpy as np

D1, R4, R1, R2, R3, C1 = range(6)
KINDS = ("D1", "R4", "R1", "R2", "R3", "C1")
BAD = 8
"""Delinquency level of a written-off account (status character B)."""

ORG_TYPES = ("11", "12", "15", "21", "22", "23", "24", "25", "26", "41", "51", "53")
ORG_FIRST = (0, 130, 190, 205, 225, 250, 275, 320, 350, 365, 400, 560)
"""First institution number of each type; a number is written as two letters."""
OWN = -1
"""Institution number of the bank itself."""

PRODUCTS: tuple[tuple[int, str, tuple[float, ...], float], ...] = (
    # kind, business, weights of (11, 12, 15, 23, 24, 51), tilt of its share with risk
    (R2, "81", (0.95, 0.02, 0.03, 0, 0, 0), -0.25),
    (R4, "91", (0.25, 0, 0, 0, 0.40, 0.35), 0.45),
    (D1, "91", (0.50, 0.08, 0.01, 0, 0.31, 0.10), 0.15),
    (R1, "91", (0.78, 0.04, 0.02, 0, 0.10, 0.06), 0.0),
    (D1, "21", (0.35, 0, 0, 0.65, 0, 0), -0.05),
    (D1, "11", (0.97, 0, 0.03, 0, 0, 0), -0.45),
    (D1, "41", (0.62, 0.22, 0, 0, 0, 0.16), 0.0),
    (D1, "53", (0.35, 0.65, 0, 0, 0, 0), 0.1),
    (R3, "71", (1, 0, 0, 0, 0, 0), 0.0),
)
CAR, HOME, TRADE, FARM = 4, 5, 6, 7
"""Numbers of the products with collateral, a guarantor or kinds of business of their own."""
SHARES = np.array([0.31, 0.24, 0.17, 0.11, 0.045, 0.04, 0.04, 0.025, 0.012])
ORG_CHOICE = np.array([0, 1, 2, 5, 6, 10])
ORG_SIZE = np.array([60, 40, 8, 15, 25, 60])
BUSINESS = tuple(product[1] for product in PRODUCTS)
"""Business kind of each product."""


def letters(org: int) -> str:
    """An institution number as the two capital letters a report shows."""
    return chr(65 + org // 26) + chr(65 + org % 26)


def draw_terms(
    product: np.ndarray, income: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Amount (or limit) in yuan and number of months by product."""
    n = len(product)
    spread = np.exp(0.6 * rng.standard_normal(n))
    base = income * np.array([2.6, 0.45, 3.6, 4.5, 11.0, 75.0, 14.0, 5.0, 1.4])[product] * spread
    low = np.array([3_000, 500, 3_000, 5_000, 30_000, 150_000, 20_000, 5_000, 3_000])[product]
    high = np.array([150_000, 30_000, 300_000, 300_000, 400_000, 5_000_000, 1_000_000, 200_000, 50_000])[
        product
    ]
    unit = np.where(base > 20_000, 1_000, 100)
    amount = (np.clip(base, low, high) / unit).astype(int) * unit
    draw = rng.random(n)
    choices = np.array(
        [
            [0, 0, 0, 0], [3, 6, 9, 12], [12, 24, 36, 36], [12, 24, 36, 36], [24, 36, 36, 60],
            [120, 240, 300, 360], [6, 12, 24, 36], [12, 12, 24, 36], [0, 0, 0, 0],
        ]
    )  # fmt: skip
    return amount, choices[product, (draw * 4).astype(int)]
