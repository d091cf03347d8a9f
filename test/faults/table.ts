import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../src/base/files.js";
import type { Outcome } from "./common.js";

const ROOT = join(import.meta.dirname, "..", "..");
const PAGE = join(ROOT, "docs", "reliability.md");
const [BEGIN, END] = ["<!-- table: npm run test:faults -->", "<!-- end of the table -->"];

const rowOf = ({ part, what, count, faults, seen }: Outcome): string =>
  `| ${[part, what, count.toLocaleString("en"), faults.length, new Date().toISOString().slice(0, 10), seen].map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;

const cellsOf = (row: string): string[] => row.split("|").map((cell) => cell.trim());
const keyOf = (row: string): string => cellsOf(row).slice(1, 3).join(" | ");

/** Puts outcomes into the table: a line of the same part and words is replaced, the others stay. */
export function writeTable(outcomes: readonly Outcome[]): void {
  if (!existsSync(PAGE)) return;
  const text = readFileSync(PAGE, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < 0) throw new Error(`${PAGE} has no place for the table`);
  const before = text
    .slice(begin, end)
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (part |-)/.test(line));
  const rows = new Map(before.map((row) => [keyOf(row), row]));
  for (const row of outcomes.map(rowOf)) rows.set(keyOf(row), row);
  const order = ["kills", "disks", "server", "files", "serving", "secrets"];
  const place = (row: string): number => order.indexOf(cellsOf(row)[1]!);
  const table = [
    BEGIN,
    "",
    "| part | what | tried | faults | on | seen |",
    "| ---- | ---- | ----: | -----: | -- | ---- |",
    ...[...rows.values()].sort((a, b) => place(a) - place(b)),
    "",
  ].join("\n");
  writeWhole(PAGE, `${text.slice(0, begin)}${table}${text.slice(end)}`);
  // The table is padded as the check of all pages has it.
  execFileSync(process.execPath, [join(ROOT, "node_modules/@biomejs/biome/bin/biome"), "check", "--write", PAGE], {
    cwd: ROOT,
    stdio: "ignore",
  });
}
