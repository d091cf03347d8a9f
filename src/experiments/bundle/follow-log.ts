import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { Progress } from "../../base/progress.js";
import { logLineSchema } from "../train-log.js";
import type { Job } from "./format.js";

/** Bytes of a log that are read at once. */
const PIECE = 1 << 20;

/** Shows an engine's `train-log.jsonl`, as it grows, as a bar. */
export class FollowedLog {
  private offset = 0;
  private torn = "";
  private begun = false;
  private first = 0;
  /** The last step that was logged. */
  step = 0;

  constructor(
    private readonly job: Job,
    private readonly progress: Progress,
  ) {}

  /** Reads what was appended to a file since the last call. A file that became shorter is read anew. */
  read(path: string): void {
    if (!existsSync(path)) return;
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      if (size < this.offset) this.restart();
      const piece = Buffer.alloc(PIECE);
      while (this.offset < size) {
        const count = readSync(file, piece, 0, piece.length, this.offset);
        if (count === 0) break;
        this.offset += count;
        this.take(piece.subarray(0, count).toString("utf8"));
      }
    } finally {
      closeSync(file);
    }
  }

  /** Takes the whole text of a log, as a server gives it anew each time. */
  readText(text: string): void {
    if (text.length < this.offset) this.restart();
    const more = text.slice(this.offset);
    this.offset = text.length;
    this.take(more);
  }

  /** Steps after a checkpoint are taken again. */
  private restart(): void {
    this.offset = 0;
    this.torn = "";
  }

  private take(text: string): void {
    const lines = (this.torn + text).split("\n");
    this.torn = lines.pop() ?? "";
    for (const line of lines) this.show(line);
  }

  private show(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const read = logLineSchema.safeParse(value);
    if (!read.success) return;
    const line = read.data;
    if (!this.begun) {
      this.begun = true;
      this.first = line.step;
      this.progress.begin("training", this.job.training.steps, this.first);
    }
    this.step = line.step;
    if ("validationLoss" in line)
      this.progress.say(`epoch ${line.epoch}: validation loss ${line.validationLoss.toFixed(4)}`);
    else
      this.progress.update(
        line.step,
        `loss ${line.loss.toFixed(4)}, learning rate ${line.learningRate.toExponential(1)}, ` +
          `${line.rowsPerSecond.toFixed(1)} rows/s`,
      );
  }

  end(note: string): void {
    if (this.begun) this.progress.end(note);
  }
}
