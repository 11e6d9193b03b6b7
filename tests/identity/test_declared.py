"""What can be written wrongly in entities.yaml, and what the error says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bluemirror.contracts import read_contracts
from bluemirror.errors import IdentityError
from bluemirror.identity.declared import is_declared, read_declared
from bluemirror.workspace import Workspace
from tests.identity.small_bank import HERE


@pytest.fixture
def said() -> dict:
    return yaml.safe_load((HERE / "entities.yaml").read_text(encoding="utf-8"))


def read(root: Path, said: dict):
    (root / "feature_repo").mkdir()
    (root / "workspace.yaml").write_text("name: small\n")
    (root / "feature_repo" / "entities.yaml").write_text(
        yaml.safe_dump(said, allow_unicode=True), encoding="utf-8"
    )
    return read_declared(Workspace.open(root), read_contracts(HERE / "contracts"))


def test_read(tmp_path, said):
    declared = read(tmp_path, said)
    assert list(declared.links) == sorted(said["links"])
    assert declared.sources == ("clients", "vendor", "visits")
    assert declared.links["person_phone"].seen[1].role == "role"


def test_absent(tmp_path):
    (tmp_path / "workspace.yaml").write_text("name: small\n")
    workspace = Workspace.open(tmp_path)
    assert not is_declared(workspace)
    with pytest.raises(IdentityError, match="declares no entities"):
        read_declared(workspace, {})


@pytest.mark.parametrize(
    ("change", "message", "field"),
    [
        (lambda s: s.pop("links"), "has no links", None),
        (lambda s: s["entities"]["phone"].update(key="phne"), "unknown key 'phne'", "entities.phone.key"),
        (lambda s: s["entities"]["address"].update(spelt="person"), "unknown kind of parts", "entities.address.spelt"),
        (lambda s: s["links"]["person_phone"].update(to="fone"), "unknown entity 'fone'", "links.person_phone.to"),
        (lambda s: s["links"]["person_phone"]["seen"][0].update(table="client"), "unknown table 'client'", "links.person_phone.seen.table"),
        (lambda s: s["links"]["person_phone"]["seen"][0].update(to="fone"), "unknown field of clients 'fone'", "links.person_phone.seen.to"),
        (lambda s: s["links"]["person_phone"]["seen"][0].update(to="home"), "home is no key of phone", "links.person_phone.seen.to"),
        (lambda s: s["links"]["person_phone"]["seen"][0].update(holds_days=3), "holds_days on a state", "links.person_phone.seen.holds_days"),
        (lambda s: s["links"]["person_phone"]["seen"][1].update({"as": "own"}), "role and as in one entry", "links.person_phone.seen.as"),
        (lambda s: s["links"]["person_phone"]["seen"][1].update(holds_days=0), "holds_days is", "links.person_phone.seen.holds_days"),
        (lambda s: s["links"]["person_address"]["seen"][0].update(to="phone"), "phone is no key of address", "links.person_address.seen.to"),
        (lambda s: s["matches"]["address"].update(threshold=1.5), "threshold is 1.5", "matches.address.threshold"),
        (lambda s: s["matches"]["address"].update(table="clients"), "unknown key 'table'", "matches.address.table"),
        (lambda s: s["matches"]["person"].update(name="phone"), "phone is not taken apart", "matches.person.name"),
        (lambda s: s["matches"]["person"].update(agree=["birth"]), "unknown field of clients 'birth'", "matches.person.agree.0"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, said, change, message, field):
    change(said)
    with pytest.raises(IdentityError) as raised:
        read(tmp_path, said)
    text = str(raised.value)
    assert message in text
    assert "entities.yaml" in text
    assert raised.value.rule
    assert raised.value.fix
    if field is not None:
        assert raised.value.field is not None
        assert raised.value.field.replace(".0", "") == field.replace(".0", "")
