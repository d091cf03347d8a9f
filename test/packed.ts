import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** npm, without what `npm test` has told its children of this repository. */
export function npm(
  folder: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_|^ONNXRUNTIME_NODE_/i.test(name));
  return execFileSync("npm", words, {
    cwd: folder,
    encoding: "utf8",
    env: { ...Object.fromEntries(own), npm_config_audit: "false", npm_config_fund: "false", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * Packs the package as `npm pack` does in a fresh checkout, in a copy below `folder`: the build of this checkout is
 * left alone.
 * @returns the tarball's path
 */
export function pack(folder: string): string {
  const copy = join(folder, "checkout");
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root })
    .toString()
    .split("\0")
    .filter((file) => file && !/^(reference|test|bench)\//.test(file));
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { force: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  npm(copy, ["pack", "--pack-destination", folder]);
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(folder, `${name}-${version}.tgz`);
}
