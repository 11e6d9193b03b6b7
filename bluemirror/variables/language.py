"""Reading family files: from YAML to the frozen values of :mod:`bluemirror.variables.declarations`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import (
    Attribute,
    Block,
    Combination,
    Family,
    Group,
    Label,
    Level,
    Measure,
    Relation,
    Slice,
    Windows,
)
from bluemirror.variables.operators import OPERATORS, OUTER
from bluemirror.variables.yaml_lines import LinedDict, read_yaml
from bluemirror.workspace import Workspace

NAME = re.compile(r"^[a-z][a-z0-9_]*$")

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
MEASURE_KEYS = (
    "agg",
    "of",
    "as",
    "label",
    "unit",
    "scale",
    "crosses",
    "windows",
    "over",
    "ratios",
    "shares",
)


class _Reader:
    """Turns one file's mappings into declarations; every complaint names file, line, rule and fix."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, at: Any, message: str, *, rule: str, fix: str, field: str | None = None) -> NoReturn:
        line = getattr(at, "line", 0)
        raise FamilyError(
            message, file=f"{self.path}, line {line}" if line else self.path, field=field, rule=rule, fix=fix
        )

    def known(self, at: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        allowed = tuple(allowed)
        for key in at:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, 1)
                self.fail(
                    at,
                    f"{what} does not know {key!r}",
                    field=key,
                    rule=f"{what} has {', '.join(allowed)}",
                    fix=f"write {near[0]}" if near else "remove it",
                )

    def need(self, at: Mapping[str, Any], key: str, what: str) -> Any:
        if at.get(key) in (None, ""):
            self.fail(at, f"{what} has no {key}", field=key, rule=f"{what} needs {key}", fix=f"add {key}:")
        return at[key]

    def name(self, at: Mapping[str, Any], key: str, what: str) -> str:
        value = str(self.need(at, key, what))
        if not NAME.match(value):
            self.fail(
                at,
                f"{value!r} cannot be part of a name",
                field=key,
                rule="names are lower case letters, digits and _, beginning with a letter",
                fix=f"write {re.sub(r'[^a-z0-9_]+', '_', value.lower())}",
            )
        return value

    def label(self, at: Mapping[str, Any], what: str, key: str = "label") -> Label:
        value = self.need(at, key, what)
        if not isinstance(value, Mapping) or not value.get("zh") or not value.get("en"):
            self.fail(
                at,
                f"{key} of {what} is not in both languages",
                field=key,
                rule="labels are in Chinese and English",
                fix=f"write {key}: {{zh: ..., en: ...}}",
            )
        return Label(str(value["zh"]), str(value["en"]))

    def windows(self, at: Mapping[str, Any]) -> Windows:
        value = at.get("windows")
        if value is None:
            return Windows()
        self.known(value, ("days", "months", "grain", "all"), "windows")
        if ("days" in value) == ("months" in value) and not value.get("all"):
            self.fail(
                at,
                "windows need days or months",
                field="windows",
                rule="a family counts its windows in one unit",
                fix="write windows: {days: [30, 90]} or {months: [3, 6]}",
            )
        unit = "month" if "months" in value else "day"
        sizes = tuple(value.get("days") or value.get("months") or ())
        if any(not isinstance(size, int) or size <= 0 for size in sizes) or list(sizes) != sorted(set(sizes)):
            self.fail(
                at,
                f"window sizes {list(sizes)} are not ascending positive whole numbers",
                field="windows",
                rule="each window once, the shortest first",
                fix=f"write {sorted({abs(int(size)) for size in sizes if int(size)})}",
            )
        grain = value.get("grain", "time" if unit == "day" else "date")
        allowed = ("time",) if unit == "day" else ("date", "month")
        if grain not in allowed:
            self.fail(
                at,
                f"grain {grain!r} does not go with {unit}s",
                field="grain",
                rule=f"grain of windows in {unit}s is {' or '.join(allowed)}",
                fix=f"write grain: {allowed[0]}",
            )
        return Windows(unit, sizes, bool(value.get("all", False)), grain)

    def slices(self, at: Mapping[str, Any], what: str) -> tuple[Slice, ...]:
        found = []
        for name, body in (at.get("slices") or {}).items():
            self.known(body, ("column", "groups", "bands", "labels"), f"slice {name}")
            column = str(self.need(body, "column", f"slice {name} of {what}"))
            if ("groups" in body) == ("bands" in body):
                self.fail(
                    body,
                    f"slice {name} needs groups or bands",
                    field=name,
                    rule="a slice groups codes or bands of a number, not both",
                    fix="write groups: {bank: [11, 12], all: '*'} or bands: {ge1k: [1000, null]}",
                )
            labels = body.get("labels") or {}
            groups = []
            for group, members in (body.get("groups") or body.get("bands")).items():
                if not NAME.match(group) and not group[0].isdigit():
                    self.fail(
                        body,
                        f"group {group!r} cannot be part of a name",
                        field=group,
                        rule="group names are lower case letters, digits and _",
                        fix="rename the group",
                    )
                everything = members == "*"
                label = labels.get(group)
                if label is None and not everything:
                    self.fail(
                        body,
                        f"group {group} of slice {name} has no label",
                        field=group,
                        rule="every group but the one of all rows has a label in Chinese and English",
                        fix=f"add labels: {{{group}: {{zh: ..., en: ...}}}}",
                    )
                text = Label(str(label["zh"]), str(label["en"])) if label else Label("", "")
                if everything:
                    groups.append(Group(group, text))
                elif "bands" in body:
                    low, high = members
                    groups.append(
                        Group(
                            group,
                            text,
                            band=(None if low is None else float(low), None if high is None else float(high)),
                        )
                    )
                else:
                    if not isinstance(members, list) or not members:
                        self.fail(
                            body,
                            f"group {group} of slice {name} is not a list of codes",
                            field=group,
                            rule="a group lists the codes that it holds, or is '*'",
                            fix=f"write {group}: [code, ...]",
                        )
                    groups.append(Group(group, text, codes=tuple(_code(code) for code in members)))
            found.append(Slice(name, column, tuple(groups)))
        return tuple(found)

    def crosses(
        self, at: Mapping[str, Any], slices: tuple[Slice, ...], value: Any
    ) -> tuple[tuple[str, ...], ...]:
        names = [one.name for one in slices]
        result = []
        for cross in value:
            if not isinstance(cross, list):
                self.fail(
                    at,
                    f"cross {cross!r} is not a list of slices",
                    field="crosses",
                    rule="crosses is a list of lists of slice names; [] means no filter",
                    fix=f"write [[{cross}]]",
                )
            for name in cross:
                if name not in names:
                    near = difflib.get_close_matches(str(name), names, 1)
                    self.fail(
                        at,
                        f"cross names the slice {name!r}, which is not declared",
                        field="crosses",
                        rule=f"slices here are {', '.join(names) or 'none'}",
                        fix=f"write {near[0]}" if near else "declare the slice or drop the cross",
                    )
            result.append(tuple(cross))
        return tuple(result)

    def measure(self, body: Mapping[str, Any], slices: tuple[Slice, ...], two_levels: bool) -> Measure:
        self.known(body, MEASURE_KEYS, "a measure")
        aggs = self.need(body, "agg", "a measure")
        aggs = tuple(aggs) if isinstance(aggs, list) else (str(aggs),)
        of = body.get("of")
        for agg in aggs:
            operator = OPERATORS.get(agg)
            if operator is None:
                near = difflib.get_close_matches(agg, OPERATORS, 1)
                self.fail(
                    body,
                    f"the aggregate {agg!r} does not exist",
                    field="agg",
                    rule=f"aggregates are {', '.join(OPERATORS)}",
                    fix=f"write {near[0]}" if near else "choose one of them",
                )
            if operator.column is True and not of:
                self.fail(
                    body,
                    f"{agg} does not say of which column",
                    field="of",
                    rule=f"{agg} aggregates a column",
                    fix="add of: COLUMN",
                )
            if operator.column is False and of:
                self.fail(
                    body,
                    f"{agg} does not aggregate a column",
                    field="of",
                    rule=f"{agg} aggregates the rows themselves",
                    fix="remove of:, or choose distinct or sum",
                )
        over = tuple(body.get("over") or ())
        for one in over:
            if one not in OUTER:
                self.fail(
                    body,
                    f"over {one!r} does not exist",
                    field="over",
                    rule=f"aggregates from the middle level are {', '.join(OUTER)}",
                    fix="choose one of them",
                )
        if bool(over) != two_levels:
            self.fail(
                body,
                "over: and per: go together",
                field="over",
                rule="a two-level family says how units are folded into the entity; another does not",
                fix="add over: [max, sum]" if two_levels else "remove over:",
            )
        crosses = body.get("crosses")
        label = self.label(body, "a measure") if "label" in body else None
        return Measure(
            aggs=aggs,
            of=of,
            token=body.get("as"),
            label=label,
            unit=str(body.get("unit", "count")),
            scale=float(body.get("scale", 1.0)),
            crosses=None if crosses is None else self.crosses(body, slices, crosses),
            windows=None
            if body.get("windows") is None
            else tuple(None if size == "all" else int(size) for size in body["windows"]),
            over=over,
            ratios=tuple((int(short), int(long)) for short, long in body.get("ratios") or ()),
            shares=tuple(body.get("shares") or ()),
        )

    def attribute(self, body: Mapping[str, Any]) -> Attribute:
        self.known(
            body, ("column", "as", "label", "unit", "codes", "one_hot", "labels", "scale"), "an attribute"
        )
        column = str(self.need(body, "column", "an attribute"))
        labels = body.get("labels") or {}
        one_hot = []
        for code in body.get("one_hot") or ():
            text = labels.get(str(code)) or labels.get(_code(code))
            if text is None:
                self.fail(
                    body,
                    f"flag {code!r} of {column} has no label",
                    field="labels",
                    rule="every flag has a label in Chinese and English",
                    fix=f"add labels: {{'{code}': {{zh: ..., en: ...}}}}",
                )
            one_hot.append((_code(code), Label(str(text["zh"]), str(text["en"]))))
        codes = body.get("codes")
        return Attribute(
            column=column,
            name=str(body.get("as", column)),
            label=self.label(body, f"attribute {column}"),
            unit=str(body.get("unit", "flag" if one_hot else "code" if codes else "number")),
            ordinal=None if codes is None else {_code(code): float(value) for code, value in codes.items()},
            one_hot=tuple(one_hot),
            scale=float(body.get("scale", 1.0)),
        )

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

    def pair(self, at: Mapping[str, Any], key: str) -> tuple[str, str]:
        value = self.need(at, key, "a family")
        if not isinstance(value, Mapping) or len(value) != 1:
            self.fail(
                at,
                f"{key} is not one pair",
                field=key,
                rule="a column of the table is matched with one key of the observation",
                fix=f"write {key}: {{column: key}}",
            )
        ((column, observed),) = value.items()
        return str(column), str(observed)

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
            for short, long in measure.ratios:
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
        return Family(
            name=name,
            label=self.label(body, what),
            table=str(self.need(body, "table", what)),
            match=self.pair(body, "match"),
            columns=dict(body.get("columns") or {}),
            where=body.get("where"),
            exclude_self=None if exclude is None else str(exclude),
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
            self.known(body, ("name", "ratio", "difference", "label", "unit"), "a combination")
            operator = "ratio" if "ratio" in body else "difference"
            left, right = self.need(body, operator, "a combination")
            combinations.append(
                Combination(
                    self.name(body, "name", "a combination"),
                    operator,
                    str(left),
                    str(right),
                    self.label(body, "a combination"),
                    str(body.get("unit", "ratio" if operator == "ratio" else "number")),
                )
            )
        return Block(
            name=self.name(content, "block", "a block"),
            entity=str(self.need(content, "entity", "a block")),
            source=str(self.need(content, "source", "a block")),
            label=self.label(content, "a block"),
            miss=miss,
            families=tuple(self.family(one) for one in self.need(content, "families", "a block")),
            combinations=tuple(combinations),
            path=self.path,
        )


def _code(value: Any) -> str:
    """A code as it stands in the mart: booleans in lower case, everything else as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_block(path: Path) -> Block:
    """Read one family file.

    Raises
    ------
    FamilyError
        Naming file, line, what is wrong and what to write.
    """
    return _Reader(path).block(read_yaml(path))


def read_blocks(folder: Path) -> tuple[Block, ...]:
    """Read every ``*.yaml`` of ``folder`` in the order of their names; block names are unique."""
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
    return tuple(blocks.values())


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
