"""What a contract says of a key: whom it identifies, the form it is sent in, the forms and parts that are kept."""

from __future__ import annotations

from typing import Any

from bluemirror.contracts.model import PARTS, Key
from bluemirror.contracts.place import Place, choice, listing, mapping

ENTITIES = (
    "account",
    "address",
    "card",
    "company",
    "device",
    "email",
    "employer",
    "id_no",
    "ip",
    "name",
    "other_id",
    "person",
    "phone",
    "wifi",
)
FORMS = ("plain", "md5", "sha1", "sha256", "sm3")
PART_ENTITIES = {
    "address": ("address",),
    "company": ("company", "employer", "name"),
    "person": ("name", "person"),
}
"""Kind of parts -> entities whose plain value is spelt like that."""


def read_key(value: Any, place: Place) -> Key:
    """One key; ``place`` is its value.

    Raises
    ------
    ContractError
        If an entity, a form or a kind of parts is unknown, or does not go with the others.
    """
    known = ("entity", "form", "forms", "parts")
    mapping(value, place, known=known, required=("entity", "form"), what="key")
    entity = choice(value["entity"], place.at("entity"), what="entity", known=ENTITIES)
    form = choice(value["form"], place.at("form"), what="key form", known=FORMS)
    forms = _forms(value["forms"], form, place) if "forms" in value else ()
    return Key(entity, form, forms, _parts(value, entity, form, place))


def _forms(value: Any, form: str, place: Place) -> tuple[str, ...]:
    forms = listing(value, place.at("forms"), what="forms")
    for i, item in enumerate(forms):
        choice(item, place.at("forms").at(i, ""), what="key form", known=FORMS)
    if form != "plain":
        raise place.fault(
            f"a value sent as {form} cannot be brought into other forms",
            of="forms",
            rule="only a value that is sent plain has forms",
            fix="remove forms",
        )
    if len(set(forms)) != len(forms):
        raise place.fault("a form is listed twice", of="forms", rule="each form once", fix="remove one")
    return tuple(forms)


def _parts(value: dict[str, Any], entity: str, form: str, place: Place) -> str | None:
    if "parts" not in value:
        return None
    kind = choice(value["parts"], place.at("parts"), what="kind of parts", known=tuple(PARTS))
    if form != "plain":
        raise place.fault(
            f"a value sent as {form} cannot be taken apart",
            of="parts",
            rule="only a value that is sent plain has parts",
            fix="remove parts",
        )
    if entity not in PART_ENTITIES[kind]:
        raise place.fault(
            f"parts of kind {kind} on a key of entity {entity}",
            of="parts",
            rule=f"parts of kind {kind} are for keys of entity {', '.join(PART_ENTITIES[kind])}",
            fix="name the kind that fits, or remove parts",
        )
    return str(kind)
