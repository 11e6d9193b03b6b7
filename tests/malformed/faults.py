"""Ways to spoil a value, a file, a document: each with what is right to do about it."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bluemirror.contracts import Contract, Field
from tests.malformed.fresh import Fresh
from tests.malformed.shape import Node, Shape
from tests.malformed.writing import csv_text, json_text, parquet_frame, tree_of, xml_text

HELD, TAKEN, EITHER, REFUSED = "held", "taken", "either", "refused"
FIRST, SECOND, SECOND_MAYBE, LAST = "first may go", "second must go", "second may go", "last must go"
MARK = "\ue000"
BAD = None
"""A line that cannot be read as a record."""
DEPTH = 20_000

COMMON: tuple[tuple[str, Any], ...] = (
    ("missing", None),
    ("blanks", "   "),
    ("dashes", "--"),
    ("the word null", "NULL"),
    ("SQL", "'; DROP TABLE people; --"),
    ("HTML", "<script>alert(1)</script>"),
    ("a formula", '=HYPERLINK("http://example.test")'),
    ("a template", "{{7*7}}${7*7}%s%n"),
    ("a path", "../../../../etc/passwd"),
    ("oversized", "x" * 70_000),
    ("many digits", "9" * 400),
    ("quotes and separators", 'a"b,c;d\te'),
    ("a line break", "a\nb"),
    ("an emoji", "🙂🙂"),
    ("full-width digits", "１２３"),
    ("right to left", "\u202eabc"),
    ("nothing to see", "\u200b"),
    ("combining marks", "e\u0301\u0301\u0301"),
    ("blanks around", None),
)
OF_TYPE: dict[str, tuple[tuple[str, Any], ...]] = {
    "int": (
        *(("words", "abc"), ("half", "12.5"), ("whole float", "12.0"), ("exponent", "1e3"), ("hex", "0x1F")),
        *(
            ("plus", "+5"),
            ("grouped", "1,234"),
            ("badly grouped", "12,34"),
            ("negative", "-7"),
            ("minus zero", "-0"),
        ),
        *(("just over int64", str(2**63)), ("just within int64", str(2**63 - 1)), ("huge", "1" + "0" * 30)),
        *(("underscored", "1_000"), ("not a number", "NaN"), ("zeros before", "0007")),
    ),
    "float": (
        *(("words", "abc"), ("not a number", "NaN"), ("infinite", "Infinity"), ("minus infinite", "-inf")),
        *(("overflow", "1e999"), ("underflow", "1e-999"), ("two points", "1.2.3"), ("negative", "-7.5")),
        *(
            ("grouped", "1,234.5"),
            ("no digits", "."),
            ("point first", ".5"),
            ("point last", "5."),
            ("hex", "0x1p3"),
        ),
    ),
    "amount": (
        *(("words", "free"), ("a fraction of a fen", "1.005"), ("negative", "-0.01"), ("huge", "1e20")),
        *(("grouped", "1,234.50"), ("beyond exact fen", "90071992547409.93"), ("not a number", "NaN")),
        *(("currency", "¥5.00"), ("infinite", "inf"), ("noise of floats", "0.30000000000000004")),
    ),
    "bool": (
        ("maybe", "maybe"),
        ("upper case", "TRUE"),
        ("letter", "Y"),
        ("two", "2"),
        ("float", "1.0"),
        ("words", "on"),
    ),
    "date": (
        *(("no such day", "2025-02-30"), ("no such month", "2025-13-01"), ("day zero", "2025-01-00")),
        *(
            ("compact", "20250101"),
            ("slashes", "2025/01/01"),
            ("American", "01-31-2025"),
            ("short", "2025-1-1"),
        ),
        *(("with a time", "2025-01-01T00:00:00"), ("year zero", "0000-01-01"), ("year one", "0001-01-01")),
        *(
            ("far ahead", "9999-12-31"),
            ("five digits", "12025-01-01"),
            ("no leap year", "2023-02-29"),
            ("words", "today"),
        ),
    ),
    "month": (
        ("no such month", "2025-13"),
        ("month zero", "2025-00"),
        ("compact", "202501"),
        ("a day", "2025-01-15"),
        ("far ahead", "9999-12"),
    ),
    "timestamp": (
        *(("no such hour", "2025-01-01T25:00:00"), ("midnight as 24", "2025-01-01T24:00:00")),
        *(
            ("leap second", "2025-01-01T10:00:60"),
            ("only a date", "2025-01-01"),
            ("in UTC", "2025-01-01T10:00:00Z"),
        ),
        *(
            ("Shanghai", "2025-01-01T10:00:00+08:00"),
            ("Tokyo", "2025-01-01T10:00:00+09:00"),
            ("a blank", "2025-01-01 10:00:00"),
        ),
        *(
            ("no seconds", "2025-01-01T10:00"),
            ("epoch", "1735700000"),
            ("nanoseconds", "2025-01-01T10:00:00.123456789"),
        ),
        *(
            ("year one", "0001-01-01T00:00:00"),
            ("far ahead", "9999-12-31T23:59:59"),
            ("no such day", "2025-02-30T10:00:00"),
        ),
    ),
    "string": (("long", "y" * 300), ("a number", "42"), ("negative", "-1")),
}
JSON_ONLY: tuple[tuple[str, Any], ...] = (
    ("true", True),
    ("a whole number", 1),
    ("a fraction", 1.5),
    ("a negative number", -3),
    ("a big number", 2**62),
    ("a list", [1, 2]),
    ("an empty list", []),
    ("an object", {"a": 1}),
    ("nested", {"a": {"b": [{"c": None}]}}),
)


def spoilt_values(item: Field, rng: random.Random, raw: Any, *, of_json: bool) -> tuple[str, Any]:
    """A way to spoil a value of a field, and the value."""
    ways: list[tuple[str, Any]] = [*COMMON, *OF_TYPE[item.type] * 2]
    if item.codes:
        ways += [
            ("unknown code", "zz"),
            ("code in another case", str(raw or "a").swapcase()),
            ("code and more", f"{raw}x"),
        ] * 3
    for what, edge in (("below the minimum", item.minimum), ("above the maximum", item.maximum)):
        if edge is not None:
            ways += [(what, f"{edge + (-1 if 'below' in what else 1):.15g}")] * 2
    if of_json:
        ways += JSON_ONLY
    what, value = rng.choice(ways)
    return (what, f"  {raw} ") if what == "blanks around" and raw is not None else (what, value)


@dataclass
class Case:
    """One spoilt file.

    Parameters
    ----------
    what, suffix, content
        What was done, how the file's name ends, its bytes.
    records
        What stands in it, line by line; :data:`BAD` where no record can be read.
    right
        ``held``: back as a whole. ``taken``: each record by its own rights. ``either``: one of the two. ``refused``: back
        as a whole, or each record in quarantine. The others say which record may or must go to quarantine.
    declared
        Records that the completing file tells of.
    said
        What was done to each record.
    """

    what: str
    suffix: str
    content: bytes
    records: Sequence[Node | None]
    right: str
    declared: int
    said: Sequence[str] = ()

    def about(self, line: int) -> str:
        """What was done to a record."""
        return f"{self.what}, line {line}" + (f" ({self.said[line - 1]})" if self.said else "")


def spoilt_csv(contract: Contract, fresh: Fresh) -> Iterator[Case]:
    """Files of lines with a header."""

    def case(
        what: str,
        content: str | bytes,
        records: Sequence[Node | None],
        right: str,
        declared: int | None = None,
    ) -> Case:
        raw = content.encode() if isinstance(content, str) else content
        return Case(what, "csv", raw, records, right, len(records) if declared is None else declared)

    def text(records: Sequence[Node], **how: Any) -> str:
        return csv_text(contract, records, **how)

    three = fresh(3)
    yield case("byte order mark", b"\xef\xbb\xbf" + text(three).encode(), three, EITHER)
    three = fresh(3)
    yield case("CRLF", text(three, end="\r\n"), three, TAKEN)
    three = fresh(3)
    yield case("no last line break", text(three).rstrip("\n"), three, TAKEN)
    for what, sign in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|")):
        three = fresh(3)
        yield case(what, text(three, delimiter=sign), three, HELD)
    three = fresh(3)
    yield case("no header", text(three, header=False), three, HELD)
    three = fresh(3)
    lines = text(three).splitlines()
    yield case(
        "a column more",
        "\n".join([f"{lines[0]},extra", *(f"{line},1" for line in lines[1:])]) + "\n",
        three,
        HELD,
    )
    three = fresh(3)
    head, *rest = text(three).splitlines()
    first = head.split(",")[0]
    yield case(
        "a column called otherwise",
        "\n".join([head.replace(first, f"{first}_x", 1), *rest]) + "\n",
        three,
        HELD,
    )
    three = fresh(3)
    head, *rest = text(three).splitlines()
    names = head.split(",")
    yield case("a column twice", "\n".join([",".join([*names[:-1], names[0]]), *rest]) + "\n", three, HELD)
    three = fresh(3)
    content = text(three)
    yield case(
        "cut in a line", content[: len(content) - len(content.splitlines()[-1]) // 2 - 1], three, LAST, 3
    )
    three = fresh(3)
    yield case("an open quote", text(three[:2]) + '"' + text(three[2:], header=False), three, HELD, 3)
    three = fresh(3)
    yield case("fields missing", text(three) + "only\n", [*three, BAD], LAST)
    three = fresh(3)
    yield case("fields too many", text(three).rstrip("\n") + ",1,2,3,4\n", three, LAST)
    three = fresh(3)
    yield case("empty lines between", text(three).replace("\n", "\n\n"), three, EITHER)
    three = fresh(3)
    yield case("GBK", text(_chinese(contract, three)).encode("gbk"), three, HELD)
    three = fresh(3)
    yield case("UTF-16", text(three).encode("utf-16"), three, HELD)
    three = fresh(3)
    mixed = text(three).encode().splitlines()
    yield case(
        "two encodings", b"\n".join([*mixed[:2], mixed[2] + b"\xb5\xe7\xff", mixed[3]]) + b"\n", three, HELD
    )
    three = fresh(3)
    yield case("NUL bytes", text(three).encode() + b"\x00\x00\x00\n", [*three, BAD], LAST)
    yield case("nothing", b"", [], HELD, 0)
    yield case("only a header", text([]), [], TAKEN, 0)
    three = fresh(3)
    yield case("fewer than declared", text(three), three, HELD, 4)
    three = fresh(3)
    yield case("compressed", gzip.compress(text(three).encode()), three, HELD)
    three = fresh(3)
    yield case("another format", "".join(json_text({"a": 1}) + "\n" for _ in range(3)), three, HELD)


def _chinese(contract: Contract, records: Sequence[Node]) -> Sequence[Node]:
    """The records with Chinese in their last text, so that the encoding shows."""
    spoilt = [record.copy() for record in records]
    place = [
        tuple((item.physical or item.name).split("/"))
        for item in contract.header.fields
        if item.type == "string"
    ][-1]
    for record in spoilt:
        record.leaves[place] = "甲乙丙丁"
    return spoilt


def spoilt_jsonl(shape: Shape, fresh: Fresh) -> Iterator[Case]:
    """Files of JSON lines; a line that is spoilt leaves the others."""

    def case(
        what: str,
        content: str | bytes,
        records: Sequence[Node | None],
        right: str,
        declared: int | None = None,
    ) -> Case:
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        return Case(what, "jsonl", raw, records, right, len(records) if declared is None else declared)

    def lines(records: Sequence[Node]) -> list[str]:
        return [json_text(tree_of(shape, record)) for record in records]

    def text(records: Sequence[Node]) -> str:
        return "".join(line + "\n" for line in lines(records))

    three = fresh(3)
    yield case("byte order mark", b"\xef\xbb\xbf" + text(three).encode(), three, FIRST)
    three = fresh(3)
    yield case("CRLF", text(three).replace("\n", "\r\n"), three, TAKEN)
    three = fresh(3)
    yield case("empty lines between", text(three).replace("\n", "\n\n \n"), three, TAKEN)
    three = fresh(3)
    yield case("no last line break", text(three).rstrip("\n"), three, TAKEN)
    spoilers: dict[str, str | Callable[[str], str]] = {
        "cut": lambda line: line[: len(line) // 2],
        "a comma too many": lambda line: line[:-1] + ",}",
        "a comment": lambda line: line + " // why",
        "single quotes": lambda line: line.replace('"', "'"),
        "two objects": lambda line: line + line,
        "a list": lambda line: f"[{line}]",
        "a text": '"text"',
        "null": "null",
        "NaN": lambda line: line[:-1] + ', "extra": NaN}',
        "infinite": lambda line: line[:-1] + ', "extra": Infinity}',
        "an escape that is none": lambda line: line[:-1] + ', "extra": "\\q"}',
        "half a surrogate": lambda line: line[:-1] + ', "extra": "\\ud800"}',
        "NUL": lambda line: line + "\x00",
        "a control character": lambda line: line[:-1] + ', "extra": "a\x01b"}',
        "no JSON": "<html><body>502 Bad Gateway</body></html>",
        "deep lists": lambda line: line[:-1] + ', "extra": ' + "[" * DEPTH + "]" * DEPTH + "}",
        "deep objects": lambda line: line[:-1] + ', "extra": ' + '{"a":' * DEPTH + "1" + "}" * DEPTH + "}",
        "deep and open": lambda line: line[:-1] + ', "extra": ' + "[" * DEPTH,
    }
    for what, spoil in spoilers.items():
        three = fresh(3)
        written = lines(three)
        written[1] = spoil if isinstance(spoil, str) else spoil(written[1])
        # What stands in a field that nobody reads may be passed over.
        right = SECOND_MAYBE if "extra" in written[1] else SECOND
        yield case(what, "\n".join(written) + "\n", three, right)
    three = fresh(3)
    written = lines(three)
    yield case(
        "spread over lines", text(three[:1]) + written[1].replace(", ", ",\n") + "\n", three[:2], EITHER, 2
    )
    three = fresh(3)
    yield case("UTF-16", text(three).encode("utf-16"), three, EITHER)
    three = fresh(3)
    mixed = text(three).encode().splitlines()
    yield case(
        "bytes that are no text",
        b"\n".join([mixed[0], mixed[1].replace(b'": "', b'": "\xff\xfe', 1), mixed[2]]) + b"\n",
        three,
        SECOND,
    )
    yield case("nothing", b"", [], TAKEN, 0)
    three = fresh(3)
    yield case("fewer than declared", text(three), three, HELD, 4)
    three = fresh(3)
    yield case("a key twice", text(three).replace("{", '{"extra": 1, "extra": 2, ', 1), three, TAKEN)
    three = fresh(3)
    yield case("compressed", gzip.compress(text(three).encode()), three, EITHER)


def spoilt_json(shape: Shape, fresh: Fresh) -> Iterator[Case]:
    """Documents of JSON."""

    def case(what: str, content: str | bytes, record: Node, right: str) -> Case:
        return Case(
            what, "json", content.encode() if isinstance(content, str) else content, [record], right, 1
        )

    def text(record: Node) -> str:
        return json_text(tree_of(shape, record))

    (one,) = fresh(1)
    yield case("cut", text(one)[: len(text(one)) // 2], one, HELD)
    (one,) = fresh(1)
    yield case("below a root", f'{{"Document": {text(one)}}}', one, TAKEN)
    (one,) = fresh(1)
    yield case("byte order mark", b"\xef\xbb\xbf" + text(one).encode(), one, EITHER)
    (one,) = fresh(1)
    yield case("a list", f"[{text(one)}]", one, HELD)
    (one,) = fresh(1)
    yield case("two documents", text(one) * 2, one, HELD)
    for what, content in (
        ("nothing", b""),
        ("null", b"null"),
        ("empty", b"{}"),
        ("no JSON", b"<html>502</html>"),
    ):
        (one,) = fresh(1)
        yield case(what, content, one, HELD if what != "empty" else REFUSED)
    for what, bomb in (
        ("deep lists", "[" * DEPTH + "]" * DEPTH),
        ("deep objects", '{"a":' * DEPTH + "1" + "}" * DEPTH),
        ("deep and open", "[" * DEPTH),
        ("moderately deep", "[" * 900 + "]" * 900),
    ):
        (one,) = fresh(1)
        yield case(what, text(one)[:-1] + f', "extra": {bomb}}}', one, EITHER)
    group = next((place[0] for place in shape.scopes[()].leaves if len(place) > 1), None)
    if group is not None:
        for what, value in (
            ("a text for a group", "x"),
            ("a number for a group", 7),
            ("a list for a group", [1, 2]),
            ("true for a group", True),
        ):
            (one,) = fresh(1)
            yield case(what, json_text({**tree_of(shape, one), group: value}), one, REFUSED)
    for scope in shape.below(())[:2]:
        for what, value in (
            ("a text for a list", "x"),
            ("a number for a list", 7),
            ("texts in a list", ["x", "y"]),
            ("lists in a list", [[1]]),
        ):
            (one,) = fresh(1)
            tree = tree_of(shape, one)
            at = tree
            for step in scope.way[:-1]:
                at = at.setdefault(step, {})
            at[scope.way[-1]] = value
            yield case(f"{what}: {scope.way[-1]}", json_text(tree), one, REFUSED)
    (one,) = fresh(1)
    yield case("GBK", text(one).replace(': "', ': "甲', 1).encode("gbk"), one, HELD)
    (one,) = fresh(1)
    yield case("UTF-16", text(one).encode("utf-16"), one, HELD)


def spoilt_xml(shape: Shape, fresh: Fresh, secret: str) -> Iterator[Case]:
    """Documents of XML; ``secret`` is the path of a file that must not be read."""

    def case(what: str, content: str | bytes, record: Node, right: str) -> Case:
        return Case(
            what, "xml", content.encode() if isinstance(content, str) else content, [record], right, 1
        )

    def text(record: Node) -> str:
        return xml_text(tree_of(shape, record))

    def within(record: Node, inner: str, reads: str = "") -> tuple[str, Node]:
        """The document with something put behind its first value, and the record as it must be read."""
        marked, told = record.copy(), record.copy()
        place = next(place for place, raw in record.leaves.items() if raw is not None)
        marked.leaves[place] = f"{record.leaves[place]}{MARK}"
        told.leaves[place] = f"{record.leaves[place]}{reads}"
        return text(marked).replace(MARK, inner), told

    def declared(record: Node, dtd: str, inner: str) -> tuple[str, Node]:
        content, told = within(record, inner)
        return content.replace("<Document>", f"<!DOCTYPE Document [{dtd}]>\n<Document>", 1), told

    (one,) = fresh(1)
    yield case("cut", text(one)[: len(text(one)) // 2], one, HELD)
    laughs = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    for what, dtd, inner in (
        ("billion laughs", laughs, "&j;"),
        ("one big entity", f'<!ENTITY a "{"x" * 50_000}">', "&a;" * 2_000),
        ("an entity", '<!ENTITY a "7">', "&a;"),
        ("a file as entity", f'<!ENTITY a SYSTEM "file://{secret}">', "&a;"),
        ("a file as parameter", f'<!ENTITY % a SYSTEM "file://{secret}"> %a;', ""),
        ("the net as entity", '<!ENTITY a SYSTEM "http://127.0.0.1:9/x">', "&a;"),
        ("an entity of itself", '<!ENTITY a "&b;"><!ENTITY b "&a;">', "&a;"),
    ):
        (one,) = fresh(1)
        yield case(what, *declared(one, dtd, inner), HELD)
    (one,) = fresh(1)
    yield case(
        "a DTD elsewhere",
        text(one).replace("<Document>", f'<!DOCTYPE Document SYSTEM "file://{secret}">\n<Document>', 1),
        one,
        EITHER,
    )
    (one,) = fresh(1)
    yield case("an entity of nobody", *within(one, "&nobody;"), HELD)
    (one,) = fresh(1)
    yield case(
        "deep", text(one).replace("</Document>", "<a>" * DEPTH + "</a>" * DEPTH + "</Document>"), one, EITHER
    )
    (one,) = fresh(1)
    yield case("wide", text(one).replace("</Document>", "<a/>" * 200_000 + "</Document>"), one, EITHER)
    (one,) = fresh(1)
    yield case("a comment in a value", *within(one, "<!-- why -->zz", "zz"), EITHER)
    (one,) = fresh(1)
    yield case("an instruction in a value", *within(one, "<?do it?>zz", "zz"), EITHER)
    (one,) = fresh(1)
    yield case("an element in a value", *within(one, "<b>zz</b>zz"), REFUSED)
    (one,) = fresh(1)
    yield case("CDATA", *within(one, "<![CDATA[<script>zz</script>]]>", "<script>zz</script>"), TAKEN)
    (one,) = fresh(1)
    yield case(
        "the wrong encoding",
        text(one).replace("</Document>", "<a>甲乙</a></Document>").encode("gbk"),
        one,
        HELD,
    )
    (one,) = fresh(1)
    yield case("GBK, and says so", text(one).replace("UTF-8", "GBK").encode("gbk"), one, TAKEN)
    (one,) = fresh(1)
    yield case("byte order mark", b"\xef\xbb\xbf" + text(one).encode(), one, TAKEN)
    (one,) = fresh(1)
    yield case("UTF-16", text(one).replace("UTF-8", "UTF-16").encode("utf-16"), one, TAKEN)
    (one,) = fresh(1)
    yield case("an encoding of nobody", text(one).replace("UTF-8", "KLINGON-1"), one, HELD)
    (one,) = fresh(1)
    yield case("two roots", text(one) + "<Document/>", one, HELD)
    (one,) = fresh(1)
    yield case("NUL", text(one).encode().replace(b"</Document>", b"\x00</Document>"), one, HELD)
    (one,) = fresh(1)
    yield case(
        "another name space", text(one).replace("<Document>", '<Document xmlns="urn:other">'), one, REFUSED
    )
    for what, content in (("nothing", b""), ("no XML", b'{"a": 1}'), ("no values", b"<Document/>")):
        (one,) = fresh(1)
        yield case(what, content, one, HELD if what != "no values" else REFUSED)


def spoilt_parquet(contract: Contract, fresh: Fresh) -> Iterator[Case]:
    """Files of typed columns."""
    import polars as pl

    def case(what: str, content: bytes | Any, records: Sequence[Node | None], right: str) -> Case:
        if not isinstance(content, bytes):
            out = io.BytesIO()
            content.write_parquet(out)
            content = out.getvalue()
        return Case(what, "parquet", content, records, right, len(records))

    def frame(records: Sequence[Node]) -> Any:
        return parquet_frame(contract, records)

    three = fresh(3)
    whole = io.BytesIO()
    frame(three).write_parquet(whole)
    yield case("cut", whole.getvalue()[:-20], three, HELD)
    three = fresh(3)
    yield case("no Parquet", b"PAR1" + b"\x00" * 200 + b"PAR1", three, HELD)
    yield case("nothing", b"", [], HELD)
    three = fresh(3)
    yield case("a column more", frame(three).with_columns(extra=pl.lit(1)), three, HELD)
    three = fresh(3)
    yield case("a column less", frame(three).drop(frame(three).columns[0]), three, HELD)
    three = fresh(3)
    yield case(
        "a column nested",
        frame(three).with_columns(pl.concat_list(pl.nth(0)).alias(frame(three).columns[0])),
        three,
        HELD,
    )
    three = fresh(3)
    yield case(
        "a column of structs",
        frame(three).with_columns(pl.struct(pl.nth(0)).alias(frame(three).columns[0])),
        three,
        HELD,
    )
    for item in contract.header.fields:
        name = item.physical or item.name
        other = pl.String if item.type != "string" else pl.Int64
        three = fresh(3)
        column = pl.lit(1, dtype=pl.Int64).alias(name) if other == pl.Int64 else pl.col(name).cast(other)
        right = EITHER if item.type == "month" else HELD
        yield case(f"another type: {name}", frame(three).with_columns(column), three, right)
    three = fresh(3)
    texts = [item.physical or item.name for item in contract.header.fields if item.type == "string"]
    yield case(
        "texts as categories", frame(three).with_columns(pl.col(texts).cast(pl.Categorical)), three, TAKEN
    )
    three = fresh(3)
    yield case("compressed again", gzip.compress(whole.getvalue()), three, HELD)


def spoilt_zip(shape: Shape, fresh: Fresh, members_of: Any) -> Iterator[Case]:
    """Relational copies; ``members_of`` makes the members for some records."""

    def pack(members: dict[str, bytes], **how: Any) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", how.get("method", zipfile.ZIP_DEFLATED)) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return out.getvalue()

    def case(what: str, content: bytes, records: Sequence[Node], right: str) -> Case:
        return Case(what, "zip", content, records, right, len(records))

    three = fresh(3)
    yield case("right", pack(members_of(three)), three, TAKEN)
    three = fresh(3)
    yield case("cut", pack(members_of(three))[:-40], three, HELD)
    three = fresh(3)
    yield case("no ZIP", b"PK\x03\x04" + b"\x00" * 60, three, HELD)
    three = fresh(3)
    members = members_of(three)
    gone = max(members)
    yield case(
        "a member less",
        pack({name: content for name, content in members.items() if name != gone}),
        three,
        HELD,
    )
    three = fresh(3)
    yield case(
        "members elsewhere",
        pack({f"../../{name}": content for name, content in members_of(three).items()}),
        three,
        EITHER,
    )
    three = fresh(3)
    members = members_of(three)
    biggest = max(members, key=lambda name: len(members[name]))
    yield case("a bomb", pack({**members, biggest: members[biggest] + b" " * (48 << 20)}), three, HELD)
    three = fresh(3)
    members = members_of(three)
    yield case("a bomb beside", pack({**members, "other.csv": b"0" * (48 << 20)}), three, TAKEN)
    three = fresh(3)
    members = members_of(three)
    yield case("packed by another method", pack(members, method=zipfile.ZIP_LZMA), three, HELD)
    three = fresh(3)
    members = members_of(three)
    yield case("a ZIP of a ZIP", pack({"inner.zip": pack(members)}), three, HELD)
    three = fresh(3)
    members = members_of(three)
    yield case("GBK", pack({**members, biggest: members[biggest] + "甲,".encode("gbk")}), three, HELD)
    three = fresh(3)
    members = {name: content.replace(b",", b";") for name, content in members_of(three).items()}
    yield case("semicolons", pack(members), three, HELD)
