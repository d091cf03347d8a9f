import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HubImitation, hubImitation } from "../../../test/hub-imitation/server.js";
import { loadCorpus } from "../corpus.js";
import { rememberAbsence, rememberCommit } from "./cache.js";
import { downloadFile, downloadFileIfThere, hubSettings, resolveCommit } from "./index.js";

const commit = "a".repeat(40);
const csv = (rows: number): string =>
  `,Question,A,B,C,D,Answer,Subject\n${Array.from({ length: rows }, (_, index) => `${index},"Frage ${index}\nzwei",1,2,3,4,B,anatomy`).join("\n")}\n`;
const large = csv(4000);
const dataset = {
  type: "dataset" as const,
  name: "openai/MMMLU",
  commit,
  files: { "test/mmlu_DE-DE.csv": large, "test/mmlu_FR-FR.csv": csv(3) },
  large: ["test/mmlu_DE-DE.csv"],
};
const model = {
  type: "model" as const,
  name: "google/gemma-2-2b",
  commit,
  gated: true,
  files: { "config.json": "{}" },
};
let hub: HubImitation;
let home: string;
beforeEach(async () => {
  hub = await hubImitation([dataset, model]);
  home = mkdtempSync(join(tmpdir(), "hub-"));
});
afterEach(() => hub.close());

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  HF_ENDPOINT: hub.url,
  HF_HOME: home,
  ...more,
});
const settings = (more: NodeJS.ProcessEnv = {}, offline = false) =>
  hubSettings({ environment: environment(more), offline, retrySeconds: 0.02, retries: 4 });
const load = (options: { offline?: boolean; signal?: AbortSignal } = {}) =>
  loadCorpus({
    source: "openai/MMMLU",
    revision: commit,
    languages: ["DE_DE", "FR_FR"],
    environment: environment(),
    ...options,
  });

describe("the hub", () => {
  it("fetches rows into Python's cache layout, and asks nothing once they are there", async () => {
    const corpus = await load();
    expect(corpus.rows.length).toBe(4003);
    expect(corpus.rows[0]?.question).toBe("Frage 0\nzwei");
    const folder = join(home, "hub", "datasets--openai--MMMLU");
    const link = readlinkSync(join(folder, "snapshots", commit, "test", "mmlu_DE-DE.csv"));
    expect(link).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    const asked = hub.requests.length;
    await load();
    await load({ offline: true });
    expect(hub.requests.length).toBe(asked);
  });

  it("resolves a branch to a commit and remembers it", async () => {
    expect(await resolveCommit(dataset, "main", settings())).toBe(commit);
    expect(readFileSync(join(home, "hub", "datasets--openai--MMMLU", "refs", "main"), "utf8")).toBe(commit);
    await hub.close();
    expect(await resolveCommit(dataset, "main", settings())).toBe(commit);
    expect(await resolveCommit(dataset, "main", settings({}, true))).toBe(commit);
  });

  it("asks for a default branch once, for a branch by name each time, and for a missing file once", async () => {
    expect(await resolveCommit(dataset, null, settings())).toBe(commit);
    expect(await downloadFileIfThere(dataset, commit, "README.md", settings())).toBeUndefined();
    const asked = hub.requests.length;
    expect(await resolveCommit(dataset, null, settings())).toBe(commit);
    expect(await downloadFileIfThere(dataset, commit, "README.md", settings())).toBeUndefined();
    expect(hub.requests.length).toBe(asked);
    await resolveCommit(dataset, "main", settings());
    expect(hub.requests.length).toBe(asked + 1);
    expect(existsSync(join(home, "hub", "datasets--openai--MMMLU", ".no_exist", commit, "README.md"))).toBe(true);
    expect(await downloadFileIfThere(dataset, commit, "other.md", settings({}, true))).toBeUndefined();
    expect(hub.requests.length).toBe(asked + 1);
  });

  it("goes on where a broken connection stopped, through 429 and 503, and keeps the token from the storage", async () => {
    hub.trouble = ["cut", 429, 503, "cut", "ok"];
    const path = await downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings({ HF_TOKEN: "hf_test" }));
    expect(readFileSync(path, "utf8")).toBe(large);
    const bodies = hub.requests.filter((line) => line.startsWith("GET storage:") && !line.includes("range=bytes=0-0"));
    const ranges = bodies.map((line) => Number(/range=bytes=(\d+)-/.exec(line)?.[1] ?? 0));
    expect(ranges[0]).toBe(0);
    expect(Math.max(...ranges)).toBeGreaterThan(0);
    expect(hub.requests.filter((line) => line.includes("storage:")).every((line) => !line.endsWith("token"))).toBe(
      true,
    );
    expect(hub.requests.some((line) => line.includes("/resolve/") && line.endsWith("token"))).toBe(true);
  });

  it("goes on with what an earlier run left", async () => {
    const blobs = join(home, "hub", "datasets--openai--MMMLU", "blobs");
    mkdirSync(blobs, { recursive: true });
    const { createHash } = await import("node:crypto");
    const etag = createHash("sha256").update(large).digest("hex");
    writeFileSync(join(blobs, `${etag}.incomplete`), large.slice(0, 1000));
    await downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings());
    expect(hub.requests.some((line) => line.includes("range=bytes=1000-"))).toBe(true);
    expect(existsSync(join(blobs, `${etag}.incomplete`))).toBe(false);
  });

  it("fetches a file once where two ask for it at the same time", async () => {
    hub.trouble = ["cut", "ok"];
    const said: string[] = [];
    const watched = {
      ...settings(),
      progress: { begin() {}, update() {}, end() {}, say: (line: string) => void said.push(line) },
    };
    const paths = await Promise.all([
      downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", watched),
      downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", watched),
    ]);
    expect(new Set(paths).size).toBe(1);
    expect(readFileSync(paths[0]!, "utf8")).toBe(large);
    expect(hub.requests.filter((line) => line.startsWith("GET storage:")).length).toBe(2);
    expect(said).toContain("another run is fetching test/mmlu_DE-DE.csv: waiting for it");
  });

  it("says before it asks where a name looks like a folder that is not there", async () => {
    const said: string[] = [];
    const progress = { begin() {}, update() {}, end() {}, say: (line: string) => void said.push(line) };
    const asked = { type: "model" as const, name: "src/dtaa" };
    await expect(resolveCommit(asked, undefined, { ...settings(), progress })).rejects.toThrow("src/dtaa");
    expect(said[0]).toBe("there is no folder src/dtaa here; did you mean src/data?");
    await resolveCommit(dataset, "main", { ...settings(), progress });
    expect(said.filter((line) => line.includes("openai"))).toEqual([]);
  });

  it("stops at once when it is told to, and keeps what came", async () => {
    hub.trouble = ["cut"];
    const stop = new AbortController();
    // Waiting to try again would outlast the test.
    const stopping = downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", {
      ...settings(),
      retrySeconds: 1e6,
      signal: stop.signal,
    });
    const blobs = join(home, "hub", "datasets--openai--MMMLU", "blobs");
    const kept = (): string[] => (existsSync(blobs) ? readdirSync(blobs).filter((name) => !name.includes("lock")) : []);
    await expect.poll(kept).toEqual([expect.stringMatching(/\.incomplete$/)]);
    stop.abort();
    await expect(stopping).rejects.toThrow(/^stopped$/);
    expect(readdirSync(blobs)).toEqual([expect.stringMatching(/\.incomplete$/)]);
    await expect(load({ signal: stop.signal })).rejects.toThrow(/^stopped$/);
    expect((await load()).rows.length).toBe(4003);
  });

  it("throws wrong bytes away", async () => {
    hub.trouble = ["wrong bytes"];
    await expect(downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings())).rejects.toThrow(
      /SHA256 is .*thrown away/,
    );
    expect(existsSync(join(home, "hub", "datasets--openai--MMMLU", "snapshots"))).toBe(false);
  });

  it.each(["a hash", "no hash"])(
    "fetches what was damaged in the cache anew once it is removed, named by %s",
    async (name) => {
      if (name === "no hash") hub.lies.etag = '"version-1"';
      const path = await downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings());
      writeFileSync(realpathSync(path), large.replace("zwei", "drei"));
      // What a message names is the snapshot's link.
      rmSync(path);
      expect(await downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings())).toBe(path);
      expect(readFileSync(path, "utf8")).toBe(large);
      const asked = hub.requests.filter((line) => line.startsWith("GET storage:")).length;
      expect(asked).toBe(2);
      rmSync(path);
      await downloadFile(dataset, commit, "test/mmlu_DE-DE.csv", settings());
      // What is whole by its name is linked again.
      expect(hub.requests.filter((line) => line.startsWith("GET storage:")).length).toBe(name === "no hash" ? 3 : 2);
    },
  );

  it.skipIf(process.platform !== "linux")("reads from a cache that may not be written", () => {
    // Not even root may make a folder there.
    const folder = "/sys/models--org--name";
    expect(() => mkdirSync(folder)).toThrow();
    expect(() => rememberCommit(folder, "main", commit)).not.toThrow();
    expect(() => rememberAbsence(folder, commit, "README.md")).not.toThrow();
    const full = join(home, "file");
    writeFileSync(full, "");
    expect(() => rememberCommit(join(full, "models--org--name"), "main", commit)).toThrow(/cannot write/);
  });

  it("follows a renamed repository with the token, and elsewhere without it", async () => {
    hub.redirects = { "/datasets/old/name/": "/datasets/openai/MMMLU/" };
    const path = await downloadFile(
      { type: "dataset", name: "old/name" },
      commit,
      "test/mmlu_FR-FR.csv",
      settings({ HF_TOKEN: "hf_test" }),
    );
    expect(readFileSync(path, "utf8")).toBe(csv(3));
    const renamed = hub.requests.filter((line) => line.includes("/openai/MMMLU/resolve/"));
    expect(renamed.length).toBe(2);
    expect(renamed.every((line) => line.endsWith(" token"))).toBe(true);
    const elsewhere = await hubImitation([dataset]);
    try {
      hub.redirects = {
        "/datasets/moved/away/": `${elsewhere.url.replace("127.0.0.1", "localhost")}/datasets/openai/MMMLU/`,
      };
      await downloadFile(
        { type: "dataset", name: "moved/away" },
        commit,
        "test/mmlu_FR-FR.csv",
        settings({ HF_TOKEN: "hf_test" }),
      );
      expect(elsewhere.requests.length).toBe(2);
      expect(elsewhere.requests.some((line) => line.endsWith(" token"))).toBe(false);
    } finally {
      await elsewhere.close();
    }
  });

  it("says what to do when it is refused, missing, busy or not there", async () => {
    await expect(downloadFile(model, commit, "config.json", settings())).rejects.toMatchObject({
      hint: expect.stringMatching(/licence at .*gemma-2-2b, then set HF_TOKEN/),
    });
    expect(
      readFileSync(await downloadFile(model, commit, "config.json", settings({ HF_TOKEN: "hf_test" })), "utf8"),
    ).toBe("{}");
    await expect(downloadFile(dataset, commit, "nothing.csv", settings())).rejects.toThrow(
      /no dataset openai\/MMMLU, file nothing.csv/,
    );
    await expect(resolveCommit(dataset, "nowhere", settings())).rejects.toThrow(/revision nowhere \(404\)/);
    await expect(downloadFile(dataset, commit, "test/mmlu_FR-FR.csv", settings({}, true))).rejects.toThrow(
      /not in the cache .*--offline/,
    );
    hub.always = 429;
    await expect(resolveCommit({ ...dataset }, "main", settings())).rejects.toThrow(/429/);
    await hub.close();
    await expect(downloadFile(dataset, commit, "test/mmlu_FR-FR.csv", settings())).rejects.toMatchObject({
      message: expect.stringMatching(/cannot reach the hub/),
      hint: expect.stringMatching(/--offline/),
    });
  });
});
