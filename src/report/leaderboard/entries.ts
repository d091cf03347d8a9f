import { z } from "zod";
import { canonicalJson } from "../../base/canonical.js";
import { messageOf } from "../../base/errors.js";
import {
  type Manifest,
  metricsSchema,
  type ProtocolFacts,
  readManifest,
  readRunFile,
  rowsMeasured,
  runFile,
} from "../../record/index.js";
import { mmmlu } from "../../tasks/index.js";
import { type FoundRun, findRuns } from "../viewer/runs.js";
import { type RowAnswers, RowTable, readAnswers } from "./answers.js";
import { type BoardProtocol, boardProtocol, rowsInWords } from "./protocol.js";
import { PUBLISHED_PROTOCOL, PUBLISHED_SETTINGS, publishedModels } from "./published.js";

/** One line of a leaderboard before anything is computed. */
export interface BoardEntry {
  readonly model: string;
  readonly source: "run" | "published";
  /** Folders of the runs whose answers it has: several where they asked different languages. */
  readonly runs: readonly string[];
  readonly task: string;
  readonly sample: boolean;
  readonly protocol: BoardProtocol;
  /** Which of the data set's rows, in words. */
  readonly split: string;
  /** Of runs. */
  readonly answers?: RowAnswers;
  /** Of published ones: accuracies by language. */
  readonly accuracies?: ReadonlyMap<string, number>;
}

export interface BoardEntries {
  readonly table: RowTable;
  readonly entries: readonly BoardEntry[];
  /** Runs that are not in it, and why. */
  readonly leftOut: readonly { readonly run: string; readonly why: string }[];
}

/** The published entries. */
export const publishedEntries = (): BoardEntry[] =>
  publishedModels().map(({ model, accuracies }) => ({
    model,
    source: "published",
    runs: [],
    task: mmmlu.name,
    sample: false,
    protocol: { name: PUBLISHED_PROTOCOL, shots: 0, settings: PUBLISHED_SETTINGS },
    split: "all",
    accuracies,
  }));

/**
 * The answers of all finished runs in a folder. Runs of one model by one protocol on the same part of the data that
 * asked different languages are one entry. Memory: some 150 bytes a row that is answered at all, and a byte a row and
 * run.
 * @param read reads a run's answers; for those who have them already
 */
export async function boardEntries(
  outputs: string,
  { table = new RowTable(), read = readAnswers }: { table?: RowTable; read?: typeof readAnswers } = {},
): Promise<BoardEntries> {
  const single: Single[] = [];
  const leftOut: { run: string; why: string }[] = [];
  for (const run of await findRuns(outputs)) {
    if (run.fault !== undefined || !run.complete) {
      leftOut.push({ run: run.folder, why: run.fault ?? "it is not complete" });
      continue;
    }
    try {
      if (run.imported) {
        for (const [stage, answers] of await read(run.path, table))
          single.push({ ...importedEntry(run, run.imported, stage), answers, started: run.started });
        continue;
      }
      const manifest = await readManifest(run.path);
      const protocol = boardProtocol(manifest);
      if (!protocol) continue;
      for (const [stage, answers] of await wholeAnswers(run.path, (file) => read(file, table)))
        if (!FURTHER_ASKING.test(stage))
          single.push({ ...entryOf(manifest, run.folder, stage, protocol), answers, started: manifest.started });
    } catch (error) {
      leftOut.push({ run: run.folder, why: messageOf(error) });
    }
  }
  return { table, entries: together(single, table), leftOut };
}

/** A run's answers by stage. @throws {Error} where they are fewer than it measured */
async function wholeAnswers(
  path: string,
  read: (file: string) => Promise<Map<string, RowAnswers>>,
): Promise<Map<string, RowAnswers>> {
  const file = runFile(path, "predictions.jsonl");
  if (file === undefined) throw new Error("it has no predictions.jsonl");
  const stages = await read(file);
  if (stages.size === 0) throw new Error("its predictions.jsonl holds no row");
  const measured = await readRunFile(path, "metrics.json", metricsSchema).catch(() => undefined);
  for (const [stage, { size }] of stages) {
    const rows = rowsMeasured(measured, stage) ?? 0;
    if (size < rows) throw new Error(`its predictions.jsonl holds ${size} of the ${rows} rows measured (${stage})`);
  }
  return stages;
}

/** Stages of rows that are asked again under other orders of their options, or repeated: the plain asking counts. */
const FURTHER_ASKING = /\.(?:order|repeat)-\d+$/;

const modelSchema = z.looseObject({ name: z.string().optional(), source: z.string().optional() });

function entryOf(
  manifest: Manifest,
  folder: string,
  stage: string,
  protocol: BoardProtocol,
): BoardEntry & { readonly key: string } {
  const { configuration, model, data = {}, sample } = manifest;
  const { name, source } = modelSchema.safeParse(model ?? {}).data ?? {};
  const trained = stage === "final";
  const called = name ?? source ?? manifest.name;
  const split = rowsInWords(configuration);
  const task = typeof data["task"] === "string" ? data["task"] : mmmlu.name;
  const { description: _words, ...identity } = model ?? {};
  // A fine-tuned model is its run's own.
  const key = canonicalJson([identity, trained ? folder : stage, protocol, split, task, sample, data["revision"]]);
  return {
    key,
    model: trained ? `${called}, fine-tuned` : called,
    source: "run",
    runs: [folder],
    task,
    sample,
    protocol,
    split,
  };
}

/** Another tool's result: which part of the data it asked nobody says. */
function importedEntry(
  { name, kind, folder }: FoundRun,
  { name: tool, shots, ...settings }: ProtocolFacts,
  stage: string,
): BoardEntry & { readonly key: string } {
  const protocol = { name: tool, shots, settings };
  return {
    key: canonicalJson([name, kind, folder, stage]),
    model: name,
    source: "run",
    runs: [folder],
    task: mmmlu.name,
    sample: false,
    protocol,
    split: `as ${tool} took them`,
  };
}

type Single = BoardEntry & { readonly key: string; readonly answers: RowAnswers; readonly started: string };

/** Entries of the same key whose languages are different ones, as one; of the others each stays by itself. */
function together(entries: readonly Single[], table: RowTable): BoardEntry[] {
  const found: { entry: BoardEntry & { readonly answers: RowAnswers }; key: string; languages: Set<number> }[] = [];
  // The first in a folder's order begins an entry, whatever was run last.
  for (const one of [...entries].sort((a, b) => (a.started < b.started ? -1 : 1))) {
    const { key, started: _when, ...entry } = one;
    const languages = new Set<number>();
    for (const row of entry.answers.rows()) languages.add(table.language[row]!);
    const other = found.find((each) => each.key === key && ![...languages].some((name) => each.languages.has(name)));
    if (!other) {
      found.push({ entry, key, languages });
      continue;
    }
    other.entry = {
      ...other.entry,
      runs: [...other.entry.runs, ...entry.runs],
      answers: other.entry.answers.with(entry.answers),
    };
    for (const name of languages) other.languages.add(name);
  }
  return found.map(({ entry }) => entry);
}
