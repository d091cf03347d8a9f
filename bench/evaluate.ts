import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chatServer } from "../src/answer/chat-server.js";
import { gemma3Plan } from "../src/answer/requests.js";
import { evaluate } from "../src/evaluate/run.js";
import { mmmlu, type Row } from "../src/tasks/index.js";

const LETTERS = mmmlu.letters;

/*
 * npm run bench:evaluate [-- --questions 10000 --concurrency 4,32,256 --milliseconds 50 --json]
 * Questions a second against a local server (evaluate-server.ts, a process of its own) that answers each request in so
 * many milliseconds, one question a request, through the whole path: prompts, the HTTP client, the log on disk,
 * reading, metrics. It runs as built: what translates TypeScript as it loads costs each function made a third of a
 * request's time.
 */

const { values } = parseArgs({
  options: {
    questions: { type: "string", default: "10000" },
    concurrency: { type: "string", default: "4,32,256" },
    milliseconds: { type: "string", default: "50" },
    json: { type: "boolean", default: false },
  },
});
const questions = Number(values.questions);
const milliseconds = Number(values.milliseconds);

const WORDS = Array.from({ length: 1000 }, (_, at) => `Wort${(at * 7) % 997}`).join(" ");

/** Rows of some 300 characters, made as they are asked for, so that they hold no memory. */
function* rows(count: number): Generator<Row> {
  const words = (from: number, length: number): string => WORDS.slice(from % 5000, (from % 5000) + length);
  for (let index = 0; index < count; index++) {
    yield {
      id: `DE_DE/abstract_algebra/${index}`,
      language: "DE_DE",
      subject: "abstract_algebra",
      index,
      question: `${index} ${words(index, 150)}?`,
      choices: [words(index + 1, 40), words(index + 2, 40), words(index + 3, 40), words(index + 4, 40)],
      answer: LETTERS[index % 4]!,
    };
  }
}

const madeOnTheWay = (count: number): Iterable<Row> => ({ [Symbol.iterator]: () => rows(count) });

interface Measured {
  concurrency: number;
  questions: number;
  seconds: number;
  questionsPerSecond: number;
  /** Of concurrency ÷ the time that the server was asked to take. */
  shareOfPossible: number;
  /** How long the server took for a reply, by its own clock, in the mean. */
  serverMilliseconds: number;
  processorMillisecondsPerQuestion: number;
  /** Resident memory while asking, in MiB: after a tenth of the questions, and the most seen after that. */
  memoryEarly: number;
  memoryMost: number;
}

async function measure(endpoint: string, concurrency: number, count: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-bench-"));
  const answerer = chatServer({
    model: "gemma-3-27b-it",
    endpoint,
    temperature: 0,
    logProbabilities: false,
    timeoutSeconds: 30,
    retries: 0,
    seed: 42,
  });
  let early = 0;
  let most = 0;
  let looked = 0;
  const watched = (done: number): void => {
    // Looking costs a read of /proc: at most ten times a second.
    if (done < count / 10 || performance.now() - looked < 100) return;
    looked = performance.now();
    const memory = process.memoryUsage.rss() / 2 ** 20;
    if (early === 0) early = memory;
    most = Math.max(most, memory);
  };
  const serverMilliseconds = async (): Promise<number> =>
    ((await (await fetch(new URL("/delay", endpoint))).json()) as { mean: number }).mean;
  await serverMilliseconds();
  const processor = process.cpuUsage();
  try {
    const evaluation = await evaluate({
      rows: madeOnTheWay(count),
      total: count,
      answerer,
      plan: gemma3Plan({
        questionsPerRequest: 1,
        instruction: "english",
        maximumTokensPerQuestion: 2,
        maximumTokensExtra: 10,
      }),
      reading: "lines",
      stage: "zero-shot",
      repliesPath: join(folder, "replies.jsonl"),
      concurrency,
      progress: { begin() {}, update: watched, say() {}, end() {} },
    });
    if (evaluation.metrics.n !== count || evaluation.metrics.unreadable !== 0)
      throw new Error(`only ${evaluation.metrics.n} answered, ${evaluation.metrics.unreadable} unreadable`);
    const { user, system } = process.cpuUsage(processor);
    return {
      concurrency,
      questions: count,
      seconds: evaluation.seconds,
      questionsPerSecond: count / evaluation.seconds,
      shareOfPossible: count / evaluation.seconds / (concurrency / (milliseconds / 1000)),
      serverMilliseconds: await serverMilliseconds(),
      processorMillisecondsPerQuestion: (user + system) / 1000 / count,
      memoryEarly: early,
      memoryMost: most,
    };
  } finally {
    await answerer.close();
    rmSync(folder, { recursive: true });
  }
}

async function startServer(): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./evaluate-server.js", import.meta.url)), String(milliseconds)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  for await (const line of createInterface({ input: child.stdout })) return { process: child, url: line };
  throw new Error("the server did not start");
}

const server = await startServer();
const results: Measured[] = [];
try {
  // V8 compiles what is hot over the first ten thousand requests: that is not what is measured.
  await measure(server.url, 256, 10_000);
  for (const concurrency of values.concurrency.split(",").map(Number)) {
    const measured = await measure(server.url, concurrency, questions);
    results.push(measured);
    if (!values.json) {
      const { questionsPerSecond, shareOfPossible, serverMilliseconds, memoryEarly, memoryMost } = measured;
      process.stdout.write(
        `${String(concurrency).padStart(4)} at once: ${questionsPerSecond.toFixed(1).padStart(7)} questions/s, ${(100 * shareOfPossible).toFixed(1)} % of ${concurrency} ÷ ${milliseconds} ms (the server took ${serverMilliseconds.toFixed(2)} ms), ` +
          `${measured.processorMillisecondsPerQuestion.toFixed(3)} ms of processor each, memory ${memoryEarly.toFixed(0)} MiB early, ${memoryMost.toFixed(0)} MiB at most\n`,
      );
    }
  }
} finally {
  server.process.stdin?.end();
}
if (values.json) process.stdout.write(`${JSON.stringify({ bench: "evaluate", milliseconds, results })}\n`);
