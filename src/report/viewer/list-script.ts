/** What the list of runs does in the browser: sorts by a column, filters, groups. Kept as text: it runs in the page. */
export const listScript = `
(() => {
  "use strict";
  const table = document.getElementById("runs-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const search = document.getElementById("runs-search");
  const group = document.getElementById("runs-group");
  const count = document.getElementById("runs-count");
  const value = (row, at) => row.cells[at].dataset.value;
  let by = -1, down = false;
  function draw() {
    const needle = search.value.trim().toLowerCase();
    const shown = rows.filter((row) => row.textContent.toLowerCase().includes(needle));
    const order = [...shown];
    if (by >= 0) {
      const all = shown.map((row) => value(row, by));
      const numeric = all.every((one) => one !== "" && !Number.isNaN(Number(one)));
      order.sort((a, b) => (down ? -1 : 1) * (numeric ? value(a, by) - value(b, by) : value(a, by).localeCompare(value(b, by))));
    }
    const at = heads.findIndex((head) => head.textContent.trim() === group.value);
    const parts = new Map();
    for (const row of order) { const key = at < 0 ? "" : value(row, at); parts.set(key, [...(parts.get(key) ?? []), row]); }
    body.replaceChildren();
    for (const [key, own] of parts) {
      if (at >= 0) {
        const tr = document.createElement("tr"), th = document.createElement("th");
        th.colSpan = heads.length; th.scope = "rowgroup"; th.textContent = group.value + ": " + key + " (" + own.length + ")";
        tr.append(th); body.append(tr);
      }
      body.append(...own);
    }
    count.textContent = shown.length === rows.length ? "" : shown.length + " of " + rows.length + " runs";
  }
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button"; button.className = "sort"; button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      down = by === at ? !down : at === heads.length - 1 || /^started/.test(button.textContent);
      by = at;
      heads.forEach((other, k) => k === at ? other.setAttribute("aria-sort", down ? "descending" : "ascending") : other.removeAttribute("aria-sort"));
      draw();
    });
  });
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  group.addEventListener("change", draw);
})();
`;
