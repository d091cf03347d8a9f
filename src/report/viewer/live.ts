import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readJsonLines } from "../../base/json-lines.js";
import { lockHolder } from "../../base/lock.js";
import { accuracyOf, indexReplies, scoreReplies } from "../../evaluate/index.js";
import { readRunFile, runFile, splitsSchema } from "../../record/index.js";
import { WIDE } from "../figures/figure.js";
import type { GroupMark, LossPoint, ValidationPoint } from "../figures/index.js";
import { type Html, html } from "../html.js";
import { figures, type Tile, table, tiles } from "../parts.js";
import { titleOfStage } from "../stages.js";
import { readingOf } from "./rows.js";

/** A log past so many bytes is not read anew every two seconds. */
const READ_AT_ONCE = 32e6;

const anyKeys = z.record(z.string(), z.unknown());

/** A run that is still going, as far as its logs tell. */
export async function liveBody(path: string): Promise<Html> {
  const { points, validation, published, last } = await readTraining(path);
  const answers = await readAnswers(path);
  const { groupFigure, lossFigure } = await import("../figures/index.js");
  const shown = [
    ...(answers.length ? [groupFigure("so-far", "Accuracy so far", answers, { width: WIDE })] : []),
    ...(points.length ? [lossFigure(points, validation, published)] : []),
  ];
  const figure = (name: string): string => Number(last[name]).toPrecision(4);
  return html`${tiles([
    stateTile(path),
    ...phaseTile(path),
    ...(points.length
      ? [
          {
            name: "Step",
            value: Number(last.step).toLocaleString("en"),
            under: [
              `loss ${Number(last.loss).toFixed(4)}`,
              ...(typeof last.publishedLoss === "number"
                ? [`published ${last.publishedLoss.toFixed(4)} (${signed(Number(last.loss) - last.publishedLoss)})`]
                : []),
              `epoch ${Number(last.epoch).toFixed(2)}`,
            ],
          },
        ]
      : []),
    ...(await replyTiles(path)),
  ])}${shown.length ? figures(shown) : html`<p class="soft">Nothing is logged yet.</p>`}${
    points.length
      ? table(
          ["", ""],
          [
            ["learning rate", figure("learningRate")],
            ["gradient norm", figure("gradientNorm")],
            ["rows a second", figure("rowsPerSecond")],
            ["seconds", Number(last.seconds).toFixed(0)],
          ],
        )
      : ""
  }`;
}

const signed = (difference: number): string => `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(4)}`;

function stateTile(path: string): Tile {
  const files = ["train-log.jsonl", "replies.jsonl", "run.log", "run.json"]
    .map((name) => join(path, name))
    .filter((file) => existsSync(file));
  const quiet = Math.max(0, Math.round((Date.now() - Math.max(...files.map((file) => statSync(file).mtimeMs))) / 1000));
  const holder = lockHolder(path);
  return holder === undefined
    ? {
        name: "State",
        value: "not running",
        under: [`last sign ${quiet.toLocaleString("en")} s ago`, "the same command goes on with it"],
      }
    : {
        name: "State",
        value: "running",
        under: [`process ${holder}`, `last sign ${quiet.toLocaleString("en")} s ago`],
      };
}

/** Bytes of `run.log` that its last lines are looked for in. */
const TAIL = 4096;

/** What it does now: the last thing that it said. */
function phaseTile(path: string): Tile[] {
  const log = runFile(path, "run.log");
  if (log === undefined) return [];
  const { size } = statSync(log);
  const file = openSync(log, "r");
  try {
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes
      .toString("utf8")
      .split("\n")
      .filter((line) => /^\d{4}-.*Z {2}/.test(line));
    const [now, ...before] = lines
      .slice(-3)
      .reverse()
      .map((line) => line.replace(/^\S+ {2}/, "").slice(0, 120));
    return now === undefined ? [] : [{ name: "Phase", value: now.split(":")[0] as string, under: [now, ...before] }];
  } finally {
    closeSync(file);
  }
}

export async function readTraining(path: string): Promise<{
  points: LossPoint[];
  validation: ValidationPoint[];
  published: { step: number; loss: number }[];
  last: Record<string, unknown>;
}> {
  const points: LossPoint[] = [];
  const validation: ValidationPoint[] = [];
  const published: { step: number; loss: number }[] = [];
  let last: Record<string, unknown> = {};
  const log = runFile(path, "train-log.jsonl");
  for await (const read of log ? readJsonLines(log, z.unknown()) : []) {
    const line = anyKeys.safeParse(read).data;
    if (line === undefined) continue;
    if (typeof line.loss === "number" && typeof line.step === "number" && typeof line.learningRate === "number") {
      points.push({ step: line.step, loss: line.loss, learningRate: line.learningRate });
      if (typeof line.publishedLoss === "number") published.push({ step: line.step, loss: line.publishedLoss });
      last = line;
    } else if (typeof line.validationLoss === "number" && typeof line.step === "number") {
      validation.push({ step: line.step, epoch: Number(line.epoch), loss: line.validationLoss });
    }
  }
  return { points, validation, published, last };
}

/** How many rows each stage has answered, of how many test rows. */
async function replyTiles(path: string): Promise<Tile[]> {
  const replies = runFile(path, "replies.jsonl");
  const stages = replies ? (await indexReplies(replies)).stages : [];
  const rows = (await readRunFile(path, "splits.json", splitsSchema))?.test.length;
  return [...stages].map(([stage, places]) => ({
    name: `Answered ${titleOfStage(stage)}`,
    value: places.size.toLocaleString("en"),
    under: rows ? `of ${rows.toLocaleString("en")} test rows` : "rows",
  }));
}

/** Accuracy of what has been answered; nothing where the log cannot be read (a line may be half written) or is long. */
async function readAnswers(path: string): Promise<GroupMark[]> {
  const replies = runFile(path, "replies.jsonl");
  if (replies === undefined || statSync(replies).size > READ_AT_ONCE) return [];
  try {
    const stages = await scoreReplies(replies, await readingOf(path));
    return stages.map(({ stage, predictions }) => ({ label: titleOfStage(stage), ...accuracyOf([...predictions]) }));
  } catch {
    return [];
  }
}
