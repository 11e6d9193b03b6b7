"""Lineage by name, both ways, as values and as text of 80 columns."""

from __future__ import annotations

import json

import pytest

from bluemirror.cli.main import main
from bluemirror.errors import BluemirrorError
from bluemirror.features import apply, open_store, publish_service
from bluemirror.features.lineage import trace
from bluemirror.variables import build
from bluemirror.workspace import Workspace

INPUTS = ["repay_due_d7p_6m_cnt", "repay_due_12m_due_sum"]


@pytest.fixture
def registered(copied: Workspace) -> Workspace:
    publish_service(copied, "card", 1, INPUTS, observation_set="month", owner="modelling")
    publish_service(copied, "card", 2, INPUTS[:1], observation_set="month", owner="modelling")
    return copied


def test_from_a_model_to_its_sources(registered: Workspace) -> None:
    newest, first = trace(registered, "card"), trace(registered, "card_v1")
    assert [one.name for one in newest.variables] == INPUTS[:1]
    assert {one.name for one in first.variables} == set(INPUTS)
    (source,) = first.sources
    assert (source.source, source.contract_version, source.cost_yuan) == ("loan_instalment", "1.0.0", 0.0)
    assert {"days_late", "amount_due", "person_id"} <= set(source.tables["loan_instalment"])
    assert "channel" not in source.tables["loan_instalment"]
    assert "amount_due" not in newest.sources[0].tables["loan_instalment"]
    assert first.blocks == {"repay": 2}


def test_from_a_source_to_the_models(registered: Workspace) -> None:
    whole = trace(registered, "loan_instalment")
    assert {one.service: one.inputs for one in whole.models} == {
        "card_v1": tuple(sorted(INPUTS)),
        "card_v2": tuple(INPUTS[:1]),
    }
    due = trace(registered, "loan_instalment.amount_due")
    assert [one.service for one in due.models] == ["card_v1"]
    assert due.models[0].inputs == (INPUTS[1],)
    assert all(
        "due_sum" in n or "due_mean" in n or "paid_share" in n for n in (v.name for v in due.variables)
    )
    assert trace(registered, "loan_instalment.channel").models == ()
    assert [one.service for one in trace(registered, INPUTS[1]).models] == ["card_v1"]
    assert len(trace(registered, "repay").models) == 2


def test_a_version_is_traced_as_it_was_declared(registered: Workspace) -> None:
    family = next(registered.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    family.write_text(text.replace("of: amount_due, as: due", "of: amount_paid, as: due"), encoding="utf-8")
    build(registered, "month")
    read = trace(registered, "card_v1").sources[0].tables["loan_instalment"]
    assert "amount_due" in read
    assert "amount_paid" not in read
    assert [one.service for one in trace(registered, "loan_instalment.amount_due").models] == ["card_v1"]
    paid = trace(registered, "loan_instalment.amount_paid")
    assert INPUTS[1] in {one.name for one in paid.variables}
    assert paid.models == ()


def test_unknown_names_get_near_ones(registered: Workspace) -> None:
    with pytest.raises(BluemirrorError, match="nothing is called 'loan_instalmen'") as error:
        trace(registered, "loan_instalmen")
    assert "did you mean loan_instalment" in str(error.value)
    with pytest.raises(BluemirrorError, match="0 tables of loan_instalment have a column nothing"):
        trace(registered, "loan_instalment.nothing")


@pytest.mark.parametrize(
    "name", ["card", "card_v1", "repay", INPUTS[0], "loan_instalment", "loan_instalment.channel"]
)
def test_the_text_fits_a_terminal(
    registered: Workspace, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["--workspace", str(registered.root), "lineage", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("loan_instalment 1.0.0: Loan instalments" in line for line in lines)
    assert main(["--workspace", str(registered.root), "lineage", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sources"][0]["contract_version"] == "1.0.0"


def test_the_pages_of_feast_tell_it(registered: Workspace) -> None:
    apply(registered)
    store = open_store(registered)
    block = next(view for view in store.list_feature_views() if view.name.startswith("repay__"))
    assert block.tags["tables"] == "loan_instalment"
    assert block.tags["contracts"] == "loan_instalment 1.0.0"
    service = store.get_feature_service("card_v1")
    assert service.owner == "modelling"
    assert service.tags["contracts"] == "loan_instalment 1.0.0"
    assert service.tags["lineage"] == "bluemirror lineage card_v1"
