import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isLeftover } from "../../src/base/folders.js";
import { Random } from "../../src/models/random.js";
import { type Finished, mmmlu } from "../command.js";

/** A line of the table in docs/reliability.md. */
export interface Outcome {
  /** Which part of the command made it. */
  readonly part: string;
  readonly what: string;
  /** How often it was tried. */
  readonly count: number;
  /** What was wrong, in words; empty where all held. */
  readonly faults: readonly string[];
  /** What was measured or seen besides, in words. */
  readonly seen: string;
}

export interface FaultOptions {
  /** Share of the full counts, above 0 and at most 1. */
  readonly share: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export const counted = (full: number, { share }: FaultOptions, least = 1): number =>
  Math.max(least, Math.round(full * share));

export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `mmmlu-faults-${name}-`));

/** Numbers from a seed: below a bound, or one of a list. */
export function seeded(seed: number) {
  const random = new Random(seed);
  const below = (bound: number): number => Math.floor(random.uniform() * bound);
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

/** What `steps.mjs` does at a step. */
export type StepKind =
  | "before"
  | "after"
  | "torn"
  | "full"
  | "failing"
  | "readonly"
  | "once"
  | "short"
  | "removed"
  | "slow";
export interface Step {
  /** Steps below this folder count. */
  readonly under: string;
  readonly kind?: StepKind;
  /** From 1; without it the steps are counted into `count`. */
  readonly at?: number;
  readonly count?: string;
}

/** The environment that has steps counted, or made to fail. */
export const stepEnvironment = ({ under, kind, at, count }: Step): Record<string, string> => ({
  NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "steps.mjs")).href}`,
  FAULT_UNDER: under,
  ...(kind === undefined ? {} : { FAULT_KIND: kind }),
  ...(at === undefined ? {} : { FAULT_AT: String(at) }),
  ...(count === undefined ? {} : { FAULT_COUNT: count }),
});

/** Runs the command `mmmlu` with its steps watched. `code` is null where it was killed. */
export const stepped = (
  given: readonly string[],
  step: Step,
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> => mmmlu(given, { environment: { ...environment, ...stepEnvironment(step) } });

/** Files of a folder and of those below, by their path in it; links are followed. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
    .sort();
}

/** SHA-256 by file. */
export const hashes = (folder: string): Map<string, string> =>
  new Map(
    filesIn(folder).map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );

/** Names that a finished run leaves none of; a cache's locks that a dead process left bar nobody. */
export const leftovers = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
        (name) =>
          !name.includes(".locks/") && (/\.(tmp|old|incomplete|copy)$|(^|\/)lock$/.test(name) || isLeftover(name)),
      )
    : [];

/** Whether a file lies where an unfinished write has it. */
export const isUnfinished = (name: string): boolean => name.split("/").some(isLeftover);

/** Files with a published name that are half written: what a killed process may never leave. */
export function halfFiles(folder: string, torn = 1): string[] {
  const bad: string[] = [];
  for (const name of filesIn(folder)) {
    if (isUnfinished(name) || /\.incomplete$/.test(name)) continue;
    const text = (): string => readFileSync(join(folder, name), "utf8");
    try {
      if (/\.json$/.test(name)) JSON.parse(text());
      else if (/predictions\.jsonl$/.test(name)) text().trim().split("\n").forEach(parsed);
      else if (/\.jsonl$/.test(name) && text().split("\n").filter(isTorn).length > torn) bad.push(name);
      else if (/\.html$/.test(name) && !/<\/html>\s*$/.test(text())) bad.push(name);
      else if (/\.svg$/.test(name) && !/<\/svg>\s*$/.test(text())) bad.push(name);
      else if (/\.safetensors$/.test(name) && !isWholeSafetensors(readFileSync(join(folder, name)))) bad.push(name);
    } catch {
      bad.push(name);
    }
  }
  return bad;
}

/** A line of a log that a write was cut off in: it stays where it is, and the next run begins a line of its own. */
function isTorn(line: string): boolean {
  if (line === "") return false;
  try {
    return parsed(line) === undefined;
  } catch {
    return true;
  }
}

const parsed = (line: string): unknown => JSON.parse(line);

function isWholeSafetensors(bytes: Buffer): boolean {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { data_offsets?: [number, number] }
  >;
  return bytes.length === 8 + length + Math.max(0, ...Object.values(header).map((one) => one.data_offsets?.[1] ?? 0));
}

/** Lines of a log that are whole. */
export const wholeLines = (path: string): string[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .filter((line) => {
          try {
            JSON.parse(line);
            return true;
          } catch {
            return false;
          }
        })
    : [];
