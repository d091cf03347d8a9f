/**
 * What an install costs: packs the package, installs it into an empty folder, and tells time, size and packages.
 *
 *   npm run bench:install
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { npm, pack } from "../test/packed.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-install-"));
try {
  const tarball = pack(folder);
  const project = mkdtempSync(join(folder, "project-"));
  writeFileSync(join(project, "package.json"), "{}");
  const took = (from: "an empty cache" | "a full cache"): string => {
    const began = performance.now();
    npm(project, ["install", "--cache", join(folder, "cache"), tarball], { ONNXRUNTIME_NODE_INSTALL: "skip" });
    return `${from}: ${((performance.now() - began) / 1000).toFixed(0)} s`;
  };
  const first = took("an empty cache");
  rmSync(join(project, "node_modules"), { recursive: true });
  rmSync(join(project, "package-lock.json"));
  const second = took("a full cache");
  const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const modules = join(project, "node_modules");
  const bytes = (path: string): number =>
    readdirSync(path, { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(path, name), { throwIfNoEntry: false }))
      .reduce((sum, about) => sum + (about?.isFile() ? about.size : 0), 0);
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  const largest = readdirSync(modules)
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : name,
    )
    .map((name) => ({ name, size: bytes(join(modules, name)) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 4);
  const npmVersion = execFileSync("npm", ["--version"], { encoding: "utf8" }).trim();
  console.log(
    `Node ${process.versions.node}, npm ${npmVersion}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`,
  );
  console.log(`tarball: ${megabytes(statSync(tarball).size)}`);
  console.log(`installed: ${megabytes(bytes(modules))} in ${Object.keys(packages).length - 1} packages`);
  console.log(`  of it ${largest.map(({ name, size }) => `${name} ${megabytes(size)}`).join(", ")}`);
  console.log(`time with ${first}; with ${second}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
