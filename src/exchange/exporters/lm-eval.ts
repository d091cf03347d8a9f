import { join } from "node:path";
import { sha256 } from "../../base/files.js";
import { writeJsonWhole } from "../../base/json.js";
import { writeJsonLines } from "../../base/json-lines.js";
import { accuracyOf, isCorrect, type Prediction } from "../../evaluate/index.js";
import { OPTION_LETTERS, partsOfId } from "../../tasks/index.js";
import { protocolOfResult } from "../result.js";
import { type ExportedRun, type Exporter, fileName, modelOf } from "./exporter.js";

/** The version of lm-evaluation-harness whose format it is. */
const WRITTEN_AS = "0.4.13";

/** lm-evaluation-harness' results and samples: a task for each language and subject, as its `mmmlu` group has them. */
export const lmEvalExporter: Exporter = {
  name: "lm-eval",
  writes: "lm-evaluation-harness' results_*.json and samples_*.jsonl, a task for each language and subject",
  withPrompts: true,
  async write(run, folder) {
    const date = run.manifest.finished.replace(/Z$/, "000").replaceAll(":", "-");
    const tasks = new Map<string, Prediction[]>();
    for (const one of run.predictions) {
      const name = `mmmlu_${fileName(one.language).toLowerCase()}_${fileName(one.subject)}`;
      const task = tasks.get(name);
      if (task) task.push(one);
      else tasks.set(name, [one]);
    }
    const model = modelOf(run);
    const place = join(folder, fileName(model.replaceAll("/", "__")));
    const paths: string[] = [];
    for (const [task, rows] of tasks) {
      const path = join(place, `samples_${task}_${date}.jsonl`);
      writeJsonLines(path, samplesOf(run, rows));
      paths.push(path);
    }
    const results = join(place, `results_${date}.json`);
    writeJsonWhole(results, resultsOf(run, model, tasks));
    return [results, ...paths];
  },
};

function* samplesOf(run: ExportedRun, rows: readonly Prediction[]): Generator<Record<string, unknown>> {
  for (const [number, one] of rows.entries()) {
    const text = run.texts.get(one.id);
    const choices = text?.choices ?? [];
    const doc = {
      "Unnamed: 0": partsOfId(one.id).index,
      Question: text?.question ?? "",
      ...Object.fromEntries(choices.map((choice, index) => [OPTION_LETTERS[index]!, choice])),
      Answer: one.answer,
      Subject: one.subject,
      mmmlu_lab_id: one.id,
    };
    const scored = one.logProbabilities;
    const prompt = text?.turns ? JSON.stringify(text.turns) : (text?.prompt ?? text?.question ?? "");
    yield {
      doc_id: number,
      doc,
      target: one.answer,
      arguments: scored
        ? Object.fromEntries(
            scored.map((_, index) => [`gen_args_${index}`, { arg_0: prompt, arg_1: ` ${OPTION_LETTERS[index]}` }]),
          )
        : { gen_args_0: { arg_0: prompt, arg_1: { until: [] } } },
      resps: scored ? scored.map((value) => [[String(value), "False"]]) : [[one.reply]],
      filtered_resps: scored ? scored.map((value) => [String(value), "False"]) : [one.prediction ?? "[invalid]"],
      filter: "none",
      metrics: [scored ? "acc" : "exact_match"],
      doc_hash: sha256(JSON.stringify(doc)),
      prompt_hash: sha256(prompt),
      target_hash: sha256(one.answer),
      [scored ? "acc" : "exact_match"]: isCorrect(one) ? 1 : 0,
    };
  }
}

function resultsOf(run: ExportedRun, model: string, tasks: ReadonlyMap<string, readonly Prediction[]>) {
  const { manifest } = run;
  const protocol = protocolOfResult({ manifest, tool: "", facts: {} });
  const each = <T>(of: (task: string, rows: readonly Prediction[]) => T): Record<string, T> =>
    Object.fromEntries([...tasks].map(([task, rows]) => [task, of(task, rows)]));
  const scored = run.predictions.some(({ logProbabilities }) => logProbabilities);
  const name = scored ? "acc" : "exact_match";
  return {
    results: each((task, rows) => {
      const { accuracy, n } = accuracyOf(rows);
      const error = n > 1 ? Math.sqrt((accuracy * (1 - accuracy)) / (n - 1)) : "N/A";
      return { alias: task, [`${name},none`]: accuracy, [`${name}_stderr,none`]: error, sample_len: n };
    }),
    group_subtasks: each(() => []),
    configs: each((task) => ({
      task,
      dataset_path: String(manifest.data?.["source"] ?? ""),
      output_type: scored ? "multiple_choice" : "generate_until",
      num_fewshot: protocol?.shots ?? 0,
      metric_list: [{ metric: name, aggregation: "mean", higher_is_better: true }],
      ...(scored
        ? {}
        : {
            generation_kwargs: {
              until: [],
              temperature: protocol?.temperature ?? 0,
              ...(protocol?.maxTokens ? { max_gen_toks: protocol.maxTokens } : {}),
            },
          }),
      metadata: { version: 1 },
    })),
    versions: each(() => 1),
    "n-shot": each(() => protocol?.shots ?? 0),
    higher_is_better: each(() => ({ [name]: true })),
    "n-samples": each((_, rows) => ({ original: rows.length, effective: rows.length })),
    config: {
      model: "mmmlu-lab",
      model_args: `model=${model}`,
      batch_size: 1,
      random_seed: manifest.seeds["answerer"] ?? null,
      limit: null,
    },
    git_hash: null,
    date: Date.parse(manifest.finished) / 1000,
    lm_eval_version: WRITTEN_AS,
    transformers_version: null,
    model_source: "mmmlu-lab",
    model_name: model,
    model_name_sanitized: fileName(model.replaceAll("/", "__")),
    chat_template: protocol?.prompt === "questions" ? "the server's own" : null,
    start_time: 0,
    end_time: 0,
    total_evaluation_time_seconds: String((Date.parse(manifest.finished) - Date.parse(manifest.started)) / 1000),
  };
}
