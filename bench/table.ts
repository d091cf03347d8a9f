import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** A line of the table that `npm run bench` prints: what one side and another needed for the same work. */
export interface TableRow {
  /** What was done, and how much of it. */
  readonly what: string;
  /** Of both figures: `s`, `ms`, `MB` and `GiB` are better small, `rows/s` large. */
  readonly unit: "s" | "ms" | "MB" | "GiB" | "rows/s";
  readonly ours: number;
  /** What the other side needed; undefined where it did not run, and `missing` says why. */
  readonly theirs?: number;
  /** Whom the other side is, with versions. */
  readonly beside: string;
  /** By what it was seen that both did the same. */
  readonly same?: string;
  readonly missing?: string;
}

/** What a part of the table may be given: paths of programs, and how long it may take. */
export interface PartOptions {
  /** A Python that has reference/requirements.txt. */
  readonly python?: string;
  readonly "lm-eval"?: string;
  readonly inspect?: string;
  /** A Python that has xllamacpp, and a GGUF file. */
  readonly llama?: string;
  readonly gguf?: string;
  /** How often each side runs. */
  readonly rounds: number;
}

/** A part that cannot be measured here because of what it was not given: told, and no failure. */
export class NotGiven extends Error {}

/** A part of the table: some rows that are measured together. */
export interface Part {
  readonly about: string;
  /** Measures; what the other side lacks is said in its rows. @throws {NotGiven} for what our own side lacks */
  rows(options: PartOptions): Promise<readonly TableRow[]>;
}

/** The machine, and how busy it is. */
export function machine(): string {
  const git = (...words: string[]): string => {
    try {
      return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return "";
    }
  };
  const commit = git("rev-parse", "--short", "HEAD");
  return [
    `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `${process.platform} ${process.arch}, Node ${process.versions.node}`,
    ...(commit ? [`commit ${commit}${git("status", "--porcelain") ? " with changes" : ""}`] : []),
    `load ${loadavg()[0]!.toFixed(1)} before`,
  ].join("; ");
}

/** How many times better ours is: above 1 it is ahead. */
export const times = ({ unit, ours, theirs }: TableRow): number | undefined =>
  theirs === undefined ? undefined : unit === "rows/s" ? ours / theirs : theirs / ours;

const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2);

/** The table as Markdown, its columns under each other. */
export function written(rows: readonly TableRow[]): string {
  const head = ["what", "unit", "ours", "theirs", "times", "beside", "the same by"];
  const cells = rows.map((row) => {
    const factor = times(row);
    return [
      row.what,
      row.unit,
      figure(row.ours),
      row.theirs === undefined ? "–" : figure(row.theirs),
      factor === undefined ? "–" : `${factor.toFixed(2)} ×`,
      row.beside,
      row.missing ? `not run: ${row.missing}` : (row.same ?? ""),
    ].map((text) => text.replaceAll("|", "\\|"));
  });
  const widths = head.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]!.length)));
  const isNumber = (at: number): boolean => at >= 2 && at <= 4;
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, at) => (isNumber(at) ? text.padStart(widths[at]!) : text.padEnd(widths[at]!))).join(" | ")} |`;
  const rule = widths.map((width, at) => (isNumber(at) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(head), line(rule), ...cells.map(line)].join("\n");
}

/** The middle of an odd number of figures, the lower of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

/** Runs every side so many times, in turn: A B, A B. A side gives what its run came to. */
export async function inTurn<T>(
  rounds: number,
  sides: Readonly<Record<string, () => T | Promise<T>>>,
): Promise<Readonly<Record<string, readonly T[]>>> {
  const results: Record<string, T[]> = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, side] of Object.entries(sides)) results[name]!.push(await side());
  return results;
}

/** Runs a program, and reads the last line that it prints as JSON. */
export function runJson<T>(program: string, given: readonly string[], environment: NodeJS.ProcessEnv = {}): T {
  const printed = execFileSync(program, given, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(printed.trim().split("\n").at(-1)!) as T;
}

/** Runs a bench of this folder, a process of its own, with `--json`. */
export function runBench<T>(file: string, given: readonly string[]): T {
  const path = new URL(file, import.meta.url).pathname;
  return runJson<T>(process.execPath, ["--import", "tsx", path, ...given, "--json"]);
}

/** torch 2.15.0, transformers 5.23.0 */
export const versionsInWords = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");

export const PYTHON_MISSING = "--python names no Python (an interpreter that has reference/requirements.txt)";
