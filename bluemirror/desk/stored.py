"""Frozen values to plain JSON and back, by their annotations: a scorecard is computed once and then read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def plain(value: Any) -> Any:
    """``value`` as what JSON can hold: dataclasses as mappings of their fields, tuples as lists, days as ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def rebuilt(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that :func:`plain` made ``value`` from.

    Raises
    ------
    TypeError, KeyError
        If ``value`` is not of that shape.
    """
    if value is None:
        return None
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return rebuilt(next(each for each in get_args(kind) if each is not NoneType), value)
    if origin is tuple:
        return tuple(rebuilt(get_args(kind)[0], each) for each in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: rebuilt(get_args(kind)[1], each) for key, each in value.items()}
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        return kind(**{item.name: rebuilt(hints[item.name], value[item.name]) for item in fields(kind)})  # type: ignore[operator]
    if kind is dt.date:
        return dt.date.fromisoformat(value)
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
