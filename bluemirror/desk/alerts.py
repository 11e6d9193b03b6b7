"""What an alert is: a source, what is wrong with it, how bad, why we think so, and what to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

ERROR, WARN = "error", "warn"

CHECKS = {
    "freshness": ("时效", "freshness"),
    "hit_rate": ("命中率", "hit rate"),
    "error_rate": ("错误率", "error rate"),
    "latency": ("响应时间", "latency"),
    "bill": ("账单", "bill"),
    "drift": ("漂移", "drift"),
    "duplicates": ("重复", "duplicates"),
    "quarantine": ("隔离", "quarantine"),
}
"""What a source is checked for: name -> Chinese and English label."""


@dataclass(frozen=True)
class Kind:
    """A kind of alert: the check that it belongs to, its labels, and what to do about it."""

    check: str
    zh: str
    en: str
    todo: str


KINDS = {
    "never": Kind(
        "freshness",
        "从未到达",
        "never delivered",
        "ask the source for its first delivery; retire the contract if none will come",
    ),
    "late": Kind(
        "freshness",
        "迟到",
        "late",
        "call the source; when it has come: bluemirror ingest, then the night again",
    ),
    "missing": Kind(
        "freshness",
        "缺交付",
        "delivery missing",
        "ask for the delivery of the missing day, under that day's date",
    ),
    "waiting": Kind(
        "freshness",
        "交付未完成",
        "delivery not completed",
        "files are there without the completing file: ask the source to finish, or to send it",
    ),
    "outage": Kind(
        "error_rate",
        "中断",
        "outage",
        "switch to the fallback of the decision flow; open an incident with the source, with times and request ids",
    ),
    "error_rate": Kind(
        "error_rate",
        "错误率超标",
        "more errors than promised",
        "hold the source to its service level: send it the days and error codes of the ledger",
    ),
    "all_miss": Kind(
        "hit_rate",
        "突然全部未命中",
        "sudden all-miss",
        "stop trusting 'no record' of these days; ask the source; check that keys and hash form are sent as agreed",
    ),
    "hit_rate": Kind(
        "hit_rate",
        "命中率偏离",
        "hit rate moved",
        "compare who is asked now with before (channel, product); if they are alike, ask the source about coverage",
    ),
    "match_rate": Kind(
        "hit_rate",
        "核验一致率偏离",
        "match rate moved",
        "check what is sent (names, phones) before the source; then ask it for examples",
    ),
    "slow": Kind(
        "latency",
        "响应慢于承诺",
        "slower than promised",
        "hold the source to its service level; check time limits of the decision flow",
    ),
    "slower": Kind(
        "latency",
        "响应变慢",
        "slower than before",
        "check the network first, then ask the source what changed",
    ),
    "mispriced": Kind(
        "bill",
        "台账费用与价格不符",
        "ledger cost is not the price",
        "correct the price table of the contract or of the call gateway: one of them is wrong",
    ),
    "bill": Kind(
        "bill",
        "账单不符",
        "bill differs",
        "do not pay before the source has explained; send it the reasons below",
    ),
    "no_bill": Kind("bill", "账单未到", "bill missing", "ask the source for the bill of that month"),
    "schema": Kind(
        "drift",
        "文件结构变化",
        "columns changed",
        "ask for the agreed columns, or agree a new contract version and deliver the file again",
    ),
    "new_code": Kind(
        "drift",
        "出现新代码",
        "new code",
        "ask the source what it means; add it to the contract's codes and to the families that read them",
    ),
    "emptied": Kind(
        "drift",
        "空值比例突变",
        "empty values jumped",
        "ask the source; look at the variables of these fields before the next scores go out",
    ),
    "shifted": Kind(
        "drift",
        "分布漂移",
        "distribution moved",
        "compare who is asked; if the same people, ask the source; watch the PSI of the models that use these fields",
    ),
    "same_request": Kind(
        "duplicates",
        "请求编号重复",
        "request id repeated",
        "ask the source whether one answer was charged twice, or given to two calls",
    ),
    "same_answer": Kind(
        "duplicates",
        "不同人应答相同",
        "same answer for many people",
        "do not decide on these answers; ask the source to answer them again",
    ),
    "held": Kind(
        "quarantine",
        "文件整份扣留",
        "file held back",
        "the quarantine names file and rule: ask for the file again in a later delivery",
    ),
    "quarantine": Kind(
        "quarantine",
        "隔离比例突升",
        "quarantine grew",
        "look at the rules below; ask the source, or correct the contract if the rows are right",
    ),
}
"""Every kind of alert by name."""


@dataclass(frozen=True)
class Alert:
    """One thing that somebody should look at.

    Parameters
    ----------
    source, kind
        Whose, and which of :data:`KINDS`.
    severity
        ``error``: decisions may be wrong or the night may have to wait; ``warn``: look at it today.
    cause
        What was seen, with figures.
    since
        First day that it was seen on, as far as the figures tell.
    """

    source: str
    kind: str
    severity: str
    cause: str
    since: dt.date | None = None

    @property
    def check(self) -> str:
        """The check that it belongs to."""
        return KINDS[self.kind].check

    @property
    def title(self) -> str:
        """Its English label."""
        return KINDS[self.kind].en

    @property
    def todo(self) -> str:
        """What to do about it."""
        return KINDS[self.kind].todo


def in_order(alerts: list[Alert]) -> tuple[Alert, ...]:
    """Errors first, then by source and kind."""
    return tuple(
        sorted(alerts, key=lambda one: (one.severity != ERROR, one.source, list(KINDS).index(one.kind)))
    )
