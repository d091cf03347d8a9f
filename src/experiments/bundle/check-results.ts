import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors.js";
import { readJsonLines } from "../../base/json-lines.js";
import { type BatchPlan, batchesOfStep, learningRateAt, stepsPerEpoch, totalSteps } from "../../train/index.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import { trainingOptionsOf } from "../run-finetune.js";
import { logLineSchema } from "../train-log.js";
import { ENGINE_RUN, type EngineResult } from "./format.js";

/*
 * Whether what an engine says of its run can be true: of these steps, with these validations, logged like that. Hashes
 * tell what it was given; nothing but this tells that a log or a result.json is another run's, cut, or put together.
 */

/** Of numbers that another program wrote with fewer digits. */
const near = (one: number, other: number, tolerance = 1e-6): boolean =>
  Math.abs(one - other) <= tolerance * Math.max(1e-30, Math.abs(one), Math.abs(other));

/** What to do about an engine's log that cannot be read. */
export const ENGINE_LOG_HINT = "Copy the engine's folder again.";

const disagrees = (path: string, why: string): UserError =>
  new UserError(`${path} is not of a whole run of this experiment: ${why}`, {
    hint: "Copy the engine's folder again, or start the engine's same command in another folder.",
  });

/** @throws {UserError} where steps, rows or validations are not those that training makes */
export function checkResult(
  path: string,
  { steps, rows, loss, validations, bestEpoch }: EngineResult,
  { training }: Pick<FinetuneConfiguration, "training">,
  trainRows: number,
): void {
  const plan: BatchPlan = { ...training, rows: trainRows };
  const [total, perEpoch] = [totalSteps(plan), stepsPerEpoch(plan)];
  const best = validations.reduce((found, one, index) => (one.loss < validations[found]!.loss ? index : found), 0);
  const stoppedEarly =
    training.earlyStoppingPatience !== null &&
    validations.length > 0 &&
    validations.length - (best + 1) >= training.earlyStoppingPatience;
  if (steps > total || (steps < total && !(stoppedEarly && validations.at(-1)?.step === steps)))
    throw disagrees(path, `it says ${steps} steps, and there are ${total}`);
  let taken = 0;
  for (let step = 0; step < steps; step++) taken += batchesOfStep(plan, step).flat().length;
  if (rows !== taken) throw disagrees(path, `it says ${rows} rows, and ${steps} steps have ${taken}`);
  if (loss < 0) throw disagrees(path, `its loss is ${loss}`);
  const epochs = training.validateEachEpoch ? Math.ceil(steps / perEpoch) : 0;
  if (validations.length !== epochs)
    throw disagrees(path, `it has ${validations.length} validations, and there are ${epochs}`);
  for (const [index, { epoch, step }] of validations.entries())
    if (epoch !== index + 1 || step !== Math.min(epoch * perEpoch, total))
      throw disagrees(path, `validation ${index + 1} is of epoch ${epoch} after step ${step}`);
  const expected = validations.length > 0 ? best + 1 : null;
  if (bestEpoch !== expected)
    throw disagrees(path, `its best epoch is ${bestEpoch}, and by its validations it is ${expected}`);
}

/**
 * Reads an engine's whole log beside what its `result.json` says.
 * @throws {UserError} where a line is missing, repeated or another run's
 */
export async function checkLog(
  folder: string,
  result: EngineResult,
  configuration: FinetuneConfiguration,
  trainRows: number,
): Promise<void> {
  const path = join(folder, ENGINE_RUN.log);
  if (!existsSync(path)) throw new UserError(`${path} is missing`, { hint: ENGINE_LOG_HINT });
  const plan: BatchPlan = { ...configuration.training, rows: trainRows };
  const schedule = { ...trainingOptionsOf(configuration), totalSteps: totalSteps(plan) };
  let [validated, logged, every, lossSum, number] = [0, 0, 0, 0, 0];
  for await (const line of readJsonLines(path, logLineSchema, { hint: ENGINE_LOG_HINT })) {
    number++;
    const where = `${path}:${number}`;
    if ("validationLoss" in line) {
      const told = result.validations[validated++];
      if (told?.epoch !== line.epoch || told.step !== line.step || !near(told.loss, line.validationLoss))
        throw disagrees(where, `${ENGINE_RUN.result} has no such validation there`);
      continue;
    }
    // How often a step is logged changes no number, so that the engine's may be another than this configuration's.
    every ||= line.step;
    const expected = Math.min(logged + every, schedule.totalSteps);
    if (!Number.isSafeInteger(line.step) || line.step !== expected || line.step > result.steps)
      throw disagrees(where, `it is of step ${line.step}, and step ${expected} of ${result.steps} is due`);
    if (!near(line.learningRate, learningRateAt(schedule, line.step - 1)))
      throw disagrees(where, `its learning rate is ${line.learningRate}, and that of step ${line.step} is another`);
    lossSum += line.loss * (line.step - logged);
    logged = line.step;
  }
  if (validated !== result.validations.length)
    throw disagrees(path, `it has ${validated} validations, and ${ENGINE_RUN.result} ${result.validations.length}`);
  // Training that ended early need not have logged its last steps.
  const due =
    result.steps === schedule.totalSteps
      ? result.steps
      : result.steps - (result.steps % (every || Number.POSITIVE_INFINITY));
  if (logged !== due && (every > 0 || result.steps === schedule.totalSteps))
    throw disagrees(path, `it ends at step ${logged}, and ${ENGINE_RUN.result} at ${result.steps}`);
  if (logged === result.steps && !near(lossSum / logged, result.loss, 1e-4))
    throw disagrees(
      path,
      `the mean of its losses is ${lossSum / logged}, and ${ENGINE_RUN.result} says ${result.loss}`,
    );
}
