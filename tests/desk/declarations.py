"""Contracts and spine of the desk's test bank, as plain values (a contract in JSON is a contract in YAML)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PRICES = {"hit": 1.0, "no_hit": 0.1, "error": 0.0, "cached": 0.0}
VERDICTS = {"match": 0.3, "mismatch": 0.3, "no_hit": 0.0, "error": 0.0, "cached": 0.0}
FREE = {"hit": 0.0, "no_hit": 0.0, "error": 0.0, "cached": 0.0}
PROMISED = (
    {"property": "responseTimeP50", "value": 300, "unit": "ms"},
    {"property": "responseTimeP99", "value": 1500, "unit": "ms"},
    {"property": "errorRate", "value": 0.02},
)
KEY = {"key": {"entity": "id_no", "form": "sha256"}}


def custom(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Custom properties as ODCS lists them."""
    return [{"property": name, "value": value} for name, value in values.items()]


def codes(*known: str) -> dict[str, Any]:
    """A code list."""
    return {"codes": {code: f"{code} / {code}" for code in known}}


def field(name: str, kind: str, own: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A field with labels."""
    return {
        "name": name,
        "logicalType": kind,
        "description": f"{name} <b>",
        **more,
        "customProperties": custom({"nameZh": f"字段{name}", **(own or {})}),
    }


def contract(
    name: str,
    fields: Sequence[dict[str, Any]],
    *,
    kind: str = "event",
    times: tuple[Mapping[str, Any], Mapping[str, Any]],
    form: str = "csv",
    prices: Mapping[str, float] = FREE,
    policy: str = "go_on",
    frequency: str = "d",
    levels: Sequence[Mapping[str, Any]] = (),
    domain: str = "own",
    own: Mapping[str, Any] | None = None,
    table: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A contract of one table."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": name,
        "name": f"{name} & <script>alert(1)</script>",
        "version": "1.0.0",
        "status": "active",
        "domain": domain,
        "description": {"purpose": f"{name} of the tests", "limitations": "none", "usage": "tests"},
        "customProperties": custom(
            {
                "nameZh": f"测试{name}",
                "stages": ["pre"],
                "legalBasis": 'performance of the "contract"',
                "authorisation": "the bank's own record",
                "landing": {"formats": [form], "complete": "_DONE.json"},
                "lateness": {"policy": policy, "afterHours": 36},
                "priceByResult": dict(prices),
                **(own or {}),
            }
        ),
        "slaProperties": [
            {"property": "latency", "value": 1, "unit": "d"},
            {"property": "frequency", "value": 1, "unit": frequency},
            *levels,
        ],
        "schema": [
            {
                "name": name,
                "description": "rows",
                "customProperties": custom(
                    {"kind": kind, "path": "", "eventTime": times[0], "knownTime": times[1], **(table or {})}
                ),
                "properties": list(fields),
            }
        ],
    }


def asked(
    name: str,
    *,
    verifies: bool = False,
    band: tuple[float, float] | None = None,
    promises: bool = True,
    fee: float = 0.0,
) -> dict[str, Any]:
    """A source that answers call by call with a grade, a score and an amount; or with a verdict."""
    levels: list[Mapping[str, Any]] = list(PROMISED) if promises else []
    if band is not None:
        levels.append({"property": "hitRate", "value": band[0], "valueExt": band[1]})
    return contract(
        name,
        [
            field("req_id", "string", required=True, primaryKey=True),
            field("id_hash", "string", KEY, required=True, classification="personal"),
            field("at", "timestamp", required=True),
            field("result", "string", codes("hit", "match", "mismatch", "no_hit"), required=True),
            field("grade", "string", codes("A", "B", "C", "D")),
            field("score", "integer", {"unit": "score"}, logicalTypeOptions={"minimum": 0, "maximum": 1000}),
            field("owed", "number", {"unit": "yuan"}, physicalType="amount"),
        ],
        kind="answer",
        times=({"field": "at"}, {"field": "at"}),
        form="jsonl",
        prices=VERDICTS if verifies else PRICES,
        policy="use_last_good",
        levels=levels,
        domain="verdicts" if verifies else "lists",
        own={"answerValidDays": 30, **({"monthlyFee": fee} if fee else {})},
        table={"hit": {"field": "result", "yes": ["match", "mismatch"] if verifies else ["hit"]}},
    )


def feed(name: str, policy: str = "go_on") -> dict[str, Any]:
    """A source that sends a file a day."""
    return contract(
        name,
        [
            field("id", "string", required=True, primaryKey=True),
            field("day", "date", required=True),
            field("form", "string", codes("x", "y", "z"), required=True),
            field("size", "number", {"unit": "count"}, logicalTypeOptions={"minimum": 0}),
        ],
        times=({"field": "day"}, {"rule": "delivery"}),
        policy=policy,
        domain="files",
    )


LEDGER = contract(
    "ledger",
    [
        field("call_id", "string", required=True, primaryKey=True),
        field("source", "string", required=True),
        field("person", "string", required=True, classification="internal"),
        field("application", "string"),
        field("at", "timestamp", required=True),
        field("result", "string", required=True),
        field("cached", "boolean", required=True),
        field("paid", "number", {"unit": "yuan"}, physicalType="amount"),
        field("ms", "integer", {"unit": "ms"}),
        field("req_id", "string"),
        field("written", "timestamp", required=True),
    ],
    times=({"field": "at"}, {"field": "written"}),
    policy="block",
)
APPLY = contract(
    "apply",
    [
        field("application", "string", required=True, primaryKey=True),
        field("at", "timestamp", required=True),
        field("written", "timestamp", required=True),
        field("status", "string", codes("sent", "yes", "no"), required=True),
    ],
    times=({"field": "at"}, {"field": "written"}),
    policy="block",
)
BILL = contract(
    "bill",
    [
        field("invoice", "string", required=True, primaryKey=True),
        field("source", "string", required=True, primaryKey=True),
        field("month", "date", physicalType="month", required=True, primaryKey=True),
        field("what", "string", required=True, primaryKey=True),
        field("calls", "integer", {"unit": "count"}, required=True),
        field("price", "number", {"unit": "yuan"}, required=True),
        field("amount", "number", {"unit": "yuan"}, physicalType="amount", required=True),
        field("received", "date", required=True),
    ],
    times=({"field": "month", "at": "end"}, {"field": "received", "at": "end"}),
    frequency="month",
)
SPINE: dict[str, Any] = {
    "entities": {"person": {"key": "person"}},
    "observations": {},
    "calls": {
        "table": "ledger",
        "source": "source",
        "entity": "person",
        "time": "at",
        "result": "result",
        "hit": ["hit", "match", "mismatch"],
        "no_hit": ["no_hit"],
        "error": ["error", "timeout"],
        "match": ["match"],
        "mismatch": ["mismatch"],
        "timeout": ["timeout"],
        "cost": "paid",
        "cached": "cached",
        "latency": "ms",
        "request": "req_id",
        "application": "application",
    },
    "bills": {
        "table": "bill",
        "source": "source",
        "month": "month",
        "invoice": "invoice",
        "result": "what",
        "calls": "calls",
        "price": "price",
        "amount": "amount",
        "fee": ["fee"],
        "correction": ["credit"],
        "due_days": 15,
    },
    "applications": {"table": "apply", "id": "application", "status": "status", "approved": ["yes"]},
}


def declare(root: Path, contracts: Sequence[Mapping[str, Any]]) -> None:
    """Write a workspace that declares these contracts, and the spine."""
    (root / "data_contracts").mkdir(parents=True)
    (root / "feature_repo").mkdir()
    (root / "landing").mkdir()
    (root / "workspace.yaml").write_text("name: desk_bank\n", encoding="utf-8")
    (root / "feature_repo" / "spine.yaml").write_text(json.dumps(SPINE, ensure_ascii=False), encoding="utf-8")
    for one in contracts:
        text = json.dumps(one, ensure_ascii=False, indent=1)
        (root / "data_contracts" / f"{one['id']}.odcs.yaml").write_text(text, encoding="utf-8")
