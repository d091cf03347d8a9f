/**
 * What an install costs: packs the package, installs it into an empty folder, and tells time, size and packages.
 *
 *   npm run bench:install [-- --json]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { npm, pack } from "../test/packed.js";

/** What is printed with `--json`. */
export interface InstallBench {
  readonly node: string;
  readonly npm: string;
  readonly tarballMegabytes: number;
  readonly megabytes: number;
  readonly packages: number;
  readonly largest: readonly { readonly name: string; readonly megabytes: number }[];
  /** With an empty cache of npm's, and with all in it. */
  readonly seconds: readonly [number, number];
}

const folder = mkdtempSync(join(tmpdir(), "mmmlu-install-"));
try {
  const found = install();
  if (process.argv.includes("--json")) console.log(JSON.stringify(found));
  else print(found);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function install(): InstallBench {
  const tarball = pack(folder);
  const project = mkdtempSync(join(folder, "project-"));
  writeFileSync(join(project, "package.json"), "{}");
  const took = (): number => {
    const began = performance.now();
    npm(project, ["install", "--cache", join(folder, "cache"), tarball], { ONNXRUNTIME_NODE_INSTALL: "skip" });
    return (performance.now() - began) / 1000;
  };
  const first = took();
  rmSync(join(project, "node_modules"), { recursive: true });
  rmSync(join(project, "package-lock.json"));
  const second = took();
  const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const modules = join(project, "node_modules");
  const largest = readdirSync(modules)
    // npm's own: `.bin`, `.package-lock.json`.
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : name,
    )
    .map((name) => ({ name, megabytes: megabytesIn(join(modules, name)) }))
    .sort((a, b) => b.megabytes - a.megabytes)
    .slice(0, 4);
  return {
    node: process.versions.node,
    npm: execFileSync("npm", ["--version"], { encoding: "utf8" }).trim(),
    tarballMegabytes: statSync(tarball).size / 1e6,
    megabytes: megabytesIn(modules),
    packages: Object.keys(packages).length - 1,
    largest,
    seconds: [first, second],
  };
}

function megabytesIn(path: string): number {
  return (
    readdirSync(path, { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(path, name), { throwIfNoEntry: false }))
      .reduce((sum, about) => sum + (about?.isFile() ? about.size : 0), 0) / 1e6
  );
}

function print({ largest, seconds: [first, second], ...found }: InstallBench): void {
  const megabytes = (count: number): string => `${count.toFixed(1)} MB`;
  console.log(
    `Node ${found.node}, npm ${found.npm}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`,
  );
  console.log(`tarball: ${megabytes(found.tarballMegabytes)}`);
  console.log(`installed: ${megabytes(found.megabytes)} in ${found.packages} packages`);
  console.log(`  of it ${largest.map((one) => `${one.name} ${megabytes(one.megabytes)}`).join(", ")}`);
  console.log(`time with an empty cache: ${first.toFixed(0)} s; with a full cache: ${second.toFixed(0)} s`);
}
