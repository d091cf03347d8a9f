import { join } from "node:path";
import type { Command } from "commander";
import { messageOf, UserError } from "../base/errors.js";
import { writeIntoFolder } from "../base/folders.js";
import { indexReplies, KeptReplies } from "../evaluate/index.js";
import { type AskedText, type ExportedRun, type Exporter, exporters, loadResult } from "../exchange/index.js";
import { protocolOf, runFile } from "../record/index.js";

interface ExportFlags {
  readonly out?: string;
  readonly offline?: boolean;
}

/**
 * Prompts that are written anew at most, since all are held at once: some 1 kB each, with examples in front 3 kB and
 * more. All of MMMLU's rows have room without examples.
 */
const mostPrompts = (shots: number): number => (shots > 0 ? 50_000 : 250_000);

/** A command for each tool that runs are written for. */
export function exportResultsCommands(command: Command): Command {
  for (const exporter of exporters)
    command
      .command(exporter.name)
      .description(`write a run's answers as ${exporter.writes}`)
      .argument("<run>", "a finished run's folder; FOLDER:baseline names a stage")
      .option("--out <folder>", `where they go (default: export-${exporter.name} in the run's folder)`)
      .option("--offline", "no network: the rows' texts must be in the cache")
      .action((run: string, flags: ExportFlags) => exportRun(exporter, run, flags));
  return command;
}

async function exportRun(exporter: Exporter, reference: string, flags: ExportFlags): Promise<void> {
  const result = await loadResult(reference);
  const { manifest, predictions } = result;
  if (!manifest)
    throw new UserError(`${reference} was written by ${result.tool}: only runs of our own are written anew`, {
      hint: "Give the folder of a run of mmmlu-lab.",
    });
  const { contextOf } = await import("./context.js");
  const { asText, promptsOfRun, rowsOfRun } = await import("../experiments/index.js");
  const context = contextOf({ set: [], offline: flags.offline });
  const stage = predictions[0]?.stage ?? "test";
  try {
    const texts = new Map<string, AskedText>();
    const ids = new Set(predictions.map(({ id }) => id));
    try {
      const { rows } = exporter.withoutTexts ? { rows: [] } : await rowsOfRun(manifest, context);
      for (const { id, question, choices } of rows) if (ids.has(id)) texts.set(id, { question, choices });
      const most = mostPrompts(protocolOf(manifest)?.shots ?? 0);
      if (exporter.withPrompts && ids.size > most)
        context.progress.say(
          `${ids.size} rows have more prompts than are written anew (${most}): their questions stand in their place`,
        );
      else if (exporter.withPrompts) {
        const { prompts } = await promptsOfRun(result.path, stage, ids, context);
        for (const [id, written] of prompts) texts.set(id, { ...texts.get(id), ...asText(written) });
      }
    } catch (error) {
      if (context.signal?.aborted) throw error;
      context.progress.say(`the rows' texts cannot be read (${messageOf(error)}): what is written has none`);
    }
    const out = flags.out ?? join(result.path, `export-${exporter.name}`);
    const run = { name: manifest.name, stage, manifest, predictions, texts };
    const log = exporter.withoutTexts ? undefined : runFile(result.path, "replies.jsonl");
    const paths = await withKeptReplies(run, log, (whole) =>
      writeIntoFolder(out, (place) => exporter.write(whole, place)),
    );
    for (const path of paths.slice(0, 20)) process.stdout.write(`${path}\n`);
    if (paths.length > 20) process.stdout.write(`and ${paths.length - 20} more in ${out}\n`);
  } finally {
    context.done();
  }
}

/** A run with what its log kept with each reply; only where that is still the reply that was read. */
async function withKeptReplies<T>(
  run: Omit<ExportedRun, "keptReply">,
  log: string | undefined,
  use: (run: ExportedRun) => Promise<T>,
): Promise<T> {
  if (log === undefined) return await use({ ...run, keptReply: () => undefined });
  const replies = new KeptReplies(await indexReplies(log), run.stage);
  const read = new Map(run.predictions.map(({ id, reply }) => [id, reply]));
  try {
    return await use({
      ...run,
      keptReply(id) {
        const kept = replies.to(id);
        return kept?.text === read.get(id) ? kept : undefined;
      },
    });
  } finally {
    replies.close();
  }
}
