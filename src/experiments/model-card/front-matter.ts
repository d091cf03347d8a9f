import { isRepositoryName } from "../../data/index.js";
import { languageTag, tasks } from "../../tasks/index.js";
import type { CardRun, CardStage } from "./run.js";

type Source = CardRun["facts"]["data"]["trainFrom"] & object;

/** The hub's name of a set of rows; undefined where they come from a folder or file. */
export const datasetOf = ({ source, kind }: Pick<Source, "source" | "kind">): string | undefined =>
  kind === "hub" && isRepositoryName(source) ? source : undefined;

/** Codes of the languages whose rows were used, as the set has them. */
export function languagesOf({ facts: { data }, configuration }: Pick<CardRun, "facts" | "configuration">): string[] {
  const counted = Object.keys(data.rowsKeptByLanguage ?? {});
  return counted.length > 0 ? counted : [...(configuration.data.languages ?? [])];
}

/** A language as the hub's cards have it (ISO 639): `pt` for `PT_BR`; undefined where a set's code is none. */
function iso639(code: string): string | undefined {
  const tag = languageTag(code).split(/[-_]/, 1)[0]!.toLowerCase();
  return /^[a-z]{2,3}$/.test(tag) && tag !== "und" ? tag : undefined;
}

/**
 * The metadata of a model's card, as the hub reads it
 * (https://github.com/huggingface/hub-docs/blob/main/modelcard.md?plain=1). A run on the embedded sample has no
 * results there: its figures mean nothing.
 */
export function frontMatter(run: CardRun): Record<string, unknown> {
  const { facts, configuration, saved, base, license, sample } = run;
  const datasets = [facts.data.trainFrom, facts.data].flatMap((one) => (one ? (datasetOf(one) ?? []) : []));
  const languages = languagesOf(run).flatMap((code) => iso639(code) ?? []);
  const quantized = ["fp4", "nf4"].includes(configuration.model.quantization);
  return {
    ...(license ?? { license: "unknown" }),
    ...(base === undefined ? {} : { base_model: base, base_model_relation: saved.adapter ? "adapter" : "finetune" }),
    ...(datasets.length > 0 ? { datasets: [...new Set(datasets)] } : {}),
    ...(languages.length > 0 ? { language: [...new Set(languages)] } : {}),
    library_name: saved.adapter ? "peft" : "transformers",
    pipeline_tag: "text-generation",
    tags: [
      "mmmlu-lab",
      "multiple-choice",
      ...(facts.data.task === undefined ? [] : [facts.data.task]),
      ...(saved.encoderDecoder ? ["text2text-generation"] : []),
      ...(saved.adapter ? ["lora", ...(quantized ? ["qlora"] : [])] : []),
    ],
    ...(sample ? {} : { metrics: ["accuracy"], "model-index": [{ name: run.name, results: resultsOf(run) }] }),
  };
}

/** The accuracy on all test rows, and by language where there are several. */
function resultsOf({ facts: { data, split }, metrics: { final } }: CardRun): unknown[] {
  const task = tasks.find(({ name }) => name === data.task);
  const type = datasetOf(data) ?? data.task ?? "multiple-choice";
  const result = (
    { n, accuracy, interval }: Pick<CardStage, "n" | "accuracy"> & { interval?: readonly [number, number] },
    language?: string,
  ): unknown => ({
    task: { type: "multiple-choice", name: "Multiple choice" },
    dataset: {
      type,
      name: `${task?.name ?? type}, test part of a ${split.kind} ${split.shape} split, ${n} rows`,
      ...(language === undefined ? {} : { config: language }),
      split: "test",
      ...(data.revision ? { revision: data.revision } : {}),
    },
    metrics: [
      {
        type: "accuracy",
        value: rounded(accuracy),
        name: interval ? `accuracy, 95 % interval ${interval.map((bound) => rounded(bound)).join(" to ")}` : "accuracy",
      },
    ],
  });
  const languages = final.statistics?.languages ?? [];
  return [
    result({ ...final, interval: final.statistics?.clustered.interval }),
    ...(languages.length > 1
      ? languages.map((one) => result({ ...one, interval: one.clusteredInterval }, one.language))
      : []),
  ];
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;
