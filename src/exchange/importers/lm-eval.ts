import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import type { Prediction } from "../../evaluate/index.js";
import { type Letter, OPTION_LETTERS } from "../../tasks/index.js";
import { letterOf, placeOf } from "../identify.js";
import { turnsAsText, turnsIn } from "../prompt-turns.js";
import type { AskedText, Result } from "../result.js";
import { type Importer, withRows } from "./importer.js";
import { pythonNumber, readPythonJson, readPythonJsonLines } from "./python-json.js";

const HINT = "Is it a folder that lm_eval wrote, with its samples logged (output_path, log_samples)?";

const anyKeys = z.record(z.string(), z.unknown());
const short = z.string().max(10_000);

/** What of `results_*.json` is read. */
const resultsSchema = z.looseObject({
  results: z.record(short, anyKeys),
  configs: z
    .record(
      short,
      z.looseObject({
        num_fewshot: z.number().int().min(0).max(1000).nullish(),
        output_type: z.string().max(100).nullish(),
        generation_kwargs: anyKeys.nullish(),
      }),
    )
    .optional(),
  config: z.looseObject({
    model: z.unknown().optional(),
    model_args: z.unknown().optional(),
    batch_size: z.unknown().optional(),
    random_seed: z.number().nullish(),
  }),
  lm_eval_version: z.string().max(100).nullish(),
  model_name: z.string().max(1000).nullish(),
  "n-samples": z
    .record(short, z.looseObject({ effective: z.number().int().nonnegative().nullish() }))
    .nullish()
    .catch(undefined),
  chat_template: z.string().nullish(),
});
type Results = z.infer<typeof resultsSchema>;

/** A line of `samples_*.jsonl`: one document under one filter. */
const sampleSchema = z.looseObject({
  doc_id: z.number().int().nonnegative(),
  doc: anyKeys,
  target: z.union([z.string().max(1_000_000), z.number()]),
  arguments: z.record(z.string().max(100), z.record(z.string().max(100), z.unknown())),
  resps: z.array(z.unknown()).max(1000),
  filtered_resps: z.array(z.unknown()).max(1000),
  filter: z.string().max(200).default("none"),
  // A NaN was read as null.
  acc: z.number().min(0).max(1).nullish(),
  exact_match: z.number().min(0).max(1).nullish(),
});
type Sample = z.infer<typeof sampleSchema>;

const RESULTS = /^results_(.+)\.json$/;

/** EleutherAI's lm-evaluation-harness: `results_*.json` with its `samples_*.jsonl`. */
export const lmEval: Importer = {
  name: "lm-evaluation-harness",
  reads: "results_*.json with its samples_*.jsonl, or the folder that holds them",
  takes: (path) => resultFiles(path).length > 0,
  async read(path) {
    const files = resultFiles(path);
    const newest = files.at(-1)!;
    const results = await readPythonJson(newest, resultsSchema, { hint: HINT });
    const date = RESULTS.exec(basename(newest))![1]!;
    const samples = readdirSync(dirname(newest))
      .filter((name) => name.startsWith("samples_") && name.endsWith(`_${date}.jsonl`))
      .sort();
    if (samples.length === 0)
      throw new UserError(`${newest} has no samples_*_${date}.jsonl beside it`, {
        hint: readdirSync(dirname(newest)).some(
          (name) => name.startsWith("samples_") && name.includes(`_${date}.jsonl.`),
        )
          ? "They are packed: unpack them."
          : "Let lm_eval log its samples (log_samples): without them nothing can be compared row by row.",
      });
    const stages = new Map<string, Gathered>();
    const empty: string[] = [];
    const torn: string[] = [];
    const documents = new Map<string, Set<number>>();
    for (const name of samples) {
      const task = name.slice("samples_".length, -`_${date}.jsonl`.length);
      const seen = new Set<number>();
      documents.set(task, seen);
      const file = join(dirname(newest), name);
      for await (const sample of readPythonJsonLines(file, sampleSchema, HINT, (where) => torn.push(where))) {
        const stage = stages.get(sample.filter) ?? new Gathered(sample.filter);
        stages.set(sample.filter, stage);
        stage.add(task, sample);
        seen.add(sample.doc_id);
      }
      if (seen.size === 0) empty.push(task);
    }
    if (stages.size === 0) throw new UserError(`${newest}: its samples_*.jsonl hold no row`, { hint: HINT });
    const short = Object.entries(results["n-samples"] ?? {}).flatMap(([task, { effective }]) => {
      const there = documents.get(task)?.size ?? 0;
      return effective != null && there > 0 && there < effective ? [`${task} (${there} of ${effective})`] : [];
    });
    const without = Object.keys(results["n-samples"] ?? {}).filter((task) => !documents.has(task));
    const notes = [
      ...torn.map((where) => `${where} is torn (the last line, without its end): left out.`),
      ...(short.length
        ? [`Fewer samples than the results were measured by are in ${short.length} files: ${some(short)}.`]
        : []),
      ...(without.length ? [`No samples are there of ${without.length} tasks in the results: ${some(without)}.`] : []),
      ...(files.length > 1 ? [`The newest of ${files.length} results in ${path}: ${basename(newest)}.`] : []),
      ...(empty.length ? [`No row is in the samples of ${empty.length} tasks, such as ${empty[0]}.`] : []),
    ];
    return withRows(
      [...stages.values()].map((stage) => stage.result(newest, results, stages.size > 1, notes)),
      newest,
    );
  },
};

/** The first few of some names. */
const some = (names: readonly string[]): string =>
  `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

/** The results files that a path names, oldest first: itself, or those in the folder or in its models' folders. */
function resultFiles(path: string): string[] {
  const about = statSync(path, { throwIfNoEntry: false });
  if (about?.isFile()) return RESULTS.test(basename(path)) ? [path] : [];
  if (!about?.isDirectory()) return [];
  const own = resultsIn(path);
  if (own.length || existsSync(join(path, "run.json"))) return own;
  const below = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name))
    .filter((folder) => resultsIn(folder).length > 0);
  // Of several models nobody knows which is meant.
  return below.length === 1 ? resultsIn(below[0]!) : [];
}

const resultsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => RESULTS.test(name))
    .sort()
    .map((name) => join(folder, name));

/** The rows of one filter. */
class Gathered {
  readonly predictions: Prediction[] = [];
  readonly texts = new Map<string, AskedText>();
  private readonly seen = new Set<string>();
  private twice = 0;
  private readonly outputs = new Set<string>();
  private withoutKey = 0;
  private readonly tasks = new Set<string>();

  constructor(readonly filter: string) {}

  add(task: string, sample: Sample): void {
    this.tasks.add(task);
    const { doc } = sample;
    const asked = askedBy(doc);
    const answer = answerOf(sample);
    const key = keyOf(sample, asked.choices, answer);
    if (!key) {
      this.withoutKey++;
      return;
    }
    const place = placeOf({ task, doc, number: sample.doc_id, ...asked });
    if (this.seen.has(place.id)) {
      this.twice++;
      return;
    }
    this.seen.add(place.id);
    this.outputs.add(answer.scored ? "log-likelihood" : "generated");
    const verdict = sample.acc ?? sample.exact_match;
    // The tool's own verdict counts: its figure must come out as it told it.
    const letter = verdict == null ? answer.letter : verdict === 1 ? key : answer.letter === key ? null : answer.letter;
    this.predictions.push({
      ...place,
      answer: key,
      prediction: letter,
      ...(letter === null ? { unreadable: answer.reply.trim() === "" ? "empty" : "withoutLetter" } : {}),
      ...(asked.choices && asked.choices.length !== 4 && asked.choices.length <= OPTION_LETTERS.length
        ? { options: asked.choices.length }
        : {}),
      reply: answer.reply,
      stage: this.filter,
      ...(answer.logProbabilities ? { logProbabilities: answer.logProbabilities } : {}),
    });
    this.texts.set(place.id, { ...asked, ...promptOf(sample) });
  }

  result(path: string, results: Results, several: boolean, notes: readonly string[]): Result {
    const config = [...this.tasks].map((task) => results.configs?.[task]).find((one) => one !== undefined);
    const generation = config?.generation_kwargs;
    const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
    const model = modelOf(results);
    const correct = this.predictions.filter(({ answer, prediction }) => answer === prediction).length;
    return {
      name: several ? `${model}:${this.filter}` : model,
      path,
      tool: `lm-evaluation-harness ${results.lm_eval_version ?? ""}`.trim(),
      predictions: this.predictions,
      texts: this.texts,
      facts: {
        model,
        scoring: this.outputs.has("log-likelihood") ? "log-likelihood" : "generated",
        shots: config?.num_fewshot ?? 0,
        ...(this.outputs.has("log-likelihood")
          ? {}
          : {
              temperature: number(generation?.["temperature"]) ?? 0,
              maxTokens: number(generation?.["max_gen_toks"]),
              reading: `filter ${this.filter}`,
            }),
        chat: typeof results.chat_template === "string" && results.chat_template !== "",
        seed: results.config.random_seed ?? undefined,
        concurrency: number(Number(results.config.batch_size)) || undefined,
      },
      reported: this.predictions.length ? correct / this.predictions.length : undefined,
      notes: [
        ...notes,
        ...(this.twice ? [`${this.twice} rows stood there more than once: the first counts.`] : []),
        ...(this.withoutKey ? [`${this.withoutKey} rows are no multiple-choice questions: left out.`] : []),
      ],
    };
  }
}

function modelOf({ model_name, config }: Results): string {
  if (model_name) return model_name;
  const args = config.model_args;
  const named =
    typeof args === "string"
      ? /(?:^|,)(?:pretrained|model)=([^,]+)/.exec(args)?.[1]
      : ((args as Record<string, unknown> | undefined)?.["pretrained"] ??
        (args as Record<string, unknown> | undefined)?.["model"]);
  return typeof named === "string" && named !== "" ? named : String(config.model ?? "a model");
}

/** Question and options of a document, in the columns of the data sets that we know. */
function askedBy(doc: Readonly<Record<string, unknown>>): Pick<AskedText, "question" | "choices"> {
  const told = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const question = told(doc["Question"]) ?? told(doc["question"]) ?? told(doc["query"]);
  const list = Array.isArray(doc["choices"])
    ? doc["choices"]
    : Array.isArray(doc["options"])
      ? doc["options"]
      : undefined;
  const lettered = [
    OPTION_LETTERS.map((letter) => doc[letter]),
    OPTION_LETTERS.map((letter) => doc[`option_${letter.toLowerCase()}`]),
  ]
    .map((all) => all.filter((one): one is string => typeof one === "string"))
    .find((all) => all.length > 1);
  const choices = list?.every((one) => typeof one === "string") ? (list as string[]) : lettered;
  return { ...(question === undefined ? {} : { question }), ...(choices ? { choices } : {}) };
}

/** What the model read; a chat is written as JSON. */
function promptOf({ arguments: given }: Sample): Pick<AskedText, "prompt" | "turns"> {
  const first = given["gen_args_0"]?.["arg_0"];
  if (first === undefined) return {};
  const turns = turnsIn(first);
  if (turns) return { prompt: turnsAsText(turns), turns };
  return { prompt: typeof first === "string" ? first : JSON.stringify(first) };
}

/** Whether there is a pair for each option: its log-likelihood, and whether it was the likeliest text. */
const isLikelihoods = (resps: readonly unknown[]): boolean =>
  resps.length > 1 &&
  resps.every(
    (one) =>
      Array.isArray(one) &&
      one.length === 2 &&
      (one[0] === null || /^(nan|[-+]?(inf(inity)?|[\d.]+(e[-+]?\d+)?))$/i.test(String(one[0]).trim())) &&
      /^(true|false)$/i.test(String(one[1])),
  );

/**
 * The right letter. Data sets number their answers from 0 or from 1, but where options were scored, a target that is a
 * number is the harness's own place among them; and its verdict tells which of two ways of reading one is meant.
 */
function keyOf(
  sample: Sample,
  choices: readonly string[] | undefined,
  answer: ReturnType<typeof answerOf>,
): Letter | undefined {
  const { doc, target, filtered_resps, acc } = sample;
  const told = doc["Answer"] ?? doc["answer"];
  const read = letterOf(told ?? target, choices) ?? letterOf(target, choices);
  const number = /^\d$/.test(String(target).trim()) ? OPTION_LETTERS[Number(target)] : undefined;
  const named = [told, target].map((one) => (/^[^\d]*$/.test(String(one)) ? letterOf(one) : undefined)).find(Boolean);
  if (named || !answer.scored) return named ?? read;
  const fits = (letter: Letter | undefined): boolean =>
    letter !== undefined &&
    OPTION_LETTERS.indexOf(letter) < filtered_resps.length &&
    (acc == null || answer.letter === null || (letter === answer.letter) === (acc === 1));
  return [number, read].find(fits) ?? read;
}

/** The letter that came out: the likeliest option, or what the filter made of a reply. */
function answerOf({ filtered_resps, resps }: Sample): {
  letter: Prediction["prediction"];
  reply: string;
  /** Whether options' log-likelihoods were measured. */
  scored?: true;
  logProbabilities?: number[];
} {
  const likelihoods = filtered_resps.map((one) => (Array.isArray(one) ? pythonNumber(one[0]) : Number.NaN));
  if (isLikelihoods(filtered_resps) && likelihoods.length <= OPTION_LETTERS.length) {
    // Of a model that broke (NaN, or no option has any probability) nothing is the likeliest.
    const most = Math.max(...likelihoods);
    if (!Number.isFinite(most)) return { letter: null, reply: "", scored: true };
    const letter = OPTION_LETTERS[likelihoods.indexOf(most)]!;
    return { letter, reply: letter, scored: true, logProbabilities: likelihoods };
  }
  const first = filtered_resps[0];
  const filtered = typeof first === "string" ? first : Array.isArray(first) ? String(first[0] ?? "") : "";
  const raw = Array.isArray(resps[0]) ? resps[0][0] : resps[0];
  return { letter: letterOf(filtered) ?? null, reply: typeof raw === "string" ? raw : filtered };
}
