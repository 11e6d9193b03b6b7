"""What changes when a field does: for those who read the mart, and for the files that the source sends."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from bluemirror.contracts.change import (
    BREAKING,
    COMPATIBLE,
    MEANS,
    MINOR,
    PATCH,
    READERS,
    REFUSED,
    WORDING,
    Change,
)
from bluemirror.contracts.model import Field, Table

WIDER = {("int", "float")}
"""Types that hold every value of another, and that whatever read the other can read."""
ALIKE = 0.6
"""Names that share so much (difflib ratio) may be one name written anew."""
FLAT = {"csv", "parquet"}
"""Formats that say by their header which columns the record has."""
COPIED = {"zip"}
"""Formats that do so for every table."""


def field_changes(old: Table, new: Table, formats: tuple[str, ...]) -> Iterator[Change]:
    """Differences between the fields of two versions of a table; likely renames are told as such.

    Parameters
    ----------
    formats
        The source's file formats: a file with a header is held back when a column is missing.
    """
    before = {field.name: field for field in old.fields}
    after = {field.name: field for field in new.fields}
    gone = [field for name, field in before.items() if name not in after]
    fresh = [field for name, field in after.items() if name not in before]
    renamed = _renamed(gone, fresh)
    for was, now in renamed:
        yield Change(
            "field renamed",
            f"{new.name}.{was.name}",
            BREAKING,
            was.name,
            now.name,
            "what reads the old name finds it no more; rows of before keep it under the old name",
            READERS,
        )
        yield from _one(f"{new.name}.{now.name}", was, now, renamed=True)
    for field in gone:
        if field not in [was for was, _ in renamed]:
            where = f"{new.name}.{field.name}"
            if field.drop:
                reason = "it was never stored"
                yield Change("field removed", where, COMPATIBLE, field.label_en, "", reason, MINOR)
            else:
                reason = "what reads it finds nothing in rows from now on"
                yield Change("field removed", where, BREAKING, field.label_en, "", reason, READERS)
    for field in fresh:
        if field not in [now for _, now in renamed]:
            yield _added(new, field, formats)
    for name, was in before.items():
        if name in after:
            yield from _one(f"{new.name}.{name}", was, after[name])


def _renamed(gone: list[Field], fresh: list[Field]) -> list[tuple[Field, Field]]:
    """Removed and added fields that are likely one: the same place in the file, or alike in all but the name."""
    pairs: list[tuple[Field, Field]] = []
    for was in gone:
        scored = [(_likeness(was, now), now) for now in fresh if now not in [taken for _, taken in pairs]]
        best = max(scored, key=lambda item: item[0], default=(0.0, None))
        if best[1] is not None and best[0] > 0:
            pairs.append((was, best[1]))
    return pairs


def _likeness(was: Field, now: Field) -> float:
    if was.physical == now.physical:
        return 2.0
    if (was.type, was.unit, was.key, was.drop, dict(was.codes or {}).keys()) != (
        now.type,
        now.unit,
        now.key,
        now.drop,
        dict(now.codes or {}).keys(),
    ):
        return 0.0
    ratio = difflib.SequenceMatcher(None, was.name, now.name).ratio()
    if was.label_zh == now.label_zh or was.label_en == now.label_en:
        return 1.0 + ratio
    return ratio if ratio >= ALIKE else 0.0


def _added(table: Table, field: Field, formats: tuple[str, ...]) -> Change:
    where = f"{table.name}.{field.name}"
    if field.required:
        return Change(
            "required field added",
            where,
            BREAKING,
            "",
            field.label_en,
            "records without it, as the source sent them until now, would go to quarantine",
            "make it optional, or raise the major version",
        )
    headed = FLAT | COPIED if table.header is None else COPIED
    todo = MINOR
    if not field.since and headed & set(formats):
        todo += ", and add {property: since, value: <that version>}: files of before come without its column"
    reason = "nobody reads it yet; in rows of before it is null"
    return Change("field added", where, COMPATIBLE, "", field.label_en, reason, todo)


def _one(where: str, was: Field, now: Field, *, renamed: bool = False) -> Iterator[Change]:
    """Differences of one field, each attribute by its own rule."""
    if was.physical != now.physical and not (
        renamed and was.physical == was.name and now.physical == now.name
    ):
        reason = "files carry it where they always did, and there it is no longer looked for"
        yield Change(
            "place in the file changed", where, BREAKING, was.physical, now.physical, reason, REFUSED
        )
    if was.type != now.type:
        yield _type(where, was, now)
    if was.drop != now.drop:
        yield _stored(where, now)
    elif not renamed:
        yield from _columns(where, was, now)
    yield from _key(where, was, now)
    if was.unit != now.unit:
        yield _unit(where, was, now)
    if was.required != now.required:
        yield _required(where, now)
    yield from _limits(where, was, now)
    yield from _pattern(where, was, now)
    yield from _codes(where, was.codes, now.codes)
    if was.classification != now.classification:
        before, after = was.classification or "", now.classification or ""
        reason = "how its values are shown changes, not what they are"
        yield Change("classification changed", where, COMPATIBLE, before, after, reason, MINOR)
    for what, old, new in (("zh", was.label_zh, now.label_zh), ("en", was.label_en, now.label_en)):
        if old != new:
            yield Change(f"label ({what}) changed", where, WORDING, old, new, "people read it", PATCH)


def _type(where: str, was: Field, now: Field) -> Change:
    if (was.type, now.type) in WIDER:
        reason = "the new type holds every value of the old"
        return Change("type widened", where, COMPATIBLE, was.type, now.type, reason, MINOR)
    reason = "what computes with it expects the old type, and values of before do not fit the new"
    return Change("type changed", where, BREAKING, was.type, now.type, reason, READERS)


def _stored(where: str, now: Field) -> Change:
    if now.drop:
        reason = "it is not stored any more, and what reads it finds nothing"
        return Change("field no longer stored", where, BREAKING, "", "drop", reason, READERS)
    reason = "it was passed over and is stored from now on"
    return Change("field stored", where, COMPATIBLE, "drop", "", reason, MINOR)


def _columns(where: str, was: Field, now: Field) -> Iterator[Change]:
    """A key may be kept in more forms, each a column."""
    old, new = ([name for name, _ in (*one.columns, *one.part_columns)] for one in (was, now))
    gone, fresh = [name for name in old if name not in new], [name for name in new if name not in old]
    if gone:
        reason = "what joins by these columns finds nothing in rows from now on"
        yield Change("columns removed", where, BREAKING, ", ".join(gone), ", ".join(fresh), reason, READERS)
    elif fresh:
        reason = "the columns of before stay; the new ones are null in rows of before"
        yield Change("columns added", where, COMPATIBLE, "", ", ".join(fresh), reason, MINOR)


def _key(where: str, was: Field, now: Field) -> Iterator[Change]:
    before = f"{was.key.entity}, sent {was.key.form}" if was.key else ""
    after = f"{now.key.entity}, sent {now.key.form}" if now.key else ""
    if before != after:
        reason = "hashes of before and from now on would never meet"
        yield Change("key changed", where, BREAKING, before, after, reason, READERS)


def _unit(where: str, was: Field, now: Field) -> Change:
    before, after = was.unit or "", now.unit or ""
    if not before:
        return Change("unit stated", where, WORDING, before, after, "nothing was said before", PATCH)
    return Change("unit changed", where, BREAKING, before, after, "one number means two things", MEANS)


def _required(where: str, now: Field) -> Change:
    if now.required:
        reason = "records without it, which were good until now, would go to quarantine"
        return Change("field required", where, BREAKING, "", "required", reason, REFUSED)
    reason = "it may be empty from now on"
    return Change("field no longer required", where, COMPATIBLE, "required", "", reason, MINOR)


def _limits(where: str, was: Field, now: Field) -> Iterator[Change]:
    """Bounds and lengths: each edge is an upper one, or a lower one turned round."""
    edges: tuple[tuple[str, float | None, float | None, int], ...] = (
        ("minimum", was.minimum, now.minimum, -1),
        ("maximum", was.maximum, now.maximum, 1),
        ("minLength", was.min_length, now.min_length, -1),
        ("maxLength", was.max_length, now.max_length, 1),
    )
    for what, old, new, side in edges:
        if old == new:
            continue
        before, after = ("" if edge is None else f"{edge:.15g}" for edge in (old, new))
        if new is not None and (old is None or side * new < side * old):
            reason = "values beyond it, which were good until now, would go to quarantine"
            yield Change(f"{what} narrowed", where, BREAKING, before, after, reason, REFUSED)
        else:
            reason = "every value of before is still good"
            yield Change(f"{what} widened", where, COMPATIBLE, before, after, reason, MINOR)


def _pattern(where: str, was: Field, now: Field) -> Iterator[Change]:
    if was.pattern == now.pattern:
        return
    before, after = was.pattern or "", now.pattern or ""
    if now.pattern is None:
        reason = "every value of before is still good"
        yield Change("pattern removed", where, COMPATIBLE, before, after, reason, MINOR)
    else:
        reason = "values of before may not fit it, and would go to quarantine"
        yield Change("pattern changed", where, BREAKING, before, after, reason, REFUSED)


def _codes(where: str, was: Mapping[str, str] | None, now: Mapping[str, str] | None) -> Iterator[Change]:
    if was is None and now is not None:
        reason = "values outside the list, which were good until now, would go to quarantine"
        yield Change("code list added", where, BREAKING, "", ", ".join(now), reason, REFUSED)
        return
    if was is not None and now is None:
        reason = "codes may come that no reader knows"
        yield Change("code list removed", where, BREAKING, ", ".join(was), "", reason, READERS)
        return
    if was is None or now is None:
        return
    gone, fresh = [code for code in was if code not in now], [code for code in now if code not in was]
    if gone:
        reason = "the source may still send it, and would be refused; in rows of before it stands"
        yield Change("code removed", where, BREAKING, ", ".join(gone), "", reason, REFUSED)
    if fresh:
        reason = "what reads the old list does not know it: it counts nowhere, or as something else"
        yield Change("code added", where, BREAKING, "", ", ".join(fresh), reason, READERS)
    told = [code for code in was if code in now and was[code] != now[code]]
    for code in told:
        reason = "people read it; a code that means something else is a new code"
        yield Change("meaning of a code reworded", where, WORDING, was[code], now[code], reason, PATCH)
    if not gone and not fresh and list(was) != list(now):
        reason = "nothing counts by their order"
        yield Change("order of codes changed", where, WORDING, ", ".join(was), ", ".join(now), reason, PATCH)
