"""What the app's SDK reads off a device: flags of its environment, its traits, and a fingerprint made of them.

The device id is the SDK's own and is renewed by a reset; the fingerprint survives one, but devices of one model may
share it. Not everything is collected in every session, and in some nothing is.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from simulator.behaviour import Sessions, devices_of, session_ids
from simulator.customers import CITIES, Master
from simulator.deliveries import ARRIVES, ORDER, only_where
from simulator.networks import IDC, city_of, kind_of, network_address
from simulator.population import Population
from simulator.streams import Streams, sigmoid
from simulator.timeline import START

FLAGS = (
    "root", "emulator", "cloud_phone", "hook", "debug", "repackaged", "multi_open", "vpn", "proxy", "mock_gps",
    "usb_debug", "custom_rom",
)  # fmt: skip
_FLAG_LEVEL = np.array([-4.3, -6.7, -6.6, -6.8, -6.2, -7.2, -4.6, -3.4, -4.4, -5.6, -4.2, -5.2])
_FLAG_FRAUD = np.array([0.55, 1.1, 1.0, 0.9, 0.5, 0.8, 0.75, 0.4, 0.55, 0.9, 0.4, 0.35])
_FLAG_RISK = np.array([0.3, 0.1, 0.1, 0.15, 0.1, 0.1, 0.35, 0.35, 0.3, 0.2, 0.15, 0.15])
BRANDS = ("brand_a", "brand_b", "brand_c", "brand_d", "brand_e", "brand_f")
OPTIONAL = ("sim_count", "boot_hours", "battery", "storage_ratio", "tz")
"""What the SDK reads only if the phone lets it."""
NOTHING = 0.008
"""Share of the sessions without any fingerprint [stated: 99 % of the sessions have one]."""
PART = -3.2
"""Log odds that a session's collection is not full [stated: 5 %]."""
COLLIDING = 0.04
"""Share of the devices that others of their model cannot be told from [stated]."""
SEEN_AGAIN = 0.6
"""Share of the reset devices whose earlier id the SDK finds [stated]."""


def fingerprint_rows(
    sessions: Sessions,
    network: np.ndarray,
    start: np.ndarray,
    people: Population,
    master: Master,
    noise: np.ndarray,
    purpose: str,
    month: int,
    streams: Streams,
) -> pl.DataFrame:
    """Fingerprints of the sessions, at most one each: flags follow fraud propensity and, weakly, risk.

    ``network`` has the number of each session's network, ``start`` its beginning.
    """
    rng = streams.of(f"fingerprint {purpose}", month)
    n, cust = len(sessions.cust), sessions.cust
    d = rng.random((6, n))
    thing = people.hardware[cust]
    # a device's own lot decides most of a flag, so that it does not flicker from session to session
    lot = (thing[:, None] * 2_654_435_761 + np.arange(1, 13) * 40_503_551) % 1_000_003 / 1_000_003
    flicker = rng.random((n, 12)) < 0.04
    chance = sigmoid(
        _FLAG_LEVEL + np.outer(people.fraud[cust], _FLAG_FRAUD)
        + np.outer(people.risk[cust] + 0.7 * noise[cust], _FLAG_RISK)
    )  # fmt: skip
    flags = np.where(flicker, rng.random((n, 12)), lot) < chance
    hidden = (kind_of(network) == IDC) & (d[0] < 0.7)
    flags[:, FLAGS.index("vpn")] |= hidden & (d[1] < 0.5)
    flags[:, FLAGS.index("proxy")] |= hidden & (d[1] >= 0.5)
    emulator = flags[:, FLAGS.index("emulator")]
    price = 0.6 * people.device_wealth[cust] + 0.95 * (((thing * 97_003) % 1009) / 504.5 - 1)
    apple = price > 0.75
    harmony = ~apple & ((thing * 31) % 5 == 0)
    brand = np.where(apple, 0, 1 + np.clip(np.rint(2.5 - price), 0, 4)).astype(int)
    version = np.clip((thing % 4) + (month - START) // 12, 0, 5)
    made = _fingerprints(thing, brand, emulator | flags[:, FLAGS.index("cloud_phone")], streams)
    before = people.device_before[cust]
    again = (before >= 0) & (streams.lot("seen again", thing) < SEEN_AGAIN)
    values: dict[str, object] = {
        "session_id": session_ids(sessions),
        "device_id": devices_of(sessions, people),
        "person_id": pl.Series(master.person).gather(cust),
        "event_ts": start + np.timedelta64(150, "ms"),
        "ip": network_address(network),
        "city_code": pl.Series(CITIES).gather(city_of(network, cust, people)),
        "os": np.where(apple, "ios", np.where(harmony, "harmony", "android")),
        "os_version": np.array(["12", "13", "14", "15", "16", "17"])[version],
        "brand": np.array(BRANDS)[brand],
        "model": [f"m{b}{number % 9}" for b, number in zip(brand.tolist(), thing.tolist(), strict=True)],
        "app_version": np.full(n, f"{3 + (month - START) // 12}.{(month - START) % 12}.0"),
    }
    values |= {name: flags[:, at] for at, name in enumerate(FLAGS)}
    missing = _missing(people, cust, flags, f"collected {purpose}", month, streams)
    read = {
        "sim_count": np.where(emulator, 0, 1 + (thing % 3 == 0)),
        "boot_hours": np.round(np.where(emulator, d[2] * 3, -np.log1p(-d[2] * 0.9999) * 60), 1),
        "battery": np.round(np.where(emulator, 1.0, 0.08 + 0.92 * d[3]), 2),
        "storage_ratio": np.round(
            np.clip(0.62 - 0.05 * people.income_z[cust] + 0.4 * (d[4] - 0.5), 0.05, 0.99), 2
        ),
        "tz": np.where(d[5] < 0.004, "Asia/Tokyo", "Asia/Shanghai"),
    }
    values |= {name: only_where(~missing[:, at], read[name]) for at, name in enumerate(OPTIONAL)}
    lacking = missing.sum(axis=1)
    values |= {
        "fingerprint_id": made,
        "prev_device_id": pl.Series(
            [people.device_id(number) if seen else None for number, seen in zip(before.tolist(), again, strict=True)],
            dtype=pl.String,
        ),
        "id_changed": again,
        "collect_level": np.where(lacking == 0, "full", np.where(lacking == len(OPTIONAL), "denied", "partial")),
        "missing_items": lacking,
        ARRIVES: start.astype("datetime64[D]"),
        ORDER: start.astype("datetime64[us]"),
    }  # fmt: skip
    frame = pl.DataFrame(values).with_columns(pl.col("event_ts").cast(pl.Datetime("us")))
    return frame.filter(pl.Series(streams.lot("nothing collected", sessions.number) >= NOTHING))


def _missing(
    people: Population, cust: np.ndarray, flags: np.ndarray, purpose: str, month: int, streams: Streams
) -> np.ndarray:
    """Whether each of ``OPTIONAL`` could not be read, a row a session: refused, or hooked away."""
    d = streams.of(purpose, month).random((6, len(cust)))
    refuses = streams.lot("refuses", cust) < 0.01
    part = d[5] < sigmoid(PART + 0.25 * people.fraud[cust] + 1.5 * flags[:, FLAGS.index("hook")])
    return (refuses[:, None] & (d[:5].T < 0.995)) | (part[:, None] & (d[:5].T < 0.45))


def _fingerprints(thing: np.ndarray, brand: np.ndarray, copied: np.ndarray, streams: Streams) -> pl.Series:
    """Fingerprint texts: of the hardware, but images of emulators and plain models are alike.

    A number stands for each: the hardware's own, or one of its model's, of which there are few.
    """
    place = streams.lot("collides", thing)
    alike = (thing % 9) * 6 + brand
    number = np.where(place < COLLIDING, -1 - alike * 4 - (place * 100).astype(int), thing)
    number = np.where(copied & (place > 0.5), -1_000 - (place * 12).astype(int), number)
    distinct, where = np.unique(number, return_inverse=True)
    texts = [
        hashlib.blake2b(f"fingerprint {streams.seed}:{one}".encode(), digest_size=16).hexdigest()
        for one in distinct.tolist()
    ]
    return pl.Series(texts, dtype=pl.String).gather(where)
