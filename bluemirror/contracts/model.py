"""What a contract says, as frozen values: nothing here reads a file or touches data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "month": "DATE",
    "timestamp": "TIMESTAMP",
    "amount": "BIGINT",
    "shingles": "UINTEGER[]",
}
"""Type of a mart column in DuckDB: a month is its first day, an amount is an integer of fen."""

PARTS = {
    "address": ("province", "city", "district", "road", "number", "building", "unit", "room"),
    "company": ("region", "core", "head", "tail", "trade", "legal"),
    "person": ("family", "given"),
}
"""Kind of parts -> the parts that a value is taken into at the door of the mart."""

FEN = 100
"""Fen in a yuan."""


@dataclass(frozen=True)
class Key:
    """A value that identifies somebody or something, and the form in which the source sends it.

    Parameters
    ----------
    entity
        What it identifies: id_no, phone, device ...
    form
        plain, or the vendors' own hash: md5, sha1, sha256, sm3.
    forms
        Forms to keep of a value that is sent plain, one mart column each; empty keeps one column of ``form``.
    parts
        Kind of parts (see :data:`PARTS`) that are kept too, so that spellings of one thing can be matched.
    """

    entity: str
    form: str
    forms: tuple[str, ...] = ()
    parts: str | None = None


@dataclass(frozen=True)
class Field:
    """One field of a table.

    ``physical`` is its path in the landed record, relative to the table's path. ``minimum`` and ``maximum`` are
    in the source's unit (yuan for amounts); :attr:`bounds` gives them in the unit of the mart. ``since`` is the
    version of the contract that added the field: files of before come without its column.
    """

    name: str
    physical: str
    type: str
    required: bool
    label_zh: str
    label_en: str
    unit: str | None = None
    codes: Mapping[str, str] | None = None
    key: Key | None = None
    classification: str | None = None
    drop: bool = False
    primary_key: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    since: str | None = None

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Mart columns as (name, type): none if dropped, one a form if the key states forms, else one."""
        if self.drop:
            return ()
        if self.key is None:
            return ((self.name, self.type),)
        return tuple((f"{self.name}_{form}", "string") for form in self.key.forms) or ((self.name, "string"),)

    @property
    def part_columns(self) -> tuple[tuple[str, str], ...]:
        """Mart columns of a key's parts, beside :attr:`columns`: <field>_part_norm, one a part, _part_shingles."""
        if self.key is None or self.key.parts is None:
            return ()
        texts = tuple((f"{self.name}_part_{part}", "string") for part in ("norm", *PARTS[self.key.parts]))
        return (*texts, (f"{self.name}_part_shingles", "shingles"))

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Minimum and maximum in the unit of the mart: fen for amounts."""
        if self.type != "amount":
            return self.minimum, self.maximum
        low, high = (None if edge is None else round(edge * FEN) for edge in (self.minimum, self.maximum))
        return low, high

    @property
    def personal(self) -> bool:
        """Whether its raw value must not be shown."""
        return self.classification in {"personal", "sensitive"} or self.key is not None or self.drop


@dataclass(frozen=True)
class TimeRule:
    """Where a time comes from: a field, or the end of the delivery day (``rule == "delivery"``).

    ``at`` says which end of the day (of a month: of its days) a date stands for. ``plus_days`` is added after.
    ``or_else`` names the field that stands in, as it is, where ``field`` is empty. ``ahead`` says of an event time
    that it may lie after the delivery (an instalment paid before it is due); else such a row is wrong.
    """

    field: str | None = None
    at: str = "start"
    plus_days: int = 0
    or_else: str | None = None
    rule: str | None = None
    ahead: bool = False


@dataclass(frozen=True)
class Rule:
    """A quality rule.

    Parameters
    ----------
    kind
        ``sql``: ``expression`` is a condition that every row fulfils; null counts as fulfilled.
        ``document_sql``: ``expression`` is a query that returns the ``_doc`` of offending documents.
        ``null``: ``fields`` are never empty; ``values``: ``fields`` hold one of the allowed values (both have a
        condition as ``expression`` too). ``duplicate``: ``fields`` together are unique in a delivery.
        ``row_count``: rows of a delivery lie between ``minimum`` and ``maximum``.
    severity
        ``error`` sends the record to quarantine (a file rule holds the file back); ``warning`` is counted.
    """

    name: str
    kind: str
    expression: str
    severity: str
    fields: tuple[str, ...] = ()
    dimension: str | None = None
    note: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Table:
    """One mart table of a source.

    ``header`` is the name of the table that stands for the landed record, None if this is it. ``hit`` is the
    field and the values that mean "record found"; None on an answer table means that every answer is a hit.
    """

    name: str
    kind: str
    path: str
    fields: tuple[Field, ...]
    description: str = ""
    parent: str | None = None
    header: str | None = None
    event_time: TimeRule | None = None
    known_time: TimeRule | None = None
    business_key: tuple[str, ...] = ()
    tombstone: tuple[str, str] | None = None
    valid_to: str | None = None
    hit: tuple[str, tuple[str, ...]] | None = None
    rules: tuple[Rule, ...] = ()
    _by_name: Mapping[str, Field] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {item.name: item for item in self.fields})

    def field(self, name: str) -> Field:
        """The field ``name``; KeyError if there is none."""
        return self._by_name[name]

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Mart columns of all fields as (name, type), parts with them, without the system columns."""
        return tuple(column for item in self.fields for column in (*item.columns, *item.part_columns))

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Mart columns of the business key: of a key kept in several forms, the first."""
        return tuple(self.field(name).columns[0][0] for name in self.business_key)

    def rule_rows(self, relation: str | None = None) -> str:
        """What a row rule is asked of, as SQL for a FROM clause.

        The rows of the table (or of ``relation``, in its place) with, on a child table, the record's own row
        as the struct ``header``.
        """
        rows = relation or self.name
        if self.header is None:
            return f"{rows} AS t"
        return f"(SELECT t.*, h AS header FROM {rows} AS t JOIN {self.header} AS h ON h._doc = t._doc) AS t"


@dataclass(frozen=True)
class Dialect:
    """Another spelling of the same tree in JSON, told by a key that only it has at the top.

    Parameters
    ----------
    name
        Its name in the contract.
    markers
        Keys of a document's top level; a document that has one of them is written in this dialect.
    lower
        Whether leaves, and groups that ``steps`` does not name, are written in lower case.
    steps
        Path of a group in the tree -> where it stands in the dialect: names with dots between, counted from the
        enclosing repeating element (or from the document).
    """

    name: str
    markers: tuple[str, ...]
    lower: bool
    steps: Mapping[str, str]


@dataclass(frozen=True)
class Relational:
    """The tree as tables: what their names begin with, and the columns that tie their rows together."""

    prefix: str
    document: str
    row: str
    parent: str


@dataclass(frozen=True)
class Landing:
    """How the source delivers: file formats by suffix, and the file that completes a delivery."""

    formats: tuple[str, ...]
    complete: str
    dialects: tuple[Dialect, ...] = ()
    relational: Relational | None = None


@dataclass(frozen=True)
class Lateness:
    """What the night does when no delivery came for ``after_hours``: block, use_last_good or go_on."""

    policy: str
    after_hours: float


@dataclass(frozen=True)
class ServiceLevel:
    """One promised level: latency, responseTimeP99, hitRate ... with its unit.

    ``upper`` is the upper edge of a band (hitRate), ``value`` its lower; None for a level that is one value.
    """

    property: str
    value: float | str
    unit: str | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Contract:
    """All that is said about one source.

    ``price_by_result`` has ``hit``, or ``match`` and ``mismatch`` of a source that verifies; ``monthly_fee`` is in
    yuan too, 0 where nothing is owed by the month.
    """

    source: str
    version: str
    name_en: str
    name_zh: str
    domain: str
    status: str
    path: Path
    stages: tuple[str, ...]
    legal_basis: str
    authorisation: str
    landing: Landing
    lateness: Lateness
    price_by_result: Mapping[str, float]
    tables: tuple[Table, ...]
    answer_valid_days: int | None = None
    sla: tuple[ServiceLevel, ...] = ()
    purpose: str = ""
    limitations: str = ""
    usage: str = ""
    monthly_fee: float = 0.0

    @property
    def verifies(self) -> bool:
        """Whether it answers with match or mismatch instead of a record."""
        return "match" in self.price_by_result

    def price(self, result: str) -> float:
        """Price in yuan of one call with this result.

        A result without a price of its own: ``hit`` costs the dearer of match and mismatch (an answer of which only
        is known that there is one), ``match`` and ``mismatch`` what a hit costs, ``timeout`` what an error costs,
        every other nothing.
        """
        stated = self.price_by_result
        if result in stated:
            return stated[result]
        if result == "hit":
            return max(stated.get("match", 0.0), stated.get("mismatch", 0.0))
        stands_in = {"match": "hit", "mismatch": "hit", "timeout": "error"}
        return stated.get(stands_in.get(result, ""), 0.0)

    def promised(self, name: str) -> ServiceLevel | None:
        """The service level of that name, None if it is not promised."""
        return next((level for level in self.sla if level.property == name), None)

    def table(self, name: str) -> Table:
        """The table ``name``; KeyError if there is none."""
        for item in self.tables:
            if item.name == name:
                return item
        raise KeyError(name)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when, and only when, what the contract says does."""
        from bluemirror.contracts.compiled import fingerprint

        return fingerprint(self)

    @property
    def header(self) -> Table:
        """The table with one row a landed record: the answer header, or the only table."""
        return self.tables[0]

    def _repr_html_(self) -> str:
        from bluemirror.contracts.pages import page_html_body

        return page_html_body(self)
