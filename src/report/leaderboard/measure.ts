import { clopperPearsonInterval, clusteredInterval, type GroupMean, groupMean } from "../../evaluate/index.js";
import type { RowAnswers, RowTable } from "./answers.js";
import type { BoardEntry } from "./entries.js";
import { PUBLISHED_ROWS } from "./published.js";
import type { BoardCell, BoardRow, ColumnKind } from "./types.js";

/** Whether a row counts, by number. */
export type Wanted = (row: number) => boolean;

/** An entry with what was measured of it. */
export interface Measured {
  readonly entry: BoardEntry;
  readonly row: Omit<BoardRow, "rank" | "ties" | "cautions">;
}

/** Measures an entry on the rows that are wanted. */
export function measured(
  entry: BoardEntry,
  table: RowTable,
  wanted: Wanted,
  columns: { kind: ColumnKind; names: readonly string[]; languages?: readonly string[] },
): Measured {
  const { model, source, runs, split, answers } = entry;
  const common = { model, source, runs, split };
  if (!answers) return { entry, row: { ...common, ...publishedRow(entry, columns) } };
  const rows = [...answers.rows()].filter(wanted);
  const { names, of } = partsOf(columns.kind, table);
  const byColumn = new Map<string, number[]>();
  for (const row of rows) {
    const name = names[of[row]!]!;
    const own = byColumn.get(name);
    if (own) own.push(row);
    else byColumn.set(name, [row]);
  }
  return {
    entry,
    row: {
      ...common,
      n: rows.length,
      ...(rows.length
        ? { mean: groupMean(rows.map((row) => rowOf(row, table, answers))), all: cellOf(rows, table, answers) }
        : {}),
      cells: columns.names.map((name) => {
        const own = byColumn.get(name);
        return own && cellOf(own, table, answers);
      }),
    },
  };
}

/** A row as a mean over languages takes it. */
export const rowOf = (row: number, table: RowTable, answers: RowAnswers) => ({
  question: table.question[row]!,
  group: table.language[row]!,
  right: answers.right(row),
});

function cellOf(rows: readonly number[], table: RowTable, answers: RowAnswers): BoardCell {
  const clusters = new Map<number, { n: number; correct: number }>();
  let correct = 0;
  for (const row of rows) {
    const cluster = clusters.get(table.question[row]!) ?? { n: 0, correct: 0 };
    clusters.set(table.question[row]!, cluster);
    cluster.n++;
    if (!answers.right(row)) continue;
    cluster.correct++;
    correct++;
  }
  return {
    accuracy: correct / rows.length,
    n: rows.length,
    interval: clusteredInterval([...clusters.values()]).interval,
  };
}

/** Half of the last place that is published. */
const ROUNDED = 0.0005;

/**
 * A published accuracy with an interval: as if all languages' rows of a question were one row (they are never more
 * alike than that), and wider by what rounding has taken.
 */
export function publishedMean(accuracies: readonly number[], level = 0.95): GroupMean {
  const mean = accuracies.reduce((a, b) => a + b, 0) / accuracies.length;
  const [low, high] = clopperPearsonInterval(mean * PUBLISHED_ROWS, PUBLISHED_ROWS, level);
  return { mean, interval: [low - ROUNDED, high + ROUNDED], groups: accuracies.length };
}

function publishedRow(
  { accuracies }: BoardEntry,
  { kind, names, languages }: { kind: ColumnKind; names: readonly string[]; languages?: readonly string[] },
): Pick<BoardRow, "n" | "mean" | "all" | "cells"> {
  const own = [...accuracies!].filter(([language]) => languages?.includes(language) ?? true);
  const n = own.length * PUBLISHED_ROWS;
  const cell = (accuracy: number): BoardCell => ({
    accuracy,
    n: PUBLISHED_ROWS,
    interval: publishedMean([accuracy]).interval,
  });
  const cells = names.map((name) => {
    const accuracy = kind === "languages" ? new Map(own).get(name) : undefined;
    return accuracy === undefined ? undefined : cell(accuracy);
  });
  if (own.length === 0) return { n, cells };
  const mean = publishedMean(own.map(([, accuracy]) => accuracy));
  return { n, mean, all: { accuracy: mean.mean, n, interval: mean.interval }, cells };
}

/** What a kind of column has by row: its names, and the number of each row's. */
export const partsOf = (kind: ColumnKind, table: RowTable): { names: readonly string[]; of: readonly number[] } =>
  ({
    languages: { names: table.languages.all, of: table.language },
    categories: { names: table.categories.all, of: table.category },
    subjects: { names: table.subjects.all, of: table.subject },
  })[kind];

/** The languages of an entry's rows. */
export function languagesOf({ entry }: Measured, table: RowTable, wanted: Wanted): string[] {
  if (entry.accuracies) return [...entry.accuracies.keys()];
  const found = new Set<number>();
  for (const row of entry.answers!.rows()) if (wanted(row)) found.add(table.language[row]!);
  return [...found].map((number) => table.languages.all[number]!);
}

/** An entry's mean over some of its languages. */
export function meanOn(
  { entry }: Measured,
  languages: readonly string[],
  table: RowTable,
  wanted: Wanted,
  level: number,
): GroupMean {
  if (entry.accuracies)
    return publishedMean(
      languages.map((name) => entry.accuracies!.get(name)!),
      level,
    );
  const answers = entry.answers!;
  const own = [...answers.rows()].filter(
    (row) => wanted(row) && languages.includes(table.languages.all[table.language[row]!]!),
  );
  return groupMean(
    own.map((row) => rowOf(row, table, answers)),
    level,
  );
}
