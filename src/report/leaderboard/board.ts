import { mmmlu } from "../../tasks/index.js";
import type { RowTable } from "./answers.js";
import type { BoardEntry } from "./entries.js";
import { measured, partsOf, type Wanted } from "./measure.js";
import { sectionOf } from "./section.js";
import type { BoardOptions, BoardRow, ColumnKind, Leaderboard } from "./types.js";

/** Computes a leaderboard. */
export function leaderboard(entries: readonly BoardEntry[], table: RowTable, options: BoardOptions = {}): Leaderboard {
  const { columns: kind = "languages", sort = "mean" } = options;
  const wanted = wantedRows(table, options);
  const whole = options.categories === undefined && options.subjects === undefined;
  // Published figures are by language alone.
  const shown = entries.filter(({ source }) => source === "run" || whole);
  const names = columnNames(kind, shown, table, wanted, options);
  const groups = new Map<string, BoardEntry[]>();
  for (const entry of shown) {
    const key = JSON.stringify([entry.sample, entry.task, entry.protocol.name, entry.protocol.shots]);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const sections = [...groups.values()].map((group) =>
    sectionOf(
      group.map((entry) => measured(entry, table, wanted, { kind, names, languages: options.languages })),
      table,
      wanted,
    ),
  );
  return {
    columns: { kind, names },
    sort,
    sections: sections
      .filter(({ rows }) => rows.length > 0)
      .sort(
        (a, b) =>
          Number(a.sample) - Number(b.sample) ||
          order(a.task, b.task) ||
          order(a.protocol, b.protocol) ||
          a.shots - b.shots,
      )
      .map((section) => ({ ...section, rows: sorted(section.rows, sort, names) })),
  };
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By row: whether it counts. */
function wantedRows(table: RowTable, { languages, categories, subjects }: BoardOptions): Wanted {
  const among = (all: readonly string[], chosen: readonly string[] | undefined): readonly boolean[] =>
    all.map((name) => chosen?.includes(name) ?? true);
  const [language, category, subject] = [
    among(table.languages.all, languages),
    among(table.categories.all, categories),
    among(table.subjects.all, subjects),
  ];
  return (row) => language[table.language[row]!]! && category[table.category[row]!]! && subject[table.subject[row]!]!;
}

/** MMMLU's languages in their order, then the others and all else by name. */
function columnNames(
  kind: ColumnKind,
  entries: readonly BoardEntry[],
  table: RowTable,
  wanted: Wanted,
  { languages }: BoardOptions,
): string[] {
  const { names, of } = partsOf(kind, table);
  const found = new Set<string>();
  for (const { answers, accuracies } of entries) {
    if (answers) for (const row of answers.rows()) if (wanted(row)) found.add(names[of[row]!]!);
    if (accuracies && kind === "languages")
      for (const name of accuracies.keys()) if (languages?.includes(name) ?? true) found.add(name);
  }
  const known = Object.keys(mmmlu.languages);
  const place = (name: string): number => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...found].sort((a, b) => place(a) - place(b) || order(a, b));
}

function sorted(rows: readonly BoardRow[], sort: string, names: readonly string[]): BoardRow[] {
  if (sort === "model") return [...rows].sort((a, b) => order(a.model, b.model));
  const value = (row: BoardRow): number =>
    (sort === "mean"
      ? row.mean?.mean
      : sort === "all"
        ? row.all?.accuracy
        : row.cells[names.indexOf(sort)]?.accuracy) ?? -1;
  return [...rows].sort((a, b) => value(b) - value(a) || order(a.model, b.model));
}
