import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Reads `.env` of a folder into the environment; a variable that is set already wins. */
export function readDotEnv(folder = process.cwd(), environment: NodeJS.ProcessEnv = process.env): void {
  const file = join(folder, ".env");
  if (!existsSync(file)) return;
  for (const [name, value] of Object.entries(parseEnv(readFileSync(file, "utf8")))) environment[name] ??= value;
}
