"""The outside sources of the simulated bank: one module a source, found by being here.

A module ``simulator/sources/<source>.py`` has one object ``SOURCE``: an :class:`AskedSource` (asked by the bank,
call by call), or a plain :class:`Source` (sends its files by itself). A source whose contract is not in the workspace
is left out. Nothing else needs to know of a new module.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from simulator.outside import AskedSource, Source

__all__ = ["AskedSource", "Source", "outside_sources"]


@cache
def outside_sources() -> dict[str, Source]:
    """Every source that has a module here, by name.

    Raises
    ------
    TypeError
        If a module has no ``SOURCE``, one of another name, or two sources begin their request ids alike.
    """
    found: dict[str, Source] = {}
    prefixes: dict[str, str] = {}
    for module in sorted(iter_modules(__path__), key=lambda item: item.name):
        source = getattr(import_module(f"{__name__}.{module.name}"), "SOURCE", None)
        if not isinstance(source, Source) or source.name != module.name:
            raise TypeError(
                f"simulator/sources/{module.name}.py needs SOURCE, a Source of the name {module.name!r}"
            )
        if isinstance(source, AskedSource):
            other = prefixes.setdefault(source.prefix, source.name)
            if other != source.name:
                raise TypeError(
                    f"{source.name} and {other} both begin their request ids with {source.prefix!r}"
                )
        found[source.name] = source
    return found
