import { homedir } from "node:os";
import { join } from "node:path";
import { type Progress, silent } from "../../base/progress.js";

/** Where the hub is, who asks, and where files are kept: the variables of Python's `huggingface_hub`. */
export interface HubSettings {
  readonly endpoint: string;
  readonly token: string | undefined;
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
  const home = set("HF_HOME") ?? join(set("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  return {
    endpoint: (set("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    token: set("HF_TOKEN") ?? set("HUGGING_FACE_HUB_TOKEN"),
    cache: set("HF_HUB_CACHE") ?? set("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    offline: options.offline === true || /^(1|true|yes|on)$/i.test(set("HF_HUB_OFFLINE") ?? ""),
    progress: options.progress ?? silent,
    signal: options.signal,
    retrySeconds: options.retrySeconds ?? 1,
    retries: options.retries ?? 5,
  };
}

/** The data that the published runs used. */
export const PINNED_DATASET = {
  repository: "openai/MMMLU",
  revision: "325a01dc3e173cac1578df94120499aaca2e2504",
} as const;
