"""Blocks across sources: from the names that their combinations compare to the families that compute those names."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import Block, Family
from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors


def attach(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Give each block without families of its own what its combinations borrow from the other ``blocks``.

    A borrowed block holds only the families, measures and combinations that a side needs, so that what is compared
    is computed with the comparison and never read from values stored at another time.

    Raises
    ------
    FamilyError
        If a side is no variable of a block of the same entity.
    """
    key = tuple(map(id, blocks))
    if key not in _ATTACHED:
        while len(_ATTACHED) >= REMEMBERED:
            _ATTACHED.popitem(last=False)
        attached = tuple(block if block.families else _attached(block, blocks) for block in blocks)
        _ATTACHED[key] = tuple(blocks), attached
    return _ATTACHED[key][1]


REMEMBERED = 8
_ATTACHED: OrderedDict[tuple[int, ...], tuple[tuple[Block, ...], tuple[Block, ...]]] = OrderedDict()
"""What was attached before, by the identities of the blocks, which are kept so that they stay their own."""


def _attached(block: Block, blocks: Sequence[Block]) -> Block:
    lenders = [one for one in blocks if one.families and one.entity == block.entity]
    needed: dict[str, None] = {}
    for combination in block.combinations:
        needed |= dict.fromkeys((combination.left, combination.right))
    borrowed, found = [], set[str]()
    for lender in lenders:
        asked = [name for name in needed if name.startswith(f"{lender.name}_")]
        if not asked:
            continue
        part, names = _borrow(lender, asked)
        found |= names
        if names:
            borrowed.append(part)
    for name in needed:
        if name not in found:
            raise _unknown(block, name, lenders)
    return replace(block, borrowed=tuple(borrowed))


def _borrow(lender: Block, asked: Sequence[str]) -> tuple[Block, set[str]]:
    """The part of ``lender`` that yields those of ``asked`` that it has, and which these are."""
    made = {f"{lender.name}_{one.name}": one for one in lender.combinations}
    combinations = tuple(made[name] for name in asked if name in made)
    wanted = {*asked, *(side for one in combinations for side in (one.left, one.right))}
    found = {name for name in asked if name in made}
    families = []
    for family in lender.families:
        # A name begins with its block and family: the other families are not spelled out.
        here = {name for name in wanted if name.startswith(f"{lender.name}_{family.name}_")}
        if here:
            part, names = _narrowed(lender, family, here)
            found |= names & set(asked)
            if names:
                families.append(part)
    return replace(lender, families=_with_first(lender, families), combinations=combinations), found


def _with_first(lender: Block, families: Sequence[Family]) -> tuple[Family, ...]:
    """``families``, behind the one that tells whether the lender's source said anything: its first by a key.

    Without it a borrowed variable would be null for other reasons than the variable of the same name is.
    """
    first = next((one for one in lender.families if one.via is None), None)
    if first is None or any(one.name == first.name for one in families):
        return tuple(families)
    return (replace(first, measures=(), attributes=(), age=False), *families)


def _narrowed(lender: Block, family: Family, wanted: set[str]) -> tuple[Family, set[str]]:
    """``family`` with only the attributes and measures that yield a wanted name, and the names found."""
    found: set[str] = set()
    attributes, measures = [], []
    aged = False
    for variable, attribute, _ in attribute_variables(lender, family):
        if variable.name in wanted:
            found.add(variable.name)
            aged |= attribute is None
            if attribute is not None and attribute not in attributes:
                attributes.append(attribute)
    for measure in family.measures:
        names = set(_names(lender, replace(family, measures=(measure,)))) & wanted
        if names:
            found |= names
            measures.append(measure)
    return replace(family, age=aged, attributes=tuple(attributes), measures=tuple(measures)), found


def _names(lender: Block, family: Family) -> Iterator[str]:
    for tensor in tensors(family):
        for variable in tensor_variables(lender, family, tensor):
            yield variable.name


def _unknown(block: Block, name: str, lenders: Sequence[Block]) -> FamilyError:
    known = []
    for lender in lenders:
        if name.startswith(lender.name.split("_", maxsplit=1)[0]):
            known += [one for family in lender.families for one in _names(lender, family)]
            known += [
                one.name for family in lender.families for one, _, _ in attribute_variables(lender, family)
            ]
    near = difflib.get_close_matches(name, known, 1)
    return FamilyError(
        f"a combination names {name}, which no block of the entity {block.entity} has",
        file=block.path,
        field=name,
        rule="a block without families combines variables of other blocks of its entity",
        fix=f"did you mean {near[0]}?" if near else "search the names with: bluemirror catalogue search",
    )
