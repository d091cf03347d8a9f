import { existsSync } from "node:fs";
import { JsonLinesFile, readJsonLines } from "../base/json-lines.js";
import { writeWhole } from "../base/files.js";
import type { Progress } from "../base/progress.js";
import type { Tracker } from "../record/index.js";
import type { TrainingCurves } from "../report/index.js";
import type { LoggedStep, TrainingHooks, Validation } from "../train/index.js";

type Line = LoggedStep | { readonly validationLoss: number; readonly perplexity: number; readonly epoch: number; readonly step: number };

/** `train-log.jsonl`: a line per logged step and validation, told to the trackers and the terminal as well. */
export class TrainLog {
  private constructor(readonly file: JsonLinesFile<Line>, readonly tracker: Tracker, readonly progress: Progress) {}

  /** Opens the log of a run that goes on from a step; lines past it are of steps that will be taken again. */
  static async open(path: string, step: number, tracker: Tracker, progress: Progress): Promise<TrainLog> {
    if (existsSync(path)) {
      const kept: Line[] = [];
      for await (const line of readJsonLines<Line>(path)) if (line.step <= step) kept.push(line);
      writeWhole(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
    }
    return new TrainLog(new JsonLinesFile(path), tracker, progress);
  }

  get hooks(): TrainingHooks {
    let begun = false;
    return {
      onStep: (now) => {
        if (!begun) this.progress.begin("training", now.totalSteps);
        begun = true;
        this.progress.update(now.step, `loss ${now.loss.toFixed(4)}, learning rate ${now.learningRate.toExponential(2)}, ${now.rowsPerSecond.toFixed(1)} rows/s`);
        if (now.step === now.totalSteps) this.progress.end(`${now.totalSteps} steps, ${now.rowsPerSecond.toFixed(1)} rows/s`);
      },
      onLog: (logged: LoggedStep) => {
        this.file.append(logged);
        this.tracker.log(
          { "train/loss": logged.loss, "train/learning_rate": logged.learningRate, "train/grad_norm": logged.gradientNorm, "train/epoch": logged.epoch, "train/global_step": logged.step, "train/rows_per_second": logged.rowsPerSecond },
          logged.step,
        );
      },
      onValidation: (validation: Validation) => {
        this.file.append({ validationLoss: validation.loss, perplexity: validation.perplexity, epoch: validation.epoch, step: validation.step });
        this.progress.say(`epoch ${validation.epoch}: validation loss ${validation.loss.toFixed(4)}, perplexity ${validation.perplexity.toFixed(3)}`);
        this.tracker.log({ "eval/loss": validation.loss, "eval/perplexity": validation.perplexity, "train/epoch": validation.epoch }, validation.step);
      },
    };
  }

  close(): void {
    this.file.close();
  }
}

/** The curves of a log. */
export async function readCurves(path: string): Promise<Pick<TrainingCurves, "points" | "validation">> {
  const points: { step: number; loss: number; learningRate: number }[] = [];
  const validation: { step: number; epoch: number; loss: number }[] = [];
  for await (const line of readJsonLines<Line>(path)) {
    if ("validationLoss" in line) validation.push({ step: line.step, epoch: line.epoch, loss: line.validationLoss });
    else points.push({ step: line.step, loss: line.loss, learningRate: line.learningRate });
  }
  return { points, validation };
}
