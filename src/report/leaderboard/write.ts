import type { GroupMean } from "../../evaluate/index.js";
import type { BoardCell, BoardRow, BoardSection, Leaderboard } from "./types.js";

export const boardFormats = ["markdown", "csv", "latex", "json"] as const;
export type BoardFormat = (typeof boardFormats)[number];

export interface WriteBoardOptions {
  /** Whether each cell has its interval; means have theirs in any case. */
  readonly intervals?: boolean;
}

/** A leaderboard as text. */
export function writeLeaderboard(board: Leaderboard, format: BoardFormat, options: WriteBoardOptions = {}): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(board, null, 2)}\n`;
    case "csv":
      return csv(board);
    case "markdown":
      return board.sections.map((section) => markdown(board, section, options)).join("\n\n");
    case "latex":
      return board.sections.map((section) => latex(board, section, options)).join("\n");
    default:
      return format satisfies never;
  }
}

/** What stands over a section: the protocol that its entries share. */
export const sectionTitle = ({ task, sample, protocol, shots }: BoardSection): string =>
  `${task}, protocol ${protocol}, ${shots}-shot${sample ? " (embedded sample: means nothing about the data set)" : ""}`;

/** Place, and `=` where others of the section do not differ beyond noise. */
export const rankInWords = ({ rank, ties }: BoardRow): string =>
  rank === undefined ? "–" : `${rank}${ties.length ? " =" : ""}`;

export const signsOf = ({ cautions }: BoardRow): string =>
  [...new Set(cautions.map(({ sign }) => sign))].sort().join("");

const share = (value: number): string => (100 * value).toFixed(1);
const between = ([low, high]: readonly [number, number]): string =>
  `${share(Math.max(0, low))}–${share(Math.min(1, high))}`;

const meanText = (mean: GroupMean | undefined): string =>
  mean ? `${share(mean.mean)} (${between(mean.interval)})` : "–";
const cellText = (cell: BoardCell | undefined, intervals: boolean): string =>
  cell ? `${share(cell.accuracy)}${intervals ? ` (${between(cell.interval)})` : ""}` : "–";

/** Below a table: what ranks and signs mean, and each row's cautions. */
export function sectionNotes({ rows, level, settings }: BoardSection): string[] {
  const several = rows.length > 1;
  const told = Object.entries(settings)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [
    "Accuracy in percent. Mean: the plain mean of languages; all: over rows; with 95 % intervals clustered by " +
      "question.",
    ...(several
      ? [
          "Rank: one more than there are others that are better beyond noise; = where some are not told apart from " +
            `it (paired where rows are shared, each pair at ${(100 * level).toFixed(2)} %, so that all hold together ` +
            "at 95 %).",
        ]
      : []),
    ...rows.flatMap(({ model, runs, cautions }) =>
      cautions.map(({ sign, why }) => `${sign} ${model}${runs.length ? ` (${runs.join(", ")})` : ""}: ${why}.`),
    ),
    ...(told.length ? [`Settings: ${told.join(", ")}.`] : []),
  ];
}

const HEAD = ["rank", "model", "split", "rows", "mean", "all"] as const;

/** A section with the columns alone of which it has any accuracy. */
export function ownColumns(
  { columns: { names } }: Pick<Leaderboard, "columns">,
  section: BoardSection,
): { readonly names: readonly string[]; readonly section: BoardSection } {
  const places = names.flatMap((_, at) => (section.rows.some(({ cells }) => cells[at]) ? [at] : []));
  return {
    names: places.map((at) => names[at]!),
    section: { ...section, rows: section.rows.map((row) => ({ ...row, cells: places.map((at) => row.cells[at]) })) },
  };
}

/** A model's name as a table has it: with its runs where another row has the same. */
function nameIn({ rows }: BoardSection, row: BoardRow): string {
  if (row.source === "published") return `${row.model} (published)`;
  const several = rows.filter(({ model }) => model === row.model).length > 1;
  return several ? `${row.model} (${row.runs.join(", ")})` : row.model;
}

const textCells = (section: BoardSection, row: BoardRow, intervals: boolean): string[] => [
  rankInWords(row),
  `${nameIn(section, row)}${signsOf(row) ? ` ${signsOf(row)}` : ""}`,
  row.split,
  row.n.toLocaleString("en"),
  meanText(row.mean),
  cellText(row.all, true),
  ...row.cells.map((cell) => cellText(cell, intervals)),
];

function markdown(board: Leaderboard, whole: BoardSection, { intervals = false }: WriteBoardOptions): string {
  const { names, section } = ownColumns(board, whole);
  const escaped = (text: string): string => text.replace(/[\\|]/g, "\\$&").replaceAll(/\s+/g, " ");
  const head = [...HEAD, ...names].map(escaped);
  const body = section.rows.map((row) => textCells(section, row, intervals).map(escaped));
  const widths = head.map((name, at) =>
    Math.max(3, ...[name, ...body.map((cells) => cells[at]!)].map(({ length }) => length)),
  );
  const isText = (at: number): boolean => at === 1 || at === 2;
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (isText(at) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(" | ")} |`;
  const ruled = widths.map((width, at) => (isText(at) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const rule = `| ${ruled.join(" | ")} |`;
  const notes = sectionNotes(section).map((note) => `- ${note}`);
  return [`### ${escaped(sectionTitle(section))}`, "", line(head), rule, ...body.map(line), "", ...notes, ""].join(
    "\n",
  );
}

const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "–": "--",
  "≠": "$\\neq$",
  "†": "$\\dagger$",
  "≤": "$\\leq$",
};

function latex(board: Leaderboard, whole: BoardSection, { intervals = false }: WriteBoardOptions): string {
  const { names, section } = ownColumns(board, whole);
  const escaped = (text: string): string =>
    text.replace(/[&%$#_{}]|[\\~^–≠†≤]/g, (sign) => LATEX[sign] ?? `\\${sign}`).replaceAll(/\s+/g, " ");
  const row = (cells: readonly string[]): string => `${cells.map(escaped).join(" & ")} \\\\`;
  return [
    `% ${sectionTitle(section).replaceAll(/\s+/g, " ")}; needs the package booktabs`,
    `\\begin{tabular}{rllr${"r".repeat(2 + names.length)}}`,
    "\\toprule",
    row([...HEAD, ...names]),
    "\\midrule",
    ...section.rows.map((one) => row(textCells(section, one, intervals))),
    "\\bottomrule",
    "\\end{tabular}",
    ...sectionNotes(section).map((note) => `% ${note.replaceAll(/\s+/g, " ")}`),
    "",
  ].join("\n");
}

function csv({ columns, sections }: Leaderboard): string {
  const field = (value: string | number | boolean | undefined): string => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const three = (name: string): string[] => [name, `${name} low`, `${name} high`];
  const valuesOf = (value?: number, interval?: readonly [number, number]) => [value, interval?.[0], interval?.[1]];
  const head = [
    ...["task", "sample", "protocol", "shots", "rank", "ties", "signs", "model", "source", "runs", "split", "rows"],
    ...["mean", "all", ...columns.names].flatMap(three),
  ];
  const lines = sections.flatMap((section) =>
    section.rows.map((row) => [
      ...[section.task, section.sample, section.protocol, section.shots, row.rank, row.ties.join("; ")],
      ...[signsOf(row), row.model, row.source, row.runs.join("; "), row.split, row.n],
      ...valuesOf(row.mean?.mean, row.mean?.interval),
      ...[row.all, ...row.cells].flatMap((cell) => valuesOf(cell?.accuracy, cell?.interval)),
    ]),
  );
  return `${[head, ...lines].map((cells) => cells.map(field).join(",")).join("\r\n")}\r\n`;
}
