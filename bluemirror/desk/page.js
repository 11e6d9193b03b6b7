"use strict";
(() => {
  const table = document.querySelector("table.overview");
  const rows = () => [...table.tBodies[0].rows];

  // A click on a head sorts by its column: numbers downwards first, names upwards; empty cells last.
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => row.cells[column].dataset.v ?? "";
  heads.forEach((head, column) => {
    const sort = () => {
      const was = head.getAttribute("aria-sort");
      const number = head.classList.contains("n");
      const up = was ? was === "descending" : !number;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const sorted = rows().sort((a, b) => {
        const x = key(a, column), y = key(b, column);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = number ? Number(x) - Number(y) : x.localeCompare(y);
        return up ? order : -order;
      });
      table.tBodies[0].append(...sorted);
    };
    head.tabIndex = 0;
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
  });

  const text = document.getElementById("filter-text");
  const state = document.getElementById("filter-state");
  const domain = document.getElementById("filter-domain");
  const shown = document.getElementById("shown");
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    rows().forEach(row => {
      const fits = words.every(word => row.dataset.text.includes(word))
        && (!state.value || row.dataset.state === state.value || (state.value === "alerts" && row.dataset.state !== "ok"))
        && (!domain.value || row.dataset.domain === domain.value);
      row.hidden = !fits;
      left += fits;
    });
    shown.textContent = left;
  };
  [text, state, domain].forEach(tool => tool.addEventListener("input", filter));

  // A link to a source opens its detail.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();
})();
