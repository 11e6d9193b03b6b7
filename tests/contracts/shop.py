"""A small contract that is right, and ways to change it."""

from __future__ import annotations

import yaml

GOOD = yaml.safe_load("""
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
  - {property: stages, value: [pre, mid]}
  - {property: legalBasis, value: consent}
  - {property: authorisation, value: one for each query}
  - {property: landing, value: {formats: [jsonl], complete: _DONE.json}}
  - {property: answerValidDays, value: 30}
  - {property: lateness, value: {policy: go_on, afterHours: 36}}
  - {property: priceByResult, value: {hit: 0.5, no_hit: 0}}
slaProperties: [{property: latency, value: 1, unit: d}]
schema:
  - name: shop
    description: one row an answer
    customProperties:
      - {property: kind, value: answer}
      - {property: eventTime, value: {field: report_ts}}
      - {property: knownTime, value: {field: report_ts}}
      - {property: hit, value: {field: found, "yes": ["1"]}}
    properties:
      - {name: req_id, logicalType: string, required: true, primaryKey: true, description: request,
         customProperties: [{property: nameZh, value: 请求}]}
      - {name: phone, logicalType: string, classification: personal, description: phone,
         customProperties: [{property: nameZh, value: 手机}, {property: key, value: {entity: phone, form: md5}}]}
      - {name: report_ts, logicalType: timestamp, required: true, description: answered,
         customProperties: [{property: nameZh, value: 应答}]}
      - {name: found, logicalType: string, required: true, description: found,
         customProperties: [{property: nameZh, value: 命中}, {property: codes, value: {"1": found, "0": nothing}}]}
      - {name: spent, logicalType: number, physicalType: amount, description: spent,
         logicalTypeOptions: {minimum: 0}, customProperties: [{property: nameZh, value: 消费}]}
    quality:
      - {type: custom, engine: bluemirror, name: found_spends, implementation: "found = '1' or spent is null",
         severity: error, dimension: consistency}
  - name: shop_item
    description: one row an item
    customProperties:
      - {property: kind, value: answer}
      - {property: path, value: "items[]"}
      - {property: parent, value: shop}
      - {property: eventTime, value: {field: day}}
    properties:
      - {name: day, logicalType: date, required: true, description: day,
         customProperties: [{property: nameZh, value: 日期}]}
      - {name: note, logicalType: string, description: note,
         customProperties: [{property: nameZh, value: 备注}, {property: drop, value: true}]}
    quality:
      - {type: custom, engine: bluemirror, name: not_later, implementation: "day <= header.report_ts",
         severity: error, dimension: consistency}
""")


def write(folder, value, name="shop"):
    file = folder / f"{name}.odcs.yaml"
    file.write_text(
        value if isinstance(value, str) else yaml.safe_dump(value, allow_unicode=True), encoding="utf-8"
    )
    return file


def own(spot, name):
    """The entry of a custom property."""
    return next(item for item in spot["customProperties"] if item["property"] == name)


def header(c):
    return c["schema"][0]


def child(c):
    return c["schema"][1]


def field(c, name):
    return next(f for table in c["schema"] for f in table["properties"] if f["name"] == name)


def put(spot, name, value):
    """Set a custom property, adding it if it is not there."""
    spot["customProperties"] = [i for i in spot["customProperties"] if i["property"] != name]
    spot["customProperties"].append({"property": name, "value": value})


def drop(spot, name):
    spot["customProperties"].remove(own(spot, name))


def level(c, name, value, **more):
    """Add a service level."""
    c["slaProperties"].append({"property": name, "value": value, **more})


def rule(c):
    return header(c)["quality"][0]
