/**
 * What a report does in the browser: light and dark, and a table of predictions of which only the rows in view are
 * in the document, so that 30,000 of them stay quick. Plain JavaScript, kept as text because it runs in the page.
 */
export const reportScript = `
(() => {
  "use strict";
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const stored = (() => { try { return localStorage.getItem("mmmlu-theme"); } catch { return null; } })();
  if (stored) root.dataset.theme = stored;
  button?.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("mmmlu-theme", root.dataset.theme); } catch {}
  });

  // What scrolls sideways can be scrolled by keyboard too.
  const reach = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth <= box.clientWidth + 1) { box.removeAttribute("tabindex"); continue; }
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", (box.closest("figure")?.querySelector("figcaption") ?? box.closest("section")?.querySelector("h2"))?.textContent ?? "scrolls sideways");
    }
  };
  reach();
  addEventListener("resize", reach);

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => { folded = [...document.querySelectorAll("details:not([open])")]; for (const one of folded) one.open = true; });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; folded = []; });

  const data = document.getElementById("predictions-data");
  const view = document.getElementById("predictions-view");
  if (!data || !view) return;
  const { columns, rows, texts, letters, stageTitles, unseen } = JSON.parse(data.textContent);
  const boxes = new RegExp(unseen, "g");
  const visible = (text) => text.replace(boxes, (one) => { const code = one.charCodeAt(0); return code < 256 ? "\\\\x" + code.toString(16).padStart(2, "0") : "\\\\u" + code.toString(16); });
  const at = Object.fromEntries(columns.map((name, index) => [name, index]));
  const HEIGHT = 37;
  const body = view.querySelector("tbody");
  const fields = Object.fromEntries(["search", "language", "subject", "stage", "outcome"].map((name) => [name, document.getElementById("filter-" + name)]));
  const count = document.getElementById("predictions-count");
  const detail = document.getElementById("detail");
  const outcome = (row) => row[at.prediction] === null ? "unreadable" : row[at.prediction] === row[at.answer] ? "right" : "wrong";
  const haystacks = new Array(rows.length);
  const haystack = (i) => haystacks[i] ??= (rows[i][at.id] + " " + rows[i][at.reply] + " " + (texts[rows[i][at.id]]?.join(" ") ?? "")).toLowerCase();
  for (const name of ["language", "subject", "stage"]) {
    for (const value of [...new Set(rows.map((row) => row[at[name]]))].sort()) fields[name].append(new Option(String(value).replaceAll("_", " "), value));
  }
  const stages = [...new Set(rows.map((row) => row[at.stage]))];
  fields.stage.closest("label").hidden = stages.length < 2;

  let shown = [];
  let selected = -1;
  const cell = (text, className) => { const td = document.createElement("td"); td.textContent = visible(text); if (className) td.className = className; td.title = text.length > 20 ? text : ""; return td; };
  const spacer = (height) => { const tr = document.createElement("tr"); tr.setAttribute("aria-hidden", "true"); tr.style.height = height + "px"; tr.style.cursor = "default"; return tr; };
  function draw() {
    const first = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - 8);
    const last = Math.min(shown.length, first + Math.ceil(view.clientHeight / HEIGHT) + 16);
    const fragment = document.createDocumentFragment();
    if (first > 0) fragment.append(spacer(first * HEIGHT));
    for (let k = first; k < last; k++) {
      const row = rows[shown[k]];
      const tr = document.createElement("tr");
      tr.tabIndex = k === Math.max(selected, first) ? 0 : -1;
      tr.dataset.place = k;
      tr.setAttribute("aria-rowindex", k + 2);
      tr.setAttribute("aria-selected", k === selected);
      const which = outcome(row);
      tr.append(cell(row[at.id]), cell(row[at.stage]), cell(row[at.answer]), cell(row[at.prediction] ?? "—"), cell(which, which), cell(row[at.reply], "reply"));
      tr.lastChild.dir = "auto";
      fragment.append(tr);
    }
    if (last < shown.length) fragment.append(spacer((shown.length - last) * HEIGHT));
    const focused = document.activeElement?.closest?.("#predictions-view tr[data-place]")?.dataset.place;
    body.replaceChildren(fragment);
    // A row that is drawn anew keeps the keyboard.
    if (focused !== undefined) body.querySelector('tr[data-place="' + focused + '"]')?.focus({ preventScroll: true });
  }
  function filter() {
    const needle = fields.search.value.trim().toLowerCase();
    shown = [];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (fields.language.value && row[at.language] !== fields.language.value) continue;
      if (fields.subject.value && row[at.subject] !== fields.subject.value) continue;
      if (fields.stage.value && row[at.stage] !== fields.stage.value) continue;
      if (fields.outcome.value && outcome(row) !== fields.outcome.value) continue;
      if (needle && !haystack(i).includes(needle)) continue;
      shown.push(i);
    }
    selected = -1;
    view.scrollTop = 0;
    view.querySelector("table").setAttribute("aria-rowcount", shown.length + 1);
    // A stage at a time: before and after training are no one figure.
    const shares = stages.map((stage) => {
      const own = shown.filter((i) => rows[i][at.stage] === stage);
      const right = own.filter((i) => outcome(rows[i]) === "right").length;
      return own.length ? (stages.length > 1 ? (stageTitles[stage] ?? stage) + ": " : "") + (100 * right / own.length).toFixed(1) + " % right" : "";
    }).filter(Boolean);
    count.textContent = [shown.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " rows", ...shares].join(", ");
    draw();
  }
  function select(place, focus) {
    if (place < 0 || place >= shown.length) return;
    selected = place;
    const row = rows[shown[place]];
    const top = place * HEIGHT;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + 2 * HEIGHT > view.scrollTop + view.clientHeight) view.scrollTop = top + 2 * HEIGHT - view.clientHeight;
    draw();
    if (focus) body.querySelector('tr[data-place="' + place + '"]')?.focus({ preventScroll: true });
    detail.replaceChildren();
    const line = (text, className, lang) => { const div = document.createElement("div"); div.textContent = visible(text); if (className) div.className = className; if (lang) { div.lang = lang; div.dir = "auto"; } detail.append(div); };
    const lang = String(row[at.language]).slice(0, 2).toLowerCase();
    line(row[at.id] + " · " + row[at.stage], "soft");
    const text = texts[row[at.id]];
    if (text) {
      line(text[0], "question", lang);
      text.slice(1).forEach((choice, k) => { const letter = letters[k]; line(letter + ") " + choice + (letter === row[at.answer] ? "  ← true" : "") + (letter === row[at.prediction] ? "  ← predicted" : ""), letter === row[at.prediction] ? "chosen" : "", lang); });
    } else line("The page holds no question texts: there are too many rows. True " + row[at.answer] + ", predicted " + (row[at.prediction] ?? "nothing readable"));
    line("Reply: " + (row[at.reply] || "(empty)"), "said");
    // Where mmmlu view serves the page, it shows the whole exchange.
    const ways = document.getElementById("row-by-row");
    if (ways) {
      const link = document.createElement("a");
      link.href = ways.getAttribute("href").slice(0, -1) + "?" + new URLSearchParams({ id: row[at.id], of: row[at.stage] });
      link.textContent = "The whole exchange";
      detail.append(link);
    }
  }
  let waiting = false;
  view.addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } });
  body.addEventListener("click", (event) => { const tr = event.target.closest("tr[data-place]"); if (tr) select(Number(tr.dataset.place), true); });
  body.addEventListener("keydown", (event) => {
    const tr = event.target.closest("tr[data-place]");
    if (!tr) return;
    if (event.key === "Escape") return detail.replaceChildren();
    const place = Number(tr.dataset.place);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: Math.min(shown.length - 1, place + 12), PageUp: Math.max(0, place - 12), Home: 0, End: shown.length - 1, Enter: place, " ": place }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(to, true);
  });
  let timer;
  for (const field of Object.values(fields)) field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 80); });
  filter();
})();
`;
