"""The suite of a table, run by Great Expectations over DuckDB: quiet on good rows, and loud on each bad one."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from bluemirror.contracts import DUCKDB_TYPES, read_contract

pytest.importorskip("great_expectations", reason="needs the extra: pip install bluemirror[quality]")
pytest.importorskip("duckdb_engine", reason="needs the extra: pip install bluemirror[quality]")

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: shop
name: Shop answers
version: 1.0.0
status: active
domain: retail
description: {purpose: what a person bought}
customProperties:
  - {property: nameZh, value: 商店}
  - {property: stages, value: [pre]}
  - {property: legalBasis, value: consent}
  - {property: authorisation, value: one for each query}
  - {property: landing, value: {formats: [jsonl], complete: _DONE.json}}
  - {property: answerValidDays, value: 30}
  - {property: lateness, value: {policy: go_on, afterHours: 36}}
  - {property: priceByResult, value: {hit: 0.5}}
schema:
  - name: shop
    description: one row an answer
    customProperties:
      - {property: kind, value: answer}
      - {property: eventTime, value: {field: report_ts}}
      - {property: knownTime, value: {field: report_ts}}
    properties:
      - {name: req_id, logicalType: string, required: true, primaryKey: true, description: request,
         customProperties: [{property: nameZh, value: 请求}]}
      - {name: phone, logicalType: string, classification: personal, description: phone,
         customProperties: [{property: nameZh, value: 手机},
                            {property: key, value: {entity: phone, form: plain, forms: [plain, md5]}}]}
      - {name: report_ts, logicalType: timestamp, required: true, description: answered,
         customProperties: [{property: nameZh, value: 应答}]}
      - {name: level, logicalType: string, description: level,
         customProperties: [{property: nameZh, value: 等级}, {property: codes, value: {a: high, b: low}}]}
      - {name: city, logicalType: string, description: city, logicalTypeOptions: {pattern: "^[0-9]{6}$", maxLength: 6},
         customProperties: [{property: nameZh, value: 城市}]}
      - {name: spent, logicalType: number, physicalType: amount, description: spent,
         logicalTypeOptions: {minimum: 1, maximum: 100}, customProperties: [{property: nameZh, value: 消费}]}
    quality:
      - {type: custom, engine: bluemirror, name: low_spends_little, severity: warning,
         implementation: "level = 'a' or spent <= 5000 or city = ':{x}'"}
      - type: custom
        engine: bluemirror
        name: has_items
        severity: error
        customProperties: [{property: scope, value: document}]
        implementation: "SELECT s._doc FROM shop s LEFT JOIN shop_item i ON i._doc = s._doc WHERE i._doc IS NULL"
      - {metric: rowCount, severity: warning, mustBeLessThan: 3}
  - name: shop_item
    description: one row an item
    customProperties:
      - {property: kind, value: answer}
      - {property: path, value: "items[]"}
      - {property: parent, value: shop}
    properties:
      - {name: req_id, logicalType: string, description: request, customProperties: [{property: nameZh, value: 请求}]}
      - {name: day, logicalType: date, required: true, description: day,
         customProperties: [{property: nameZh, value: 日期}], quality: [{metric: nullValues, severity: error, mustBe: 0}]}
    quality:
      - {type: custom, engine: bluemirror, name: not_later, severity: error,
         implementation: "day <= header.report_ts and req_id = header.req_id"}
"""
HASH = "0123456789abcdef" * 2
GOOD = {
    "req_id": "r1",
    "phone_plain": HASH,
    "phone_md5": HASH,
    "report_ts": "2024-01-02 10:00",
    "level": "b",
    "city": "310000",
    "spent": 5000,
    "event_time": "2024-01-02 10:00",
    "known_time": "2024-01-02 10:00",
    "_doc": 1,
    "_seq": 0,
    "_parent": None,
    "_delivery": "2024-01-02",
    "_file": "f",
    "_line": 1,
    "_deleted": False,
}
ITEM = {
    **{k: GOOD[k] for k in GOOD if k[0] == "_" or k.endswith("_time")},
    "req_id": "r1",
    "day": "2024-01-01",
    "_parent": 0,
}
SYSTEM = {
    "event_time": "TIMESTAMP",
    "known_time": "TIMESTAMP",
    "_doc": "BIGINT",
    "_seq": "INTEGER",
    "_parent": "INTEGER",
    "_delivery": "DATE",
    "_file": "VARCHAR",
    "_line": "INTEGER",
    "_deleted": "BOOLEAN",
}


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    file = tmp_path_factory.mktemp("contracts") / "shop.odcs.yaml"
    file.write_text(CONTRACT, encoding="utf-8")
    return read_contract(file)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A data source of Great Expectations whose connection stays open: DuckDB's results are lazy."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    path = tmp_path_factory.mktemp("mart") / "mart.duckdb"
    source = context.data_sources.add_sql("mart", connection_string=f"duckdb:///{path}")
    execution = source.get_execution_engine()
    connection = execution.engine.connect()

    @contextmanager
    def held():
        yield connection

    execution.get_connection = held
    yield source, connection
    connection.close()
    execution.engine.dispose()


def broken(engine, contract, answers, items, table="shop"):
    """Names of the rules that fail, as (rule, severity)."""
    import sqlalchemy as sa

    from bluemirror.contracts.expectations import suite

    source, connection = engine
    for item, rows in ((contract.tables[0], answers), (contract.tables[1], items)):
        columns = {**{name: DUCKDB_TYPES[kind] for name, kind in item.columns}, **SYSTEM}
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {item.name}"))
        connection.execute(
            sa.text(f"CREATE TABLE {item.name} ({', '.join(f'{k} {v}' for k, v in columns.items())})")
        )
        for row in rows:
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(sa.text(f"INSERT INTO {item.name} ({names}) VALUES ({values})"), row)
    connection.commit()
    if table in source.get_asset_names():
        source.delete_asset(table)
    batch = (
        source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("all").get_batch()
    )
    result = batch.validate(suite(contract.table(table)))
    for one in result.results:
        assert not one.exception_info.get("raised_exception"), one.exception_info
    metas = [one.expectation_config.meta for one in result.results if not one.success]
    return sorted((meta["rule"], meta["severity"]) for meta in metas)


def test_good_rows_pass(engine, contract):
    assert broken(engine, contract, [GOOD], [ITEM]) == []
    assert broken(engine, contract, [GOOD], [ITEM], "shop_item") == []


def test_empty_tables_pass(engine, contract):
    assert broken(engine, contract, [], []) == []
    assert broken(engine, contract, [], [], "shop_item") == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"req_id": None}, ("required: req_id", "error")),
        ({"known_time": None}, ("required: known_time", "error")),
        ({"phone_md5": "13800000000"}, ("keyed hash: phone", "error")),
        ({"level": "c", "spent": 100}, ("codes: level", "error")),
        ({"city": "31000x"}, ("pattern: city", "error")),
        ({"spent": 99}, ("bounds: spent", "error")),
        ({"spent": 10001, "level": "a"}, ("bounds: spent", "error")),
        ({"spent": 5001}, ("low_spends_little", "warning")),
    ],
)
def test_one_bad_value_fails_one_expectation(engine, contract, change, rule):
    assert broken(engine, contract, [{**GOOD, **change}], [ITEM]) == [rule]


def test_null_is_no_violation(engine, contract):
    nothing = dict.fromkeys(("phone_plain", "phone_md5", "level", "city", "spent"))
    assert broken(engine, contract, [{**GOOD, **nothing}], [ITEM]) == []


def test_two_versions_at_one_moment(engine, contract):
    again = {**GOOD, "_doc": 2, "_line": 2}
    both = [ITEM, {**ITEM, "_doc": 2}]
    assert broken(engine, contract, [GOOD, again], both) == [("one version at a time", "error")]
    later = {**again, "known_time": "2024-01-03 10:00"}
    assert broken(engine, contract, [GOOD, later], both) == []


def test_too_many_rows_in_a_delivery(engine, contract):
    rows = [{**GOOD, "req_id": f"r{i}", "_doc": i} for i in range(3)]
    items = [{**ITEM, "_doc": i} for i in range(3)]
    assert broken(engine, contract, rows, items) == [("row_count", "warning")]


def test_a_document_rule_looks_at_other_tables(engine, contract):
    assert broken(engine, contract, [GOOD], []) == [("has_items", "error")]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"day": "2024-01-03"}, [("not_later", "error")]),
        ({"req_id": "r2"}, [("not_later", "error")]),
        ({"day": None}, [("not_null_day", "error"), ("required: day", "error")]),
    ],
)
def test_a_childs_rule_sees_its_header(engine, contract, change, rules):
    assert broken(engine, contract, [GOOD], [{**ITEM, **change}], "shop_item") == rules


def test_deleted_rows_are_left_alone(engine, contract):
    assert broken(engine, contract, [{**GOOD, "_deleted": True, "spent": 5001}], [ITEM]) == []
