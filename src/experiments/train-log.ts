import { existsSync } from "node:fs";
import { z } from "zod";
import { JsonLinesFile, readJsonLines, writeJsonLines } from "../base/json-lines.js";
import { duration, type Progress } from "../base/progress.js";
import type { Tracker } from "../record/index.js";
import type { TrainingCurves } from "../report/index.js";
import type { LoggedStep, TrainingHooks, Progress as TrainingProgress, Validation } from "../train/index.js";

const number = z.number();
/** The loss of the published run there, where it is known and can be held against this one. */
const publishedLoss = number.optional();
/** A line of `train-log.jsonl`. */
export const logLineSchema = z.union([
  z.object({ validationLoss: number, perplexity: number.nullable(), epoch: number, step: number, publishedLoss }),
  z.object({
    step: number,
    epoch: number,
    loss: number,
    learningRate: number,
    gradientNorm: number,
    rowsPerSecond: number,
    seconds: number,
    publishedLoss,
  }) satisfies z.ZodType<LoggedStep>,
]);
type Line = z.infer<typeof logLineSchema>;

/** What to do about a log that another program wrote, or a damaged disk. */
export const LOG_HINT = "It is a log of training: remove the line, or begin anew with --fresh.";

/** The losses of a published run, by step and by epoch. */
export interface PublishedLosses {
  readonly atStep?: (step: number) => number | undefined;
  readonly afterEpoch?: (epoch: number) => number | undefined;
}

/**
 * Steps and seconds after which the time that training takes is told; the first step, which compiles the graphs, does
 * not count.
 */
const ESTIMATED_AFTER = { steps: 5, seconds: 2 };

/** `train-log.jsonl`: a line per logged step and validation, told to the trackers and the terminal as well. */
export class TrainLog {
  /** @param from the step that this sitting goes on from */
  private constructor(
    readonly file: JsonLinesFile<Line>,
    readonly from: number,
    readonly tracker: Tracker,
    readonly progress: Progress,
    readonly published: PublishedLosses,
  ) {}

  /** The last comparison with the published run, for the terminal's line. */
  private publishedNote = "";

  /** The last step that was taken, while the terminal's line shows it. */
  private shown: { readonly step: number; readonly totalSteps: number } | undefined;

  /**
   * Opens the log of a run that goes on from a checkpoint; lines past it are of steps and validations that will be done
   * again.
   * @param from how far the checkpoint is; undefined where there is none
   */
  static async open(
    path: string,
    from: Pick<TrainingProgress, "step" | "validations"> | undefined,
    tracker: Tracker,
    progress: Progress,
    published: PublishedLosses = {},
  ): Promise<TrainLog> {
    const { step = 0, validations = [] } = from ?? {};
    if (existsSync(path)) {
      const kept: Line[] = [];
      for await (const line of readJsonLines(path, logLineSchema, { hint: LOG_HINT }))
        if ("validationLoss" in line ? line.epoch <= validations.length : line.step <= step) kept.push(line);
      writeJsonLines(path, kept);
    }
    return new TrainLog(new JsonLinesFile(path), step, tracker, progress, published);
  }

  get hooks(): TrainingHooks {
    let firstEnded = 0;
    let estimated = false;
    return {
      onBegin: (begun) => {
        this.progress.begin("training", begun.totalSteps, begun.step);
        this.shown = begun;
      },
      onStep: (now) => {
        if (now.step === this.from + 1) firstEnded = performance.now();
        this.shown = now;
        this.progress.update(
          now.step,
          `loss ${now.loss.toFixed(4)}, learning rate ${now.learningRate.toExponential(1)}, ` +
            `${now.rowsPerSecond.toFixed(1)} rows/s${this.publishedNote}`,
        );
        const taken = now.step - this.from - 1;
        const seconds = (performance.now() - firstEnded) / 1000;
        const left = now.totalSteps - now.step;
        if (!estimated && taken >= ESTIMATED_AFTER.steps && seconds >= ESTIMATED_AFTER.seconds && left > 0) {
          estimated = true;
          this.progress.say(
            `about ${duration((seconds / taken) * left)} for the ${left.toLocaleString("en")} steps left, by ` +
              `the first ${taken}`,
          );
        }
        if (left === 0) {
          this.shown = undefined;
          this.progress.end(`${now.totalSteps} steps, ${now.rowsPerSecond.toFixed(1)} rows/s`);
        }
      },
      onLog: (logged: LoggedStep) => {
        const published = this.published.atStep?.(logged.step);
        this.file.append(published === undefined ? logged : { ...logged, publishedLoss: published });
        if (published !== undefined) {
          const compared = lossAndPublished(logged.loss, published);
          // Once as a line that stays: a run that goes wrong is seen by its first.
          if (this.publishedNote === "") this.progress.say(`the loss of the steps up to ${logged.step} is ${compared}`);
          this.publishedNote = `; at step ${logged.step} ${compared}`;
        }
        this.tracker.log(
          {
            "train/loss": logged.loss,
            "train/learning_rate": logged.learningRate,
            "train/grad_norm": logged.gradientNorm,
            "train/epoch": logged.epoch,
            "train/global_step": logged.step,
            "train/rows_per_second": logged.rowsPerSecond,
          },
          logged.step,
        );
      },
      onValidation: (validation: Validation) => {
        const published = this.published.afterEpoch?.(validation.epoch);
        this.file.append({
          validationLoss: validation.loss,
          perplexity: validation.perplexity,
          epoch: validation.epoch,
          step: validation.step,
          ...(published === undefined ? {} : { publishedLoss: published }),
        });
        this.progress.say(
          `epoch ${validation.epoch}: validation loss ` +
            `${published === undefined ? validation.loss.toFixed(4) : lossAndPublished(validation.loss, published)}, ` +
            `perplexity ${validation.perplexity.toFixed(3)}`,
        );
        this.tracker.log(
          {
            "eval/loss": validation.loss,
            "eval/perplexity": validation.perplexity,
            "train/epoch": validation.epoch,
            "train/global_step": validation.step,
          },
          validation.step,
        );
      },
    };
  }

  close(): void {
    this.file.close();
    if (this.shown)
      this.progress.end(
        `ended at step ${this.shown.step.toLocaleString("en")} of ${this.shown.totalSteps.toLocaleString("en")}`,
      );
    this.shown = undefined;
  }
}

/** 1.5123 (published 1.5116, +0.0007) */
function lossAndPublished(loss: number, published: number): string {
  const difference = loss - published;
  return (
    `${loss.toFixed(4)} (published ${published.toFixed(4)}, ` +
    `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(4)})`
  );
}

/** The curves of a log. */
export async function readCurves(path: string): Promise<Omit<TrainingCurves, "tiles">> {
  const points: { step: number; loss: number; learningRate: number }[] = [];
  const validation: { step: number; epoch: number; loss: number }[] = [];
  const published: { step: number; loss: number }[] = [];
  for await (const line of readJsonLines(path, logLineSchema, { hint: LOG_HINT })) {
    if (line.publishedLoss !== undefined && !("validationLoss" in line))
      published.push({ step: line.step, loss: line.publishedLoss });
    if ("validationLoss" in line) validation.push({ step: line.step, epoch: line.epoch, loss: line.validationLoss });
    else points.push({ step: line.step, loss: line.loss, learningRate: line.learningRate });
  }
  return { points, validation, published };
}
