import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readLetter, rowTexts } from "../../src/answer/index.js";
import { silent } from "../../src/base/progress.js";
import { compareRuns, type Prediction, readPredictions } from "../../src/evaluate/index.js";
import { migrated } from "../../src/experiments/configuration/renames.js";
import { finetuneSchema } from "../../src/experiments/configuration/schema.js";
import { examplesOf } from "../../src/experiments/examples.js";
import { loadExperimentModel, textFormatOf } from "../../src/experiments/model.js";
import { prepare } from "../../src/experiments/prepare.js";
import { readCurves } from "../../src/experiments/train-log.js";
import { metricsSchema, readRunFile, runFile, runStartSchema, splitsSchema } from "../../src/record/index.js";
import { percent } from "../../src/report/index.js";
import { batchesOfStep, learningRateAt, totalSteps } from "../../src/train/index.js";
import { gibibytes, measured } from "./child.js";

interface Theirs {
  readonly losses: number[];
  readonly trainSeconds: number;
  readonly loadSeconds: number;
  readonly answerSeconds: number;
  readonly replies: string[];
  readonly versions: Record<string, string>;
}

/**
 * What PEFT and bitsandbytes make of a fine-tuning run: the same rows in the same order, batches and learning rates of
 * the same steps, adapters that start at the same values; then the same test rows, greedily. Our side is read from the
 * run's folder, which `measure finetune …` has made.
 */
export async function bench(given: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { python: { type: "string" }, steps: { type: "string" }, threads: { type: "string", default: "2" } },
  });
  const [run] = positionals;
  if (run === undefined || values.python === undefined) {
    console.error("usage: npm run bench:real -- peft RUN --python PYTHON [--steps N]");
    process.exit(2);
  }
  const start = await readRunFile(run, "run.json", runStartSchema);
  const configuration = finetuneSchema.parse(migrated(start!.configuration).configuration);
  const context = { progress: silent, environment: process.env, offline: true };
  const { splits, loadTokenizer, letters } = await prepare(configuration, context);
  const tokenizer = await loadTokenizer();
  const examples = await examplesOf(splits.train, tokenizer, configuration, await textFormatOf(configuration, context));
  const { training, lora } = configuration;
  const plan = { ...training, rows: examples.length };
  const all = totalSteps(plan);
  const steps = Math.min(all, Number(values.steps ?? all));
  const schedule = { ...training, schedule: training.lrScheduler, totalSteps: all };
  const scratch = mkdtempSync(join(tmpdir(), "bench-peft-"));
  try {
    // As the run began: before its first step.
    const { model, device } = await loadExperimentModel(configuration, tokenizer, context, scratch, letters());
    await model.save(join(scratch, "adapter"));
    await model.dispose();
    await device.close();
    const whole = steps === all;
    const prompts = whole ? await tokenizer.encodeAll(splits.test.map(rowTexts[configuration.prompt]), true) : [];
    const work = join(scratch, "work.json");
    writeFileSync(
      work,
      JSON.stringify({
        base: resolve(configuration.model.source),
        adapter: join(scratch, "adapter"),
        quantization: configuration.model.quantization,
        doubleQuantization: configuration.model.doubleQuantization,
        steps: Array.from({ length: steps }, (_, step) => ({
          learningRate: learningRateAt(schedule, step),
          batches: batchesOfStep(plan, step).map((rows) => rows.map((row) => examples[row])),
        })),
        weightDecay: training.weightDecay,
        betas: training.adamBetas,
        epsilon: training.adamEpsilon,
        maxGradNorm: training.maxGradNorm,
        prompts,
        batchSize: configuration.evaluation.batchSize,
        maxNewTokens: configuration.evaluation.maxNewTokens,
        threads: Number(values.threads),
      }),
    );
    const script = fileURLToPath(new URL("../python/real_peft.py", import.meta.url));
    const { code, out, peakBytes, seconds } = await measured(values.python, [script, work], true);
    if (code !== 0) throw new Error(`${script} ended with ${code}`);
    const theirs = JSON.parse(out.trim().split("\n").at(-1)!) as Theirs;
    const rows = Array.from({ length: steps }, (_, step) => batchesOfStep(plan, step).flat().length).reduce(
      (sum, count) => sum + count,
      0,
    );
    console.log(
      `${Object.entries(theirs.versions)
        .map((pair) => pair.join(" "))
        .join(", ")}`,
    );
    console.log(
      `lora dropout ${lora?.dropout}; ${steps} of ${all} steps, ${rows} rows: ${theirs.trainSeconds.toFixed(1)} s, ` +
        `${(rows / theirs.trainSeconds).toFixed(2)} rows/s; loading ${theirs.loadSeconds.toFixed(1)} s; ` +
        `${seconds.toFixed(1)} s in all; peak memory ${gibibytes(peakBytes)}`,
    );
    await tellLosses(run, theirs.losses);
    if (whole) await tellAnswers(run, theirs, configuration.evaluation.answerExtraction);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The mean losses of the steps that our run logged, both sides. */
async function tellLosses(run: string, theirs: readonly number[]): Promise<void> {
  const log = runFile(run, "train-log.jsonl");
  const { points } = log === undefined ? { points: [] } : await readCurves(log);
  let [from, largest] = [0, 0];
  for (const { step, loss } of points) {
    if (step > theirs.length) break;
    const part = theirs.slice(from, step);
    const mean = part.reduce((sum, one) => sum + one, 0) / part.length;
    largest = Math.max(largest, Math.abs(mean - loss));
    const steps = [from + 1, step].map((one) => String(one).padStart(4)).join(" to ");
    console.log(`steps ${steps}: ours ${loss.toFixed(5)}, PEFT ${mean.toFixed(5)}`);
    from = step;
  }
  if (from > 0) console.log(`largest difference of these mean losses: ${largest.toExponential(1)}`);
  const mean = theirs.reduce((sum, loss) => sum + loss, 0) / theirs.length;
  const metrics = await readRunFile(run, "metrics.json", metricsSchema);
  const ours = (metrics?.["training"] as { loss?: number; seconds?: number; rowsPerSecond?: number } | undefined) ?? {};
  console.log(`mean training loss: ours ${ours.loss?.toFixed(5) ?? "-"}, PEFT ${mean.toFixed(5)}`);
  console.log(
    `ours: ${ours.seconds?.toFixed(1) ?? "-"} s of training, ${ours.rowsPerSecond?.toFixed(2) ?? "-"} rows/s`,
  );
}

/** Accuracy on the test rows, ours and theirs, and the two held against each other row by row. */
async function tellAnswers(
  run: string,
  { replies, answerSeconds }: Theirs,
  extraction: Parameters<typeof readLetter>[0],
): Promise<void> {
  const path = runFile(run, "predictions.jsonl");
  if (path === undefined)
    return console.log("the run has no predictions.jsonl yet: nothing to hold the answers against");
  const ours: Prediction[] = [];
  for await (const one of readPredictions(path)) if (one.stage === "final") ours.push(one);
  const { test } = (await readRunFile(run, "splits.json", splitsSchema))!;
  const place = new Map(test.map((id, index) => [id, index]));
  const peft = ours.map((one): Prediction => {
    const reply = replies[place.get(one.id)!]!;
    return { ...one, reply, prediction: readLetter(extraction, reply) };
  });
  const same = ours.filter((one, index) => one.prediction === peft[index]!.prediction).length;
  const { pairs, runs } = compareRuns([
    { name: "ours", predictions: ours },
    { name: "PEFT", predictions: peft },
  ]);
  for (const { name, statistics } of runs) {
    const { overall, clustered } = statistics;
    const interval = clustered.interval.map((bound) => percent(bound)).join(" to ");
    console.log(`${name}: accuracy ${percent(overall.accuracy)} of ${overall.n} (95 %: ${interval})`);
  }
  const [pair] = pairs;
  console.log(
    `the same letter on ${same} of ${ours.length} rows; only ours right on ${pair!.onlyFirst}, only PEFT's on ` +
      `${pair!.onlySecond}; exact paired p ${pair!.clusteredPValue.toPrecision(3)}`,
  );
  console.log(`answering: PEFT ${(replies.length / answerSeconds).toFixed(1)} rows/s (${answerSeconds.toFixed(1)} s)`);
}
