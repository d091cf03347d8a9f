import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readJsonLines } from "../../base/json-lines.js";
import { lossFigure, type LossPoint, type ValidationPoint } from "../figures/index.js";
import { type Html, html, raw } from "../html.js";
import { table, tiles } from "../parts.js";

/** A run that is still going, as far as its logs tell. */
export async function liveBody(path: string): Promise<Html> {
  const points: LossPoint[] = [];
  const validation: ValidationPoint[] = [];
  let last: Record<string, unknown> = {};
  for await (const line of readJsonLines<Record<string, unknown>>(join(path, "train-log.jsonl"))) {
    if (typeof line.loss === "number" && typeof line.step === "number" && typeof line.learningRate === "number") {
      points.push({ step: line.step, loss: line.loss, learningRate: line.learningRate });
      last = line;
    } else if (typeof line.validationLoss === "number" && typeof line.step === "number") {
      validation.push({ step: line.step, epoch: Number(line.epoch), loss: line.validationLoss });
    }
  }
  let replies = 0;
  for await (const _ of readJsonLines(join(path, "replies.jsonl"))) replies++;
  const changed = Math.max(...["train-log.jsonl", "replies.jsonl", "run.json"].map((name) => join(path, name)).filter((file) => existsSync(file)).map((file) => statSync(file).mtimeMs));
  const quiet = Math.round((Date.now() - changed) / 1000);
  const shown = Object.entries(last).filter(([, value]) => typeof value === "number");
  return html`${tiles([
    { name: "State", value: quiet < 120 ? "running" : "quiet", under: `last sign ${quiet} s ago` },
    ...(points.length ? [{ name: "Step", value: String(last.step), under: `loss ${Number(last.loss).toFixed(4)}` }] : []),
    ...(replies ? [{ name: "Replies", value: replies.toLocaleString("en"), under: "on disk" }] : []),
  ])}${points.length ? html`<figure>${raw(lossFigure(points, validation).svg)}</figure>${table(["", ""], shown.map(([name, value]) => [name, Number(value).toPrecision(5)]))}` : html`<p class="soft">Nothing is logged yet.</p>`}`;
}
