"""A contract as plain values and back: what the mart keeps beside the deliveries that were read under it.

The YAML of then may use a word that the language no longer has; the compiled form only needs the fields of the model,
of which later ones have defaults. Values equal to the default are left out, so that a platform that learns a new word
does not see every contract as changed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bluemirror.contracts.model import Contract
from bluemirror.errors import ContractError


def compiled(contract: Contract) -> dict[str, Any]:
    """The contract as JSON values, without where its file stands."""
    value = _plain(contract)
    assert isinstance(value, dict)
    return value


def fingerprint(contract: Contract) -> str:
    """Twelve hexadecimal digits that change when, and only when, what the contract says does."""
    text = json.dumps(compiled(contract), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def from_compiled(value: Mapping[str, Any], file: Path) -> Contract:
    """The contract that :func:`compiled` was made of.

    Parameters
    ----------
    value
        JSON values; what the model no longer knows is passed over.
    file
        Where they stand, for errors, and the contract's ``path``.

    Raises
    ------
    ContractError
        If something is missing that the model cannot do without.
    """
    try:
        made: Contract = _made(Contract, {**value, "path": file})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(
            f"this kept contract cannot be read ({type(error).__name__})",
            file=file,
            rule="the mart keeps the contracts that its deliveries were read under",
            fix="restore the file from a copy; without it changes of the contract cannot be judged",
        ) from None
    return made


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: _plain(getattr(value, item.name))
            for item in dataclasses.fields(value)
            if item.compare and not isinstance(getattr(value, item.name), Path)
            if getattr(value, item.name) != _default(item)
        }
    if isinstance(value, Mapping):
        # A list of pairs: the order of codes is theirs to keep.
        return [[key, _plain(inner)] for key, inner in value.items()]
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return item.default


@cache
def _hints(kind: type) -> dict[str, Any]:
    # A contract holds a thousand values of four classes; the annotations of each are evaluated once.
    return typing.get_type_hints(kind)


def _made(kind: Any, value: Any) -> Any:
    """``value`` as the annotated type ``kind``."""
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast("type", kind))
        known = {item.name for item in dataclasses.fields(kind) if item.compare}
        given = {name: _made(hints[name], inner) for name, inner in value.items() if name in known}
        return kind(**given)  # type: ignore[operator]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        if value is None:
            return None
        return _made(next((one for one in inner if _holds(one, value)), inner[0]), value)
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return tuple(_made(one, part) for one, part in zip(kinds, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _made(inner[1], part) for key, part in value}
    return value


def _holds(kind: Any, value: Any) -> bool:
    """Whether a JSON value is of one of the types of a union, by its outer form."""
    plain = typing.get_origin(kind) or kind
    if dataclasses.is_dataclass(plain):
        return isinstance(value, dict)
    if plain is type(None):
        return value is None
    if plain is float:
        return isinstance(value, int | float)
    if isinstance(plain, type) and issubclass(plain, tuple | Mapping) and not issubclass(plain, str):
        return isinstance(value, list)
    return isinstance(value, plain)
