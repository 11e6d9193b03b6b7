"""The axes of a family as its file writes them: windows, slices with their groups, crosses."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from bluemirror.variables.complaints import NAME, Complaints
from bluemirror.variables.declarations import Group, Label, Slice, Windows

WINDOW_KEYS = ("days", "months", "grain", "all", "along", "direction")
SLICE_KEYS = ("column", "groups", "bands", "labels")


def code_text(value: Any) -> str:
    """A code as it stands in the mart: booleans in lower case, everything else as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class AxisReader(Complaints):
    """Turns windows, slices and crosses into declarations."""

    def windows(self, at: Mapping[str, Any]) -> Windows:
        """The windows of a family; all of the past where it names none."""
        value = at.get("windows")
        if value is None:
            return Windows()
        self.known(value, WINDOW_KEYS, "windows")
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
        along, direction = value.get("along"), value.get("direction", "backward")
        if direction not in ("backward", "forward"):
            self.fail(
                at,
                f"direction {direction!r} does not exist",
                field="direction",
                rule="windows run backward from the reference, or forward along a date that lies ahead",
                fix="write direction: forward, or leave it out",
            )
        if direction == "forward" and (along is None or grain == "month"):
            self.fail(
                at,
                "forward windows need a date that lies ahead",
                field="direction",
                rule="events lie in the past: forward windows count in days, or in months by date, on another column",
                fix="write windows: {months: [3, 12], along: maturity_date, direction: forward}",
            )
        every = bool(value.get("all", False))
        return Windows(
            unit, sizes, every, grain, None if along is None else str(along), direction == "forward"
        )

    def slices(self, at: Mapping[str, Any], what: str) -> tuple[Slice, ...]:
        """The slices of a family or of its middle level."""
        found = []
        for name, body in (at.get("slices") or {}).items():
            self.known(body, SLICE_KEYS, f"slice {name}")
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
                    groups.append(Group(group, text, codes=tuple(code_text(code) for code in members)))
            found.append(Slice(name, column, tuple(groups)))
        return tuple(found)

    def crosses(
        self, at: Mapping[str, Any], slices: tuple[Slice, ...], value: Any
    ) -> tuple[tuple[str, ...], ...]:
        """Crosses, each a tuple of the names of declared slices."""
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
