import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { serveModel, workerEngine } from "../answer/index.js";
import { writeOutput } from "../base/folders.js";
import { duration } from "../base/progress.js";
import { compareRuns } from "../evaluate/index.js";
import {
  configure,
  type EvaluateConfiguration,
  onSample,
  presetNamed,
  type RunOutcome,
  runExperiment,
} from "../experiments/index.js";
import { runFile, savedModelOf } from "../record/index.js";
import { loadComparedRun, loadReports } from "../report/index.js";
import { contextOf } from "./context.js";
import { print } from "./print.js";
import { slowness } from "./speed.js";

/** What it takes on two idle cores of the machine that `docs/benchmarks.md` names. */
const SECONDS = 59;

export async function demo({ out }: { out: string }): Promise<void> {
  const began = performance.now();
  const folder = (name: string): string => join(out, name);
  const context = (name: string) => ({ ...base, out: folder(name), fresh: false });
  const base = contextOf({ set: [] });
  const say = print;
  try {
    const kept = runFile(folder("flan-t5-finetune"), "manifest.json") !== undefined;
    say(
      kept
        ? `The fine-tuning is there from before, in ${out}: what is done is not done again. ` +
            "Remove the folder to see it all."
        : `On this machine, as busy as it is, this takes about ${duration(SECONDS * slowness())}, most of it the ` +
            `fine-tuning (2).`,
    );
    say("1 of 4: exploring 14 languages: how many rows, how long, which answers, what is there twice");
    const explored = await runExperiment(await onSamplePreset("eda"), context("eda"));
    say(
      "2 of 4: fine-tuning a tiny T5 on German and French, on a split that keeps translations together: loss, and " +
        "accuracy before and after",
    );
    const tuned = await runExperiment(
      await onSamplePreset("flan-t5-finetune", ["modelLink=null"]),
      context("flan-t5-finetune"),
    );
    say(
      "3 of 4: serving it as OpenAI's HTTP API, and asking the same test rows zero-shot through it: as any server is " +
        "evaluated",
    );
    const engine = await workerEngine({
      id: "sample-flan-t5",
      source: savedModelOf(folder("flan-t5-finetune")),
      device: "cpu",
    });
    const server = await serveModel(engine, { port: 0 });
    let served: RunOutcome;
    try {
      const asked = (await onSamplePreset("gemma-3-27b-baseline", [
        "name=zero-shot-over-http",
        "answerer.model=sample-flan-t5",
        "answerer.prompt=flan-t5",
        "answerer.questionsPerRequest=1",
        "answerer.concurrency=16",
        "answerer.maxTokensPerQuestion=3",
        "answerer.maxTokensExtra=0",
        "answerExtraction=first-character",
        "split.shape=80/10/10",
      ])) as EvaluateConfiguration;
      served = await runExperiment(
        { ...asked, answerer: { ...asked.answerer, endpoint: server.url } },
        context("zero-shot-over-http"),
      );
    } finally {
      await server.close();
      await engine.close();
    }
    say("4 of 4: comparing three ways to answer on the same rows: differences with their intervals and tests");
    const longest = await onSamplePreset("gemma-3-27b-baseline", [
      "name=longest-choice",
      "answerer.model=baseline:longest",
      "split.shape=80/10/10",
    ]);
    await runExperiment(longest, context("longest-choice"));
    const comparison = compareRuns(
      await Promise.all(
        [folder("longest-choice"), `${folder("flan-t5-finetune")}:final`, folder("zero-shot-over-http")].map(
          loadComparedRun,
        ),
      ),
    );
    const compared = join(out, "comparison.html");
    const { comparisonReport } = await loadReports();
    writeOutput(compared, comparisonReport(comparison).html);
    const link = (path: string): string => pathToFileURL(resolve(path)).href;
    say("");
    for (const line of [
      ...explored.headline,
      ...tuned.headline,
      ...served.headline.slice(0, 1).map((text) => `over HTTP: ${text}`),
    ])
      say(line);
    say(
      `done in ${((performance.now() - began) / 1000).toFixed(0)} s, on the embedded sample: its figures mean ` +
        `nothing about MMMLU`,
    );
    say(`report: ${link(tuned.report)}`);
    say(`        ${link(explored.report)}`);
    say(`        ${link(compared)}`);
    say(`next:   npm run mmmlu -- view ${out}    or, on the real data: npm run mmmlu -- run eda`);
  } finally {
    base.done();
  }
}

const onSamplePreset = (name: string, settings: readonly string[] = []) =>
  configure(onSample(presetNamed(name)), settings);
