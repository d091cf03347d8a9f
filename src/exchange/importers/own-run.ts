import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Protocol, type ProtocolName, protocols } from "../../answer/index.js";
import { UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { type Prediction, readPredictions } from "../../evaluate/index.js";
import {
  type Manifest,
  metricsSchema,
  protocolOf,
  type RunMetrics,
  readManifest,
  readRunFile,
  rowsMeasured,
  runFile,
} from "../../record/index.js";
import type { Result, ResultFacts, Scoring } from "../result.js";
import type { Importer } from "./importer.js";

const AGAIN = "Run the run's own command again: it writes the file anew, and asks nothing that is kept.";

/** Runs of this program. */
export const ownRun: Importer = {
  name: "mmmlu-lab",
  reads: "a run's folder",
  takes: (path) => existsSync(join(path, "manifest.json")) || existsSync(join(path, "run.json")),
  async read(path) {
    const manifest = await readManifest(path);
    const file = runFile(path, "predictions.jsonl");
    if (file === undefined)
      throw new UserError(`${path} has no predictions.jsonl`, {
        hint:
          manifest.kind === "explore"
            ? "An exploration answers no questions: there is nothing to compare."
            : "The run's folder is not whole: run the experiment again.",
      });
    const stages = new Map<string, Prediction[]>();
    for await (const prediction of readPredictions(file)) {
      const list = stages.get(prediction.stage);
      if (list) list.push(prediction);
      else stages.set(prediction.stage, [prediction]);
    }
    if (stages.size === 0) throw new UserError(`${file} holds no row`, { hint: AGAIN });
    const measured = await readRunFile(path, "metrics.json", metricsSchema).catch(() => undefined);
    for (const [stage, predictions] of stages) requireWhole(file, stage, predictions, measured);
    return [...stages].map(
      ([stage, predictions]): Result => ({
        name: stages.size > 1 ? `${manifest.name}:${stage}` : manifest.name,
        predictions,
        path,
        tool: `mmmlu-lab ${manifest.versions["mmmlu-lab"] ?? ""}`.trim(),
        facts: factsOf(manifest),
        texts: new Map(),
        manifest,
        notes: manifest.sample ? ["The embedded sample: its figures mean nothing about MMMLU."] : [],
      }),
    );
  },
};

/** @throws {UserError} where a stage's rows are fewer than the run measured, or one stands there more than once */
function requireWhole(file: string, stage: string, predictions: readonly Prediction[], measured?: RunMetrics): void {
  const rows = rowsMeasured(measured, stage);
  if (rows !== undefined && predictions.length < rows)
    throw new UserError(`${file} holds ${predictions.length} of the ${rows} rows that were measured (${stage})`, {
      hint: AGAIN,
    });
  const ids = new Set<string>();
  for (const { id } of predictions) {
    if (ids.has(id))
      throw new UserError(`${file} holds ${printableName(id)} more than once (${stage})`, { hint: AGAIN });
    ids.add(id);
  }
}

const SCORING = {
  text: "generated",
  continuations: "log-likelihood",
  "next-token": "first token",
} as const satisfies Record<Protocol["measures"], Scoring>;

/** How a letter comes out by the protocol of this name; undefined for one that is not known here. */
export const scoringOf = (name: string): Scoring | undefined =>
  Object.hasOwn(protocols, name) ? SCORING[protocols[name as ProtocolName].measures] : undefined;

/** What a manifest says of how it was asked. */
function factsOf(manifest: Manifest): ResultFacts {
  const { model, seeds } = manifest;
  const protocol = protocolOf(manifest);
  const answerer = manifest.configuration["answerer"] as Record<string, unknown> | undefined;
  const told = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const { concurrency } = answerer ?? {};
  return {
    model: told(model?.["name"]) ?? told(model?.["source"]),
    scoring: protocol && scoringOf(protocol.name),
    shots: protocol?.shots,
    temperature: protocol?.temperature ?? undefined,
    maxTokens: protocol?.maxTokens ?? undefined,
    reading: protocol?.answerExtraction,
    chat: protocol?.prompt === "questions",
    seed: seeds["answerer"],
    concurrency: typeof concurrency === "number" ? concurrency : undefined,
  };
}
