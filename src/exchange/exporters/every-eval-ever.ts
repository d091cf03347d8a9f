import { createHash } from "node:crypto";
import { join } from "node:path";
import { sha256, sha256OfFile } from "../../base/files.js";
import { writeJsonWhole } from "../../base/json.js";
import { writeJsonLines } from "../../base/json-lines.js";
import { accuracyOf, clusteredInterval, isCorrect, type Prediction, questionClusters } from "../../evaluate/index.js";
import { protocolOfResult } from "../result.js";
import { byLanguage, type ExportedRun, type Exporter, fileName, modelOf, usageOf } from "./exporter.js";

/** The version of the schemas that the records hold to. */
const SCHEMA = "0.3.0";

/** Every Eval Ever's records: the aggregate, and a line a row beside it. */
export const everyEvalEverExporter: Exporter = {
  name: "every-eval-ever",
  writes: "Every Eval Ever's records (schema 0.3.0): data/BENCHMARK/DEVELOPER/MODEL/UUID.json, and UUID_samples.jsonl",
  withPrompts: true,
  async write(run, folder) {
    const { benchmark, developer, model, id } = namesOf(run);
    const place = ["data", benchmark, developer, model];
    const file = `${id}_samples.jsonl`;
    const samples = join(folder, ...place, file);
    writeJsonLines(samples, instancesOf(run));
    const aggregate = join(folder, ...place, `${id}.json`);
    writeJsonWhole(aggregate, {
      ...aggregateOf(run),
      detailed_evaluation_results: {
        format: "jsonl",
        file_path: [...place, file].join("/"),
        hash_algorithm: "sha256",
        checksum: await sha256OfFile(samples),
        total_rows: run.predictions.length,
      },
    });
    return [aggregate, samples];
  },
};

function namesOf(run: ExportedRun) {
  const { manifest } = run;
  const full = modelOf(run).replace(/^(local|llama):/, "");
  const [developer, ...rest] = full.split("/");
  const named = rest.length === 1 ? { developer: developer!, model: rest[0]! } : { developer: "unknown", model: full };
  const benchmark = fileName(String(manifest.data?.["task"] ?? "mmmlu"));
  return {
    benchmark,
    developer: fileName(named.developer),
    model: fileName(named.model),
    fullName: full,
    id: uuidOf(`${manifest.configurationHash}/${manifest.started}/${run.stage}`),
    evaluation: `${benchmark}/${fileName(named.developer)}_${fileName(named.model)}/${seconds(manifest.finished)}`,
  };
}

const seconds = (time: string): string => String(Math.floor(Date.parse(time) / 1000));

/** A UUID in the form of version 4, the same for the same text. */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const resultId = (run: ExportedRun, language?: string): string =>
  `${namesOf(run).evaluation}#${language ?? "all"}#accuracy`;

function aggregateOf(run: ExportedRun) {
  const { manifest } = run;
  const names = namesOf(run);
  const protocol = protocolOfResult({ manifest, tool: "", facts: {} });
  const result = (rows: readonly Prediction[], language?: string) => {
    const { accuracy, n } = accuracyOf(rows);
    const { interval, standardError } = clusteredInterval(questionClusters(rows));
    return {
      evaluation_result_id: resultId(run, language),
      evaluation_name: language === undefined ? names.benchmark : `${names.benchmark} ${language}`,
      source_data: sourceOf(manifest.data, names.benchmark, n),
      evaluation_timestamp: seconds(manifest.finished),
      metric_config: {
        evaluation_description: "Share of multiple-choice questions answered right; unreadable replies count as wrong",
        metric_id: "accuracy",
        metric_name: "Accuracy",
        metric_kind: "accuracy",
        metric_unit: "proportion",
        lower_is_better: false,
        score_type: "continuous",
        min_score: 0,
        max_score: 1,
      },
      score_details: {
        score: accuracy,
        uncertainty: {
          ...(Number.isFinite(standardError)
            ? { standard_error: { value: standardError, method: "cluster-robust, clustered by question" } }
            : {}),
          confidence_interval: {
            lower: interval[0],
            upper: interval[1],
            confidence_level: 0.95,
            method: "Clopper-Pearson at the effective sample size, clustered by question",
          },
          num_samples: n,
        },
      },
      generation_config: {
        generation_args: {
          ...(typeof protocol?.temperature === "number" ? { temperature: protocol.temperature } : {}),
          ...(protocol?.maxTokens ? { max_tokens: protocol.maxTokens } : {}),
          ...(protocol ? { prompt_template: protocol.prompt } : {}),
          execution_command: ["mmmlu", ...manifest.command].join(" "),
        },
        additional_details: Object.fromEntries(
          Object.entries(protocol ?? {}).map(([name, value]) => [name, String(value)]),
        ),
      },
    };
  };
  return {
    schema_version: SCHEMA,
    evaluation_id: names.evaluation,
    evaluation_timestamp: seconds(manifest.finished),
    retrieved_timestamp: seconds(manifest.finished),
    source_metadata: {
      source_name: "mmmlu-lab",
      source_type: "evaluation_run",
      source_organization_name: "unknown",
      evaluator_relationship: "third_party",
    },
    eval_library: { name: "mmmlu-lab", version: manifest.versions["mmmlu-lab"] ?? "unknown" },
    model_info: {
      name: names.fullName,
      id: `${names.developer}/${names.model}`,
      developer: names.developer,
      additional_details: { deployment_type: "unknown", model_availability: "unknown" },
    },
    evaluation_results: [
      result(run.predictions),
      ...[...byLanguage(run.predictions)].map(([language, rows]) => result(rows, language)),
    ],
  };
}

function sourceOf(data: ExportedRun["manifest"]["data"], benchmark: string, n: number) {
  const source = String(data?.["source"] ?? "");
  const revision = data?.["revision"];
  return data?.["kind"] === "hub"
    ? {
        dataset_name: benchmark,
        source_type: "hf_dataset",
        hf_repo: source,
        hf_split: "test",
        samples_number: n,
        ...(typeof revision === "string" ? { additional_details: { revision } } : {}),
      }
    : { dataset_name: benchmark, source_type: "other", additional_details: { source: fileName(source) } };
}

function* instancesOf(run: ExportedRun): Generator<Record<string, unknown>> {
  const names = namesOf(run);
  const reading = protocolOfResult({ manifest: run.manifest, tool: "", facts: {} })?.answerExtraction ?? "unknown";
  for (const one of run.predictions) {
    const text = run.texts.get(one.id);
    const raw = text?.question ?? "";
    const kept = run.keptReply(one.id);
    // What several questions of one request cost together cannot be told apart.
    const alone = kept?.ids.length === 1 ? kept : undefined;
    const usage = alone && usageOf(alone);
    yield {
      schema_version: SCHEMA,
      evaluation_id: names.evaluation,
      model_id: `${names.developer}/${names.model}`,
      evaluation_name: `${names.benchmark} ${one.language}`,
      evaluation_result_id: resultId(run, one.language),
      sample_id: one.id,
      sample_hash: sha256(`${raw}${one.answer}`),
      interaction_type: "single_turn",
      input: {
        raw,
        ...(text?.prompt === undefined ? {} : { formatted: text.prompt }),
        reference: [one.answer],
        ...(text?.choices ? { choices: text.choices } : {}),
      },
      output: { raw: [one.reply], ...(kept?.reasoning ? { reasoning_trace: [kept.reasoning] } : {}) },
      answer_attribution: [
        {
          turn_idx: 0,
          source: "output.raw",
          extracted_value: one.prediction ?? "",
          extraction_method: reading,
          is_terminal: true,
        },
      ],
      evaluation: { score: isCorrect(one) ? 1 : 0, is_correct: isCorrect(one) },
      ...(usage ? { token_usage: usage } : {}),
      ...(alone ? { performance: { latency_ms: alone.milliseconds } } : {}),
      metadata: {
        language: one.language,
        subject: one.subject,
        ...(one.unreadable ? { unreadable: one.unreadable } : {}),
      },
    };
  }
}
