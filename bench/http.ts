import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LANGUAGES, mmmlu } from "../src/tasks/index.js";

/*
 * npm run bench:http [-- --lm-eval PYTHON --inspect PYTHON --bare --questions 5000 --concurrency 4,32,256
 *   --milliseconds 50 --rounds 1 --json]
 * Some thousand rows through the whole command line, each tool in a process of its own: `mmmlu run`,
 * lm-evaluation-harness's `local-chat-completions` and Inspect (bench/python/http-requirements.txt), in turn against
 * the same local server (evaluate-server.ts) that answers each request in so many milliseconds by what it asks. Seconds,
 * processor seconds and peak memory are the system's own of the whole process (GNU time, Debian's package `time`).
 * Every tool must come to the accuracy that the server's answers have. --bare asks the same questions in a bare loop of
 * undici as well (bare-loop.ts): what server and machine allow. Above 14,042 questions there are several languages, as
 * in MMMLU.
 */

const { values } = parseArgs({
  options: {
    "lm-eval": { type: "string" },
    inspect: { type: "string" },
    bare: { type: "boolean", default: false },
    questions: { type: "string", default: "5000" },
    concurrency: { type: "string", default: "4,32,256" },
    milliseconds: { type: "string", default: "50" },
    rounds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const questions = Number(values.questions);
const root = fileURLToPath(new URL("../..", import.meta.url));
const LETTERS = ["A", "B", "C", "D"] as const;
const MODEL = "gemma-3-27b-it";

const WORDS = Array.from({ length: 1000 }, (_, at) => `Wort${(at * 7) % 997}`).join(" ");
const words = (from: number, length: number): string => WORDS.slice(from % 5000, (from % 5000) + length);

/** Rows of each of MMMLU's languages. */
const ROWS_OF_LANGUAGE = 14_042;
const languages = LANGUAGES.slice(0, Math.ceil(questions / ROWS_OF_LANGUAGE));

/** The letter that the server gives to a question, and the one that is right: the same in all languages. */
const answered = (number: number): string => LETTERS[((number * 7919) % 10_007) % 4]!;
const truth = (number: number): string => LETTERS[(number % ROWS_OF_LANGUAGE) % 4]!;

const folder = mkdtempSync(join(tmpdir(), "mmmlu-http-"));
const rows = Array.from({ length: questions }, (_, number) => ({
  number,
  question: `Frage ${number}: ${words(number, 150)}?`,
  choices: [1, 2, 3, 4].map((at) => words(number + at, 40)),
  answer: truth(number),
}));

/** The same rows as each tool reads them. */
function writeRows(): void {
  mkdirSync(join(folder, "data", "test"), { recursive: true });
  for (const [at, language] of languages.entries()) {
    const lines = rows
      .slice(at * ROWS_OF_LANGUAGE, (at + 1) * ROWS_OF_LANGUAGE)
      .map(
        ({ number, question, choices, answer }) =>
          `${number % ROWS_OF_LANGUAGE},${[question, ...choices, answer, "anatomy"].join(",")}\n`,
      );
    writeFileSync(join(folder, "data", mmmlu.file(language)), `,Question,A,B,C,D,Answer,Subject\n${lines.join("")}`);
  }
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  mkdirSync(join(folder, "tasks"));
  writeFileSync(
    join(folder, "tasks", "bench_http.yaml"),
    JSON.stringify({
      task: "bench_http",
      dataset_path: "json",
      dataset_kwargs: { data_files: { test: join(folder, "rows.jsonl") } },
      test_split: "test",
      output_type: "generate_until",
      doc_to_text:
        "{{question}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer with the letter only.",
      doc_to_target: "{{answer}}",
      generation_kwargs: { until: [], max_gen_toks: 2, temperature: 0, do_sample: false },
      metric_list: [{ metric: "exact_match", aggregation: "mean", higher_is_better: true }],
      num_fewshot: 0,
    }),
  );
}

interface Tool {
  readonly name: string;
  /** Words of the command for so many requests at once. */
  command(url: string, concurrency: number, out: string): readonly string[];
  readonly environment?: (url: string) => Readonly<Record<string, string>>;
  /** The accuracy that it came to. */
  accuracy(out: string): number;
  /** Seconds spent asking alone, where it tells. */
  asking?(out: string): number;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

const ours: Tool = {
  name: "mmmlu-lab",
  command: (url, concurrency, out) => [
    process.execPath,
    join(root, "dist/cli/main.js"),
    ...[
      "run",
      "gemma-3-27b-baseline",
      "--data",
      join(folder, "data"),
      "--languages",
      languages.join(","),
      "--out",
      out,
    ],
    ...["filter=null", "split=null", "answerer.questionsPerRequest=1", `answerer.concurrency=${concurrency}`].flatMap(
      (setting) => ["--set", setting],
    ),
    ...["--set", `answerer.endpoint=${url}`],
  ],
  accuracy: (out) => (readJson(join(out, "metrics.json")) as { accuracy: number }).accuracy,
  asking: (out) => (readJson(join(out, "metrics.json")) as { seconds: number }).seconds,
};

const harness = (python: string): Tool => ({
  name: "lm-evaluation-harness",
  command: (url, concurrency, out) => [
    ...[python, "-m", "lm_eval", "run", "--model", "local-chat-completions", "--tasks", "bench_http"],
    ...["--include_path", join(folder, "tasks"), "--apply_chat_template", "--output_path", out],
    "--model_args",
    `model=${MODEL},base_url=${url}chat/completions,num_concurrent=${concurrency},max_retries=1,tokenizer_backend=none`,
  ],
  environment: () => ({
    HF_HUB_OFFLINE: "1",
    HF_DATASETS_OFFLINE: "1",
    HF_HOME: join(folder, "hf"),
    OPENAI_API_KEY: "-",
  }),
  accuracy: (out) => {
    const name = readdirSync(out, { recursive: true, encoding: "utf8" }).find((one) => /results_.*\.json$/.test(one))!;
    const { results } = readJson(join(out, name)) as { results: { bench_http: Record<string, number> } };
    return results.bench_http["exact_match,none"]!;
  },
});

const inspect = (python: string): Tool => ({
  name: "Inspect",
  command: (_url, concurrency, out) => [
    ...[python, join(root, "bench/python/inspect_http.py"), join(folder, "rows.jsonl"), MODEL],
    ...[String(concurrency), out],
  ],
  environment: (url) => ({ LOCAL_BASE_URL: url, LOCAL_API_KEY: "-" }),
  accuracy: (out) => (readJson(join(out, "accuracy.json")) as { accuracy: number }).accuracy,
});

export interface Measured {
  readonly tool: string;
  readonly concurrency: number;
  readonly seconds: number;
  /** Of them spent asking, where the tool tells. */
  readonly askingSeconds?: number;
  readonly processorSeconds: number;
  readonly peakMiB: number;
  readonly accuracy: number;
  /** Of the system over the last minute, before it was begun. */
  readonly load: number;
}

/** What is printed with `--json`. */
export interface HttpBench {
  readonly bench: "http";
  readonly questions: number;
  readonly milliseconds: number;
  /** The accuracy that the server's answers have. */
  readonly expected: number;
  readonly results: readonly Measured[];
}

/** What is left of a command's output where it fails. */
const TAIL = 3000;

async function measure(tool: Tool, url: string, concurrency: number): Promise<Measured> {
  const out = mkdtempSync(join(folder, "out-"));
  const times = join(folder, "times.txt");
  const load = loadavg()[0]!;
  // mmmlu makes its own folder.
  const place = join(out, "run");
  const [command, ...given] = tool.command(url, concurrency, place) as [string, ...string[]];
  const child = spawn("time", ["-f", "%e %U %S %M", "-o", times, command, ...given], {
    cwd: folder,
    env: { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), ...tool.environment?.(url) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => {
      said = (said + piece.toString()).slice(-TAIL);
    });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${tool.name} ended with ${code}:\n${said}`);
  const [seconds, user, system, kibibytes] = readFileSync(times, "utf8")
    .trim()
    .split("\n")
    .at(-1)!
    .split(" ")
    .map(Number);
  const accuracy = tool.accuracy(place);
  const asking = tool.asking?.(place);
  rmSync(out, { recursive: true });
  return {
    tool: tool.name,
    concurrency,
    seconds: seconds!,
    ...(asking === undefined ? {} : { askingSeconds: asking }),
    processorSeconds: user! + system!,
    peakMiB: kibibytes! / 1024,
    accuracy,
    load,
  };
}

async function startServer(): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./evaluate-server.js", import.meta.url)), values.milliseconds, "by-question"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  for await (const line of createInterface({ input: child.stdout })) return { process: child, url: line };
  throw new Error("the server did not start");
}

/** What server and machine allow: the same requests, and nothing but them. */
const bare: Tool = {
  name: "bare undici",
  command: (url, concurrency, out) => [
    ...[process.execPath, fileURLToPath(new URL("./bare-loop.js", import.meta.url))],
    ...[join(folder, "rows.jsonl"), url, MODEL, String(concurrency), out],
  ],
  accuracy: (out) => (readJson(join(out, "accuracy.json")) as { accuracy: number }).accuracy,
  asking: (out) => (readJson(join(out, "accuracy.json")) as { seconds: number }).seconds,
};

const tools = [
  ours,
  ...(values.bare ? [bare] : []),
  ...(values["lm-eval"] ? [harness(values["lm-eval"])] : []),
  ...(values.inspect ? [inspect(values.inspect)] : []),
];
const expected = rows.filter(({ number }) => answered(number) === truth(number)).length / questions;
const results: Measured[] = [];
writeRows();
const server = await startServer();
try {
  for (const concurrency of values.concurrency.split(",").map(Number))
    for (let round = 0; round < Number(values.rounds); round++)
      for (const tool of tools) {
        const measured = await measure(tool, server.url, concurrency);
        if (Math.abs(measured.accuracy - expected) > 1e-9)
          throw new Error(`${tool.name} came to ${measured.accuracy}, and the server's answers to ${expected}`);
        results.push(measured);
        if (!values.json)
          process.stdout.write(
            `${String(concurrency).padStart(4)} at once: ${tool.name.padEnd(22)} ${measured.seconds.toFixed(1).padStart(7)} s, ` +
              `${measured.askingSeconds === undefined ? "" : `${measured.askingSeconds.toFixed(1)} of them asking, `}` +
              `${measured.processorSeconds.toFixed(1).padStart(6)} s of processor, ${measured.peakMiB.toFixed(0).padStart(5)} MiB, ` +
              `accuracy ${measured.accuracy.toFixed(4)} (load before ${measured.load.toFixed(1)})\n`,
          );
      }
} finally {
  server.process.stdin?.end();
  rmSync(folder, { recursive: true, force: true });
}
if (values.json)
  process.stdout.write(
    `${JSON.stringify({
      ...{ bench: "http", questions, milliseconds: Number(values.milliseconds), expected, results },
    } satisfies HttpBench)}\n`,
  );
