import { basename, join } from "node:path";
import { hashOf } from "../base/canonical.js";
import { messageOf, UserError } from "../base/errors.js";
import {
  dryRun,
  type ExperimentConfiguration,
  identityOf,
  type RunContext,
  readSweep,
  runExperiment,
  type SweepCell,
} from "../experiments/index.js";
import { readManifest } from "../record/index.js";
import { boardEntries, leaderboard, writeLeaderboard } from "../report/index.js";
import { configurationOf, contextOf } from "./context.js";
import { print } from "./print.js";

export interface SweepFlags {
  readonly set: string[];
  readonly out?: string;
  readonly sample?: boolean;
  readonly offline?: boolean;
  readonly dryRun?: boolean;
}

type Prepared = SweepCell & { readonly folder: string; readonly configuration: ExperimentConfiguration };

export async function sweep(file: string, flags: SweepFlags): Promise<void> {
  const { cells, out: given } = await readSweep(file);
  const outputs = flags.out ?? given ?? join("outputs", basename(file).replace(/\.json$/, ""));
  const context = contextOf({ set: [], offline: flags.offline });
  try {
    // All are checked before any is run.
    const prepared: Prepared[] = [];
    for (const cell of cells) prepared.push(await preparedOf(cell, outputs, flags));
    if (flags.dryRun) await tellRequests(prepared, context);
    else await runAll(prepared, outputs, context);
  } finally {
    context.done();
  }
}

async function preparedOf(cell: SweepCell, outputs: string, flags: SweepFlags): Promise<Prepared> {
  const configuration = await configurationOf(cell.experiment, {
    set: [`name=${JSON.stringify(cell.name.replaceAll("+", "_"))}`, ...cell.set, ...flags.set],
    model: cell.model,
    languages: cell.languages?.join(","),
    sample: flags.sample,
  });
  return { ...cell, folder: join(outputs, cell.name), configuration };
}

async function runAll(cells: readonly Prepared[], outputs: string, context: RunContext): Promise<void> {
  const failed: { readonly name: string; readonly why: string }[] = [];
  let there = 0;
  for (const [place, { name, folder, configuration }] of cells.entries()) {
    if (await isThere(folder, configuration)) {
      there++;
      continue;
    }
    context.progress.say(`${place + 1} of ${cells.length}: ${name}`);
    try {
      await runExperiment(configuration, { ...context, out: folder });
    } catch (error) {
      // One that cannot run must not keep the others from running; Ctrl-C means them all.
      if (context.signal?.aborted) throw error;
      const why = [messageOf(error), error instanceof UserError ? error.hint : undefined].filter(Boolean).join(" ");
      context.progress.say(`${name} failed: ${why}`);
      failed.push({ name, why });
    }
  }
  const { table, entries } = await boardEntries(outputs);
  if (entries.length) process.stdout.write(`${writeLeaderboard(leaderboard(entries, table), "markdown")}\n`);
  const ran = cells.length - there - failed.length;
  print(
    `${ran} of ${cells.length} ran${there ? `, ${there} were there` : ""}` +
      `${failed.length ? `, ${failed.length} failed:` : ""}`,
  );
  for (const { name, why } of failed) print(`  ${name}: ${why}`);
  print(`runs: ${outputs} (mmmlu view ${outputs})`);
  if (failed.length) process.exitCode = 1;
}

/** Whether a cell has come to its end by the same configuration. */
async function isThere(folder: string, configuration: ExperimentConfiguration): Promise<boolean> {
  const manifest = await readManifest(folder).catch(() => undefined);
  return manifest?.configurationHash === hashOf(identityOf(configuration));
}

async function tellRequests(cells: readonly Prepared[], context: RunContext): Promise<void> {
  const number = (value: number): string => value.toLocaleString("en");
  const sum = { requests: 0, answered: 0, tokensIn: 0, tokensOut: 0 };
  for (const { name, folder, configuration } of cells) {
    if (configuration.kind !== "evaluate") {
      print(`${name}: ${configuration.kind}, which sends no requests`);
      continue;
    }
    const { requests, answered, tokensIn, tokensOutAtMost } = await dryRun(configuration, { ...context, out: folder });
    const about = tokensIn?.tokenizer === undefined ? "about " : "";
    print(
      `${name}: ${number(requests)} requests${answered ? `, ${number(answered)} answered` : ""}` +
        `${tokensIn ? `, ${about}${number(tokensIn.count)} tokens in, at most ${number(tokensOutAtMost)} out` : ""}`,
    );
    sum.requests += requests;
    sum.answered += answered;
    sum.tokensIn += tokensIn?.count ?? 0;
    sum.tokensOut += tokensOutAtMost;
  }
  process.stdout.write(
    `in all: ${number(sum.requests)} requests${sum.answered ? `, ${number(sum.answered)} answered` : ""}, ` +
      `${number(sum.tokensIn)} tokens in, at most ${number(sum.tokensOut)} out; nothing was sent\n`,
  );
}
