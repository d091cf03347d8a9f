import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, freemem, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const own = JSON.parse(readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8")) as {
  name: string;
  version: string;
  dependencies: Record<string, string>;
};

/** This package's version. */
export const VERSION = own.version;

/** The versions that a run's numbers depend on: this package, Node and every dependency as installed. */
export function versions(): Record<string, string> {
  const found: Record<string, string> = { [own.name]: own.version, node: process.versions.node };
  for (const name of Object.keys(own.dependencies).sort())
    found[name] = installedVersion(name) ?? own.dependencies[name] ?? "unknown";
  return found;
}

/** The version of a package as it is installed. */
export function installedVersion(name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")) as { version: string }).version;
    } catch {}
  }
  return undefined;
}

/** The machine as a manifest names it: no host name, no user. */
export function machine(): {
  system: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  freeBytes: number;
} {
  const processors = cpus();
  return {
    system: `${type()} ${release()} ${process.arch}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    freeBytes: freemem(),
  };
}
