import { existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.js";
import { readJsonAs } from "../base/json.js";
import { type Progress, silent } from "../base/progress.js";
import {
  downloadFile,
  downloadFileIfThere,
  type HubSettings,
  hubSettings,
  isRepositoryName,
  listRepository,
  type Repository,
  resolveCommit,
} from "../data/hub/index.js";
import { isGguf } from "../gguf/index.js";
import { architectureOf } from "./architectures/index.js";
import { CheckpointWeights, noWeights, readShardMap, type TorchDtype } from "./checkpoint-weights.js";
import { type ConfigFile, readConfigFile } from "./config-file.js";
import { openGguf } from "./gguf/open.js";
import { TOKENIZER_FILES } from "./save.js";

export interface OpenCheckpointOptions {
  /** Branch, tag or commit of a hub repository; `main` unless given. Of no meaning for a folder. */
  readonly revision?: string | null;
  /** Whether to take what the cache holds and ask nobody. */
  readonly offline?: boolean;
  readonly progress?: Progress;
  /** Aborting ends a download. */
  readonly signal?: AbortSignal;
  /** What weights are cast to as they are read; float32 unless given. */
  readonly torchDtype?: TorchDtype;
  /** Settings of the hub instead of those of the environment. */
  readonly hub?: HubSettings;
}

/**
 * A model in Hugging Face's format or GGUF, opened: its configuration read, its weights read one at a time when asked
 * for.
 */
export interface Checkpoint {
  /** What it was opened by: a folder, a hub id or a GGUF file. */
  readonly source: string;
  /** The hub's commit; undefined for a folder. */
  readonly commit?: string;
  /** The folder where its files lie. */
  readonly folder: string;
  readonly config: ConfigFile;
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  readonly weights: CheckpointWeights;
  /** Paths of the tokenizer's files that are there; saved along with what is made of this model. */
  readonly tokenizerFiles: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens a model from a folder, from the hub by its id (`google/flan-t5-base`), or from a GGUF file here or on the hub
 * (`owner/repository:file.gguf`), downloading what is not in the cache.
 * @throws {UserError} where it cannot be found, fetched or read, its architecture is not supported, a shard is missing
 * or a file is cut short
 */
export async function openCheckpoint(source: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  if (isGguf(source)) return openGguf(source, options);
  const { folder, commit } = await fetchModel(source, options);
  const config = await readConfigFile(folder);
  architectureOf(config);
  const generation = join(folder, "generation_config.json");
  const generationConfig = existsSync(generation)
    ? await readJsonAs(generation, z.record(z.string(), z.unknown()))
    : undefined;
  const weights = await CheckpointWeights.open(folder, "model", options.torchDtype);
  const tokenizerFiles = TOKENIZER_FILES.map((name) => join(folder, name)).filter((path) => existsSync(path));
  return { source, commit, folder, config, generationConfig, weights, tokenizerFiles, close: () => weights.close() };
}

/**
 * A model's config.json alone, from a folder, the hub or a GGUF file.
 * @throws {UserError} where it cannot be found, fetched or read, or its architecture is not supported
 */
export async function openConfig(source: string, options: OpenCheckpointOptions = {}): Promise<ConfigFile> {
  if (isGguf(source)) {
    const checkpoint = await openGguf(source, options);
    await checkpoint.close();
    return checkpoint.config;
  }
  const config = await readConfigFile((await fetchConfig(source, options)).folder);
  architectureOf(config);
  return config;
}

/** Whether a source names a folder rather than a hub repository. */
export function isFolder(source: string): boolean {
  return (
    isAbsolute(source) ||
    source.startsWith(".") ||
    existsSync(source) ||
    !source.includes("/") ||
    !isRepositoryName(source)
  );
}

interface Fetched {
  readonly folder: string;
  /** The hub's commit, and where its further files come from; undefined for a folder. */
  readonly commit?: string;
  readonly from?: { readonly repository: Repository; readonly settings: HubSettings };
}

/** The folder of a model, its config.json downloaded where the source is a hub id. */
async function fetchConfig(
  source: string,
  { revision, offline, progress = silent, signal, hub }: OpenCheckpointOptions,
): Promise<Fetched> {
  if (isFolder(source)) {
    if (!existsSync(source) || !statSync(source).isDirectory()) {
      throw new UserError(`there is no folder ${source}`, {
        hint: "Give a model's folder, a hub id such as google/flan-t5-base, or a .gguf file.",
      });
    }
    return { folder: source };
  }
  const settings = hub ?? hubSettings({ offline, progress, signal });
  const repository: Repository = { name: source, type: "model" };
  const commit = await resolveCommit(repository, revision, settings);
  const folder = dirname(await downloadFile(repository, commit, "config.json", settings));
  return { folder, commit, from: { repository, settings } };
}

/** The folder of a model, its files downloaded where the source is a hub id. */
async function fetchModel(source: string, options: OpenCheckpointOptions): Promise<Omit<Fetched, "from">> {
  const { folder, commit, from } = await fetchConfig(source, options);
  if (!from || commit === undefined) return { folder };
  const { repository, settings } = from;
  const fetch = (name: string): Promise<string> => downloadFile(repository, commit, name, settings);
  // An unsupported architecture is told before gigabytes are fetched.
  architectureOf(await readConfigFile(folder));
  // The card tells the licence.
  for (const name of ["generation_config.json", "README.md", ...TOKENIZER_FILES])
    await downloadFileIfThere(repository, commit, name, settings);
  const index = await downloadFileIfThere(repository, commit, "model.safetensors.index.json", settings);
  if (index) {
    for (const shard of new Set(Object.values(await readShardMap(index)))) await fetch(shard);
  } else if (!(await downloadFileIfThere(repository, commit, "model.safetensors", settings))) {
    if (settings.offline) await fetch("model.safetensors");
    const names = new Set(await listRepository(repository, commit, settings));
    throw noWeights(source, "model", (name) => names.has(name));
  }
  return { folder, commit };
}
