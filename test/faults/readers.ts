import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { BadReply, readChatReply } from "../../src/answer/chat-reply.js";
import { chatTemplateOf, readingNames, readReply } from "../../src/answer/index.js";
import { readDotEnv } from "../../src/base/environment.js";
import { wordsOfBody } from "../../src/base/error-words.js";
import { loadCorpus, sampleFolder } from "../../src/data/index.js";
import { readPredictions, scoreReplies } from "../../src/evaluate/index.js";
import { configure } from "../../src/experiments/index.js";
import { readCurves } from "../../src/experiments/train-log.js";
import { GgufFile } from "../../src/gguf/index.js";
import { openDevice } from "../../src/graph/index.js";
import { CheckpointWeights } from "../../src/models/checkpoint-weights.js";
import { loadModel, openCheckpoint, readAdapterSettings, SafetensorsFile } from "../../src/models/index.js";
import { readEnvironment } from "../../src/models/lora/training-environment.js";
import { metricsSchema, readManifest, readRunFile, runStartSchema, splitsSchema } from "../../src/record/index.js";
import { findRuns } from "../../src/report/index.js";
import { liveBody } from "../../src/report/viewer/live.js";
import { loadTokenizer, makeTokenizer } from "../../src/tokens/index.js";
import { keptStep } from "../../src/train/checkpoint.js";
import { mmmlu } from "../command.js";
import { writeSmallGguf } from "./small-gguf.js";

/** A door through which something from outside comes in. */
export interface Reader {
  readonly name: string;
  /** Its share of all inputs. */
  readonly weight: number;
  /** Of which others are made. */
  readonly inputs: readonly Buffer[];
  /** How many of them, from the first on, are refused by nobody; all unless given. */
  readonly sound?: number;
  /** The file that an input is written to; undefined where the input comes as bytes. */
  readonly file?: string;
  read(input: Buffer): Promise<unknown> | unknown;
  /** Errors that may come out besides those for the user. */
  readonly allowed?: (error: unknown) => boolean;
}

/** Every reader, with sound inputs that real runs wrote. @param folder where the files lie */
export async function allReaders(folder: string): Promise<Reader[]> {
  const run = await finetuned(join(folder, "run"));
  const readers: Reader[] = [];
  const content = (...names: string[]): Buffer => readFileSync(join(run, ...names));
  /** A folder with sound files, one of which is spoilt. */
  const inFolder = (
    name: string,
    weight: number,
    file: string,
    from: string,
    read: (place: string) => Promise<unknown> | unknown,
    more: readonly Buffer[] = [],
  ): void => {
    const place = join(folder, `${readers.length}`);
    mkdirSync(join(place, file, ".."), { recursive: true });
    if (existsSync(from)) cpSync(from, place, { recursive: true });
    const own = join(place, file);
    const inputs = [...(existsSync(own) ? [readFileSync(own)] : []), ...more];
    readers.push({ name, weight, inputs, file: own, read: () => read(place) });
  };
  const [base, adapter] = [join(run, "base"), join(run, "model")];

  inFolder("weights: the header", 12, "model.safetensors", base, async (place) => {
    const file = await SafetensorsFile.open(join(place, "model.safetensors"));
    try {
      for (const name of [...file.tensors.keys()].slice(0, 2)) await file.readFloat32(name);
    } finally {
      await file.close();
    }
  });
  const shards = Object.keys(headerOf(content("base", "model.safetensors")));
  const map = Object.fromEntries(shards.filter((one) => one !== "__metadata__").map((one) => [one, "a.safetensors"]));
  const sharded = join(folder, "sharded");
  mkdirSync(sharded);
  copyFileSync(join(base, "model.safetensors"), join(sharded, "a.safetensors"));
  writeFileSync(join(sharded, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
  inFolder("weights: the index of shards", 6, "model.safetensors.index.json", sharded, async (place) =>
    (await CheckpointWeights.open(place)).close(),
  );
  const device = await openDevice("cpu", { threads: 1 });
  const golden = join(import.meta.dirname, "..", "..", "reference", "golden");
  const bases = [base, ...["gemma3", "llama", "qwen2", "qwen3"].map((name) => join(golden, name, "base"))];
  for (const [index, from] of [...bases, join(golden, "t5", "tied")].entries()) {
    const name = `config.json, the model made of it: ${["gemma2", "gemma3", "llama", "qwen2", "qwen3", "t5"][index]}`;
    inFolder(name, 0.6, "config.json", from, async (place) => (await loadModel(place, device)).dispose());
  }
  inFolder(
    "a GGUF file: the header",
    6,
    "small.gguf",
    "",
    async (place) => (await GgufFile.open(join(place, "small.gguf"))).close(),
    [readFileSync(join(golden, "gguf", "small.gguf"))],
  );
  const exported = join(folder, "exported.gguf");
  await writeSmallGguf(folder, exported, device);
  inFolder("a GGUF file: configuration, tensors, tokenizer", 3, "model.gguf", "", opensGguf, [readFileSync(exported)]);
  inFolder("generation_config.json", 4, "generation_config.json", base, async (place) =>
    (await openCheckpoint(place)).close(),
  );
  const made = join(folder, "made");
  mkdirSync(made);
  makeTokenizer(["Question", "Which"], made, { kind: "t5", size: 100 });
  const cut = { direction: "Right", max_length: 4, strategy: "LongestFirst", stride: 0 };
  const parts = { ...JSON.parse(readFileSync(join(made, "tokenizer.json"), "utf8")), truncation: cut };
  const emptyMap = Buffer.alloc(4 + 1024 + 2);
  emptyMap.writeUInt32LE(1024);
  const mapped = { type: "Precompiled", precompiled_charsmap: emptyMap.toString("base64") };
  inFolder(
    "tokenizer.json",
    4,
    "tokenizer.json",
    base,
    async (place) => (await loadTokenizer({ source: place })).encode("Question: Which? A. cat B. dog", true),
    [parts, { ...parts, normalizer: { type: "Sequence", normalizers: [mapped] } }].map((one) =>
      Buffer.from(JSON.stringify(one)),
    ),
  );
  inFolder("tokenizer_config.json and its chat template", 8, "tokenizer_config.json", base, rendered);
  inFolder("chat_template.jinja", 6, "chat_template.jinja", base, rendered, [
    Buffer.from(
      "{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no') " +
        "}}{% endif %}<{{ message['role'] | upper }}>{{ message.content | trim }}{% endfor %}{% if " +
        "add_generation_prompt %}<model>{% endif %}",
    ),
  ]);
  inFolder("adapter_config.json", 8, "adapter_config.json", adapter, readAdapterSettings);
  inFolder("training_environment.json", 6, "training_environment.json", adapter, readEnvironment);

  const csv = readFileSync(join(sampleFolder(), "test", "mmlu_DE-DE.csv"));
  const lines = csv.toString().split("\n").slice(0, 13);
  const rows = join(folder, "rows");
  mkdirSync(join(rows, "test"), { recursive: true });
  writeFileSync(join(rows, "test", "mmlu_DE-DE.csv"), `${lines.join("\n")}\n`);
  const noneOf = async (options: Parameters<typeof loadCorpus>[0]): Promise<unknown> =>
    (await loadCorpus({ environment: {}, offline: true, ...options })).rows.length;
  inFolder("MMMLU's CSV", 4, "test/mmlu_DE-DE.csv", rows, (place) => noneOf({ source: place, languages: ["DE_DE"] }));
  const own = [
    { question: "Which?", options: ["cat", "dog", "stone"], answer: "B", subject: "animals", language: "en" },
    { question: "Was?", options: ["Katze", "Hund"], answer: "A", subject: "Tiere", language: "de" },
  ];
  inFolder("own rows, JSONL", 4, "rows.jsonl", "", (place) => noneOf({ source: join(place, "rows.jsonl") }), [
    Buffer.from(own.map((row) => `${JSON.stringify(row)}\n`).join("")),
  ]);
  inFolder("own rows, CSV", 4, "rows.csv", "", (place) => noneOf({ source: join(place, "rows.csv") }), [
    Buffer.from('question,A,B,C,answer,subject\n"Which, then?",cat,dog,stone,B,animals\nWho?,a,"b\nc",d,A,people\n'),
  ]);
  const parquet = join(folder, "rows.parquet");
  await (await (await DuckDBInstance.create(":memory:")).connect()).run(
    `copy (select 'Which?' || i as question, ['cat', 'dog'] as options, 'B' as answer, 'animals' as subject ` +
      `from range(20) t(i)) to '${parquet}' (format parquet)`,
  );
  inFolder("own rows, Parquet", 2, "rows.parquet", "", (place) => noneOf({ source: join(place, "rows.parquet") }), [
    readFileSync(parquet),
  ]);

  const small = join(folder, "small");
  cpSync(run, small, { recursive: true, filter: (name) => !/(base|model|figures|checkpoints)$/.test(name) });
  for (const name of ["replies.jsonl", "predictions.jsonl", "train-log.jsonl"])
    writeFileSync(join(small, name), `${content(name).toString().split("\n").slice(0, 8).join("\n")}\n`);
  writeFileSync(join(small, "report.html"), "");
  inFolder("replies.jsonl, scored", 8, "replies.jsonl", small, async (place) => {
    for (const { predictions } of await scoreReplies(join(place, "replies.jsonl"), "robust")) [...predictions];
  });
  inFolder("predictions.jsonl", 8, "predictions.jsonl", small, async (place) => {
    for await (const _ of readPredictions(join(place, "predictions.jsonl")));
  });
  inFolder("train-log.jsonl", 8, "train-log.jsonl", small, (place) => readCurves(join(place, "train-log.jsonl")));
  inFolder("train-log.jsonl, shown live", 3, "train-log.jsonl", small, liveBody);
  inFolder("run.json", 8, "run.json", small, (place) => readRunFile(place, "run.json", runStartSchema));
  inFolder("manifest.json", 6, "manifest.json", small, readManifest);
  inFolder("metrics.json", 6, "metrics.json", small, (place) => readRunFile(place, "metrics.json", metricsSchema));
  inFolder("splits.json", 6, "splits.json", small, (place) => readRunFile(place, "splits.json", splitsSchema));
  for (const name of ["run.json", "metrics.json"])
    inFolder(`${name}, in the viewer's list`, 3, `a/${name}`, "", (place) => findRuns(place), [content(name)]);
  cpSync(small, join(folder, `${readers.length - 1}`, "a"), { recursive: true });
  inFolder("a checkpoint's state.json", 6, "last/state.json", join(run, "checkpoints"), keptStep);
  inFolder(
    "moments.safetensors of a checkpoint",
    4,
    "moments.safetensors",
    join(run, "checkpoints", "last"),
    async (p) => (await SafetensorsFile.open(join(p, "moments.safetensors"))).close(),
  );
  inFolder(".env", 8, ".env", "", (place) => readDotEnv(place, {}), [
    Buffer.from("# ours\nHF_TOKEN=hf_x\nexport A='b c'\nB=\"c\\nd\" # e\nLMSTUDIO_ENDPOINT=http://127.0.0.1:1/v1\n"),
  ]);
  inFolder("a configuration file", 4, "experiment.json", "", (place) => configure(join(place, "experiment.json")), [
    Buffer.from('{"extends": "gemma-2-2b-finetune", "training": {"epochs": 2}, "data": {"languages": ["DE_DE"]}}'),
    Buffer.from(JSON.stringify(await configure("gemma-3-27b-baseline"))),
  ]);

  const replies = [
    {
      id: "1",
      choices: [{ index: 0, message: { role: "assistant", content: "A" }, finish_reason: "stop" }],
      usage: {},
    },
    { choices: [{ message: { content: [{ type: "text", text: "B" }], reasoning: "C" }, logprobs: { content: [] } }] },
    { error: { message: "x", code: 5 } },
  ].map((one) => Buffer.from(JSON.stringify(one)));
  readers.push({
    name: "a chat server's reply",
    weight: 12,
    inputs: replies,
    sound: 2,
    read: (input) => readChatReply(JSON.parse(input.toString("utf8"))),
    allowed: (error) => error instanceof BadReply || error instanceof SyntaxError,
  });
  readers.push({ name: "a server's error", weight: 8, inputs: replies, read: (input) => void wordsOfBody(input) });
  const texts = [
    "A",
    "The answer is **B**.",
    "A) cat\nB) dog\n\n答案：C",
    "<think>A or B</think>\n1. B\n2. C",
    '["A", "B"]',
  ];
  readers.push({
    name: "a reply's text, by every reading",
    weight: 12,
    inputs: texts.map((text) => Buffer.from(text)),
    read: (input) => {
      for (const reading of readingNames) readReply(reading, input.toString("utf8"), 1, ["A", "B", "C", "D"]);
    },
  });
  return readers;
}

async function opensGguf(place: string): Promise<void> {
  const checkpoint = await openCheckpoint(join(place, "model.gguf"));
  try {
    for (const name of checkpoint.weights.names.slice(0, 3)) await checkpoint.weights.readFloat32(name);
  } finally {
    await checkpoint.close();
  }
}

async function rendered(place: string): Promise<void> {
  const template = await chatTemplateOf(place);
  template.render([
    { role: "system", content: "Answer." },
    { role: "user", content: "Which?" },
  ]);
}

const headerOf = (bytes: Buffer): Record<string, unknown> =>
  JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0)))) as Record<string, unknown>;

/** A short run's folder. */
async function finetuned(folder: string): Promise<string> {
  const settings = [
    "training.epochs=1",
    "training.checkpointEvery=4",
    "training.logEvery=1",
    "data.rowsPerLanguage=20",
  ];
  const { code, error } = await mmmlu([
    ...["run", "gemma-2-2b-finetune", "--sample", "--out", folder],
    ...settings.flatMap((one) => ["--set", one]),
  ]);
  if (code !== 0 || readdirSync(folder).length === 0) throw new Error(error);
  return folder;
}
