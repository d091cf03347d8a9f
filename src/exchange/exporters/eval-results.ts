import { join } from "node:path";
import { stringify } from "yaml";
import { UserError } from "../../base/errors.js";
import { writeWhole } from "../../base/files.js";
import { isRepositoryName } from "../../data/index.js";
import { accuracyOf, type Interval } from "../../evaluate/index.js";
import type { Manifest } from "../../record/index.js";
import { taskOfSource } from "../../tasks/index.js";
import { protocolOfResult } from "../result.js";
import { byLanguage, type Exporter, fileName } from "./exporter.js";

/*
 * `.eval_results/*.yaml`, as the hub reads them from a model's repository and shows them on its page
 * (https://huggingface.co/docs/hub/eval-results).
 */

/** An accuracy on rows of one language, or of all. */
interface Figure {
  readonly n: number;
  readonly accuracy: number;
  readonly interval?: Interval;
}

/** What a file of results is made of. */
export interface EvalResults {
  readonly manifest: Pick<
    Manifest,
    "data" | "finished" | "versions" | "split" | "sample" | "protocol" | "configuration"
  >;
  readonly overall: Figure;
  readonly languages: ReadonlyMap<string, Figure>;
}

/** The folder in a model's repository. */
export const EVAL_RESULTS = ".eval_results";

/**
 * The file's name in {@link EVAL_RESULTS} and its text: an entry a language, and one of all where all languages of the
 * set were asked; the configuration of the data set is the task.
 * @returns undefined where the rows are those of no data set on the hub, or the embedded sample
 */
export function evalResults({ manifest, overall, languages }: EvalResults): { name: string; text: string } | undefined {
  const { data, finished, sample } = manifest;
  const [source, revision] = [String(data?.["source"] ?? ""), data?.["revision"]];
  if (sample || data?.["kind"] !== "hub" || !isRepositoryName(source)) return undefined;
  const entry = (task_id: string, figure: Figure) => ({
    dataset: { id: source, task_id, ...(typeof revision === "string" ? { revision } : {}) },
    value: percentOf(figure.accuracy),
    date: finished.slice(0, 10),
    notes: notesOf(manifest, figure),
  });
  const all = Object.keys(taskOfSource(source).languages);
  const entries = [
    ...(all.length > 0 && all.every((one) => languages.has(one)) ? [entry("default", overall)] : []),
    ...[...languages].map(([language, figure]) => entry(language, figure)),
  ];
  return {
    name: `${fileName(source.replace(/^.*\//, "").toLowerCase())}.yaml`,
    text: stringify(entries, { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" }),
  };
}

const percentOf = (share: number): number => Math.round(share * 1e4) / 100;

/** What a reader of a leaderboard must know of a figure, in a line. */
function notesOf(manifest: EvalResults["manifest"], { n, interval }: Figure): string {
  const { split, versions } = manifest;
  const protocol = protocolOfResult({ manifest: manifest as Manifest, tool: "", facts: {} });
  const shots = protocol?.shots ?? 0;
  return [
    `accuracy in percent of ${n} rows`,
    ...(interval ? [`95 % interval ${interval.map(percentOf).join(" to ")}`] : []),
    ...(typeof split?.["kind"] === "string" ? [`test part of a ${split["kind"]} split`] : []),
    ...(protocol ? [`${protocol.name}, ${shots === 0 ? "zero-shot" : `${shots}-shot`}`] : []),
    `mmmlu-lab ${versions["mmmlu-lab"] ?? ""}`.trim(),
  ].join("; ");
}

/** Evaluation results for a model's repository on the hub. */
export const evalResultsExporter: Exporter = {
  name: "eval-results",
  writes: ".eval_results/*.yaml, which the hub shows on a model's page: copy it into the model's repository",
  withoutTexts: true,
  async write({ name, manifest, predictions }, folder) {
    const figureOf = (rows: typeof predictions): Figure => {
      const { n, accuracy, clusteredInterval } = accuracyOf(rows);
      return { n, accuracy, interval: clusteredInterval };
    };
    const languages = new Map([...byLanguage(predictions)].map(([language, rows]) => [language, figureOf(rows)]));
    const written = evalResults({ manifest, overall: figureOf(predictions), languages });
    if (!written)
      throw new UserError(
        `${name} asked ${manifest.sample ? "the embedded sample" : "rows that are no data set of the hub"}`,
        { hint: "The hub's results name a data set there: run the experiment on one, such as openai/MMMLU." },
      );
    const path = join(folder, EVAL_RESULTS, written.name);
    writeWhole(path, written.text);
    return [path];
  },
};
