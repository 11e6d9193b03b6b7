"""Each way to write a family wrongly has an error that names file, line, rule and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import Block
from bluemirror.variables.language import read_block, read_blocks
from bluemirror.variables.plan import block_variables

GOOD = """
block: b
entity: person
source: s
label: {zh: 块, en: block}
families:
  - family: f
    label: {zh: 族, en: family}
    table: t
    match: {key: person_id}
    windows: {days: [7, 30], all: true}
    slices:
      kind:
        column: kind
        groups: {a: [x], all: "*"}
        labels: {a: {zh: 甲, en: a}}
    crosses: [[kind]]
    measures:
      - {agg: count, ratios: [[7, 30]], shares: [kind]}
"""

WRONG = [
    ("block: b", "block: B!", "cannot be part of a name"),
    ("block: b\n", "block: b\nbolck: c\n", "does not know 'bolck'"),
    ("source: s\n", "", "has no source"),
    ("label: {zh: 块, en: block}", "label: {zh: 块}", "both languages"),
    ("{days: [7, 30], all: true}", "{days: [30, 7]}", "ascending"),
    ("{days: [7, 30], all: true}", "{days: [7], months: [1]}", "days or months"),
    ("{days: [7, 30], all: true}", "{days: [7, 30], grain: month}", "does not go with"),
    ("{days: [7, 30], all: true}", "{weeks: [1]}", "does not know 'weeks'"),
    ("agg: count", "agg: cuont", "'cuont' does not exist"),
    ("agg: count", "agg: sum", "of which column"),
    ("agg: count", "agg: count, of: kind", "does not aggregate a column"),
    ("agg: count", "agg: count, over: [max]", "over: and per:"),
    ("agg: count", "agg: count, by: kind", "do not go together"),
    ("agg: count", "agg: ratio, of: kind", "do not go together"),
    ("agg: count", "agg: [ratio, hhi], of: kind, by: kind", "stands alone"),
    ("all: true}\n    slices", "direction: forward}\n    slices", "a date that lies ahead"),
    ("all: true}\n    slices", "direction: ahead}\n    slices", "does not exist"),
    ("ratios: [[7, 30]]", "growth: [[30, 7]]", "short over long"),
    ("ratios: [[7, 30]]", "ratios: [[30, 7]]", "short over long"),
    ("ratios: [[7, 30]]", "windows: [90]", "does not have"),
    ("crosses: [[kind]]", "crosses: [[knid]]", "not declared"),
    ("crosses: [[kind]]", "crosses: [kind]", "not a list of slices"),
    ('groups: {a: [x], all: "*"}', 'groups: {a: x, all: "*"}', "not a list of codes"),
    ('groups: {a: [x], all: "*"}', 'groups: {a: [x], c: [y], all: "*"}', "has no label"),
    ('groups: {a: [x], all: "*"}', "groups: {a: [x]}\n        bands: {a: [1, 2]}", "groups or bands"),
    ('groups: {a: [x], all: "*"}', "groups: {a: [x]}", "nothing to be a share of"),
    ("match: {key: person_id}", "match: key", "not one pair"),
    (
        "match: {key: person_id}",
        "match: {key: person_id}\n    exclude_self: {a: b}",
        "exclude_self is not a column",
    ),
    ("    measures:\n      - {agg: count, ratios: [[7, 30]], shares: [kind]}\n", "", "yields no variable"),
    ("      - {agg: count", "      - {agg: count}\n      - {agg: count", "two variables are called"),
    ("block: b\n", "block: b\nblock: c\n", "written twice"),
    ("block: b\n", "block: [b\n", "not readable as YAML"),
]


@pytest.mark.parametrize(("before", "after", "complaint"), WRONG, ids=[one[2] for one in WRONG])
def test_a_mistake_is_named(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in GOOD
    path = tmp_path / "b.yaml"
    path.write_text(GOOD.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(FamilyError) as caught:
        block_variables(read_block(path))
    text = str(caught.value)
    assert complaint in text
    assert "rule:" in text
    assert "fix:" in text


@pytest.mark.parametrize("agg", ["since_last", "month_max", "gap_min"])
def test_no_looking_back_in_forward_windows(tmp_path: Path, agg: str) -> None:
    path = tmp_path / "b.yaml"
    forward = GOOD.replace("all: true}", "along: due, direction: forward}", 1).replace(
        "agg: count", f"agg: {agg}", 1
    )
    path.write_text(forward, encoding="utf-8")
    with pytest.raises(FamilyError, match="looks back in time"):
        read_block(path)


def test_the_good_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(GOOD, encoding="utf-8")
    names = [one.name for one in block_variables(read_block(path))]
    assert names == [
        "b_f_a_7d_cnt", "b_f_7d_cnt", "b_f_a_30d_cnt", "b_f_30d_cnt", "b_f_a_all_cnt", "b_f_all_cnt",
        "b_f_a_cnt_r_7_30", "b_f_cnt_r_7_30",
        "b_f_a_7d_cnt_share", "b_f_a_30d_cnt_share", "b_f_a_all_cnt_share",
    ]  # fmt: skip


def test_one_block_one_file(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(FamilyError, match="declared twice"):
        read_blocks(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[x]", "[y]"),
        ("column: kind", "column: sort"),
        ("match: {key: person_id}", "match: {key: other}"),
        ("    crosses: [[kind]]", "    where: 'kind IS NOT NULL'\n    crosses: [[kind]]"),
        ("source: s", "source: s2"),
    ],
)
def test_another_meaning_is_another_hash(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first = {one.name: one.meaning for one in block_variables(read_block(path))}
    path.write_text(GOOD.replace(before, after, 1), encoding="utf-8")
    second = {one.name: one.meaning for one in block_variables(read_block(path))}
    assert first["b_f_a_7d_cnt"] != second["b_f_a_7d_cnt"]


def test_another_label_is_no_other_meaning(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first = [one.meaning for one in block_variables(read_block(path))]
    path.write_text(GOOD.replace("zh: 族", "zh: 类").replace("en: a}", "en: ay}"), encoding="utf-8")
    assert [one.meaning for one in block_variables(read_block(path))] == first


CROSS = """
block: c
entity: person
label: {zh: 跨, en: across}
combinations:
  - {name: r, ratio: [b_f_a_7d_cnt, b_f_30d_cnt], label: {zh: 比, en: ratio}}
"""


def _beside(folder: Path, cross: str) -> dict[str, Block]:
    (folder / "a.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "c.yaml").write_text(cross, encoding="utf-8")
    return {one.name: one for one in read_blocks(folder)}


def test_a_block_across_sources_borrows_what_it_needs(tmp_path: Path) -> None:
    block = _beside(tmp_path, CROSS)["c"]
    (made,) = block_variables(block)
    assert (made.name, made.source, made.unit) == ("c_r", "s", "ratio")
    assert [one.name for one in block.borrowed] == ["b"]


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("b_f_30d_cnt", "b_f_31d_cnt", "which no block of the entity person has"),
        ("entity: person", "entity: company", "which no block of the entity company has"),
        ("entity: person", "entity: person\nsource: s", "has no source"),
        ("entity: person", "entity: person\nmiss: zero", "has no source"),
    ],
)
def test_a_wrong_block_across_sources_is_named(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    with pytest.raises(FamilyError, match=complaint):
        _beside(tmp_path, CROSS.replace(before, after))
