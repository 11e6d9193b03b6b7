"use strict";
// Rows are drawn only where they are seen: a browser holds some fifty of them, however many variables there are.
const data = JSON.parse(document.getElementById("data").textContent);
const ROW = 44, HEAD = 30, AROUND = 8;
const NAME = 0, ZH = 1, EN = 2, UNIT = 3, WINDOW = 4, BLOCK = 5, FAMILY = 6, NULLS = 7, MEANING = 8, COLUMNS = 9, TABLE = 10;
const blocks = data.blocks, rows = data.rows;
for (const row of rows) {
  row.text = (row[NAME] + " " + row[ZH] + " " + row[EN]).toLowerCase();
}
const $ = (id) => document.getElementById(id);
let shown = rows;

function option(select, value, label) {
  const one = document.createElement("option");
  one.value = value;
  one.textContent = label;
  select.append(one);
}
new Map(blocks.map((block) => [block.name, block.zh])).forEach((zh, name) => option($("block"), name, name + " " + zh));
data.units.forEach((unit, place) => option($("unit"), String(place), unit));
data.windows.forEach((window, place) => option($("window"), String(place), window || "—"));
data.stages.forEach((stage) => option($("stage"), stage, stage));

function filter() {
  const words = $("words").value.toLowerCase().split(/[\s,;，；]+/).filter(Boolean);
  const block = $("block").value, unit = $("unit").value, window = $("window").value, stage = $("stage").value;
  shown = rows.filter((row) =>
    (block === "" || blocks[row[BLOCK]].name === block) &&
    (unit === "" || row[UNIT] === Number(unit)) &&
    (window === "" || row[WINDOW] === Number(window)) &&
    (stage === "" || blocks[row[BLOCK]].stages.includes(stage)) &&
    words.every((word) => row.text.includes(word)));
  $("count").textContent = shown.length.toLocaleString() + " / " + rows.length.toLocaleString();
  $("none").hidden = shown.length > 0;
  $("rows").style.height = shown.length * ROW + "px";
  $("table").scrollTop = 0;
  draw();
}

function cell(parent, text, small, kind) {
  const box = document.createElement("div");
  if (kind) box.className = kind;
  box.append(text);
  if (small) {
    const below = document.createElement("small");
    below.textContent = small;
    box.append(below);
  }
  parent.append(box);
}

function draw() {
  const top = Math.max(0, $("table").scrollTop - HEAD);
  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const last = Math.min(shown.length, Math.ceil((top + $("table").clientHeight) / ROW) + AROUND);
  const drawn = document.createDocumentFragment();
  for (let place = first; place < last; place++) {
    const row = shown[place], block = blocks[row[BLOCK]];
    const line = document.createElement("div");
    line.className = "row";
    line.tabIndex = 0;
    line.style.top = place * ROW + "px";
    line.dataset.place = String(place);
    const name = document.createElement("code");
    name.textContent = row[NAME];
    cell(line, name, row[FAMILY]);
    cell(line, row[ZH], row[EN]);
    cell(line, data.units[row[UNIT]]);
    cell(line, data.windows[row[WINDOW]]);
    cell(line, block.source, block.zh);
    cell(line, block.cost.toFixed(2), "", "number");
    drawn.append(line);
  }
  $("rows").replaceChildren(drawn);
}

function show(place) {
  const row = shown[place], block = blocks[row[BLOCK]];
  $("title").textContent = row[NAME];
  const facts = [["中文", row[ZH]], ["English", row[EN]], ["单位 unit", data.units[row[UNIT]]],
    ["窗口 window", data.windows[row[WINDOW]] || "—"], ["数据源 source", block.source],
    ["数据块 block, family", block.name + ", " + row[FAMILY]], ["来自 computed from", data.tables[row[TABLE]] + ": " + row[COLUMNS]],
    ["空值含义 null means", data.nulls[row[NULLS]]], ["可用阶段 stages", block.stages.join(", ")],
    ["数据成本 cost of a hit", block.cost.toFixed(2) + " yuan"], ["最早可用 first day", block.first || "—"],
    ["含义指纹 meaning", row[MEANING]]];
  $("facts").replaceChildren(...facts.flatMap(([what, value]) => {
    const term = document.createElement("dt"), said = document.createElement("dd");
    term.textContent = what;
    said.textContent = value;
    return [term, said];
  }));
  $("card").showModal();
}

let waiting = 0;
$("words").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
for (const id of ["block", "unit", "window", "stage"]) $(id).addEventListener("change", filter);
$("table").addEventListener("scroll", draw, { passive: true });
window.addEventListener("resize", draw);
$("rows").addEventListener("click", (event) => {
  const line = event.target.closest(".row");
  if (line) show(Number(line.dataset.place));
});
$("rows").addEventListener("keydown", (event) => {
  if (event.key === "Enter") show(Number(event.target.dataset.place));
});
$("card").addEventListener("click", (event) => { if (event.target === $("card")) $("card").close(); });
if (location.hash.length > 1) $("words").value = decodeURIComponent(location.hash.slice(1));
filter();
