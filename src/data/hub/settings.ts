import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseServerAddress } from "../../base/addresses.js";
import { expandPath } from "../../base/environment.js";
import { messageOf, UsageError, UserError } from "../../base/errors.js";
import { type Progress, silent } from "../../base/progress.js";
import { withoutMark } from "../../base/text.js";
import { withoutTrailing } from "../../base/trim.js";

/** Where the hub is, who asks, and where files are kept: the variables of Python's `huggingface_hub`. */
export interface HubSettings {
  /** Without credentials: it may be shown. */
  readonly endpoint: string;
  /** The `authorization` header that requests to the endpoint carry: never shown. */
  readonly authorization: string | undefined;
  /** The folder that holds `datasets--org--name` and `models--org--name`. */
  readonly cache: string;
  /** No network at all. */
  readonly offline: boolean;
  readonly progress: Progress;
  /** Aborting ends a download; what came of it is kept. */
  readonly signal?: AbortSignal;
  /** The first pause before a request is tried again, in seconds; each further one is twice as long. */
  readonly retrySeconds: number;
  readonly retries: number;
}

/**
 * Settings of the hub from the environment, as Python's `huggingface_hub` reads it: `HF_ENDPOINT`, `HF_TOKEN` or the
 * token that `hf auth login` has kept (`HF_TOKEN_PATH`, by default `$HF_HOME/token`), `HF_HOME`, `HF_HUB_CACHE`,
 * `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`, `HF_HUB_DISABLE_IMPLICIT_TOKEN`; paths with `~` and `$NAME`. A user and
 * password in the endpoint are sent instead of the token.
 * @throws {UsageError} where the endpoint is no address, or the token cannot be one
 */
export function hubSettings(
  options: {
    offline?: boolean;
    environment?: NodeJS.ProcessEnv;
    progress?: Progress;
    signal?: AbortSignal;
    retrySeconds?: number;
    retries?: number;
  } = {},
): HubSettings {
  const environment = options.environment ?? process.env;
  const set = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const path = (name: string): string | undefined => {
    const value = set(name);
    return value === undefined ? undefined : expandPath(value, environment);
  };
  const isTrue = (value: string | undefined): boolean => /^(1|true|yes|on)$/i.test(value ?? "");
  const user = environment["HOME"] || homedir();
  const home = path("HF_HOME") ?? join(path("XDG_CACHE_HOME") ?? join(user, ".cache"), "huggingface");
  const server = parseServerAddress(set("HF_ENDPOINT") ?? "https://huggingface.co", "HF_ENDPOINT");
  const token =
    checkedToken(set("HF_TOKEN"), "HF_TOKEN") ??
    checkedToken(set("HUGGING_FACE_HUB_TOKEN"), "HUGGING_FACE_HUB_TOKEN") ??
    (isTrue(set("HF_HUB_DISABLE_IMPLICIT_TOKEN")) ? undefined : tokenIn(path("HF_TOKEN_PATH") ?? join(home, "token")));
  return {
    endpoint: withoutTrailing(server.address, "/"),
    authorization: server.authorization ?? (token === undefined ? undefined : `Bearer ${token}`),
    cache: path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    offline: options.offline === true || isTrue(set("HF_HUB_OFFLINE") ?? set("TRANSFORMERS_OFFLINE")),
    progress: options.progress ?? silent,
    signal: options.signal,
    retrySeconds: options.retrySeconds ?? 1,
    retries: options.retries ?? 5,
  };
}

/** The token that a file holds, as `hf auth login` writes it; undefined where there is none. */
function tokenIn(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const about = statSync(file);
    if (!about.isFile() || about.size > 65_536) throw new Error("it is no plain file of one line");
    return checkedToken(withoutMark(readFileSync(file, "utf8")).trim() || undefined, file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read the hub's token in ${file}: ${messageOf(error)}`, {
      hint: "Set HF_TOKEN instead, or remove the file.",
      cause: error,
    });
  }
}

/** A header that is refused would be quoted in the error: a token is looked at before. */
function checkedToken(token: string | undefined, where: string): string | undefined {
  if (token !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new UsageError(`${where} holds no token: there are blanks, line breaks or other signs in it`, {
      hint: "A token of the hub is one word, such as hf_…",
    });
  return token;
}
