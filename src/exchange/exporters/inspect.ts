import { createHash } from "node:crypto";
import { join } from "node:path";
import { ZipFile } from "yazl";
import { writeWhole } from "../../base/files.js";
import { accuracyOf, isCorrect, type LoggedReply, type Prediction } from "../../evaluate/index.js";
import { languageTag, OPTION_LETTERS } from "../../tasks/index.js";
import { protocolOfResult } from "../result.js";
import { byLanguage, type ExportedRun, type Exporter, fileName, modelOf, usageOf } from "./exporter.js";

/** The version of Inspect whose format it is (inspect_ai.log, version 2 of the log). */
const WRITTEN_AS = "0.3.285";

/** Inspect's logs, one a language: `inspect view` opens them. */
export const inspectExporter: Exporter = {
  name: "inspect",
  writes: "Inspect's logs (.eval), one a language, for inspect view and read_eval_log",
  withPrompts: true,
  async write(run, folder) {
    const paths: string[] = [];
    for (const [language, rows] of byLanguage(run.predictions)) {
      const time = run.manifest.finished.replace(/\.\d+Z$/, "").replaceAll(":", "-");
      const path = join(folder, `${time}_${fileName(`${run.name}-${language}`)}_${idOf(run, language)}.eval`);
      writeWhole(path, await archive(run, language, rows));
      paths.push(path);
    }
    return paths;
  },
};

/** An id in the form of Inspect's own (22 letters and digits), the same for the same run and language. */
const idOf = (run: ExportedRun, what: string): string =>
  createHash("sha256")
    .update(`${run.manifest.configurationHash}/${run.manifest.started}/${run.stage}/${what}`)
    .digest("base64")
    .replace(/[^A-Za-z0-9]/g, "")
    .slice(0, 22);

/** The ZIP archive of one language's log. */
function archive(run: ExportedRun, language: string, rows: readonly Prediction[]): Promise<Buffer> {
  const zip = new ZipFile();
  const options = { mtime: new Date(run.manifest.finished), compress: true };
  const add = (name: string, value: unknown): void => zip.addBuffer(Buffer.from(JSON.stringify(value)), name, options);
  const head = headOf(run, language, rows);
  const usage = new Usage(modelOf(run));
  add("_journal/start.json", { version: head.version, eval: head.eval, plan: head.plan });
  const summaries: unknown[] = [];
  for (const one of rows) {
    const kept = run.keptReply(one.id);
    if (kept) usage.add(kept);
    const told = toldOf(run, kept);
    add(`samples/${one.id}_epoch_1.json`, sampleOf(run, one, kept, told));
    summaries.push(summaryOf(run, one, told));
  }
  add("summaries.json", summaries);
  add("header.json", { ...head, stats: { ...head.stats, model_usage: usage.byModel } });
  zip.end();
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    zip.outputStream.on("data", (piece: Buffer) => pieces.push(piece));
    zip.outputStream.on("end", () => resolve(Buffer.concat(pieces)));
    zip.outputStream.on("error", reject);
  });
}

/** Tokens of all requests of a log; what answered several questions counts once. */
class Usage {
  private readonly seen = new Set<string>();
  private readonly sums = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };

  constructor(private readonly model: string) {}

  add(reply: LoggedReply): void {
    const usage = usageOf(reply);
    if (!usage || this.seen.has(reply.key)) return;
    this.seen.add(reply.key);
    for (const part of ["input_tokens", "output_tokens", "total_tokens"] as const) this.sums[part] += usage[part];
  }

  get byModel() {
    return this.seen.size > 0 ? { [this.model]: this.sums } : {};
  }
}

interface Told {
  readonly model_usage: Readonly<Record<string, ReturnType<typeof usageOf>>>;
  readonly total_time?: number;
  readonly working_time?: number;
}

/** Tokens and seconds of a sample; none where its request asked other questions too: they cannot be told apart. */
function toldOf(run: ExportedRun, kept: LoggedReply | undefined): Told {
  if (kept?.ids.length !== 1) return { model_usage: {} };
  const usage = usageOf(kept);
  const seconds = kept.milliseconds / 1000;
  return {
    model_usage: usage ? { [modelOf(run)]: usage } : {},
    total_time: seconds,
    working_time: seconds,
  };
}

function headOf(run: ExportedRun, language: string, rows: readonly Prediction[]) {
  const { manifest } = run;
  const protocol = protocolOfResult({ manifest, tool: "", facts: {} });
  const { accuracy, clusteredInterval } = accuracyOf(rows);
  const metric = (name: string, value: number) => ({ name, value, params: {}, metadata: null });
  const config = {
    ...(protocol?.maxTokens ? { max_tokens: protocol.maxTokens } : {}),
    ...(typeof protocol?.temperature === "number" ? { temperature: protocol.temperature } : {}),
  };
  const model = modelOf(run);
  return {
    version: 2,
    status: "success",
    eval: {
      eval_id: idOf(run, `eval ${language}`),
      run_id: idOf(run, "run"),
      created: manifest.started,
      task: `${fileName(run.name)}_${language}`,
      task_id: idOf(run, language),
      task_version: 0,
      task_attribs: {},
      task_args: { language, stage: run.stage },
      dataset: {
        name: String(manifest.data?.["task"] ?? "mmmlu"),
        location: String(manifest.data?.["source"] ?? ""),
        samples: rows.length,
        sample_ids: rows.map(({ id }) => id),
        shuffled: false,
      },
      model: model.includes("/") ? model : `mmmlu-lab/${model}`,
      model_args: {},
      model_generate_config: config,
      config: { epochs: 1, epochs_reducer: ["mean"] },
      packages: { inspect_ai: WRITTEN_AS, "mmmlu-lab": manifest.versions["mmmlu-lab"] ?? "" },
      metadata: { written_by: "mmmlu-lab", protocol: protocol ?? null, sample: manifest.sample },
    },
    plan: {
      name: "plan",
      steps: [{ solver: protocol?.name ?? "mmmlu-lab", params: { prompt: protocol?.prompt ?? "" } }],
      config,
    },
    results: {
      total_samples: rows.length,
      completed_samples: rows.length,
      scores: [
        {
          name: "choice",
          scorer: "choice",
          scored_samples: rows.length,
          unscored_samples: 0,
          params: {},
          metrics: {
            accuracy: metric("accuracy", accuracy),
            low: metric("low", clusteredInterval[0]),
            high: metric("high", clusteredInterval[1]),
          },
        },
      ],
    },
    stats: { started_at: manifest.started, completed_at: manifest.finished, model_usage: {} },
  };
}

/** What of a sample stands in the list of samples too. */
function commonOf(run: ExportedRun, one: Prediction) {
  const text = run.texts.get(one.id);
  return {
    id: one.id,
    epoch: 1,
    input: text?.question ?? "",
    choices: [...(text?.choices ?? [])],
    target: one.answer,
    metadata: { subject: one.subject, language: one.language, language_tag: languageTag(one.language) },
    scores: {
      choice: {
        value: isCorrect(one) ? "C" : "I",
        answer: one.prediction ?? "",
        explanation: one.reply.slice(0, 1000),
        metadata: one.unreadable ? { unreadable: one.unreadable } : {},
      },
    },
    started_at: run.manifest.started,
    completed_at: run.manifest.finished,
  };
}

const summaryOf = (run: ExportedRun, one: Prediction, told: Told) => {
  const common = commonOf(run, one);
  return {
    ...common,
    input: common.input.slice(0, 1000),
    ...told,
    completed: true,
    message_count: (run.texts.get(one.id)?.turns?.length ?? 1) + 1,
  };
};

function sampleOf(run: ExportedRun, one: Prediction, kept: LoggedReply | undefined, told: Told) {
  const common = commonOf(run, one);
  const model = modelOf(run);
  const content = kept?.reasoning
    ? [
        { type: "reasoning", reasoning: kept.reasoning },
        { type: "text", text: one.reply },
      ]
    : one.reply;
  const said = { role: "assistant", content, source: "generate", model };
  const usage = told.model_usage[model];
  const text = run.texts.get(one.id);
  // As it was asked; where that is not known, as the question stands.
  const asked = text?.turns ?? [
    {
      role: "user",
      content:
        text?.prompt ??
        [common.input, ...common.choices.map((choice, index) => `${OPTION_LETTERS[index]}) ${choice}`)].join("\n"),
    },
  ];
  return {
    ...common,
    messages: [...asked.map((turn) => ({ ...turn, source: "input" })), said],
    output: {
      model,
      choices: [{ message: said, stop_reason: one.cut || one.unreadable === "cut" ? "max_tokens" : "stop" }],
      completion: one.reply,
      ...(usage ? { usage } : {}),
      ...(told.total_time === undefined ? {} : { time: told.total_time }),
    },
    store: {},
    events: [],
    ...told,
    attachments: {},
  };
}
