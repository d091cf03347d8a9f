import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { valueWithoutCredentials } from "../base/addresses.js";
import { hashOf } from "../base/canonical.js";
import { differences } from "../base/differences.js";
import { messageOf, UserError } from "../base/errors.js";
import { writeWhole } from "../base/files.js";
import { isLeftover } from "../base/folders.js";
import { writeJsonWhole } from "../base/json.js";
import { lockFolder } from "../base/lock.js";
import { withoutTrailing } from "../base/trim.js";
import { readRunFile, runStartSchema } from "./run-files.js";
import { withoutSecrets } from "./without-secrets.js";

/** What `run.json` says of a run that has begun; `manifest.json` says the same and more once it is complete. */
export interface RunStart {
  readonly format: 1;
  readonly name: string;
  /** SHA-256 of the configuration without what cannot change a number (the folder, the tracker, the concurrency). */
  readonly configurationHash: string;
  readonly configuration: Record<string, unknown>;
  readonly started: string;
  readonly process: number;
}

/** A run's folder: the only place that knows its files' names. */
export class RunFolder {
  private constructor(
    readonly path: string,
    readonly start: RunStart,
    readonly resumed: boolean,
  ) {}

  /**
   * Opens or makes the folder of a run. The same configuration goes on with what is there; another one begins anew only
   * where the run before it came to nothing: no reply, no checkpoint, no result.
   * @param options.fresh moves what is there aside (to `PATH.before-TIME`) and begins anew.
   * @param options.deciding what of a configuration, kept by any version, decides which run it is: for the message.
   * @throws {UserError} where the folder holds a run of another configuration (the message names the keys that
   * differ), holds files that are no run's, is in use while it should be moved aside, or cannot be made.
   */
  static async open(
    path: string,
    name: string,
    configuration: Record<string, unknown>,
    identity: Record<string, unknown>,
    options: { fresh?: boolean; now?: Date; deciding?: (configuration: Record<string, unknown>) => object } = {},
  ): Promise<RunFolder> {
    const now = options.now ?? new Date();
    configuration = withoutSecrets(configuration);
    if (existsSync(path) && !statSync(path).isDirectory())
      throw new UserError(`${path} is not a folder`, { hint: "Choose another one with --out." });
    if (options.fresh && existsSync(path)) {
      // Not from under a run that still goes on.
      lockFolder(path)();
      renameSync(path, `${withoutTrailing(path, "/\\")}.before-${now.toISOString().replace(/[:.]/g, "-")}`);
    }
    const startPath = join(path, "run.json");
    const configurationHash = hashOf(identity);
    const kept = valueWithoutCredentials(configuration);
    const before = existsSync(path) ? await readRunFile(path, "run.json", runStartSchema) : undefined;
    if (before) {
      if (before.configurationHash === configurationHash)
        return new RunFolder(path, { ...before, configuration: kept }, true);
      if (!cameToNothing(path)) {
        const { deciding = (whole) => whole } = options;
        const keys = differences(deciding(before.configuration), deciding(kept)).map(({ path: key }) => key);
        throw new UserError(
          `${path} holds a run of another ` +
            `configuration${keys.length ? ` (it differs in ${keys.slice(0, 6).join(", ")})` : ""}`,
          {
            hint: "Choose another folder with --out, or --fresh to move the old run aside.",
          },
        );
      }
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
    } else if (existsSync(path) && readdirSync(path).some((name) => name !== "lock" && !isLeftover(name))) {
      throw new UserError(`${path} is not empty and holds no run`, { hint: "Choose another folder with --out." });
    }
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw new UserError(`cannot make the folder ${path}: ${messageOf(error)}`, {
        hint: "Choose another one with --out.",
        cause: error,
      });
    }
    const start: RunStart = {
      format: 1,
      name,
      configurationHash,
      configuration: kept,
      started: now.toISOString(),
      process: process.pid,
    };
    writeWhole(startPath, `${JSON.stringify(start, null, 2)}\n`);
    return new RunFolder(path, start, false);
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  writeJson(name: string, value: unknown): void {
    writeJsonWhole(this.file(name), value);
  }

  /** Takes an old manifest away before anything that it vouches for changes. */
  reopen(): void {
    rmSync(this.file("manifest.json"), { force: true });
  }
}

/** What a run leaves before it has cost anything: a mistyped model or language must not bar the folder. */
const WORTHLESS = new Set(["run.json", "run.log", "splits.json"]);

/** A lock is not among them: a run that still goes on keeps its folder. */
const cameToNothing = (path: string): boolean =>
  readdirSync(path).every(
    (name) => WORTHLESS.has(name) || (name === "replies.jsonl" && statSync(join(path, name)).size === 0),
  );
