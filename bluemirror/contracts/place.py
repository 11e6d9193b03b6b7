"""Where in a contract one stands while reading it, so that every error names the file, the line and the field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from bluemirror.errors import ContractError

_MERGE_TAG = "tag:yaml.org,2002:merge"
_BOOL_TAG = "tag:yaml.org,2002:bool"


class _Loader(yaml.CSafeLoader):
    """The C loader, refusing a key that is written twice (YAML keeps the last, silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        written = len(node.value)
        merged = any(key.tag == _MERGE_TAG for key, _ in node.value)
        result = super().construct_mapping(node, deep=deep)
        if len(result) != written and not merged:
            seen = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} is written twice", key_node.start_mark
                    )
                seen.add(key)
        return result


def _plain_words() -> None:
    """Read yes, no, on and off as the words they are (YAML 1.2): they are keys and codes here."""
    known = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL_TAG]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }
    _Loader.yaml_implicit_resolvers = known
    _Loader.add_implicit_resolver(
        _BOOL_TAG, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
    )


_plain_words()


@dataclass(frozen=True)
class Place:
    """A spot in a contract file.

    ``steps`` lead to it in the YAML (keys and list positions), ``label`` says it in names.
    """

    file: Path
    steps: tuple[str | int, ...] = ()
    label: tuple[str, ...] = ()

    def at(self, step: str | int, name: str | None = None) -> Place:
        """The spot one step further; ``name`` is what to call it (default: the step)."""
        label = name if name is not None else str(step)
        return Place(self.file, (*self.steps, step), (*self.label, label) if label else self.label)

    def fault(self, message: str, *, rule: str, fix: str, of: str | None = None) -> ContractError:
        """The error to raise about this spot (about its part ``of``); the line is looked up only now."""
        line = line_of(self.file, (*self.steps, of) if of is not None else self.steps)
        label = ".".join((*self.label, of) if of is not None else self.label)
        return ContractError(
            message,
            file=f"{self.file}, line {line}" if line else self.file,
            field=label or None,
            rule=rule,
            fix=fix,
        )

    def unknown(self, what: str, value: Any, known: Iterable[str], rule: str | None = None) -> NoReturn:
        """Raise that ``value`` is no known ``what``, with the nearest spelling that is."""
        names = sorted(known)
        raise self.fault(
            f"unknown {what} {value!r}",
            rule=rule or f"{what} is one of: {', '.join(names)}",
            fix=suggestion(value, names) or "write one of them",
        )


def suggestion(value: Any, known: Iterable[str]) -> str | None:
    """Advice to write the nearest known spelling, or None if nothing is near."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(str(value).lower(), list(names), n=1, cutoff=0.6)
    return f"write {names[near[0]]!r}" if near else None


def load(file: Path) -> Any:
    """Plain values of a YAML file.

    Raises
    ------
    ContractError
        If the file cannot be read or is not YAML; names the line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(
            f"cannot be read: {error.__class__.__name__}",
            file=file,
            rule="a contract is a UTF-8 text file",
            fix="check the path, the permissions and the encoding",
        ) from error
    try:
        # a SafeLoader: builds plain values only
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ContractError(
            f"not readable as YAML: {problem}",
            file=f"{file}, line {mark.line + 1}" if mark else file,
            rule="a contract is one YAML document, each key written once",
            fix="correct this line or the one before; indent with blanks, quote text that holds : # or braces",
        ) from error


def line_of(file: Path, steps: tuple[str | int, ...]) -> int | None:
    """Line (from 1) of the spot that ``steps`` lead to, or of the nearest one above it that exists."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    if node is None:
        return None
    line = node.start_mark.line + 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def mapping(
    value: Any, place: Place, *, known: Iterable[str], required: Iterable[str] = (), what: str
) -> dict[str, Any]:
    """``value`` as a mapping that has the required keys and no unknown ones."""
    if not isinstance(value, dict):
        raise place.fault(
            f"{what} is {_kind(value)}, not a mapping",
            rule=f"{what} is a mapping",
            fix="write key: value pairs",
        )
    names = set(known)
    for key in value:
        if key not in names:
            here = place.at(key) if isinstance(key, str) else place
            raise here.fault(
                f"unknown key {key!r} in {what}",
                rule=f"keys of {what}: {', '.join(sorted(names))}",
                fix=suggestion(key, names) or "remove it",
            )
    for key in required:
        if value.get(key) is None:
            raise place.fault(f"{what} has no {key}", rule=f"{what} states {key}", fix=f"add {key}: ...")
    return value


def listing(value: Any, place: Place, *, what: str, empty: bool = False) -> list[Any]:
    """``value`` as a list, by default not empty."""
    if not isinstance(value, list) or (not value and not empty):
        raise place.fault(
            f"{what} is {_kind(value)}",
            rule=f"{what} is a list{'' if empty else ' of at least one'}",
            fix="write - ...",
        )
    return value


def text(value: Any, place: Place, *, what: str, pattern: str | None = None, example: str = "") -> str:
    """``value`` as text that is not empty (and fits ``pattern``)."""
    if not isinstance(value, str) or not value.strip():
        raise place.fault(
            f"{what} is {_kind(value)}, not text",
            rule=f"{what} is text",
            fix="write it, in quotes if it looks like a number",
        )
    if pattern and not re.fullmatch(pattern, value):
        raise place.fault(
            f"{what} is {value!r}", rule=f"{what} has the form {pattern}", fix=f"write it like {example}"
        )
    return value


def choice(value: Any, place: Place, *, what: str, known: Iterable[str]) -> str:
    """``value`` as one of the known names."""
    names = tuple(known)
    if value not in names:
        place.unknown(what, value, names)
    return str(value)


def flag(value: Any, place: Place, *, what: str) -> bool:
    """``value`` as true or false."""
    if not isinstance(value, bool):
        raise place.fault(
            f"{what} is {_kind(value)}", rule=f"{what} is true or false", fix="write true or false"
        )
    return value


def number(value: Any, place: Place, *, what: str, least: float | None = None, whole: bool = False) -> float:
    """``value`` as a number (a whole one), at least ``least``."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # noqa: PLR0124
    if not good or (whole and not isinstance(value, int)) or (least is not None and value < least):
        kind = "a whole number" if whole else "a number"
        floor = f" of at least {least}" if least is not None else ""
        raise place.fault(
            f"{what} is {_kind(value)}",
            rule=f"{what} is {kind}{floor}",
            fix="write it without quotes and without a unit",
        )
    return value


def custom(value: Any, place: Place, *, known: Iterable[str], what: str) -> dict[str, tuple[Any, Place]]:
    """Our own properties: ``customProperties`` as name -> (value, place). Names that begin with x- are left out."""
    result: dict[str, tuple[Any, Place]] = {}
    names = set(known)
    here = place.at("customProperties", "")
    for i, item in enumerate(
        listing(value if value is not None else [], here, what="customProperties", empty=True)
    ):
        spot = here.at(i, "")
        mapping(
            item,
            spot,
            known=("property", "value", "description", "id"),
            required=("property",),
            what="a custom property",
        )
        name = item["property"]
        if isinstance(name, str) and name.startswith("x-"):
            continue
        if name not in names:
            spot.at("property", "").unknown(
                "custom property",
                name,
                names,
                f"custom properties of {what}: {', '.join(sorted(names))}; your own begin with x-",
            )
        if "value" not in item:
            raise spot.fault(
                f"{name} has no value", rule="a custom property has a value", fix="add value: ..."
            )
        if name in result:
            raise spot.fault(
                f"{name} is stated twice", rule="each property is stated once", fix="remove one of them"
            )
        result[name] = (item["value"], spot.at("value", name))
    return result


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, (list, dict)) and not value:
        return "empty"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    shown = f" ({value!r})" if isinstance(value, (bool, int, float, str)) else ""
    return names.get(type(value), type(value).__name__) + shown
