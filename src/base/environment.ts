import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readText } from "./text.js";

/**
 * Reads `.env` of a folder into the environment, as `process.loadEnvFile` reads one; a variable that is set already
 * wins. A byte order mark, which Windows' editors write, is passed over.
 * @throws {UserError} where there is one that cannot be read
 */
export async function readDotEnv(folder = process.cwd(), environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const file = join(folder, ".env");
  if (!existsSync(file)) return;
  for (const [name, value] of Object.entries(parseEnv(await readText(file, 1 << 20)))) environment[name] ??= value;
}

/**
 * A path as users write it in a variable: a leading `~` and `$NAME` or `${NAME}` stand for what they stand for in a
 * shell.
 */
export function expandPath(path: string, environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment["HOME"] || homedir();
  return path
    .replace(/^~(?=$|[\\/])/, () => home)
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
      const name = (braced ?? bare)!;
      return environment[name] ?? (name === "HOME" ? home : whole);
    });
}

/** A folder for what this program can make anew: in `$XDG_CACHE_HOME/mmmlu-lab`, else `~/.cache/mmmlu-lab`. */
export function cacheFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment["XDG_CACHE_HOME"]?.trim();
  const cache = given ? expandPath(given, environment) : join(environment["HOME"] || homedir(), ".cache");
  return join(cache, "mmmlu-lab", name);
}
