"""What a workspace declares about identity: ``feature_repo/entities.yaml`` as frozen values, checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.contracts.model import PARTS
from bluemirror.contracts.place import Place, choice, listing, load, mapping, number, text
from bluemirror.errors import ContractError, IdentityError

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table
    from bluemirror.workspace import Workspace

NAME = "entities.yaml"
WORD = r"[a-z][a-z0-9_]*"
HEADER = "header."
"""Before a field of the record's own row, in an entry about a table below it."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The bank's own name of an entity: ``field`` wherever it stands; ``table`` says whose it is by ``key_field``.

    ``also`` are fields of other names that hold it, too.
    """

    table: str
    field: str
    key_field: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityKind:
    """One kind of entity.

    Parameters
    ----------
    name, label_zh, label_en
        What it is called.
    key
        The contracts' word for the keys that identify it.
    own
        The bank's own key, if it has one.
    spelt
        Kind of parts, if it is named by its normal spelling: ``<field>_part_norm``. The hashes that vendors send of a
        spelling mean the same, once somebody sent it plain.
    """

    name: str
    label_zh: str
    label_en: str
    key: str
    own: OwnKey | None = None
    spelt: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Where two entities are seen together: a table and its two fields.

    Parameters
    ----------
    table, source
        The contracted table and its source.
    from_, to
        Fields; with ``header.`` before it, one of the record's own row.
    role, as_
        Field that says how they belong together, or the word for it where no field does.
    where
        Condition in SQL that a row must fulfil, over the table as ``t``.
    holds_days
        How long an event's tie holds after it; None: until something says otherwise. Not for states.
    """

    table: str
    source: str
    from_: str
    to: str
    role: str | None = None
    where: str | None = None
    holds_days: int | None = None
    as_: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A kind of tie between two kinds of entity, and where it is seen."""

    name: str
    label_zh: str
    label_en: str
    from_: str
    to: str
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Entities among which duplicates are looked for.

    Parameters
    ----------
    name, entity
        What it is called, and the kind of entity.
    table, person_name, agree
        For entities with an own key: the table that describes them, the field with their name taken apart, and the
        fields that agree for the same one. Entities that are spelt need none: their parts describe them.
    threshold
        Probability from which two are taken for one.
    largest
        Entities in a cluster beyond which somebody should look at it.
    """

    name: str
    entity: str
    threshold: float
    largest: int
    table: str | None = None
    person_name: str | None = None
    agree: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """Everything that ``entities.yaml`` says, and the contracts that it is about."""

    entities: Mapping[str, EntityKind]
    links: Mapping[str, Link]
    matches: Mapping[str, Match]
    contracts: Mapping[str, Contract]
    path: Path

    def table(self, name: str) -> tuple[Contract, Table]:
        """The contract of a table, and the table."""
        for contract in self.contracts.values():
            for table in contract.tables:
                if table.name == name:
                    return contract, table
        raise KeyError(name)

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources that an entry reads."""
        found = {seen.source for link in self.links.values() for seen in link.seen}
        for kind in self.entities.values():
            if kind.own is not None:
                found.add(self.table(kind.own.table)[0].source)
        return tuple(sorted(found))

    @property
    def compared_sources(self) -> tuple[str, ...]:
        """Sources whose records are looked at for duplicates."""
        kinds = {self.entities[match.entity].spelt for match in self.matches.values()} - {None}
        found = {self.table(match.table)[0].source for match in self.matches.values() if match.table}
        for contract in self.contracts.values():
            fields = (field for table in contract.tables for field in table.fields if field.key is not None)
            if any(field.key.parts in kinds for field in fields if field.key and field.key.parts):
                found.add(contract.source)
        return tuple(sorted(found))


def is_declared(workspace: Workspace) -> bool:
    """Whether the workspace declares entities at all; one that does not has no identity tables."""
    return (workspace.feature_repo / NAME).is_file()


def read_declared(workspace: Workspace, contracts: Mapping[str, Contract] | None = None) -> Declared:
    """Read ``feature_repo/entities.yaml``.

    Parameters
    ----------
    contracts
        The workspace's contracts by source, if they are read already.

    Raises
    ------
    IdentityError
        If it is absent or an entry is written wrongly; names the line, the rule and the fix.
    """
    from bluemirror.contracts import read_contracts

    path = workspace.feature_repo / NAME
    if not path.is_file():
        raise IdentityError(
            "the workspace declares no entities",
            file=path,
            rule="entities and their ties stand in feature_repo/entities.yaml",
            fix="write one: entities:, links: and matches:",
        )
    known = contracts if contracts is not None else read_contracts(workspace.contracts_dir)
    try:
        return _read(path, known)
    except ContractError as error:
        # The same reader of places as the contracts have, about another file.
        raise IdentityError(
            error.message, file=error.file, field=error.field, rule=error.rule, fix=error.fix
        ) from error


def _read(path: Path, contracts: Mapping[str, Contract]) -> Declared:
    place = Place(path)
    content = mapping(
        load(path),
        place,
        known=("entities", "links", "matches"),
        required=("entities", "links"),
        what="the file",
    )
    reader = _Reader(contracts)
    entities = {
        name: reader.entity(name, body, spot)
        for name, body, spot in _entries(content["entities"], place.at("entities"))
    }
    links = {
        name: reader.link(name, body, spot, entities)
        for name, body, spot in _entries(content["links"], place.at("links"))
    }
    matches = {
        name: reader.match(name, body, spot, entities)
        for name, body, spot in _entries(content.get("matches") or {}, place.at("matches"))
    }
    return Declared(entities, links, matches, contracts, path)


def _entries(value: Any, place: Place) -> list[tuple[str, Any, Place]]:
    if not isinstance(value, dict):
        mapping(value, place, known=(), what=place.label[-1])
    found = []
    for name, body in value.items():
        text(name, place.at(name), what="a name", pattern=WORD, example="person_phone")
        found.append((name, body, place.at(name)))
    return found


def _label(body: dict[str, Any], place: Place) -> tuple[str, str]:
    here = place.at("label")
    label = mapping(body["label"], here, known=("zh", "en"), required=("zh", "en"), what="label")
    return text(label["zh"], here.at("zh"), what="zh"), text(label["en"], here.at("en"), what="en")


class _Reader:
    """Reads entries against the tables of the contracts."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._tables = {t.name: (c, t) for c in contracts.values() for t in c.tables}

    def entity(self, name: str, body: Any, place: Place) -> EntityKind:
        from bluemirror.contracts.keys import ENTITIES, PART_ENTITIES

        known = ("label", "key", "own", "spelt")
        mapping(body, place, known=known, required=("label", "key"), what="an entity")
        zh, en = _label(body, place)
        key = choice(body["key"], place.at("key"), what="key", known=ENTITIES)
        own = spelt = None
        if "own" in body:
            here = place.at("own")
            fields = ("table", "field", "key_field")
            said = mapping(body["own"], here, known=(*fields, "also"), required=fields, what="own")
            also = listing(said.get("also") or [], here.at("also"), what="also", empty=True)
            self.field(said["table"], said["field"], here.at("field"), here)
            self.field(said["table"], said["key_field"], here.at("key_field"), here)
            own = OwnKey(said["table"], said["field"], said["key_field"], tuple(map(str, also)))
        if "spelt" in body:
            kinds = [kind for kind in PARTS if key in PART_ENTITIES[kind]]
            spelt = choice(body["spelt"], place.at("spelt"), what="kind of parts", known=kinds)
        return EntityKind(name, zh, en, key, own, spelt)

    def link(self, name: str, body: Any, place: Place, entities: Mapping[str, EntityKind]) -> Link:
        known = ("label", "from", "to", "seen")
        mapping(body, place, known=known, required=known, what="a link")
        zh, en = _label(body, place)
        ends = [choice(body[end], place.at(end), what="entity", known=entities) for end in ("from", "to")]
        here = place.at("seen")
        seen = tuple(
            self.seen(item, here.at(at, ""), [entities[end] for end in ends])
            for at, item in enumerate(listing(body["seen"], here, what="seen"))
        )
        return Link(name, zh, en, ends[0], ends[1], seen)

    def seen(self, body: Any, place: Place, ends: list[EntityKind]) -> Seen:
        known = ("table", "from", "to", "role", "as", "where", "holds_days")
        mapping(body, place, known=known, required=("table", "from", "to"), what="an entry of seen")
        table = body["table"]
        for end, kind in zip(("from", "to"), ends, strict=True):
            self.key(table, body[end], kind, place.at(end), place)
        if "role" in body:
            self.field(table, body["role"], place.at("role"), place)
        if "as" in body:
            text(body["as"], place.at("as"), what="as", pattern=WORD, example="spouse")
            if "role" in body:
                raise place.fault(
                    "role and as in one entry",
                    of="as",
                    rule="how two belong together is said by a field or by a word",
                    fix="remove one of them",
                )
        holds = body.get("holds_days")
        if holds is not None:
            number(holds, place.at("holds_days"), what="holds_days", least=1, whole=True)
            if self._tables[table][1].kind == "state":
                raise place.fault(
                    "holds_days on a state",
                    of="holds_days",
                    rule="a state says itself until when it holds",
                    fix="remove holds_days",
                )
        where = body.get("where")
        if where is not None:
            text(where, place.at("where"), what="where")
        source = self._tables[table][0].source
        return Seen(table, source, body["from"], body["to"], body.get("role"), where, holds, body.get("as"))

    def match(self, name: str, body: Any, place: Place, entities: Mapping[str, EntityKind]) -> Match:
        always = ("entity", "threshold", "largest")
        known = (*always, "table", "name", "agree")
        mapping(body, place, known=known, required=always, what="an entry of matches")
        kind = entities[choice(body["entity"], place.at("entity"), what="entity", known=entities)]
        threshold = number(body["threshold"], place.at("threshold"), what="threshold", least=0)
        if not 0 < threshold < 1:
            raise place.fault(
                f"threshold is {threshold:g}",
                of="threshold",
                rule="threshold is a probability between 0 and 1",
                fix="write the one that bluemirror identity recommends, or 0.9",
            )
        largest = int(number(body["largest"], place.at("largest"), what="largest", least=2, whole=True))
        if kind.spelt is not None:
            mapping(body, place, known=always, what="matches of an entity that is spelt")
            return Match(name, kind.name, float(threshold), largest)
        mapping(body, place, known=known, required=known, what="matches of an entity with fields")
        field = self.field(body["table"], body["name"], place.at("name"), place)
        if field.key is None or field.key.parts is None:
            raise place.fault(
                f"{body['name']} is not taken apart",
                of="name",
                rule="names are compared by their parts",
                fix="add parts: person to its key in the contract",
            )
        agree = listing(body["agree"], place.at("agree"), what="agree")
        for at, item in enumerate(agree):
            self.field(body["table"], item, place.at("agree").at(at, ""), place)
        return Match(name, kind.name, float(threshold), largest, body["table"], body["name"], tuple(agree))

    def field(self, table: Any, name: Any, spot: Place, place: Place) -> Any:
        """The field ``name`` of a table, or with ``header.`` of its record's own row."""
        if table not in self._tables:
            place.at("table").unknown("table", table, self._tables)
        contract, found = self._tables[table]
        if isinstance(name, str) and name.startswith(HEADER):
            found, name = contract.header, name.removeprefix(HEADER)
        if name not in {field.name for field in found.fields}:
            spot.unknown(f"field of {found.name}", name, [field.name for field in found.fields])
        return found.field(name)

    def key(self, table: Any, name: Any, kind: EntityKind, spot: Place, place: Place) -> None:
        """That a field is a key of ``kind``."""
        field = self.field(table, name, spot, place)
        if kind.own is not None and field.key is None and field.name in (kind.own.field, *kind.own.also):
            return
        fits = field.key is not None and (
            field.key.entity == kind.key or (kind.spelt is not None and field.key.parts == kind.spelt)
        )
        if not fits:
            wanted = f"a key of entity {kind.key}" + (f" or parts: {kind.spelt}" if kind.spelt else "")
            raise spot.fault(
                f"{name} is no key of {kind.name}",
                rule=f"a field that names a {kind.name} has {wanted} in its contract",
                fix="name the field that has it, or add it to the contract",
            )
