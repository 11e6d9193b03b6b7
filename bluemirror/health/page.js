"use strict";
// Variables are drawn only where they are seen: a browser holds some twenty of them, however many there are.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = Object.fromEntries(data.columns.map((name, place) => [name, place]));
  const ROW = 44, HEAD = 32, AROUND = 6, rows = data.rows;
  const $ = id => document.getElementById(id);
  const get = (row, name) => row[at[name]];
  for (const row of rows) {
    row.text = (get(row, "variable") + " " + get(row, "zh") + " " + get(row, "en")).toLowerCase();
  }
  let shown = rows, by = "psi_week";

  const number = value => value === null ? "–" : Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3)
    ? value.toExponential(2) : Number(value.toPrecision(4)).toLocaleString("en");
  const percent = value => value === null ? "–" : (100 * value).toFixed(value > 0 && value < 0.01 ? 2 : 1) + "%";
  const reasons = row => data.reasons.map((name, place) => [name, row[at.missing + place]]);
  const total = row => data.sets[get(row, "set")].recent;

  const of = {
    all: () => true,
    moved_week: row => get(row, "moved") & 1,
    moved_training: row => get(row, "moved") & 2,
    look: row => get(row, "psi_training") >= data.look,
    silent: row => get(row, "coverage") === 0,
    constant: row => get(row, "coverage") > 0 && get(row, "minimum") === get(row, "maximum"),
  };
  const order = {
    variable: (a, b) => get(a, "variable").localeCompare(get(b, "variable")),
    coverage: (a, b) => get(a, "coverage") - get(b, "coverage"),
    zero_share: (a, b) => get(b, "zero_share") - get(a, "zero_share"),
    psi_week: (a, b) => (get(b, "moved") & 1) - (get(a, "moved") & 1) || get(b, "psi_week") - get(a, "psi_week"),
    psi_training: (a, b) => (get(b, "moved") & 2) - (get(a, "moved") & 2) || get(b, "psi_training") - get(a, "psi_training"),
  };

  function filter() {
    const words = $("words").value.toLowerCase().split(/[\s,;，；]+/).filter(Boolean);
    const source = $("source").value, state = of[$("what").value];
    shown = rows.filter(row => (source === "" || data.sources[get(row, "source")].split("+").includes(source))
      && state(row) && words.every(word => row.text.includes(word)));
    shown.sort((a, b) => order[by](a, b) || order.variable(a, b));
    $("found").textContent = shown.length.toLocaleString() + " / " + rows.length.toLocaleString();
    $("nothing").hidden = shown.length > 0;
    $("rows").style.height = shown.length * ROW + "px";
    $("list").scrollTop = 0;
    draw();
  }

  function cell(line, text, small, kind) {
    const box = document.createElement("div");
    if (kind) box.className = kind;
    box.append(text);
    if (small) {
      const below = document.createElement("small");
      below.textContent = small;
      box.append(below);
    }
    line.append(box);
    return box;
  }

  function bar(row) {
    const box = document.createElement("div"), parts = [["answered", get(row, "present")], ...reasons(row)];
    box.className = "bar";
    for (const [name, count] of parts) {
      if (!count) continue;
      const part = document.createElement("i");
      part.className = name;
      part.style.width = 100 * count / total(row) + "%";
      box.append(part);
    }
    box.title = parts.filter(([, count]) => count).map(([name, count]) => (name === "answered" ? "value" : name.replaceAll("_", " ")) + " " + count).join(", ");
    return box;
  }

  const psi = (line, row, name, bit) => cell(line, get(row, "psi_" + name) === null ? "–" : get(row, "psi_" + name).toFixed(3), "",
    "n " + (get(row, "moved") & bit ? "moved" : get(row, "psi_" + name) >= data.look ? "look" : ""));

  function draw() {
    const top = Math.max(0, $("list").scrollTop - HEAD);
    const first = Math.max(0, Math.floor(top / ROW) - AROUND);
    const last = Math.min(shown.length, Math.ceil((top + $("list").clientHeight) / ROW) + AROUND);
    const drawn = document.createDocumentFragment();
    for (let place = first; place < last; place++) {
      const row = shown[place], line = document.createElement("div"), name = document.createElement("code");
      line.className = "row";
      line.tabIndex = 0;
      line.style.top = place * ROW + "px";
      line.dataset.place = String(place);
      name.textContent = get(row, "variable");
      cell(line, name, data.sources[get(row, "source")]);
      cell(line, get(row, "zh"), get(row, "en"));
      cell(line, bar(row));
      cell(line, percent(get(row, "coverage")), "训练 " + percent(get(row, "training_coverage")), "n");
      cell(line, number(get(row, "mean")), "训练 " + number(get(row, "training_mean")), "n");
      cell(line, percent(get(row, "zero_share")), "", "n");
      psi(line, row, "week", 1);
      psi(line, row, "training", 2);
      drawn.append(line);
    }
    $("rows").replaceChildren(drawn);
  }

  function show(place) {
    const row = shown[place], set = data.sets[get(row, "set")];
    $("title").textContent = get(row, "variable");
    const quantiles = data.quantiles.map((name, step) => name + " " + number(row[at.quantiles + step])).join(" · ");
    const facts = [["中文", get(row, "zh")], ["English", get(row, "en")], ["数据源 source", data.sources[get(row, "source")]],
      ["观察 observations", `${set.recent.toLocaleString()} (${set.name}, ${set.week})`],
      ["覆盖率 coverage", `${percent(get(row, "coverage"))}, 训练窗口 training ${percent(get(row, "training_coverage"))}`],
      ["缺失原因 missing", reasons(row).filter(([, count]) => count).map(([name, count]) => `${name.replaceAll("_", " ")} ${count.toLocaleString()}`).join(", ") || "–"],
      ["均值、标准差 mean, std", `${number(get(row, "mean"))}, ${number(get(row, "std"))}; 训练均值 training mean ${number(get(row, "training_mean"))}`],
      ["分位数 quantiles", `${number(get(row, "minimum"))} · ${quantiles} · ${number(get(row, "maximum"))}; 训练中位数 training p50 ${number(get(row, "training_p50"))}`],
      ["零值占比 zeros", percent(get(row, "zero_share"))],
      ["PSI 上周 last week", `${number(get(row, "psi_week"))}, 限 limit ${number(get(row, "limit_week"))}${get(row, "moved") & 1 ? " — 突变 moved" : ""}`],
      ["PSI 训练 training", `${number(get(row, "psi_training"))}, 限 limit ${number(get(row, "limit_training"))}${get(row, "moved") & 2 ? " — 偏离 moved" : ""}`]];
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
  for (const id of ["source", "what"]) $(id).addEventListener("change", filter);
  $("list").addEventListener("scroll", draw, { passive: true });
  window.addEventListener("resize", draw);
  for (const button of document.querySelectorAll(".row.head button")) {
    button.addEventListener("click", () => {
      document.querySelectorAll(".row.head button").forEach(other => other.removeAttribute("aria-sort"));
      button.setAttribute("aria-sort", "descending");
      by = button.dataset.by;
      filter();
    });
  }
  $("rows").addEventListener("click", event => {
    const line = event.target.closest(".row");
    if (line) show(Number(line.dataset.place));
  });
  $("rows").addEventListener("keydown", event => { if (event.key === "Enter") show(Number(event.target.dataset.place)); });
  $("card").addEventListener("click", event => { if (event.target === $("card")) $("card").close(); });
  // A link to a source's variables: #variables-of-<source>.
  const open = () => {
    const found = decodeURIComponent(location.hash).match(/^#variables-of-(.+)$/);
    if (!found) return;
    $("source").value = found[1];
    $("what").value = "all";
    filter();
    $("variables").scrollIntoView();
  };
  addEventListener("hashchange", open);
  filter();
  open();
})();
