import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { checkedAs } from "../../base/json.js";
import { isRepositoryName } from "../../data/index.js";
import { describeSavedFolder, type License, type SavedFolder } from "../../models/index.js";
import { type Manifest, readRunFile } from "../../record/index.js";
import { migrated } from "../configuration/renames.js";
import { type FinetuneConfiguration, finetuneSchema } from "../configuration/schema.js";

/*
 * What a model's card is made of: a run's manifest and metrics, in memory or read back. Other versions wrote less: all
 * that may be missing is optional.
 */

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const interval = z.tuple([z.number(), z.number()]);
/** JSON has no NaN: a figure that was none is null. */
const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

const brief = z.looseObject({ n: count, accuracy: share, interval }).nullish();

const additional = z.looseObject({ letterLogProbabilities: brief, withoutTwinInTrain: brief }).optional();

const stage = z.looseObject({
  n: count,
  accuracy: share,
  unreadable: count,
  statistics: z
    .looseObject({
      overall: z.looseObject({ chance: share.optional() }).optional(),
      clustered: z.looseObject({ interval }),
      languages: z
        .array(z.looseObject({ language: z.string(), n: count, accuracy: share, clusteredInterval: interval }))
        .optional(),
    })
    .optional(),
  additionalMetrics: additional,
  /** What version 0.1 called it. */
  measuredBeside: additional,
});

const leak = z.looseObject({ rows: count, translationInTrain: count, duplicateInTrain: count, either: count });

const cardMetricsSchema = z.looseObject({
  baseline: stage.optional(),
  final: stage,
  training: z.looseObject({ steps: figure, rows: figure, loss: figure }).optional(),
  audit: z.looseObject({ test: leak, validation: leak }).optional(),
});
export type CardMetrics = z.infer<typeof cardMetricsSchema>;
export type CardStage = CardMetrics["final"];

const source = z.looseObject({
  source: z.string(),
  kind: z.string(),
  task: z.string().optional(),
  revision: z.string().nullish(),
  rows: count,
});

const factsSchema = z.looseObject({
  data: source.extend({
    rowsKept: count.optional(),
    rowsKeptByLanguage: z.record(z.string(), count).optional(),
    trainFrom: source.optional(),
  }),
  split: z.looseObject({
    kind: z.string(),
    shape: z.string(),
    seed: count,
    sha256: z.string(),
    train: count,
    validation: count,
    test: count,
  }),
  model: z.looseObject({
    source: z.string(),
    commit: z.string().nullish(),
    trainedParameters: count.optional(),
    parameters: count.optional(),
    license: z
      .object({
        license: z.string(),
        license_name: z.string().optional(),
        license_link: z.string().optional(),
      })
      .nullish(),
  }),
});

/** A fine-tuning run as its model's card tells it. */
export interface CardRun {
  readonly name: string;
  readonly version: string;
  readonly sample: boolean;
  readonly device: string | undefined;
  readonly configuration: FinetuneConfiguration;
  readonly facts: z.infer<typeof factsSchema>;
  readonly metrics: CardMetrics;
  readonly saved: SavedFolder;
  /** The base's hub id; undefined where it is a folder, a GGUF file, or was made on the spot. */
  readonly base: string | undefined;
  readonly license: License | undefined;
}

const ANOTHER_VERSION =
  "It was written by another version of mmmlu-lab, or is damaged: run the experiment again with this one.";

/**
 * A run as its card tells it, from its manifest, and `metrics.json` and `model/` in its folder.
 * @param base hub id of the base instead of the one that was trained on
 * @throws {UserError} where something is not as a fine-tuning run leaves it
 */
export async function cardRun(folder: string, manifest: Manifest, base?: string): Promise<CardRun> {
  const metrics = await readRunFile(folder, "metrics.json", cardMetricsSchema);
  if (!metrics)
    throw new UserError(`${folder} has no metrics.json`, { hint: "Run the same command again: it goes on there." });
  const saved = await describeSavedFolder(join(folder, "model"));
  const at = join(folder, "manifest.json");
  const facts = checkedAs(manifest, factsSchema, at, ANOTHER_VERSION);
  const { model } = facts;
  return {
    name: manifest.name,
    version: manifest.versions["mmmlu-lab"] ?? "of an unknown version",
    sample: manifest.sample,
    device: manifest.device,
    configuration: checkedAs(
      migrated(manifest.configuration).configuration,
      finetuneSchema,
      `${at}, configuration`,
      ANOTHER_VERSION,
    ),
    facts,
    metrics,
    saved,
    // What the hub gave a commit for is on the hub; a GGUF file there is no model that transformers loads by its id.
    base: base ?? (model.commit && isRepositoryName(model.source) ? model.source : undefined),
    license: model.license ?? undefined,
  };
}
