import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UsageError, UserError } from "../base/errors.js";
import { copyWhole, writeWhole } from "../base/files.js";
import { refuseOccupied, writeFolderWhole } from "../base/folders.js";
import { readJsonAs, writeJsonWhole } from "../base/json.js";
import { type Progress, silent } from "../base/progress.js";
import { isRepositoryName } from "../data/index.js";
import { EVAL_RESULTS, evalResults } from "../exchange/index.js";
import { type Manifest, readManifest, savedModelOf } from "../record/index.js";
import { CARD, modelCard } from "./model-card/card.js";
import { type CardRun, cardRun } from "./model-card/run.js";

export interface ExportHubOptions {
  /** Hub id of the base, where the run was trained on a copy of it in a folder. */
  readonly base?: string;
  readonly progress?: Progress;
}

/** What was exported. */
export interface ExportedHub {
  readonly name: string;
  /** The licence that its card names, if it is known. */
  readonly license: string | undefined;
}

/**
 * Writes the saved model of a fine-tuning run as a folder that is ready to be uploaded to the hub: weights or adapter,
 * tokenizer, configuration, a model card, and results as the hub reads them. Whole or not at all.
 * @throws {UserError} where the run is none, not complete or saved no model, its weights are damaged, the folder is
 * there already, or an adapter's base is where nobody else has it
 */
export async function exportHub(run: string, out: string, options: ExportHubOptions = {}): Promise<ExportedHub> {
  const { base, progress = silent } = options;
  if (base !== undefined && !isRepositoryName(base))
    throw new UsageError(`--base ${base} is no hub id`, { hint: "Give one such as google/gemma-2-2b." });
  refuseOccupied(out);
  const manifest = await readManifest(run);
  const model = savedModelOf(run);
  const found = await cardRun(run, manifest, base);
  refusePrivateBase(found, run);
  const names = readdirSync(model).filter((name) => name !== CARD);
  const odd = names.find((name) => !lstatSync(join(model, name)).isFile());
  if (odd !== undefined)
    throw new UserError(`${join(model, odd)} is no plain file`, {
      hint: "A saved model's folder holds files: remove it.",
    });
  await writeFolderWhole(out, async (place) => {
    progress.begin("copying files", names.length);
    names.forEach((name, at) => {
      copyWhole(join(model, name), join(place, name));
      progress.update(at + 1, name);
    });
    progress.end();
    if (base !== undefined && found.saved.adapter) await renameBase(place, base);
    writeWhole(join(place, CARD), modelCard(found));
    const results = hubResults(manifest, found);
    if (results) writeWhole(join(place, EVAL_RESULTS, results.name), results.text);
  });
  return { name: found.name, license: found.license?.license };
}

/** The accuracy after training, as the hub shows it on a model's page. */
function hubResults(manifest: Manifest, { metrics: { final } }: CardRun): ReturnType<typeof evalResults> {
  const languages = final.statistics?.languages ?? [];
  return evalResults({
    manifest,
    overall: { ...final, interval: final.statistics?.clustered.interval },
    languages: new Map(languages.map((one) => [one.language, { ...one, interval: one.clusteredInterval }])),
  });
}

function refusePrivateBase({ saved, base }: CardRun, run: string): void {
  if (!saved.adapter || base !== undefined) return;
  throw new UserError(
    `${run} trained an adapter for ${saved.base}, which is not on the hub: nobody else could load it`,
    {
      hint: "Name the base's hub id with --base, if it is there too; or write a whole model with mmmlu merge.",
    },
  );
}

const anyKeys = z.record(z.string(), z.unknown());

/** Puts the base's hub id where an adapter's files have a folder of this machine. */
async function renameBase(folder: string, base: string): Promise<void> {
  const [config, environment] = ["adapter_config.json", "training_environment.json"].map((name) =>
    join(folder, name),
  ) as [string, string];
  writeJsonWhole(config, { ...(await readJsonAs(config, anyKeys)), base_model_name_or_path: base, revision: null });
  if (existsSync(environment))
    writeJsonWhole(environment, {
      ...(await readJsonAs(environment, anyKeys)),
      base: { source: base, revision: null },
    });
}
