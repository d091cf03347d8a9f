/*
 * Accuracy evaluation on this machine, measured: test rows a second of our greedy answering against transformers'
 * `generate`, same prompts, same batches, same random weights of the real shape.
 *
 *   npm run bench:answer [-- MODEL] [--rows 64] [--python PYTHON] [--json]
 *
 * MODEL is flan-t5-base (the default; batches of 32, at most 3 new tokens) or gemma-2-2b (FP4, batches of 8, at most
 * 5).
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { flanT5Prompt, gemma2Prompt, localAnswerer, settled } from "../src/answer/index.js";
import { openDevice } from "../src/graph/index.js";
import { createT5, type LanguageModel, loadDecoder, loadT5, weightStore } from "../src/models/index.js";
import { commonStart } from "../src/models/packing.js";
import { mmmlu } from "../src/tasks/index.js";
import { loadTokenizer } from "../src/tokens/index.js";
import { FLAN_T5_BASE } from "./train/bench-flan-t5-base.js";
import { writeModel } from "./train/bench-gemma-2-2b.js";
import { englishRows, SHARED } from "./train/examples.js";
import { rawRate } from "./train/raw-rate.js";

/** What is printed with `--json`. */
export interface AnswerBench {
  readonly model: string;
  readonly cores: number;
  readonly rows: number;
  readonly batchSize: number;
  readonly loadSeconds: number;
  readonly rowsPerSecond: number;
  readonly peakGiB: number;
  readonly rawGflops: number;
  readonly rowsPerSecondOfRawProducts?: number;
  readonly python?: {
    readonly rowsPerSecond: number;
    readonly loadSeconds: number;
    readonly peakGiB: number;
    readonly versions: Readonly<Record<string, string>>;
    /** How many replies are the same on both sides. */
    readonly alike: number;
  };
  readonly times?: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "64" },
    python: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const model = positionals[0] ?? "flan-t5-base";
if (model !== "flan-t5-base" && model !== "gemma-2-2b") {
  console.error(`There is no bench of ${model}: flan-t5-base or gemma-2-2b.`);
  process.exit(2);
}
const gemma = model === "gemma-2-2b";
const [batchSize, maximumTokens, longest] = gemma ? ([8, 5, 256] as const) : ([32, 3, 255] as const);
const device = await openDevice("cpu");
const folder = gemma ? writeModel() : await writeT5();
const tokenizer = await loadTokenizer({ source: join(SHARED, "tokenizers", gemma ? "gemma-2" : "t5") });
const prompts: string[] = [];
// Every 200th row, so that all subjects are there.
const all = englishRows();
for (let i = 0; prompts.length < Number(values.rows); i = (i + 211) % all.length) {
  const prompt = (gemma ? gemma2Prompt : flanT5Prompt)(all[i]!);
  if ((await tokenizer.encode(prompt, true)).length <= longest) prompts.push(prompt);
}

const before = performance.now();
const local: LanguageModel = gemma
  ? await loadDecoder(folder, device, { store: weightStore({ kind: "fp4" }, device) })
  : await loadT5(folder, device);
const loadSeconds = (performance.now() - before) / 1000;
// Gemma's replies run to their end, for their last match is told too.
const answerer = localAnswerer({
  name: model,
  model: local,
  tokenizer,
  identity: {},
  batchSize,
  letters: mmmlu.letters,
  ...(gemma ? {} : { settled: (text: string) => settled("first-character", text) }),
});
await answerer.prepare();
const ask = (some: readonly string[]) => answerer.answer(some.map((prompt) => ({ rows: [], prompt, maximumTokens })));
// Compiles the graphs.
await ask(prompts.slice(0, 2));
const start = performance.now();
// As an evaluation asks: Gemma reads batches one by one and continues several together.
const together = answerer.requestsAtOnce;
const replies: string[] = [];
for (let at = 0; at < prompts.length; at += together)
  replies.push(...(await ask(prompts.slice(at, at + together))).map(({ text }) => text));
const seconds = (performance.now() - start) / 1000;
const peakGiB = (process.resourceUsage().maxRSS * 1024) / 2 ** 30;
const ids = await tokenizer.encodeAll(prompts, true);
const rawGflops = await rawRate(device, 1024, gemma ? 2304 : 768, gemma ? 9216 : 2048);
/**
 * What Gemma's linear layers alone would allow at that rate, for the prompts with their common start once a batch and
 * no token of a reply.
 */
const bound = gemma
  ? {
      rawGflops,
      rowsPerSecondOfRawProducts:
        (rawGflops * 1e9) /
        (2 *
          local.weights.storedElements *
          (ids.reduce((sum, { length }) => sum + length - commonStart(ids), 0) / ids.length)),
    }
  : { rawGflops };

let theirs:
  | {
      seconds: number;
      rows: number;
      tokens: number[][];
      loadSeconds: number;
      peakBytes: number;
      versions: Record<string, string>;
    }
  | undefined;
if (values.python) {
  const scratch = mkdtempSync(join(tmpdir(), "bench-answer-"));
  const work = join(scratch, "work.json");
  writeFileSync(work, JSON.stringify({ folder, gemma, ids, batchSize, maximumTokens }));
  theirs = JSON.parse(
    execFileSync(values.python, [fileURLToPath(new URL("./python/answer.py", import.meta.url)), work], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split("\n")
      .at(-1)!,
  );
  rmSync(scratch, { recursive: true });
}
/** Replies that are alike; ours may end where nothing that follows is read. */
async function alike(tokens: readonly number[][]): Promise<number> {
  const texts = await Promise.all(tokens.map((row) => tokenizer.decode(row, true)));
  return replies.filter((reply, row) => (gemma ? texts[row] === reply : texts[row]!.startsWith(reply))).length;
}

const result: AnswerBench = {
  model,
  cores: availableParallelism(),
  rows: prompts.length,
  batchSize,
  loadSeconds,
  rowsPerSecond: prompts.length / seconds,
  peakGiB,
  ...bound,
  ...(theirs
    ? {
        python: {
          rowsPerSecond: theirs.rows / theirs.seconds,
          loadSeconds: theirs.loadSeconds,
          peakGiB: theirs.peakBytes / 2 ** 30,
          versions: theirs.versions,
          alike: await alike(theirs.tokens),
        },
        times: prompts.length / seconds / (theirs.rows / theirs.seconds),
      }
    : {}),
};
if (values.json) console.log(JSON.stringify(result));
else
  for (const [name, value] of Object.entries(result))
    console.log(
      `${name.padEnd(18)} ${typeof value === "object" ? JSON.stringify(value) : typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : value}`,
    );
await local.dispose();
await device.close();

/** flan-t5-base's shape with random weights, written once to the user's cache. */
async function writeT5(): Promise<string> {
  const place = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "mmmlu-lab", "bench", "flan-t5-base");
  if (existsSync(join(place, "config.json"))) return place;
  mkdirSync(join(place, ".."), { recursive: true });
  const made = await createT5(device, FLAN_T5_BASE, 1);
  await made.save(place);
  await made.dispose();
  return place;
}
