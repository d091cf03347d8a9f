import { execFile, execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npm, pack } from "./packed.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-installed-"));
const project = join(folder, "project");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const registry =
  spawnSync("npm", ["ping", "--fetch-retries=0", "--fetch-timeout=20000"], { stdio: "ignore" }).status === 0;
if (!registry) console.warn("Skipped: installing needs an npm registry");

let tarball = "";
beforeAll(() => {
  tarball = pack(folder);
});

it("the tarball holds what is run and read, and nothing else", () => {
  const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((file) => file.replace("package/", ""));
  for (const file of ["dist/cli/main.js", "dist/index.js", "dist/index.d.ts", "docs/tasks.md", "README.md", "LICENSE"])
    expect(files).toContain(file);
  const kinds =
    /^dist\/.*(?<!\.test)(?<!\/testing\/.*)\.(js|d\.ts)$|^engines\/[\w/-]+\.(py|txt|md)$|^docs\/(how-to\/)?[\w-]+\.(md|png)$|^notebooks\/(\w+\.ipynb|show\.ts)$/;
  const others = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "install-check.mjs"];
  expect(files.filter((file) => !kinds.test(file)).sort()).toEqual(others.sort());
  // A map would point to sources that are not there.
  const main = execFileSync("tar", ["-xzOf", tarball, "package/dist/cli/main.js"], { encoding: "utf8" });
  expect(main).not.toContain("sourceMappingURL");
});

describe("the check before an install", () => {
  /** Runs the check as npm does, beside a onnxruntime-node that wants files from an address where nobody answers. */
  async function check(
    environment: Record<string, string>,
    metadata: object,
    own = "node_modules/mmmlu-lab",
  ): Promise<{ code: number; error: string }> {
    const at = mkdtempSync(join(folder, "check-"));
    const script = join(at, "node_modules/onnxruntime-node/script");
    mkdirSync(script, { recursive: true });
    writeFileSync(join(script, "../package.json"), '{"name":"onnxruntime-node","version":"1.0.0"}');
    writeFileSync(join(script, "install-metadata.js"), `module.exports = ${JSON.stringify(metadata)}`);
    mkdirSync(join(at, own), { recursive: true });
    copyFileSync(join(root, "install-check.mjs"), join(at, own, "install-check.mjs"));
    const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^ONNXRUNTIME|^GLOBAL_AGENT/i.test(name));
    return promisify(execFile)(process.execPath, [join(at, own, "install-check.mjs")], {
      env: { ...Object.fromEntries(inherited), ...environment },
    }).then(
      ({ stderr }) => ({ code: 0, error: stderr }),
      (failed) => ({ code: failed.code, error: failed.stderr }),
    );
  }
  const platform = `${process.platform}/${process.arch}`;
  const wanting = {
    requirements: { [platform]: ["cuda12"] },
    manifests: { [`${platform}:cuda12`]: { "./libcuda.so": {} } },
    feeds: { nuget: { index: "https://127.0.0.1:9/index.json" } },
  };

  it("says what to do where the host of CUDA's files is closed", async () => {
    const { code, error } = await check({}, wanting);
    expect(code).toBe(1);
    expect(error).toContain("127.0.0.1:9, which cannot be\nreached from here (");
    expect(error).toContain("ONNXRUNTIME_NODE_INSTALL=skip npm install mmmlu-lab\n");
    // The command is one that can be given: of a tarball, with its path.
    const packed = await check({ npm_package_resolved: "file:../mmmlu-lab-0.2.0.tgz" }, wanting);
    expect(packed.error).toContain("ONNXRUNTIME_NODE_INSTALL=skip npm install ../mmmlu-lab-0.2.0.tgz\n");
  });

  it("is silent in a checkout, whose lock file lets no dependency run a script", async () => {
    expect(await check({}, wanting, ".")).toEqual({ code: 0, error: "" });
  });

  it.each([
    ["the user has decided", { ONNXRUNTIME_NODE_INSTALL: "skip" }, wanting],
    ["the user has decided by npm's configuration", { npm_config_onnxruntime_node_install: "skip" }, wanting],
    ["the platform needs none", {}, { ...wanting, requirements: {} }],
    ["that package is made otherwise", {}, {}],
  ])("is silent where %s", async (_why, environment, metadata) => {
    expect(await check(environment, metadata)).toEqual({ code: 0, error: "" });
  });
});

describe.skipIf(!registry)("installed into an empty folder", () => {
  beforeAll(() => {
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{"name":"consumer","type":"module"}');
    const types = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies["@types/node"];
    npm(project, ["install", "--prefer-offline", tarball, `@types/node@${types}`], {
      ONNXRUNTIME_NODE_INSTALL: "skip",
    });
  });

  it("the command runs", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(npm(project, ["exec", "--offline", "--", "mmmlu", "--version"]).trim()).toBe(version);
    const ran = npm(project, [
      "exec",
      "--offline",
      "--",
      "mmmlu",
      "run",
      "gemma-3-27b-baseline",
      "--sample",
      "--model",
      "baseline:longest",
    ]);
    expect(ran).toContain("accuracy");
    expect(existsSync(join(project, "outputs/gemma-3-27b-baseline/report.html"))).toBe(true);
  });

  it("a project's types hold, libraries' declarations included, whichever room it imports", () => {
    const rooms = [...readFileSync(join(root, "src/index.ts"), "utf8").matchAll(/export \* as (\w+)/g)].map(
      ([, name]) => name!,
    );
    expect(rooms.length).toBeGreaterThan(10);
    const lines = rooms.map(
      (room) => `import * as ${room} from "mmmlu-lab/${room}";\nconsole.log(Object.keys(${room}).length);`,
    );
    writeFileSync(
      join(project, "rooms.ts"),
      `import * as all from "mmmlu-lab";\nconsole.log(all);\n${lines.join("\n")}\n`,
    );
    copyFileSync(join(root, "examples/own-rows.ts"), join(project, "own-rows.ts"));
    const compilerOptions = {
      target: "ES2023",
      module: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    const { stdout, status } = spawnSync(process.execPath, [join(root, "node_modules/typescript-native/bin/tsc")], {
      cwd: project,
      encoding: "utf8",
    });
    expect([stdout, status]).toEqual(["", 0]);
  });

  it("the example of own rows runs: fine-tuning, a server, an evaluation through it", () => {
    copyFileSync(join(root, "examples/own-rows.ts"), join(project, "own-rows.ts"));
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "own-rows.ts"], {
      cwd: project,
      encoding: "utf8",
      env: process.env,
    });
    expect(stdout, stderr).toMatch(/accuracy after training [\d.]+ % of 456[^]*accuracy [\d.]+ % of 2 /);
    expect(existsSync(join(project, "outputs/own-rows/report.html"))).toBe(true);
  });
});
