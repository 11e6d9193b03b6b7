"""Planted values are found wherever a run may write them, and numbers that only look like them are not."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import pickle
import sqlite3
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from bluemirror.cli.main import main
from bluemirror.errors import BluemirrorError
from bluemirror.privacy import Needles, read_needles, search

PHONE, ID_NO, NAME, ADDRESS = "13900001234", "99010119900101001x", "拟云雨", "九九省虚构市甲木路1号"
VALUES = {PHONE: "phone", ID_NO: "id_no", NAME: "name", ADDRESS: "address"}
OTHER = ["13900001230", "990101199001010011", "拟云", "nothing"]


def parquet(values: Any, **how: Any) -> Any:
    def write(path: Path) -> None:
        pl.DataFrame({"a": range(len(values)), "cell": pl.Series(values, **how)}).write_parquet(path)

    return "table.parquet", write


def text(name: str, content: str | bytes) -> Any:
    return name, lambda path: path.write_bytes(content.encode() if isinstance(content, str) else content)


def database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (f"about {NAME}",))
    connection.close()


def packed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.json", json.dumps({"phone": PHONE}))


HIDDEN = {
    "a cell of text": (parquet([*OTHER, f"call {PHONE}!"]), "phone"),
    "a cell of a category": (parquet([*OTHER, NAME], dtype=pl.Categorical), "name"),
    "a list": (parquet([[], ["x", ADDRESS]], dtype=pl.List(pl.String)), "address"),
    "a struct": (parquet([{"x": ID_NO}], dtype=pl.Struct({"x": pl.String})), "id_no"),
    "bytes": (parquet([PHONE.encode()], dtype=pl.Binary), "phone"),
    "a whole number": (parquet([5, int(PHONE)], dtype=pl.Int64), "phone"),
    "a number with a point": (parquet([0.5, float(PHONE)], dtype=pl.Float64), "phone"),
    "an upper-case letter": (text("a.csv", f"a,b\n1,{ID_NO.upper()}\n"), "id_no"),
    "a log": (text("run.log", f"2025-01-01 rejected {ADDRESS} of somebody"), "address"),
    "a page that escapes": (text("page.html", "".join(f"&#{ord(sign)};" for sign in NAME)), "name"),
    "a page that escapes in hex": (
        text("page.html", html.escape("&") + "".join(f"&#x{ord(s):x};" for s in NAME)),
        "name",
    ),
    "JSON that escapes": (text("a.json", json.dumps({"name": NAME})), "name"),
    "an address of the web": (text("a.txt", f"http://x/?q={quote(NAME)}"), "name"),
    "a database": (("mlflow.db", database), "name"),
    "a packed file": (("model.skops", packed), "phone"),
    "a gzip file": (text("a.json.gz", gzip.compress(PHONE.encode())), "phone"),
    "a pickle": (text("a.pkl", pickle.dumps({"who": NAME})), "name"),
    "a file's name": (text(f"{PHONE}.txt", "x"), "phone"),
    "a plain hash": (
        text("a.txt", hashlib.md5(PHONE.encode(), usedforsecurity=False).hexdigest()),
        "phone (plain hash)",
    ),
    "a plain hash in a cell": (parquet([hashlib.sha256(ID_NO.encode()).hexdigest()]), "id_no (plain hash)"),
    "across the edge of two pieces": (text("big.txt", "x" * ((1 << 20) - 4) + PHONE + "y" * 100), "phone"),
    "a Parquet file that is none": (text("broken.parquet", f"PAR1 {PHONE} PAR1"), "phone"),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_it_is_found(where: str, tmp_path: Path) -> None:
    (name, write), entity = HIDDEN[where]
    write(tmp_path / name)
    found = search(tmp_path, Needles(VALUES))
    assert {finding.entity for finding in found.findings} == {entity}
    assert found.count == 1
    assert PHONE not in str(found.findings[0].column)


@pytest.mark.parametrize(
    "content",
    [
        f"9{PHONE} and {PHONE}9",
        "13900001235",
        hashlib.md5(b"13900001235", usedforsecurity=False).hexdigest(),
        "拟 云 雨",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(content)
    pl.DataFrame({"a": [content, None], "b": [1.5, 1e12]}).write_parquet(tmp_path / "a.parquet")
    assert search(tmp_path, Needles(VALUES)).findings == []


def test_among_many_files_of_one_name_the_right_one_is_named(tmp_path: Path) -> None:
    for number in range(6):
        folder = tmp_path / "mart" / f"day-{number}"
        folder.mkdir(parents=True)
        cell = ADDRESS if number == 4 else f"text {number}"
        # one of them has other columns, as after a change of the contract
        frame = pl.DataFrame({"cell": [cell, None]})
        (frame.with_columns(more=1) if number == 2 else frame).write_parquet(folder / "t.parquet")
    (finding,) = search(tmp_path, Needles(VALUES)).findings
    assert (finding.file, finding.column, finding.entity) == ("mart/day-4/t.parquet", "cell", "address")


def test_the_list_itself_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    listed = tmp_path / "truth" / "identifiers.parquet"
    pl.DataFrame({"entity": list(VALUES.values()), "value": list(VALUES)}).write_parquet(listed)
    needles = read_needles(listed)
    assert len(needles) == len(VALUES)
    assert search(tmp_path, needles, [listed.parent]).files == 0
    assert search(tmp_path, needles).count == len(VALUES)


def test_values_too_short_to_tell_are_counted(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{PHONE}\nab\n\n  \n")
    needles = read_needles(tmp_path / "list.txt")
    assert (len(needles), needles.short) == (1, 1)


@pytest.mark.parametrize("content", [None, "", "entity\nphone\n"])
def test_a_list_that_is_none(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "list.csv").write_text(content)
    with pytest.raises(BluemirrorError, match="the list of values"):
        read_needles(tmp_path / "list.csv")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "bank"
    (root / "data").mkdir(parents=True)
    (root / "workspace.yaml").write_text("name: bank\n")
    (root / "data" / "a.log").write_text("all is well")
    (tmp_path / "list.txt").write_text("\n".join(VALUES))
    command = ["--workspace", str(root), "privacy", str(tmp_path / "list.txt"), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["found"] == 0
    (root / "data" / "b.log").write_text(f"rejected: {PHONE}")
    assert main(command) == 2
    out, err = capsys.readouterr()
    result = json.loads(out.splitlines()[-1])
    assert (result["found"], result["findings"][0]["file"]) == (1, "b.log")
    assert PHONE not in out + err
    assert "rule:  nothing behind the mart's door holds a raw personal value" in err
