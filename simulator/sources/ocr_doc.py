"""Documents that applicants photograph: what was read, how sure, and whether the picture looks tampered with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, Calls
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.outside import Answer, AskedSource
from simulator.streams import sigmoid

DOCUMENTS = ("id_front", "id_back", "bank_card", "business_license")
SIDES = ("front", "back", "front", "whole")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    tampered: float = -5.0
    """Log odds that a document was retouched, an average applicant [stated]."""
    misread: float = 0.02
    """Share of the names and numbers that are read wrongly by a character and corrected by hand [stated]."""
    cards: float = 0.6
    """Share of the applications in which a bank card is photographed too [stated]."""


class OcrDoc(AskedSource):
    """Document recognition."""

    name = "ocr_doc"
    prefix = "OC"
    latency = (900, 3000)
    timeout = 6000
    assumes = Assume
    plant = ("doc_type", "passport_cover", pl.col("doc_type") == "id_back")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Everybody."""
        return np.ones(asking.n, bool)

    def subject(self, asking: Asking) -> np.ndarray:
        """Each application photographs anew."""
        return asking.number

    def answer(self, asking: Asking) -> Answer:
        """Two to four documents an application."""
        people, cust = asking.people, asking.cust
        n = asking.n
        d = asking.rng().random((9, len(DOCUMENTS), n))
        there = np.stack(
            [np.ones(n, bool), np.ones(n, bool), d[0, 2] < self.assume.cards, asking.for_business]
        )
        pull = 0.9 * people.fraud[cust] + 0.2 * people.risk[cust] + 0.4 * asking.noise
        tampered = d[1] < sigmoid(self.assume.tampered + pull)
        misread = d[2] < self.assume.misread
        issued = people.birth[cust] + ((16 + d[3, 0] * 4) * 365.25).astype("timedelta64[D]")
        spans = np.where(d[3, 1] < 0.75, 3653, 7305)
        turns = (asking.at.astype("datetime64[D]") - issued).astype(np.int64) // spans
        begins = issued + (np.maximum(turns, 0) * spans).astype("timedelta64[D]")

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            kind, at = np.nonzero(there[:, which])
            entry = which[at]
            order = np.lexsort((kind, entry))
            kind, entry = kind[order], entry[order]
            who = cust[entry]
            e = d[:, kind, entry]
            faked, wrong = tampered[kind, entry], misread[kind, entry]
            told = calls.response_ts[entry]
            m = len(entry)
            names: list[str | None] = [None] * m
            numbers: dict[int, list[str | None]] = {0: [None] * m, 2: [None] * m, 3: [None] * m}
            places: list[str | None] = [None] * m
            for k, (doc, w, bad) in enumerate(zip(kind.tolist(), who.tolist(), wrong.tolist(), strict=True)):
                if doc == 0:
                    text = people.ids[w]
                    numbers[0][k] = text[:9] + str((int(text[9]) + 1) % 10) + text[10:] if bad else text
                    names[k] = people.names[w]
                    places[k] = identities.address(int(people.household[w]))
                elif doc == 2:
                    numbers[2][k] = identities.card(w * 4)
                elif doc == 3:
                    numbers[3][k] = asking.companies.code[int(people.company[w])]
                    names[k] = None
            back, licence = kind == 1, kind == 3
            never = np.datetime64("NaT", "D")
            long_term = d[3, 2][entry] < 0.04
            return pl.DataFrame(
                {
                    "req_id": [
                        f"{calls.request[k]}-{doc + 1}"
                        for k, doc in zip(entry.tolist(), kind.tolist(), strict=True)
                    ],
                    "id_no_hash": asking.id_sha256(entry),
                    "doc_type": np.array(DOCUMENTS)[kind],
                    "side": np.array(SIDES)[kind],
                    "name_ocr": pl.Series(names, dtype=pl.String),
                    "no_ocr": pl.Series(numbers[0], dtype=pl.String),
                    "card_no_ocr": pl.Series(numbers[2], dtype=pl.String),
                    "license_no_ocr": pl.Series(numbers[3], dtype=pl.String),
                    "addr_ocr": pl.Series(places, dtype=pl.String),
                    "valid_from": np.where(back, begins[entry], never),
                    "valid_to": np.where(
                        back & ~long_term, begins[entry] + spans[entry].astype("timedelta64[D]"), never
                    ),
                    "issuer": pl.Series(np.where(back, "样例市公安局", "样例市场监管局")).zip_with(
                        pl.Series(back | licence), pl.Series([None] * m, dtype=pl.String)
                    ),
                    "conf_name": np.round(np.where(wrong, 0.6, 0.93) + 0.07 * e[4], 4),
                    "conf_no": np.round(np.where(wrong, 0.55, 0.94) + 0.06 * e[5], 4),
                    "ps_score": np.round(np.where(faked, 0.5 + 0.5 * e[4], 0.3 * e[4] ** 2), 4),
                    "copy_score": np.round(
                        np.where(faked & (e[5] < 0.4), 0.5 + 0.5 * e[6], 0.25 * e[6] ** 2), 4
                    ),
                    "reshot_score": np.round(
                        np.where(faked & (e[5] > 0.5), 0.5 + 0.5 * e[7], 0.3 * e[7] ** 2), 4
                    ),
                    "blur": np.round(0.5 * e[8] ** 2, 4),
                    "retake_no": np.minimum(
                        np.floor(-np.log1p(-0.999 * e[6]) * (0.4 + 0.6 * faked)), 20
                    ).astype(int),
                    "manual_edit_fields": np.minimum(
                        wrong + (e[7] < 0.03) + 2 * (faked & (e[8] < 0.5)), 10
                    ).astype(int),
                    "query_ts": calls.request_ts[entry],
                    "report_ts": told,
                    ARRIVES: told.astype("datetime64[D]"),
                    ORDER: told.astype("datetime64[us]"),
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(np.full(n, HIT), rows)


SOURCE = OcrDoc()
