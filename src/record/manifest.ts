import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { withoutCredentials } from "../base/addresses.js";
import { UserError } from "../base/errors.js";
import { didYouMeanBeside } from "../base/nearest.js";
import { machine, versions } from "../base/versions.js";
import type { ProtocolFacts } from "./protocol.js";
import { manifestSchema, readRunFile, runFile } from "./run-files.js";
import type { RunFolder } from "./run-folder.js";

/** The format of a run's folder that this version writes and reads. */
export const RUN_FORMAT = 1;

/** What is needed to repeat a run, and what it was; written last, so that its existence means complete. */
export interface Manifest {
  readonly format: number;
  readonly name: string;
  readonly kind: string;
  readonly started: string;
  readonly finished: string;
  readonly command: readonly string[];
  readonly configuration: Record<string, unknown>;
  readonly configurationHash: string;
  readonly versions: Record<string, string>;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly device?: string;
  /** What trained the model, where another program did: its result without the figures that stand elsewhere. */
  readonly engine?: Readonly<Record<string, unknown>>;
  /** Source, revision and SHA-256 of each file of data. */
  readonly data?: Record<string, unknown>;
  readonly tokenizer?: Record<string, unknown>;
  readonly model?: Record<string, unknown>;
  /** Kind, seed and SHA-256 of the split's ids. */
  readonly split?: Record<string, unknown>;
  /** How the questions were asked and read; absent of a run that asked none, and of one of an earlier version. */
  readonly protocol?: ProtocolFacts;
  /** Of all kept replies, as the server counts them: read, written; and by how many replies, and without. */
  readonly tokens?: {
    readonly prompt: number;
    readonly completion: number;
    readonly replies: number;
    readonly uncounted: number;
  };
  readonly seeds: Record<string, number>;
  /** Whether the figures mean anything about MMMLU: false on the generated sample. */
  readonly sample: boolean;
  readonly notes: readonly string[];
}

export type ManifestParts = Pick<
  Manifest,
  | "kind"
  | "device"
  | "engine"
  | "data"
  | "tokenizer"
  | "model"
  | "split"
  | "protocol"
  | "tokens"
  | "seeds"
  | "sample"
  | "notes"
>;

/** A run's manifest, as {@link writeManifest} writes it. */
export function manifestOfRun(folder: RunFolder, parts: ManifestParts, now = new Date()): Manifest {
  return {
    format: RUN_FORMAT,
    name: folder.start.name,
    started: folder.start.started,
    finished: now.toISOString(),
    command: process.argv.slice(2).map(withoutCredentials),
    configuration: folder.start.configuration,
    configurationHash: folder.start.configurationHash,
    versions: versions(),
    machine: machine(),
    ...parts,
  };
}

/** Writes `manifest.json`: call it last. */
export function writeManifest(folder: RunFolder, parts: ManifestParts, now = new Date()): Manifest {
  const manifest = manifestOfRun(folder, parts, now);
  folder.writeJson("manifest.json", manifest);
  return manifest;
}

/**
 * Reads a finished run's manifest.
 * @throws {UserError} where there is none (not a run, or one that is not complete) or it is of another format.
 */
export async function readManifest(path: string): Promise<Manifest> {
  const file = join(path, "manifest.json");
  if (runFile(path, "manifest.json") === undefined) {
    if (!existsSync(path))
      throw new UserError(`there is no folder ${path}${didYouMeanBeside(path)}`, {
        hint: "Give the folder of a run, such as outputs/eda.",
      });
    const begun = existsSync(join(path, "run.json"));
    throw new UserError(
      begun ? `${path} holds a run that is not complete (no manifest.json)` : `${path} holds no run (no manifest.json)`,
      {
        hint: begun
          ? "Run the same command again: it goes on where it stopped."
          : "Give the folder of a run, such as outputs/eda.",
      },
    );
  }
  const { format } = (await readRunFile(path, "manifest.json", z.looseObject({ format: z.unknown() }))) ?? {};
  if (format !== RUN_FORMAT) {
    throw new UserError(
      `${file}: format ${JSON.stringify(format)} is not one that this version reads (${RUN_FORMAT})`,
      {
        hint: "It was written by another version of mmmlu-lab: run the experiment again with this one.",
      },
    );
  }
  return (await readRunFile(path, "manifest.json", manifestSchema)) as Manifest;
}
