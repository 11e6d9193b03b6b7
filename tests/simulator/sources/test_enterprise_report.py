"""The enterprise report: every unit under contract is written, and its sums follow from its accounts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from bluemirror.contracts import read_contract
from bluemirror.workspace import Workspace
from tests import report_files


@pytest.fixture(scope="module")
def written(landed: Workspace) -> list[dict[str, Any]]:
    paths = sorted((landed.landing / "pboc_enterprise").glob("*/[0-9]*.xml"))
    return [report_files.tree(ET.parse(path).getroot()) for path in paths]


def some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def tags(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(tags, node)) if node else set()
    return set(node).union(*map(tags, node.values())) if isinstance(node, dict) else set()


def test_every_unit_is_written_and_every_item_is_under_contract(
    landed: Workspace, written: list[dict[str, Any]]
) -> None:
    contract = read_contract(landed.contracts_dir / "pboc_enterprise.odcs.yaml")
    items = {(field.physical or "").split("/")[-1] for table in contract.tables for field in table.fields}
    seen = set().union(*map(tags, written))
    leaves = {tag for tag in seen if len(tag) == 8 and tag[5].isalpha()}
    assert leaves <= items
    for unit in ("EA01", "EC01", "EC02", "EC03", "EC05", "EB01", "EB02", "EB04", "ED01"):
        assert unit in seen, unit


def test_sums_follow_from_the_accounts(written: list[dict[str, Any]]) -> None:
    assert len(written) > 5
    for report in written:
        accounts = some(report["EDA"]["ED01"])
        open_ = [account for account in accounts if account["ED01A"]["ED01AD01"] == "1"]
        newest = [max(some(a["ED01B"]["ED01BH"]), key=lambda month: month["ED01BR01"]) for a in open_]
        assert int(report["EBA"]["EB01"]["EB01A"]["EB01AJ01"]) == sum(
            int(month["ED01BJ01"]) for month in newest
        )
        total = [row for row in some(report["EBB"]["EB02"]["EB02A"]["EB02AH"]) if row["EB02AD01"] == "0"]
        assert [int(row["EB02AS04"]) for row in total] == [len(open_)]
        months = some(report["EBB"]["EB02"]["EB02C"]["EB02CH"])
        assert len(months) == 24
