"""A family on trial: shown, computed for a sample, judged; and told what is wrong, where, and what to write."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import bluemirror
from bluemirror.errors import FamilyError, ModelError, WorkspaceError
from bluemirror.variables import load_blocks, read_variables
from bluemirror.variables.checking import check_block
from bluemirror.workspace import Workspace

TEN_LINES = """\
family: late
label: {zh: 深夜流水, en: transactions late at night}
table: own_txn
match: {person_id: person_id}
where: "NOT reversal_flag AND hour(txn_ts) < 5"
windows: {days: [30, 90, 180]}
slices: {way: {column: direction, groups: {in: [in], out: [out], all: "*"}, labels: {in: {zh: 流入, en: money in}, out: {zh: 流出, en: money out}}}}
crosses: [[way]]
measures:
  - {agg: [sum, max], of: amount, as: amt, scale: 0.01, unit: yuan, label: {zh: 金额, en: amount}}
"""


@pytest.fixture(scope="module")
def draft(flagship: Workspace) -> bluemirror.variables.draft.Draft:
    return bluemirror.family(TEN_LINES, flagship)


def test_ten_lines_yield_named_and_labelled_variables(draft: bluemirror.variables.draft.Draft) -> None:
    assert len(TEN_LINES.splitlines()) == 10
    assert len(draft.variables) == 2 * 3 * 3
    first = draft.variables[0]
    assert first.name == "draft_late_in_30d_amt_sum"
    assert first.label_zh == "近30天流入深夜流水金额合计"
    assert (first.unit, first.source) == ("yuan", "own_txn")
    text, html = repr(draft), draft._repr_html_()
    for word in ("draft_late_in_30d_amt_sum", "近30天流入深夜流水金额合计", "own_txn", "18 variables"):
        assert word in text
        assert word in html
    assert "hour(txn_ts) &lt; 5" in html


def test_a_declared_block_and_family_show_themselves(flagship: Workspace) -> None:
    block = next(one for one in load_blocks(flagship) if one.name == "device_fp")
    family = next(one for one in block.families if one.via is not None)
    for one in (block, family):
        assert "device_fp" in repr(one)
        assert "<table>" in one._repr_html_()
    assert f"through {family.via.through}" in repr(family)  # type: ignore[union-attr]


def test_a_preview_has_the_values_that_the_catalogue_would_have(flagship: Workspace) -> None:
    """A family of the workspace, tried out: the same values as those stored."""
    text = (flagship.families_dir / "own_txn.yaml").read_text(encoding="utf-8")
    again = text.replace("block: own_txn", "block: again").replace("own_txn_", "again_")
    preview = bluemirror.family(again, flagship).preview(sample=40)
    assert len(preview) == 40
    names = [one.name.replace("again_", "own_txn_", 1) for one in preview.variables]
    ids = preview.frame["observation_id"]
    stored = read_variables(flagship, "application", names, ids.to_list())
    assert stored["observation_id"].equals(ids)
    for name in names:
        assert stored[name].equals(preview[name.replace("own_txn_", "again_", 1)], null_equal=True), name


def test_columns_have_labels(draft: bluemirror.variables.draft.Draft) -> None:
    preview = draft.preview(sample=30, seed=3)
    name = "draft_late_30d_amt_sum"
    label = "近30天深夜流水金额合计 / transactions late at night, last 30 days: amount, sum [yuan]"
    assert preview.labels[name] == label
    assert preview.labelled()[label].equals(preview[name])
    assert preview.to_pandas().attrs["labels"][name] == label
    assert "近30天深夜流水金额合计" in preview._repr_html_()
    assert label in repr(preview)
    assert preview.answered == {"answered": 30}


def test_a_sample_is_drawn_from_named_observations(draft: bluemirror.variables.draft.Draft) -> None:
    ids = draft.preview(sample=30).frame["observation_id"].to_list()
    assert draft.preview(observations=ids[:7]).frame["observation_id"].to_list() == ids[:7]
    assert len(draft.preview(sample=5, observations=pl.DataFrame({"observation_id": ids}))) == 5
    with pytest.raises(FamilyError, match="nothing to describe"):
        draft.preview(observations=["no such application"])


def test_judging_finds_constants_and_twins(flagship: Workspace) -> None:
    """A count of rows is that of their distinct ids, and the catalogue has had it all along."""
    preview = bluemirror.family(
        """
family: all_of_it
label: {zh: 流水, en: transactions}
table: own_txn
match: {person_id: person_id}
where: NOT reversal_flag AND direction = 'in'
windows: {days: [30, 180]}
slices: {never: {column: txn_class, groups: {never: [other], all: "*"}, labels: {never: {zh: 其他, en: of other kinds}}}}
crosses: [[never]]
measures:
  - {agg: count, label: {zh: 次数, en: number}}
  - {agg: distinct, of: txn_id, as: ids, crosses: [[]], label: {zh: 笔数, en: transactions}}
""",
        flagship,
    ).preview(sample=150)
    judged = bluemirror.judge(preview)
    found = {row["variable"]: row for row in judged.table.iter_rows(named=True)}
    assert found["draft_all_of_it_30d_ids"]["twin_of"] == "draft_all_of_it_30d_cnt"
    before = found["draft_all_of_it_180d_cnt"]["twin_of"]
    assert before.startswith("own_txn_")
    ids = preview.frame["observation_id"]
    stored = read_variables(flagship, "application", [before], ids.to_list())
    assert stored[before].equals(preview["draft_all_of_it_180d_cnt"])
    assert f"twin of {before}" in repr(judged)
    column = preview["draft_all_of_it_180d_cnt"]
    row = found["draft_all_of_it_180d_cnt"]
    assert row["coverage"] == pytest.approx(1 - column.null_count() / len(column))
    assert row["mean"] == pytest.approx(column.mean())
    assert len(row["distribution"]) == 10
    for name, one in found.items():
        assert one["constant"] == (preview[name].n_unique() < 2), name
    useful = set(judged.useful["variable"])
    assert useful == {name for name, one in found.items() if not one["constant"] and not one["twin_of"]}


def test_judging_against_a_label(draft: bluemirror.variables.draft.Draft) -> None:
    """A label that is the variable itself is told apart perfectly; one by chance is not."""
    preview = draft.preview(sample=200)
    name = "draft_late_180d_amt_sum"
    label = preview.frame.select("observation_id", (pl.col(name) > 0).cast(pl.Int8).alias("bad"))
    judged = bluemirror.judge(preview, label)
    row = judged.table.filter(pl.col("variable") == name).row(0, named=True)
    assert row["auc"] == pytest.approx(1.0)
    assert row["iv"] > 1
    assert judged.useful["variable"][0].startswith("draft_late_")
    assert judged.useful["iv_net"].is_sorted(descending=True)
    assert "iv_net" in judged._repr_html_()
    with pytest.raises(ModelError, match="0 of them bad"):
        bluemirror.judge(preview, label.with_columns(bad=pl.lit(0)))


WRONG = [
    ("of: amount", "of: amout", "line 10", "write amount"),
    ("hour(txn_ts)", "hour(txn_tss)", "line 5", "write txn_ts"),
    ("hour(txn_ts) < 5", "hour(txn_ts) <", "line 5", "correct "),
    ("[out]", "[outt]", "line 7", "write out"),
    ("column: direction", "column: directon", "line 7", "write direction"),
    ("table: own_txn", "table: own_tnx", "line 3", "write table: own_txn"),
    ("{person_id: person_id}", "{person_id: persn_id}", "line 4", "{COLUMN: person_id}"),
    ("{person_id: person_id}", "{persn_id: person_id}", "line 4", "write person_id"),
    ("[[way]]", "[[wya]]", "line 8", "write way"),
    ("[30, 90, 180]", "[90, 30, 180]", "line 6", "write [30, 90, 180]"),
    ("[sum, max]", "[summ, max]", "line 10", "write sum"),
    ("unit: yuan", "units: yuan", "line 10", "write unit"),
    ("of: amount", "of: txn_class", "line 10", "count its different values"),
    ("en: amount}}", "en: amount}", "line 11", "indent with spaces"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "fix"), WRONG, ids=[one[1] for one in WRONG])
def test_a_mistake_is_told_with_its_line(
    flagship: Workspace, right: str, wrong: str, line: str, fix: str
) -> None:
    assert right in TEN_LINES
    with pytest.raises(FamilyError) as caught:
        bluemirror.family(TEN_LINES.replace(right, wrong), flagship)
    assert caught.value.file == f"family text, {line}"
    assert fix in (caught.value.fix or "")


def test_a_file_is_named(flagship: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(TEN_LINES, encoding="utf-8")
    assert len(bluemirror.family(file, flagship).variables) == 18
    file.write_text(TEN_LINES.replace("of: amount", "of: amout"), encoding="utf-8")
    with pytest.raises(FamilyError) as caught:
        bluemirror.family(file, flagship)
    assert caught.value.file == f"{file}, line 10"


@pytest.mark.slow
def test_everything_that_the_flagship_names_is_there(repository: Path) -> None:
    from bluemirror.contracts import read_contracts

    workspace = Workspace.open(repository)
    contracts = read_contracts(workspace.contracts_dir)
    for block in load_blocks(workspace):
        check_block(block, contracts)


def test_a_build_tells_it_too(flagship_declarations: Workspace) -> None:
    """What DuckDB does not understand while variables are built is said in the words of the family file."""
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.cross_engine import engine_of
    from bluemirror.variables.spine import read_spine

    workspace = flagship_declarations
    file = workspace.families_dir / "own_txn.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("of: amount", "of: amout", 1), encoding="utf-8")
    block = next(one for one in load_blocks(workspace) if one.name == "own_txn")
    observed = pl.DataFrame(
        {"observation_id": ["x"], "person_id": ["p"], "as_of": [None]},
        schema={"observation_id": pl.String, "person_id": pl.String, "as_of": pl.Datetime("us")},
    )
    with bluemirror.connect(workspace) as connection, pytest.raises(FamilyError) as caught:
        engine_of(connection, block, read_contracts(workspace.contracts_dir), read_spine(workspace), observed)
    line = 1 + text[: text.index("of: amount")].count("\n")
    assert caught.value.file == f"{file}, line {line}"
    assert caught.value.fix == "write amount"


def test_the_workspace_around_is_taken(
    flagship: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook need not say where it stands; what the environment names comes first."""
    monkeypatch.delenv("BLUEMIRROR_WORKSPACE", raising=False)
    monkeypatch.chdir(flagship.families_dir)
    assert Workspace.here().root == flagship.root
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError, match="not a workspace"):
        Workspace.here()
    monkeypatch.setenv("BLUEMIRROR_WORKSPACE", str(flagship.root))
    assert len(bluemirror.family(TEN_LINES).variables) == 18
