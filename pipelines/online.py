"""The online store as an asset: the inputs of every registered model version, compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from bluemirror.features import Parity, Published, parity, publish
from pipelines.declared import Declared
from pipelines.journal import Journal
from pipelines.models import model_key
from pipelines.registry import REGISTRY_KEY

ONLINE_KEY = dg.AssetKey(["features", "online"])


def online_asset(declared: Declared, journal: Journal) -> dg.AssetsDefinition:
    """One asset: each version's inputs, by the key of whom it describes; its checks compare all of it."""
    checks = [
        dg.AssetCheckSpec(
            "parity",
            asset=ONLINE_KEY,
            description="Every cell online is the stored one: none differs, is missing, or is of another moment.",
        ),
        dg.AssetCheckSpec(
            "complete",
            asset=ONLINE_KEY,
            description="As many rows online as entities are described, and as many as were written down.",
        ),
    ]

    @dg.asset(
        key=ONLINE_KEY,
        group_name="online",
        kinds={"feast"},
        # After a training the new version's inputs are published in the same run.
        deps=[REGISTRY_KEY, *(model_key(model, "service") for model in declared.models)],
        check_specs=checks,
        description="在线变量 / variables online: one row an entity for each registered model version.",
    )
    def online() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with journal.step("online", "publish") as keep:
            done = keep(_Report(publish(declared.workspace, log=journal.say))).published
        # Through Feast as well when something is new: opening it takes longer than comparing everything.
        found = parity(declared.workspace, through_feast=50 if any(each.changed for each in done) else 0)
        journal.say(
            f"online: {len(done)} versions, {sum(each.cells for each in found):,} cells compared, "
            f"{sum(each.faults for each in found):,} differences"
            + ("" if any(each.changed for each in done) else " (nothing changed)")
        )
        yield dg.MaterializeResult(
            asset_key=ONLINE_KEY,
            metadata={
                "dagster/row_count": sum(each.rows for each in done),
                "versions": ", ".join(each.service for each in done) or "none yet",
                "newest observation": max((each.as_of or "" for each in done), default="") or "none",
                "published": max((each.published_at for each in done), default="") or "never",
                "bytes": sum(each.bytes for each in done),
            },
        )
        yield _parity_result(found)
        yield _complete_result(done, found)

    return online


class _Report:
    """What the run's summary asks of a report: whether anything changed."""

    def __init__(self, published: Sequence[Published]) -> None:
        self.published = published
        self.changed = any(each.changed for each in published)


def _parity_result(found: Sequence[Parity]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not any(each.faults for each in found),
        check_name="parity",
        asset_key=ONLINE_KEY,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "cells": sum(each.cells for each in found),
            "differing": sum(each.differing for each in found),
            "missing entities": sum(each.missing for each in found),
            "surplus entities": sum(each.surplus for each in found),
            "of another moment": sum(each.stale for each in found),
            "cells through Feast": sum(each.through_feast for each in found),
            "differing through Feast": sum(each.feast_differing for each in found),
        },
    )


def _complete_result(done: Sequence[Published], found: Sequence[Parity]) -> dg.AssetCheckResult:
    short = [each.service for each in found if each.missing or each.surplus]
    return dg.AssetCheckResult(
        passed=not short,
        check_name="complete",
        asset_key=ONLINE_KEY,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            **{f"rows {each.service}": each.rows for each in done},
            "not complete": ", ".join(short) or "none",
        },
    )
