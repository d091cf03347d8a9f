import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { checkedAs } from "../../base/json.js";
import type { Prediction } from "../../evaluate/index.js";
import { OPTION_LETTERS } from "../../tasks/index.js";
import { letterOf, placeOf } from "../identify.js";
import { turnsAsText } from "../prompt-turns.js";
import type { AskedText, Result, ResultFacts } from "../result.js";
import { type Importer, withRows } from "./importer.js";
import { Archive } from "./inspect-archive.js";
import { parsePythonJson, readPythonJson } from "./python-json.js";

const HINT = "Is it a log that Inspect wrote (inspect eval, logs/*.eval or *.json)?";

/** Bytes of a log as JSON: Inspect's own viewer gives up long before. */
const LARGEST_JSON = 1 << 30;

const anyKeys = z.record(z.string(), z.unknown());
const text = z.string().max(10_000_000);
const part = z.looseObject({ type: z.string().max(100), text: text.optional(), reasoning: text.optional() });
const content = z.union([text, z.array(part).max(10_000)]);
const message = z.looseObject({ role: z.string().max(100), content });

const number = z.number().nullish();
const generateConfig = z.looseObject({
  max_tokens: number,
  temperature: number,
  seed: number,
  max_connections: number,
});

/** What of a log's head is read. */
const headSchema = z.looseObject({
  status: z.string().max(100).optional(),
  eval: z.looseObject({
    task: z.string().max(1000),
    model: z.string().max(1000),
    task_args: anyKeys.nullish(),
    model_generate_config: generateConfig.nullish(),
    packages: z.record(z.string(), z.string().max(200)).nullish(),
  }),
  plan: z
    .looseObject({
      steps: z.array(z.looseObject({ solver: z.string().max(1000) })).max(1000),
      config: generateConfig.nullish(),
    })
    .nullish(),
  results: z
    .looseObject({
      completed_samples: z.number().nullish(),
      scores: z
        .array(
          z.looseObject({
            name: z.string().max(1000),
            metrics: z.record(z.string(), z.looseObject({ value: z.number().nullable() })),
          }),
        )
        .max(1000),
    })
    .nullish(),
});
type Head = z.infer<typeof headSchema>;

const scoreSchema = z.looseObject({
  value: z.unknown(),
  answer: text.nullish(),
});

/** What of a sample is read. */
const sampleSchema = z.looseObject({
  id: z.union([z.string().max(10_000), z.number()]),
  epoch: z.number().int().min(0).max(1_000_000),
  input: z.union([text, z.array(message).max(10_000)]),
  choices: z.array(text).max(100).nullish(),
  target: z.union([text, z.array(text).max(100)]),
  output: z.looseObject({
    choices: z
      .array(z.looseObject({ message: message.optional(), stop_reason: z.string().max(100).nullish() }))
      .max(1000)
      .nullish(),
    completion: text.nullish(),
  }),
  messages: z.array(message).max(10_000).nullish(),
  scores: z.record(z.string(), scoreSchema).nullish(),
  metadata: anyKeys.nullish(),
  error: z.unknown().optional(),
});
type Sample = z.infer<typeof sampleSchema>;

/** UK AISI's Inspect: `.eval` and `.json` logs; of a folder all, one for each language mostly. */
export const inspect: Importer = {
  name: "Inspect",
  reads: "a log (.eval or .json), or a folder of logs of one model",
  takes: (path) => logFiles(path).length > 0,
  async read(path) {
    const gathered = new Map<number, Gathered>();
    let first: Head | undefined;
    const notes: string[] = [];
    const files = logFiles(path);
    for (const file of files) {
      let count = 0;
      let last: Head | undefined;
      for await (const { head, sample } of samplesOf(file)) {
        first ??= head;
        last = head;
        count++;
        if (head.eval.model !== first.eval.model)
          throw new UserError(`${path} holds logs of several models (${first.eval.model}, ${head.eval.model})`, {
            hint: "Give one log, or a folder of one model's.",
          });
        const epoch = gathered.get(sample.epoch) ?? new Gathered(sample.epoch);
        gathered.set(sample.epoch, epoch);
        epoch.add(head, sample);
      }
      notes.push(...aboutLog(file, last, count));
    }
    if (!first)
      throw new UserError(`${path} holds no sample`, { hint: "Let Inspect log its samples, and run it again." });
    return withRows(
      [...gathered.values()]
        .sort((a, b) => a.epoch - b.epoch)
        .map((epoch) =>
          epoch.result(path, first!, {
            several: gathered.size > 1,
            // Of several epochs the log tells what a reducer made of all.
            reported: files.length > 1 || gathered.size > 1 ? undefined : reportedOf(first!),
            notes:
              gathered.size > 1
                ? [...notes, `One of ${gathered.size} epochs counts; ${path}:EPOCH names another.`]
                : notes,
          }),
        ),
      path,
    );
  },
};

/** What a reader must know of a log: broken off, failed, without its samples. */
function aboutLog(file: string, head: Head | undefined, count: number): string[] {
  if (!head) return [`${file} holds no sample.`];
  const measured = head.results?.completed_samples;
  return [
    ...(head.status === undefined || head.status === "started"
      ? [`${file} was broken off: it has ${count} samples and no end.`]
      : head.status === "success"
        ? []
        : [`${file}: the log's status is ${head.status}.`]),
    ...(measured != null && measured > count
      ? [`${file} holds ${count} of the ${measured} samples that its results were measured by.`]
      : []),
  ];
}

/** The logs that a path names. */
function logFiles(path: string): string[] {
  const about = statSync(path, { throwIfNoEntry: false });
  if (about?.isFile()) return isLog(path) ? [path] : [];
  if (!about?.isDirectory()) return [];
  return readdirSync(path)
    .filter((name) => isLog(name))
    .sort()
    .map((name) => join(path, name));
}

/** As Inspect names its logs: a time in front, unless they were renamed. */
const isLog = (path: string): boolean =>
  /\.eval$/.test(path) || /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}[^/]*\.json$/.test(basename(path));

async function* samplesOf(file: string): AsyncGenerator<{ head: Head; sample: Sample }> {
  if (file.endsWith(".json")) {
    const log = await readPythonJson(
      file,
      headSchema.extend({ samples: z.array(sampleSchema).max(2_000_000).nullish() }),
      {
        hint: HINT,
        most: LARGEST_JSON,
      },
    );
    for (const sample of log.samples ?? []) yield { head: log, sample };
    return;
  }
  const archive = await Archive.open(file);
  try {
    // A log that was broken off has no header yet.
    const name = (await archive.text("header.json")) === undefined ? "_journal/start.json" : "header.json";
    const written = await archive.text(name);
    if (written === undefined) throw new UserError(`${file} has no header.json`, { hint: HINT });
    const head = checkedAs(parsePythonJson(written, `${file} (${name})`, HINT), headSchema, `${file} (${name})`, HINT);
    for (const entry of [...archive.names].filter((one) => /^samples\/.*\.json$/.test(one)).sort()) {
      const where = `${file} (${entry})`;
      const sample = checkedAs(parsePythonJson((await archive.text(entry))!, where, HINT), sampleSchema, where, HINT);
      yield { head, sample };
    }
  } finally {
    archive.close();
  }
}

/** The texts of a message's content; reasoning apart. */
function textOf(given: z.infer<typeof content>): string {
  return typeof given === "string" ? given : given.map((one) => (one.type === "text" ? (one.text ?? "") : "")).join("");
}

/** What the model read before it answered last; what it was given as examples is among it. */
function promptOf({ messages }: Sample): Pick<AskedText, "prompt" | "turns"> {
  if (!messages) return {};
  const last = messages.findLastIndex(({ role }) => role === "user");
  const turns = messages.slice(0, last + 1).map(({ role, content }) => ({ role, content: textOf(content) }));
  return turns.length ? { prompt: turnsAsText(turns), turns } : {};
}

/** The samples of one epoch. */
class Gathered {
  readonly predictions: Prediction[] = [];
  readonly texts = new Map<string, AskedText>();
  private readonly seen = new Set<string>();
  private twice = 0;
  private unscored = 0;
  private withoutKey = 0;
  private readonly scorers = new Set<string>();
  private readonly chosen = new Map<Head, string>();

  constructor(readonly epoch: number) {}

  add(head: Head, sample: Sample): void {
    const choices = sample.choices ?? undefined;
    const [target] = [sample.target].flat();
    const key = letterOf(target, choices);
    if (!key || [sample.target].flat().length !== 1) {
      this.withoutKey++;
      return;
    }
    const scorers = Object.keys(sample.scores ?? {});
    const scorer = this.scorerOf(head, scorers);
    const score = scorer === undefined ? undefined : sample.scores?.[scorer];
    // A NaN was read as null.
    const right = verdictOf(score?.value);
    if (!score || right === undefined) {
      this.unscored++;
      return;
    }
    if (scorers.length > 1) this.scorers.add(scorer!);
    const question =
      typeof sample.input === "string"
        ? sample.input
        : textOf(sample.input.findLast(({ role }) => role === "user")?.content ?? "");
    const language = sample.metadata?.["language"] ?? head.eval.task_args?.["language"];
    const place = placeOf({
      task: head.eval.task,
      doc: { id: sample.id, ...sample.metadata },
      language: typeof language === "string" ? language : undefined,
      question,
      choices,
    });
    if (this.seen.has(place.id)) {
      this.twice++;
      return;
    }
    this.seen.add(place.id);
    const [choice] = sample.output.choices ?? [];
    const reply = choice?.message ? textOf(choice.message.content) : (sample.output.completion ?? "");
    const cut = choice?.stop_reason === "max_tokens" || choice?.stop_reason === "model_length";
    const read = letterOf(score.answer ?? undefined, choices) ?? null;
    const prediction = right ? key : read === key ? null : read;
    this.predictions.push({
      ...place,
      answer: key,
      prediction,
      ...(prediction === null ? { unreadable: cut ? "cut" : reply.trim() === "" ? "empty" : "withoutLetter" } : {}),
      ...(cut ? { cut: true } : {}),
      ...(choices && choices.length !== 4 && choices.length <= OPTION_LETTERS.length
        ? { options: choices.length }
        : {}),
      reply,
      stage: `epoch ${this.epoch}`,
    });
    this.texts.set(place.id, { question, ...(choices ? { choices } : {}), ...promptOf(sample) });
  }

  /** The one scorer of a log that counts: Inspect's own for multiple choice, else the first; the same for all samples. */
  private scorerOf(head: Head, scorers: readonly string[]): string | undefined {
    const known = this.chosen.get(head);
    if (known !== undefined || scorers.length === 0) return known;
    const name = scorers.includes("choice") ? "choice" : scorers[0]!;
    this.chosen.set(head, name);
    return name;
  }

  result(
    path: string,
    head: Head,
    { several, reported, notes }: { several: boolean; reported: number | undefined; notes: readonly string[] },
  ): Result {
    const version = head.eval.packages?.["inspect_ai"];
    return {
      name: several ? `${head.eval.model}:epoch ${this.epoch}` : head.eval.model,
      path,
      tool: `Inspect ${version ?? ""}`.trim(),
      predictions: this.predictions,
      texts: this.texts,
      facts: factsOf(head),
      reported,
      notes: [
        ...notes,
        ...(this.twice ? [`${this.twice} samples stood there more than once: the first counts.`] : []),
        ...(this.unscored ? [`${this.unscored} samples have no score that is a verdict: left out.`] : []),
        ...(this.scorers.size ? [`Of several scorers one counts: ${[...this.scorers].join(", ")}.`] : []),
        ...(this.withoutKey ? [`${this.withoutKey} samples are no multiple-choice questions: left out.`] : []),
      ],
    };
  }
}

/** A score as Inspect's `value_to_float` reads it, right where it is 1; undefined where it is no verdict on a row. */
function verdictOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = typeof value === "string" ? value.trim().toLowerCase() : undefined;
  if (text !== undefined && Object.hasOwn(WORDS, text)) return WORDS[text];
  const number = text === undefined || text === "" ? value : Number(text);
  return typeof number === "number" && number >= 0 && number <= 1 ? number === 1 : undefined;
}

/** Correct, incorrect, partly, no answer. */
const WORDS: Readonly<Record<string, boolean>> = {
  ...{ c: true, yes: true, true: true },
  ...{ i: false, p: false, n: false, no: false, false: false },
};

function factsOf({ eval: { model, model_generate_config: own, task_args: args }, plan }: Head): ResultFacts {
  const config = { ...plan?.config, ...own };
  const shots = args?.["fewshot"] ?? args?.["num_fewshot"] ?? args?.["few_shot"];
  return {
    model,
    scoring: "generated",
    shots: typeof shots === "number" ? shots : undefined,
    temperature: config.temperature ?? undefined,
    maxTokens: config.max_tokens ?? undefined,
    reading: plan?.steps.map(({ solver }) => solver).join(", "),
    chat: true,
    seed: config.seed ?? undefined,
    concurrency: config.max_connections ?? undefined,
  };
}

/** The accuracy that the log itself tells, of its one scorer. */
const reportedOf = ({ results }: Head): number | undefined =>
  results?.scores.length === 1 ? (results.scores[0]!.metrics["accuracy"]?.value ?? undefined) : undefined;
