"""YAML whose mappings remember the line they stand on, so that an error can name it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bluemirror.errors import FamilyError


class LinedDict(dict[str, Any]):
    """A mapping that knows the line (1-based) on which it begins, and that of each of its keys."""

    line: int = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: dict[str, int] = {}


class _LineLoader(yaml.CSafeLoader):
    """SafeLoader that builds :class:`LinedDict` and refuses a key written twice."""


def _mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> LinedDict:
    result = LinedDict()
    result.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is written twice", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
        result.lines[key] = key_node.start_mark.line + 1
    return result


_LineLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> LinedDict:
    """Read a mapping from ``path``; see :func:`parse_yaml`."""
    return parse_yaml(path, path.read_text(encoding="utf-8"))


def parse_yaml(path: Path, text: str) -> LinedDict:
    """Read a mapping from the ``text`` of ``path``.

    Raises
    ------
    FamilyError
        If it is not YAML, not a mapping, or writes a key twice; the line is named.
    """
    try:
        # A SafeLoader subclass: it builds plain values only.
        content = yaml.load(text, Loader=_LineLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise FamilyError(
            f"not readable as YAML: {getattr(error, 'problem', error)}",
            file=f"{path}{line}",
            rule="family files, the spine and observation sets are YAML mappings",
            fix="correct the line; indent with spaces and write each key once",
        ) from error
    if not isinstance(content, LinedDict):
        raise FamilyError(
            "the file does not hold a mapping",
            file=path,
            rule="a family file begins with block:, entity: and source:",
            fix="see the family files of the flagship workspace",
        )
    return content
