import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChatImitation, letterFor, startChatImitation } from "../chat-imitation/server.js";
import { type Finished, mmmlu } from "../command.js";
import { hubImitation } from "../hub-imitation/server.js";
import { filesIn, hashes, type Step, seeded, stepEnvironment, stepped, wholeLines } from "./common.js";
import { nodeScript } from "./node-script.js";

/** A command that writes into one folder, to be disturbed and to be run again. */
export interface Scenario {
  readonly name: string;
  /** Kills of the whole series. */
  readonly kills: number;
  /** Kills at the least, however small a share is made; two unless given. */
  readonly leastKills?: number;
  /** Puts into the folder what is there before it begins. */
  begin(folder: string): void;
  run(folder: string, step: Step): Promise<Finished>;
  /** What must be the same, bit by bit, however often the command was disturbed. */
  result(folder: string): Map<string, string>;
  /** Looked at before a command is run again: lines that may not be lost. */
  kept(folder: string): readonly string[];
  /** Whether a command that comes after one which was killed behind its last step may refuse what is there. */
  readonly refusesWhole?: true;
  /** Faults of what a disturbed command has left. @param whole as {@link result} has it of an undisturbed one */
  disturbed?(folder: string, whole: ReadonlyMap<string, string>): readonly string[];
  /** Faults of a finished series of runs. */
  after?(folder: string, runs: number): readonly string[];
  close(): Promise<void>;
}

const isStable = (name: string): boolean =>
  /^(predictions\.jsonl|splits\.json|audit\.json|figures\/.*\.svg|model\/.*)$/.test(name);

/** The files whose bytes depend on nothing but the command; of metrics.json what is not of one sitting. */
function runResult(folder: string): Map<string, string> {
  const result = new Map([...hashes(folder)].filter(([name]) => isStable(name)));
  if (filesIn(folder).includes("metrics.json")) {
    const metrics: unknown = JSON.parse(readFileSync(join(folder, "metrics.json"), "utf8"), (key, value: unknown) =>
      /seconds|perSecond|^(asked|cached|retries)$/i.test(key) ? undefined : value,
    );
    result.set("metrics.json", JSON.stringify(metrics));
  }
  return result;
}

const evaluation = (folder: string): string[] => [
  ...["run", "gemma-3-27b-baseline", "--sample", "--out", folder],
  ...["data.rowsPerLanguage=100", "answerer.questionsPerRequest=1", "answerer.concurrency=4"].flatMap((one) => [
    "--set",
    one,
  ]),
];

/** An evaluation over HTTP of a server that counts. */
export async function evaluationScenario(): Promise<Scenario> {
  const asked = new Map<string, number>();
  const server = await startChatImitation({
    reply: (request) => {
      const question = JSON.stringify(request.messages);
      asked.set(question, (asked.get(question) ?? 0) + 1);
      return letterFor(question);
    },
  });
  return {
    name: "evaluation",
    kills: 200,
    begin: () => asked.clear(),
    run: (folder, step) => stepped(evaluation(folder), step, { LMSTUDIO_ENDPOINT: server.url }),
    result: runResult,
    kept: (folder) => wholeLines(join(folder, "replies.jsonl")),
    after: (_folder, runs) => {
      const total = [...asked.values()].reduce((sum, one) => sum + one, 0);
      // What was under way at a kill, four at most, is asked again.
      return total > asked.size + 4 * (runs - 1)
        ? [`${asked.size} questions were asked ${total} times in ${runs} runs`]
        : [];
    },
    close: () => server.stop(),
  };
}

/** The writing of a run's results and report, all replies being there. */
export async function reportScenario(folder: string): Promise<Scenario> {
  const server: ChatImitation = await startChatImitation({ reply: (request) => letterFor(JSON.stringify(request)) });
  const whole = join(folder, "answered");
  const first = await mmmlu(evaluation(whole), { environment: { LMSTUDIO_ENDPOINT: server.url } });
  if (first.code !== 0) throw new Error(first.error);
  await server.stop();
  return {
    name: "report",
    kills: 200,
    begin: (place) => cpSync(whole, place, { recursive: true }),
    // Nobody can be asked any more.
    run: (place, step) => stepped(evaluation(place), step, { LMSTUDIO_ENDPOINT: server.url }),
    result: runResult,
    kept: (place) => wholeLines(join(place, "replies.jsonl")),
    close: async () => {},
  };
}

/** Training of a LoRA adapter on 4-bit weights of a tiny model, its two evaluations included. */
export async function trainingScenario(): Promise<Scenario> {
  const settings = [
    "training.epochs=1",
    "training.logEvery=2",
    "training.checkpointEvery=4",
    "data.rowsPerLanguage=40",
    "training.validateEachEpoch=true",
    "training.keepBest=true",
  ];
  return {
    name: "training with LoRA on 4-bit weights",
    kills: 200,
    begin: () => {},
    run: (folder, step) =>
      stepped(
        [...["run", "gemma-2-2b-finetune", "--sample", "--out", folder], ...settings.flatMap((one) => ["--set", one])],
        step,
      ),
    result: (folder) => {
      const steps = wholeLines(join(folder, "train-log.jsonl")).map((line) =>
        JSON.stringify(JSON.parse(line), (key, value: unknown) => (/seconds|perSecond/i.test(key) ? undefined : value)),
      );
      return new Map([...runResult(folder), ["train-log.jsonl", steps.join("\n")]]);
    },
    kept: (folder) => wholeLines(join(folder, "replies.jsonl")),
    close: async () => {},
  };
}

/** Files of a repository, small ones and a large one, over a hub whose connections break. */
export async function downloadScenario(seed: number): Promise<Scenario> {
  const random = seeded(seed);
  const bytes = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, () => random.below(256)));
  const files = { "config.json": '{"a": 1}\n', "some/text.txt": "text\n", "weights.bin": bytes(1_500_000) };
  const hub = await hubImitation([
    { type: "model", name: "org/model", commit: "c".repeat(40), files, large: ["weights.bin"] },
  ]);
  return {
    name: "download",
    kills: 200,
    begin: () => {},
    run: (folder, step) => {
      hub.trouble = random.below(3) === 0 ? ["ok", "ok", "cut"] : [];
      return nodeScript("download.mjs", ["org/model", ...Object.keys(files)], {
        HF_ENDPOINT: hub.url,
        HF_HOME: folder,
        ...stepEnvironment(step),
      });
    },
    result: (folder) => new Map([...hashes(folder)].filter(([name]) => !name.includes("/.locks/"))),
    kept: () => [],
    close: () => hub.close(),
  };
}
