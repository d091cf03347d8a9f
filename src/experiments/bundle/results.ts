import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors.js";
import { sha256OfFile, sha256OfPieces } from "../../base/files.js";
import { joinInside } from "../../base/inside.js";
import { readJsonAs } from "../../base/json.js";
import { lineOf, readJsonLines } from "../../base/json-lines.js";
import { readWeights, type TrainingResult } from "../../train/index.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import type { RunContext, RunOutcome } from "../context.js";
import { refuseOtherTrainer } from "../other-trainer.js";
import { runFinetune, type ToTrain, type Trainer } from "../run-finetune.js";
import { logLineSchema, type TrainLog } from "../train-log.js";
import { checkLog, checkResult, ENGINE_LOG_HINT } from "./check-results.js";
import { BUNDLE, ENGINE_RUN, type EngineResult, resultSchema } from "./format.js";
import { rowLines, stepsOf } from "./write.js";

/**
 * Takes over what another program trained from this experiment's bundle: accuracy before and after, report and model,
 * as of any run.
 * @param results the folder that was the engine's `--out`
 * @throws {UserError} where there is no whole result there, or one of another experiment
 */
export const importTraining = (
  configuration: FinetuneConfiguration,
  context: RunContext,
  results: string,
): Promise<RunOutcome> => runFinetune(configuration, context, resultsIn(results));

/** A trainer that reads what an engine left in a folder. */
export function resultsIn(folder: string): Trainer {
  let result: EngineResult;
  return {
    here: false,
    async check(job) {
      result = await readResult(folder, job);
      await refuseOtherTrainer(job.folder.path, result.weights);
    },
    async train({ loaded }, openLog) {
      const { device, weights, parameters } = loaded.model;
      await readWeights(join(folder, ENGINE_RUN.weights), device, parameters);
      weights.computeType = result.precision;
      const log = await openLog();
      await replay(folder, log).finally(() => log.close());
      const { engine, processes, precision, device: on, job, weights: sha256 } = result;
      const versions = Object.entries(engine).filter(([name]) => name !== "program");
      return {
        result: trainingResult(result),
        identity: { weights: sha256 },
        engine: {
          facts: { ...engine, processes, precision, device: on, job, weights: sha256 },
          note:
            `Trained by ${versions.map(([name, version]) => `${name} ${version}`).join(", ")}: ${processes} ` +
            `${processes === 1 ? "process" : "processes"}, ${on}, ${precision}.`,
        },
      };
    },
  };
}

/**
 * What an engine's folder says of a run of this experiment, its weights checked against their hash.
 * @throws {UserError} where it is not complete, of another experiment, of rows or steps that are not this version's,
 * not in agreement with itself, or damaged
 */
export async function readResult(
  folder: string,
  { configuration, examples, identity }: Pick<ToTrain, "configuration" | "examples" | "identity">,
): Promise<EngineResult> {
  const path = joinInside(folder, ENGINE_RUN.result);
  if (!existsSync(path)) throw await notComplete(folder);
  const result = await readJsonAs(path, resultSchema, {
    most: 16 << 20,
    hint: "Copy the engine's folder again, or start it again: it writes result.json at its end.",
  });
  const another = (why: string): UserError =>
    new UserError(`${folder} holds the results of another experiment: ${why}`, {
      hint: "Give the experiment, with the --set and --data that its bundle was made with; or train it anew.",
    });
  if (result.identity !== identity)
    throw another("configuration, split, tokenizer or base differ (its identity is another)");
  const expected = {
    [BUNDLE.train]: sha256OfPieces(linesOf(rowLines(examples.train))),
    [BUNDLE.validation]: sha256OfPieces(linesOf(rowLines(examples.validation))),
    [BUNDLE.steps]: sha256OfPieces(linesOf(stepsOf(configuration, examples.train.length))),
  };
  const differs = Object.entries(expected).find(([name, sha256]) => result.files[name] !== sha256);
  if (differs) throw another(`it was trained on another ${differs[0]}`);
  const weights = join(folder, ENGINE_RUN.weights);
  if (!existsSync(weights) || (await sha256OfFile(weights)) !== result.weights)
    throw new UserError(
      existsSync(weights)
        ? `${weights} is not as the engine wrote it: its SHA-256 is another`
        : `${weights} is missing`,
      { hint: "Copy the engine's folder again." },
    );
  checkResult(path, result, configuration, examples.train.length);
  await checkLog(folder, result, configuration, examples.train.length);
  return result;
}

function* linesOf(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield lineOf(value);
}

async function notComplete(folder: string): Promise<UserError> {
  if (!existsSync(folder))
    return new UserError(`there is no folder ${folder}`, { hint: "Give the folder that was the engine's --out." });
  const log = join(folder, ENGINE_RUN.log);
  if (!existsSync(log))
    return new UserError(`${folder} holds no results of training (no ${ENGINE_RUN.result})`, {
      hint: "Give the folder that was the engine's --out.",
    });
  let step = 0;
  for await (const line of readJsonLines(log, logLineSchema, { hint: ENGINE_LOG_HINT })) step = line.step;
  return new UserError(`training in ${folder} has not come to its end (its log ends at step ${step})`, {
    hint: "Start the engine's same command again: it goes on from its checkpoint.",
  });
}

/** Tells an engine's log as if the steps were taken now. */
async function replay(folder: string, log: TrainLog): Promise<void> {
  const path = join(folder, ENGINE_RUN.log);
  const { onLog, onValidation } = log.hooks;
  for await (const line of readJsonLines(path, logLineSchema, { hint: ENGINE_LOG_HINT })) {
    if ("validationLoss" in line)
      onValidation?.({
        epoch: line.epoch,
        step: line.step,
        loss: line.validationLoss,
        perplexity: Math.exp(line.validationLoss),
      });
    else onLog?.(line);
  }
}

const trainingResult = ({ steps, rows, loss, seconds, rowsPerSecond, ...rest }: EngineResult): TrainingResult => ({
  steps,
  rows,
  loss,
  seconds,
  rowsPerSecond,
  validations: rest.validations.map((one) => ({ ...one, perplexity: Math.exp(one.loss) })),
  bestEpoch: rest.bestEpoch,
  stopped: false,
  resumedAt: 0,
});
