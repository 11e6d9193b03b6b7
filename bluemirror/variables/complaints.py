"""Complaints about a declaration: each names file, line, rule and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import Label

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class Complaints:
    """Reads single entries of one file's mappings and complains about what is missing, unknown or misspelt."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, at: Any, message: str, *, rule: str, fix: str, field: str | None = None) -> NoReturn:
        """Raise a FamilyError that names the file and the line of the mapping ``at``, or of its key ``field``."""
        line = getattr(at, "lines", {}).get(field) or getattr(at, "line", 0)
        raise FamilyError(
            message, file=f"{self.path}, line {line}" if line else self.path, field=field, rule=rule, fix=fix
        )

    def known(self, at: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        """Complain about a key that ``what`` does not have."""
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
        """The value of ``key``; complain if it is absent or empty."""
        if at.get(key) in (None, ""):
            self.fail(at, f"{what} has no {key}", field=key, rule=f"{what} needs {key}", fix=f"add {key}:")
        return at[key]

    def name(self, at: Mapping[str, Any], key: str, what: str) -> str:
        """The value of ``key`` as a part of variable names."""
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
        """The label under ``key``, in both languages."""
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

    def pair(self, at: Mapping[str, Any], key: str) -> tuple[str, str]:
        """The one column and key under ``key``: ``{column: key of the observation}``."""
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
