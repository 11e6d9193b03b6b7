"""Bad input of every source: each record is taken for what it says, or lies in quarantine with its reason.

Everything is made from the contracts alone, so that a new source is covered unseen: valid records by search, then values,
lines and whole files spoilt, ten thousand records and more over all sources. Figures are printed with ``-s``.
"""

from __future__ import annotations

import random
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bluemirror.contracts import Contract, read_contract
from bluemirror.privacy import Needles, search
from bluemirror.workspace import Workspace
from tests.malformed import faults
from tests.malformed.delivering import Tally, bring_in, compare
from tests.malformed.faults import Case
from tests.malformed.fresh import Fresh
from tests.malformed.landed import landed_records
from tests.malformed.relational import relational_members, zipped
from tests.malformed.shape import Node, Shape
from tests.malformed.valid import sound, valid_records
from tests.malformed.writing import csv_text, fits_parquet, json_text, parquet_frame, tree_of, xml_text

FOLDER = Path(__file__).resolve().parents[2] / "data_contracts"
SOURCES = sorted(file.name.removesuffix(".odcs.yaml") for file in FOLDER.glob("*.odcs.yaml"))
RECORDS = 11_000
"""Over all sources, files that are spoilt as a whole not counted."""
AGAIN = "the same record again"
KEY = b"the key of the malformed"
FIGURES: dict[str, Tally] = {}
ENOUGH = 4
"""Simulated records with which nothing more has to be drawn."""
LEAST = 8
"""Characters of a personal value that is looked for: a shorter one stands in a hash by chance."""
MIB_MORE = 600
"""Memory that one source's bad input may add to the process at its peak, in MiB."""


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Landing folder of a few simulated customers: documents with all their parts."""
    from simulator import land
    from tests.fixtures_flagship import copy_declarations

    workspace = copy_declarations(tmp_path_factory.mktemp("malformed") / "bank")
    land(workspace, customers=300, months=3, seed=3)
    return workspace.landing


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BLUEMIRROR_KEY", KEY.decode())
    monkeypatch.delenv("BLUEMIRROR_DATA", raising=False)
    root = tmp_path / "bank"
    (root / "data_contracts").mkdir(parents=True)
    (root / "landing").mkdir()
    (root / "workspace.yaml").write_text("name: bank\n")
    return Workspace.open(root)


def spoilt_records(
    contract: Contract, shape: Shape, fresh: Fresh, count: int, form: str, rng: random.Random
) -> Iterator[tuple[str, Node]]:
    """Good records with one value spoilt, two, or none; some sent twice."""
    last: Node | None = None
    for number in range(count):
        record = fresh.one()
        if number % 25 == 24 and last is not None:
            yield AGAIN, last.copy()
            continue
        said = []
        for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 2))):
            node = rng.choice(list(record.all()))
            place = rng.choice(list(node.leaves))
            item = max(shape.scopes[node.scope].leaves[place], key=lambda pair: pair[1].required)[1]
            what, raw = faults.spoilt_values(item, rng, node.leaves[place], of_json=form in {"json", "jsonl"})
            if form == "parquet" and not fits_parquet(raw, item.type):
                continue
            if form == "xml" and isinstance(raw, dict | list):
                continue
            node.leaves[place] = raw
            said.append(f"{item.name}: {what}")
        last = last if said else record
        yield "; ".join(said) or "as it should be", record


def record_cases(
    contract: Contract, shape: Shape, fresh: Fresh, count: int, form: str, rng: random.Random
) -> Iterator[Case]:
    """Spoilt records in files that can be read as such."""
    made = list(spoilt_records(contract, shape, fresh, count, form, rng))
    if form in {"json", "xml"}:
        for what, record in made:
            tree = tree_of(shape, record)
            content = json_text(tree) if form == "json" else xml_text(tree)
            # A document that comes again is a delivery that comes again.
            right = faults.EITHER if what == AGAIN else faults.TAKEN
            yield Case(what, form, content.encode(), [record], right, 1)
        return
    size = {"jsonl": 40, "csv": 120, "parquet": 120, "zip": 60}[form]
    for start in range(0, len(made), size):
        part = [record for _, record in made[start : start + size]]
        if form == "jsonl":
            content = "".join(json_text(tree_of(shape, record)) + "\n" for record in part).encode()
        elif form == "csv":
            content = csv_text(contract, part).encode()
        elif form == "zip":
            content = zipped(relational_members(shape, part))
        else:
            import io

            out = io.BytesIO()
            parquet_frame(contract, part).write_parquet(out)
            content = out.getvalue()
        said = [what for what, _ in made[start : start + size]]
        yield Case(form, form, content, part, faults.TAKEN, len(part), said)


def file_cases(contract: Contract, shape: Shape, fresh: Fresh, form: str, secret: str) -> Iterator[Case]:
    """Files spoilt as a whole."""
    makers: dict[str, Any] = {
        "csv": lambda: faults.spoilt_csv(contract, fresh),
        "jsonl": lambda: faults.spoilt_jsonl(shape, fresh),
        "json": lambda: faults.spoilt_json(shape, fresh),
        "xml": lambda: faults.spoilt_xml(shape, fresh, secret),
        "parquet": lambda: faults.spoilt_parquet(contract, fresh),
        "zip": lambda: faults.spoilt_zip(shape, fresh, lambda records: relational_members(shape, records)),
    }
    yield from makers[form]()


def raw_values(shape: Shape, cases: list[Case]) -> dict[str, str]:
    """Every personal text that was sent, as it was sent, with the field that carried it."""
    known = {raw for _, raw in (*faults.COMMON, *(way for ways in faults.OF_TYPE.values() for way in ways))}
    found: dict[str, str] = {}
    for case in cases:
        for record in filter(None, case.records):
            for node in record.all():
                for place, readers in shape.scopes[node.scope].leaves.items():
                    raw = node.leaves.get(place)
                    item = next(
                        (item for _, item in readers if item.personal and item.type == "string"), None
                    )
                    if item is not None and isinstance(raw, str) and len(raw) >= LEAST and raw not in known:
                        found[raw.strip()] = item.name
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_every_record_is_taken_rightly_or_kept_out_with_its_reason(
    source: str, workspace: Workspace, landed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bluemirror.landing.formats.relational.UNPACKED_BYTES", 32 << 20)
    shutil.copy(FOLDER / f"{source}.odcs.yaml", workspace.contracts_dir)
    contract = read_contract(workspace.contracts_dir / f"{source}.odcs.yaml")
    rng = random.Random(source)
    shape = Shape(contract)
    # Simulated records have all their parts; where there are none that can be read plainly, the contract is enough.
    bases = sound(shape, landed_records(shape, landed / source, 12))
    if len(bases) < ENOUGH:
        bases += valid_records(contract, rng, 10)
    assert bases, "no valid record was found: the rules leave nothing, or the search does not reach it"
    count = -(-RECORDS // len(SOURCES))
    fresh = Fresh(shape, bases, rng, count + 80)
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret that no report may fetch")
    cases: list[Case] = []
    forms = contract.landing.formats
    for form in forms:
        cases += record_cases(contract, shape, fresh, -(-count // len(forms)), form, rng)
        cases += file_cases(contract, shape, fresh, form, str(secret))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    names, outcome = bring_in(workspace, contract, cases)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    tally = compare(contract, names, cases, outcome, KEY)
    FIGURES[source] = tally
    assert not tally.complaints, f"{len(tally.complaints)} complaints:\n" + "\n".join(tally.complaints[:15])
    counts = outcome.counts
    assert counts["in"] == counts["accepted"] + counts["quarantined"] == tally.records
    assert counts["accepted"] == tally.accepted > 0
    assert counts["quarantined"] == tally.quarantined + tally.held
    assert grown < MIB_MORE, f"{grown:.0f} MiB more"
    needles = Needles(raw_values(shape, cases) | {secret.read_text(): "the secret"})
    (workspace.data / "said.txt").write_text("\n".join([str(outcome.report), *outcome.log]), encoding="utf-8")
    searched = search(workspace.data, needles)
    texts = [
        item for table in contract.tables for item in table.fields if item.personal and item.type == "string"
    ]
    assert len(needles) > 1 or not [item for item in texts if not item.drop]
    assert searched.findings == []


def test_figures() -> None:
    """How much was tried; runs last, and asks only of a whole run."""
    total = sum(tally.records for tally in FIGURES.values())
    for source, tally in FIGURES.items():
        sys.stdout.write(
            f"{source:>16}: {tally.records:6,} records = {tally.accepted:6,} accepted + "
            f"{tally.quarantined:6,} quarantined alone + {tally.held:5,} with their files, {len(tally.by_rule)} rules\n"
        )
    sys.stdout.write(f"{'all':>16}: {total:,} records of {len(FIGURES)} sources\n")
    if len(FIGURES) == len(SOURCES):
        assert total >= 10_000
