import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "../base/lock.js";
import { writeManifest } from "./manifest.js";
import { RunFolder } from "./run-folder.js";

let parent = "";
beforeEach(() => (parent = mkdtempSync(join(tmpdir(), "mmmlu-folder-"))));
afterEach(() => rmSync(parent, { recursive: true }));

const at = (): string => join(parent, "run");
const open = (
  identity: Record<string, unknown>,
  options: { fresh?: boolean; more?: Record<string, unknown> } = {},
): Promise<RunFolder> => RunFolder.open(at(), "name", { ...identity, ...options.more }, identity, options);
const begun = (): unknown => JSON.parse(readFileSync(join(at(), "run.json"), "utf8")).configuration;

describe("a run's folder", () => {
  it("goes on with the same configuration, and knows the keys that changed without changing a number", async () => {
    expect(await open({ model: "a" }, { more: { concurrency: 4 } })).toMatchObject({ resumed: false });
    expect(await open({ model: "a" }, { more: { concurrency: 8 } })).toMatchObject({
      resumed: true,
      start: { configuration: { model: "a", concurrency: 8 } },
    });
  });

  it("keeps no credentials: neither in run.json nor in the manifest", async () => {
    const endpoint = "http://me:planted@localhost:1234/v1";
    const folder = await open({ answerer: { endpoint, model: "a" } });
    expect(await open({ answerer: { endpoint, model: "a" } })).toMatchObject({ resumed: true });
    const given = process.argv;
    process.argv = ["node", "mmmlu", "run", "x", "--set", `answerer.endpoint=${endpoint}`];
    writeManifest(folder, { kind: "evaluate", seeds: {}, sample: true, notes: [] });
    process.argv = given;
    for (const name of ["run.json", "manifest.json"]) {
      const text = readFileSync(join(at(), name), "utf8");
      expect(text).toContain("http://localhost:1234/v1");
      expect(text).not.toMatch(/planted|me:/);
    }
  });

  it("begins anew with another configuration where the run before it came to nothing", async () => {
    await open({ model: "mistyped" });
    writeFileSync(join(at(), "splits.json"), "{}");
    writeFileSync(join(at(), "replies.jsonl"), "");
    expect(await open({ model: "b" })).toMatchObject({ resumed: false });
    expect(begun()).toEqual({ model: "b" });
    expect(readdirSync(at())).toEqual(["run.json"]);
  });

  it.each(["replies.jsonl", "audit.json", "metrics.json", "lock"])(
    "is refused to another configuration once it holds %s",
    async (name) => {
      await open({ model: "a" });
      appendFileSync(join(at(), name), "1\n");
      await expect(open({ model: "b" })).rejects.toMatchObject({
        message: expect.stringMatching(/another configuration \(it differs in model\)/),
        hint: expect.stringContaining("--fresh"),
      });
      expect(begun()).toEqual({ model: "a" });
    },
  );

  it("is not moved aside from under a run that goes on", async () => {
    await open({ model: "a" });
    // Another process that is alive: this one's parent.
    writeFileSync(join(at(), "lock"), String(process.ppid));
    await expect(open({ model: "b" }, { fresh: true })).rejects.toThrow(/in use by another run/);
    expect(existsSync(at())).toBe(true);
    rmSync(join(at(), "lock"));
    const release = lockFolder(at());
    release();
    expect(await open({ model: "b" }, { fresh: true })).toMatchObject({ resumed: false });
    expect(readdirSync(parent).some((name) => name.startsWith("run.before-"))).toBe(true);
  });

  it("says what is in its way", async () => {
    writeFileSync(at(), "a file");
    await expect(open({})).rejects.toThrow(/is not a folder/);
    await expect(RunFolder.open(join(at(), "below"), "name", {}, {})).rejects.toMatchObject({
      message: expect.stringMatching(/cannot make the folder .*below/),
      hint: expect.stringContaining("--out"),
    });
  });
});
