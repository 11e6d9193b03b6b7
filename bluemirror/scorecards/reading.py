"""Reading a declaration key by key, so that every mistake names file, field, rule and fix."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.scorecards.spec import Moment, Query
    from bluemirror.workspace import Workspace

_REQUIRED: Any = object()


def read_mapping(file: Path, workspace: Workspace) -> tuple[Mapping[str, Any], str]:
    """The YAML mapping in ``file`` and its text; ModelError if there is none."""
    import yaml

    if not file.is_file():
        known = sorted(p.parent.name for p in workspace.models_dir.glob("*/model.yaml"))
        raise ModelError(
            f"there is no model {file.parent.name!r}",
            file=file,
            rule="a model is declared in models/<name>/model.yaml",
            fix=f"models of this workspace: {', '.join(known) or 'none yet; write one'}",
        )
    text = file.read_text(encoding="utf-8")
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as e:
        where = getattr(e, "problem_mark", None)
        line = f"line {where.line + 1}" if where else "the file"
        raise ModelError(
            f"{line} is not YAML", file=file, rule="model.yaml is YAML", fix=str(e).split("\n")[0]
        ) from None
    if not isinstance(values, dict):
        raise ModelError(
            "the file is not a mapping", file=file, rule="key: value", fix="start with: model: <name>"
        )
    return values, text


class Reader:
    """One mapping of a declaration; remembers which keys were read so that the others are refused."""

    def __init__(self, file: Path, values: Mapping[str, Any], path: str = "") -> None:
        self.file = file
        self.values = values
        self.path = path
        self.read: list[str] = []

    def error(self, key: str, message: str, rule: str, fix: str) -> ModelError:
        """The error about ``key`` of this mapping."""
        return ModelError(message, file=self.file, field=f"{self.path}{key}", rule=rule, fix=fix)

    def _take(self, key: str, default: Any) -> Any:
        self.read.append(key)
        value = self.values.get(key)
        if value is None:
            if default is _REQUIRED:
                raise self.error(
                    key, f"{key!r} is missing", f"{self.path}{key} is required", f"add {key}: ..."
                )
            return default
        return value

    def finish(self) -> None:
        """Refuse keys that nobody read."""
        for key in self.values:
            if key not in self.read:
                near = difflib.get_close_matches(str(key), self.read, 1)
                fix = f"did you mean {near[0]!r}?" if near else "remove it"
                raise self.error(str(key), f"unknown key {key!r}", f"keys here: {', '.join(self.read)}", fix)

    def section(self, key: str, required: bool = False) -> Reader:
        """The mapping under ``key``; an empty one if absent and not required."""
        value = self._take(key, _REQUIRED if required else {})
        if not isinstance(value, dict):
            raise self.error(
                key, f"{value!r} is not a mapping", f"{key} holds key: value", f"write {key}: {{...}}"
            )
        return Reader(self.file, value, f"{self.path}{key}.")

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        """A non-empty text."""
        value = self._take(key, default)
        if not isinstance(value, str) or (not value.strip() and value != default):
            raise self.error(key, f"{value!r} is not a text", "a non-empty text", f"write {key}: some text")
        return value

    def texts(self, key: str, default: Any = _REQUIRED) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, default)
        if (
            isinstance(value, str)
            or not isinstance(value, Iterable)
            or not all(isinstance(v, str) for v in value)
        ):
            raise self.error(
                key, f"{value!r} is not a list of texts", "a list of texts", f"write {key}: [a, b]"
            )
        return tuple(value)

    def one_of(
        self, key: str, allowed: tuple[str, ...], rule: str | None = None, default: Any = _REQUIRED
    ) -> str:
        """One of the allowed texts."""
        value = self._take(key, default)
        if value not in allowed:
            choice = " or ".join(allowed)
            raise self.error(
                key, f"{value!r} is not allowed", rule or f"one of {', '.join(allowed)}", f"write {choice}"
            )
        return str(value)

    def number(self, key: str, default: float, low: float | None = None, high: float | None = None) -> float:
        """A number within [low, high]."""
        value = self._take(key, default)
        return float(self._number(key, value, low, high))

    def integer(self, key: str, default: int, low: int | None = None, high: int | None = None) -> int:
        """A whole number within [low, high]."""
        value = self._number(key, self._take(key, default), low, high)
        if value != int(value):
            raise self.error(
                key, f"{value!r} is not a whole number", "a whole number", f"write {key}: {int(value)}"
            )
        return int(value)

    def _number(self, key: str, value: Any, low: float | None, high: float | None) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(
                key, f"{value!r} is not a number", "a number", f"write {key}: 0.1, without quotes"
            )
        if (low is not None and value < low) or (high is not None and value > high):
            limits = f"from {low}" + (f" to {high}" if high is not None else " on")
            raise self.error(key, f"{value!r} is out of range", limits, "write a value within the range")
        return value

    def bounds(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """A range written ``[low, high]``."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self.error(
                key, f"{value!r} is not a range", "two numbers", f"write {key}: [{default[0]}, {default[1]}]"
            )
        low, high = (self._number(key, v, 0, None) for v in value)
        if low > high:
            raise self.error(key, f"{low} is above {high}", "[low, high]", f"write {key}: [{high}, {low}]")
        return (low, high)

    def choices(self, key: str, allowed: tuple[str, ...]) -> dict[str, str]:
        """A mapping of texts to one of ``allowed``."""
        section = self.section(key)
        return {str(name): section.one_of(name, allowed) for name in section.values}

    def query(self, key: str) -> Query:
        """A ``*.sql`` file beside the declaration, or SQL text."""
        from bluemirror.scorecards.spec import Query

        value = self.text(key).strip()
        if not value.endswith(".sql"):
            return Query(value)
        path = self.file.parent / value
        if not path.is_file():
            raise self.error(
                key, f"there is no file {value!r}", "a .sql file beside model.yaml, or SQL", "write the file"
            )
        return Query(path.read_text(encoding="utf-8"), path)

    def moment(self, key: str) -> Moment:
        """A date, or ``as_of - N months``."""
        from bluemirror.scorecards.spec import Moment

        value = self._take(key, _REQUIRED)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return Moment(value)
        found = (
            re.fullmatch(r"as_of(?:\s*-\s*(\d+)\s*months?)?", value.strip())
            if isinstance(value, str)
            else None
        )
        if not found:
            raise self.error(
                key,
                f"{value!r} is not a day",
                "a date or: as_of - N months",
                f"write {key}: 2024-01-01, without quotes",
            )
        return Moment(None, int(found.group(1) or 0))
