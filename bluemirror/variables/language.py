"""Reading family files: from YAML to the frozen values of :mod:`bluemirror.variables.declarations`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bluemirror.errors import FamilyError
from bluemirror.variables.borrowing import attach
from bluemirror.variables.combining import COMBINED, UNITS
from bluemirror.variables.declarations import Block, Combination, Family, Level, Measure, Relation
from bluemirror.variables.operators import BACKWARD, OPERATORS
from bluemirror.variables.quantities import QuantityReader
from bluemirror.variables.yaml_lines import LinedDict, parse_yaml
from bluemirror.workspace import Workspace

BLOCK_KEYS = ("block", "entity", "source", "label", "miss", "families", "combinations")
FAMILY_KEYS = (
    "family",
    "label",
    "table",
    "match",
    "columns",
    "where",
    "exclude_self",
    "windows",
    "slices",
    "crosses",
    "measures",
    "attributes",
    "age",
    "via",
    "per",
)


class _Reader(QuantityReader):
    """Turns a family file into a block."""

    def level(self, body: Mapping[str, Any] | None) -> Level | None:
        if body is None:
            return None
        self.known(body, ("table", "key", "label", "columns", "where", "slices", "crosses"), "per")
        if ("table" in body) == ("key" in body):
            self.fail(
                body,
                "per needs table or key",
                field="per",
                rule="the middle level is the rows' parent table, or the units that a column names",
                fix="write per: {table: ACCOUNTS, ...} or per: {key: loan_id, ...}",
            )
        slices = self.slices(body, "per")
        return Level(
            table=body.get("table"),
            key=body.get("key"),
            label=self.label(body, "per"),
            columns=dict(body.get("columns") or {}),
            where=body.get("where"),
            slices=slices,
            crosses=self.crosses(body, slices, body.get("crosses", [[]])),
        )

    def relation(self, body: Mapping[str, Any] | None) -> Relation | None:
        if body is None:
            return None
        self.known(body, ("table", "from", "through", "to", "label"), "via")
        return Relation(
            table=str(self.need(body, "table", "via")),
            from_=self.pair(body, "from"),
            through=str(self.need(body, "through", "via")),
            to=str(self.need(body, "to", "via")),
            label=self.label(body, "via"),
        )

    def looks_forward(self, body: Mapping[str, Any], what: str, measure: Measure) -> None:
        """Refuse aggregates that look back."""
        for agg in measure.aggs:
            if agg in BACKWARD or OPERATORS[agg].kernel == "series":
                self.fail(
                    body,
                    f"{what}: {agg} looks back in time, the windows look forward",
                    field="agg",
                    rule=f"forward windows do not go with series of months, {', '.join(BACKWARD)}",
                    fix="aggregate the column itself (min, max, mean), or drop direction: forward",
                )

    def family(self, body: Mapping[str, Any]) -> Family:
        what = f"family {body.get('family', '?')}"
        self.known(body, FAMILY_KEYS, what)
        name = self.name(body, "family", "a family")
        slices = self.slices(body, what)
        per = self.level(body.get("per"))
        measures = tuple(self.measure(one, slices, per is not None) for one in body.get("measures") or ())
        attributes = tuple(self.attribute(one) for one in body.get("attributes") or ())
        if not measures and not attributes and not body.get("age"):
            self.fail(
                body,
                f"{what} yields no variable",
                field="measures",
                rule="a family has measures, attributes or age: true",
                fix="add measures: [{agg: count}]",
            )
        windows = self.windows(body)
        for measure in measures:
            for size in measure.windows or ():
                if (size is None and not windows.all) or (size is not None and size not in windows.sizes):
                    self.fail(
                        body,
                        f"{what}: a measure asks for the window {size or 'all'}, which the family does not have",
                        field="windows",
                        rule="a measure's windows are some of its family's",
                        fix=f"use {list(windows.sizes)}",
                    )
            if windows.forward:
                self.looks_forward(body, what, measure)
            for short, long in (*measure.ratios, *measure.growth):
                if short not in windows.sizes or long not in windows.sizes or short >= long:
                    self.fail(
                        body,
                        f"{what}: ratio {short}/{long} is not short over long of its windows",
                        field="ratios",
                        rule=f"windows here are {list(windows.sizes)}",
                        fix="name two of them, the shorter first",
                    )
        if body.get("via") and (attributes or body.get("age")):
            self.fail(
                body,
                f"{what}: neighbours are many, an attribute is one",
                field="via",
                rule="a relation aggregates its neighbours' rows",
                fix="use measures",
            )
        exclude = body.get("exclude_self")
        if exclude is not None and not isinstance(exclude, str):
            self.fail(
                body,
                f"{what}: exclude_self is not a column",
                field="exclude_self",
                rule="exclude_self names the column that holds the observation's id",
                fix="write exclude_self: COLUMN",
            )
        return Family(
            name=name,
            label=self.label(body, what),
            table=str(self.need(body, "table", what)),
            match=self.pair(body, "match"),
            columns=dict(body.get("columns") or {}),
            where=body.get("where"),
            exclude_self=exclude,
            windows=windows,
            slices=slices,
            crosses=self.crosses(body, slices, body.get("crosses", [[]])),
            measures=measures,
            attributes=attributes,
            age=bool(body.get("age", False)),
            via=self.relation(body.get("via")),
            per=per,
            line=getattr(body, "line", 0),
        )

    def block(self, content: LinedDict) -> Block:
        self.known(content, BLOCK_KEYS, "a block")
        miss = str(content.get("miss", "null"))
        if miss not in ("null", "zero"):
            self.fail(
                content,
                f"miss {miss!r} does not exist",
                field="miss",
                rule="a miss means null (nothing is known) or zero (a list on which the entity does not stand)",
                fix="write miss: null or miss: zero",
            )
        combinations = []
        for body in content.get("combinations") or ():
            self.known(body, ("name", *COMBINED, "label", "unit"), "a combination")
            operator = next((one for one in COMBINED if one in body), "ratio")
            left, right = self.need(body, operator, "a combination")
            combinations.append(
                Combination(
                    self.name(body, "name", "a combination"),
                    operator,
                    str(left),
                    str(right),
                    self.label(body, "a combination"),
                    str(body.get("unit", UNITS[operator])),
                )
            )
        crossing = "families" not in content and bool(combinations)
        if crossing and ("source" in content or "miss" in content):
            self.fail(
                content,
                "a block without families has no source",
                field="source",
                rule="it combines variables of other blocks, whose sources and misses are theirs",
                fix="remove source: and miss:, or add families:",
            )
        families = () if crossing else self.need(content, "families", "a block")
        return Block(
            name=self.name(content, "block", "a block"),
            entity=str(self.need(content, "entity", "a block")),
            source="" if crossing else str(self.need(content, "source", "a block")),
            label=self.label(content, "a block"),
            miss=miss,
            families=tuple(self.family(one) for one in families),
            combinations=tuple(combinations),
            path=self.path,
        )


def read_block(path: Path) -> Block:
    """Read one family file.

    Raises
    ------
    FamilyError
        Naming file, line, what is wrong and what to write.
    """
    return _block(path, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def _block(path: Path, text: str) -> Block:
    """A file that says the same is the same block: it is read, and its variables are spelled out, once a process."""
    return _Reader(path).block(parse_yaml(path, text))


def parse_block(path: Path, content: LinedDict) -> Block:
    """The block that ``content`` declares; ``path`` is what errors call the place where it stands."""
    return _Reader(path).block(content)


def read_blocks(folder: Path) -> tuple[Block, ...]:
    """Read every ``*.yaml`` of ``folder`` in the order of their names; block names are unique.

    Blocks across sources get what they borrow from the others.
    """
    blocks: dict[str, Block] = {}
    for path in sorted(folder.glob("*.yaml")):
        block = read_block(path)
        if block.name in blocks:
            raise FamilyError(
                f"the block {block.name!r} is declared twice",
                file=path,
                field="block",
                rule="one family file a block",
                fix=f"rename it, or move the families to {blocks[block.name].path.name}",
            )
        blocks[block.name] = block
    return attach(tuple(blocks.values()))


def load_blocks(workspace: Workspace) -> tuple[Block, ...]:
    """Every block that ``workspace`` declares.

    Raises
    ------
    FamilyError
        If there is no family file, or one is written wrongly.
    """
    blocks = read_blocks(workspace.families_dir)
    if not blocks:
        raise FamilyError(
            "the workspace declares no variables",
            file=workspace.families_dir,
            rule="family files stand in feature_repo/families/*.yaml",
            fix="write one, beginning from the one that bluemirror init makes",
        )
    return blocks
