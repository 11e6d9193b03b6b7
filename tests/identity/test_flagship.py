"""The flagship's identity on a small simulation: found as well as promised, on the command line too."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import bluemirror
from bluemirror.cli.main import main
from bluemirror.identity import build_clusters, build_spine, judge, known_at, read_declared
from bluemirror.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bank(flagship: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The flagship with its identity tables, in a copy of hard links."""
    root = tmp_path_factory.mktemp("identity") / "bank"
    shutil.copytree(flagship.root, root, copy_function=os.link)
    workspace = Workspace.open(root)
    build_spine(workspace)
    build_clusters(workspace)
    return workspace


def test_checks_pass_and_a_second_build_changes_nothing(bank):
    spine, clusters = build_spine(bank), build_clusters(bank)
    assert not spine.changed
    assert not clusters.changed
    # so few customers that no company holds another
    assert {check.name: check.detail for check in spine.checks if not check.passed} in (
        {},
        {"counts": "ties without a pair: company_company"},
    )
    assert clusters.passed, clusters.checks
    assert set(spine.links) >= set(read_declared(bank).links) - {"company_company"}
    for report in (spine, clusters):
        assert "<table>" in report._repr_html_()


def test_precision_and_recall_have_a_floor(bank):
    found = judge(bank, read_declared(bank))
    assert set(found) == set(read_declared(bank).matches)
    for name, pairs in (("address", 20), ("employer", 40)):
        verdict = found[name]
        assert verdict.true_pairs >= pairs
        assert verdict.declared.cluster_precision >= 0.9, verdict
        assert verdict.declared.cluster_recall >= 0.6, verdict
    assert found["person"].declared.cluster_precision >= 0.6, found["person"]
    assert found["person"].declared.cluster_recall >= 0.6, found["person"]


def test_a_vendors_hash_of_a_phone_is_the_customers_phone(bank):
    connection = bluemirror.connect(bank)
    by_source = connection.sql("""
        SELECT source, count(*), count(*) FILTER (WHERE from_id LIKE 'P%' AND k.form = 'plain')
        FROM entity_link LEFT JOIN entity_key k ON k.entity = 'phone' AND k.key = to_id AND k.superseded_time IS NULL
        WHERE link = 'person_phone' AND entity_link.superseded_time IS NULL GROUP BY ALL
    """).fetchall()
    found = {source: (ties, both / ties) for source, ties, both in by_source}
    # one hashes with MD5, one with SM3
    for vendor in ("ml_apply", "telco3"):
        ties, both = found[vendor]
        assert ties > 30
        assert both > 0.9, found


def test_read_as_of_a_moment(bank):
    connection = bluemirror.connect(bank)
    moment, last = connection.sql(
        "SELECT quantile_disc(known_time, 0.5), max(known_time) FROM entity_link"
    ).fetchall()[0]
    then, now = (known_at(connection, "entity_link", each).pl() for each in (moment, last))
    assert then["known_time"].max() <= moment
    assert 0 < then.height < now.height
    assert now.select("link", "source", "from_id", "to_id", "role", "valid_from").is_unique().all()


def test_identity_holds_no_raw_value(bank):
    raw = pl.read_parquet(bank.data / "truth" / "identifiers.parquet")["value"]
    wanted = {value.encode() for value in raw if len(value) > 5}
    files = [*(bank.mart / "_written").rglob("*.parquet"), *(bank.state / "identity").rglob("*")]
    assert len(files) >= 8
    for file in files:
        content = file.read_bytes()
        if file.suffix == ".parquet":
            frame = pl.read_parquet(file)
            content = "\n".join(
                str(value)
                for name, kind in frame.schema.items()
                if kind == pl.String
                for value in frame[name].unique()
            ).encode()
        assert not any(value in content for value in wanted), file


def test_the_command(bank, capsys):
    assert main(["--workspace", str(bank.root), "identity", "--json"]) == 0
    out = capsys.readouterr()
    told = json.loads(out.out.strip().splitlines()[-1])
    assert told["judged"]["address"]["declared"]["cluster_precision"] >= 0.9
    assert told["entities"]["person"] > 200
    assert {name for name, passed in told["checks"].items() if not passed} <= {"counts"}
    assert told["changed"] is False
    assert max(map(len, out.err.splitlines())) <= 110
    assert Path(bank.root / "feature_repo" / "entities.yaml").is_file()
