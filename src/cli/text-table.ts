import { cutTo, displayWidth } from "../base/terminal.js";

/** A column: its heading, and whether its cells stand at the right, as numbers do. */
export interface Column {
  readonly head: string;
  readonly right?: boolean;
}

/**
 * A table as lines of plain text. The first column gives way where a terminal is narrow, and what is too long there is
 * cut.
 * @param width columns of the terminal
 */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[], width = 80): string[] {
  const widths = columns.map(({ head }, at) =>
    Math.max(displayWidth(head), ...rows.map((row) => displayWidth(row[at] ?? ""))),
  );
  const others = widths.slice(1).reduce((sum, one) => sum + one + GAP, 0);
  widths[0] = Math.max(SHORTEST, Math.min(widths[0] as number, width - others));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, at) => {
        const room = widths[at] as number;
        const text = cutTo(cells[at] ?? "", room);
        const space = " ".repeat(room - displayWidth(text));
        return right ? space + text : text + space;
      })
      .join(" ".repeat(GAP))
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...rows.map(line)];
}

const GAP = 2;
/** The first column is never narrower. */
const SHORTEST = 8;

/** Columns of a terminal; 80 where there is none. */
export const terminalWidth = (stream: NodeJS.WriteStream = process.stdout): number => stream.columns || 80;
