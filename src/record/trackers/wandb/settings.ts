import { readFileSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { isServerAddress, parseServerAddress, withoutCredentials } from "../../../base/addresses.js";
import { faultOfName } from "../../../base/inside.js";
import { printableName } from "../../../base/printable.js";
import { withoutTrailing } from "../../../base/trim.js";

export type WandbMode = "disabled" | "offline" | "online";

/** Where and as what a run is logged: the usual `WANDB_*` variables over what the experiment says. */
export interface WandbSettings {
  readonly mode: WandbMode;
  readonly project: string;
  readonly entity: string | undefined;
  readonly displayName: string;
  readonly group: string | undefined;
  readonly tags: readonly string[];
  readonly notes: string | undefined;
  /** The folder that holds `wandb/`. */
  readonly folder: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly runId: string | undefined;
  readonly host: string;
  /** What in the environment could not be understood, in sentences: said, and never a reason to stop. */
  readonly complaints: readonly string[];
}

const modes: Record<string, WandbMode> = {
  online: "online",
  run: "online",
  offline: "offline",
  dryrun: "offline",
  disabled: "disabled",
};

/**
 * @param mode what the command line or the configuration says; `WANDB_MODE` and `WANDB_DISABLED` count only where it
 * says nothing (undefined).
 */
export function wandbSettings(
  mode: WandbMode | undefined,
  run: { name: string; project: string },
  environment: NodeJS.ProcessEnv = process.env,
): WandbSettings {
  const set = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const complaints: string[] = [];
  const named = set("WANDB_MODE")?.toLowerCase();
  if (mode === undefined && named !== undefined && !(named in modes))
    complaints.push(`WANDB_MODE is "${named}", which is none of online, offline, disabled: logging offline`);
  const fromEnvironment = /^(1|true|yes)$/i.test(set("WANDB_DISABLED") ?? "")
    ? "disabled"
    : named === undefined
      ? undefined
      : (modes[named] ?? "offline");
  const given = set("WANDB_BASE_URL") ?? "https://api.wandb.ai";
  const known = isServerAddress(given);
  if (!known) complaints.push(`WANDB_BASE_URL is no address: ${printableName(withoutCredentials(given))}`);
  const asked = set("WANDB_RUN_ID");
  // It becomes the name of a folder and of a file.
  const fault = asked === undefined ? undefined : faultOfName(`run-${asked}.wandb`);
  const runId = fault || asked?.includes("/") ? undefined : asked;
  if (asked !== runId)
    complaints.push(`WANDB_RUN_ID cannot name a file (${fault ?? "it holds a slash"}): another is taken`);
  // The key is what a request is let in by, not a user in the address.
  const baseUrl = known ? withoutTrailing(parseServerAddress(given, "WANDB_BASE_URL").address, "/") : "";
  const address = known ? new URL(baseUrl) : undefined;
  return {
    mode: mode ?? fromEnvironment ?? "disabled",
    project: set("WANDB_PROJECT") ?? run.project,
    entity: set("WANDB_ENTITY"),
    displayName: set("WANDB_NAME") ?? run.name,
    group: set("WANDB_RUN_GROUP"),
    tags: (set("WANDB_TAGS") ?? "")
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
    notes: set("WANDB_NOTES"),
    folder: set("WANDB_DIR") ?? process.cwd(),
    baseUrl,
    apiKey: set("WANDB_API_KEY") ?? (address && keyFromNetrc(address.hostname, environment)),
    runId,
    host: set("WANDB_HOST") ?? hostname(),
    complaints,
  };
}

/** `wandb login` leaves the key in ~/.netrc. */
function keyFromNetrc(machine: string, environment: NodeJS.ProcessEnv): string | undefined {
  try {
    const file = environment.NETRC ?? join(homedir(), ".netrc");
    const about = statSync(file);
    if (!about.isFile() || about.size > 1 << 20) return undefined;
    const words = readFileSync(file, "utf8").split(/\s+/);
    const at = words.findIndex((word, index) => word === "machine" && words[index + 1] === machine);
    if (at < 0) return undefined;
    const end = words.indexOf("machine", at + 1);
    const entry = words.slice(at, end < 0 ? undefined : end);
    const password = entry.indexOf("password");
    return password < 0 ? undefined : entry[password + 1];
  } catch {
    return undefined;
  }
}
