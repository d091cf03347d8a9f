import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WandbImitation, wandbImitation } from "../../../../test/wandb-imitation/server.js";
import { crc32 } from "../../../base/crc32.js";
import { wandbSettings } from "./settings.js";
import { wandbTracker } from "./tracker.js";

const key = "k".repeat(40);
const quick = { intervalSeconds: 0.05, timeoutSeconds: 0.4, patienceSeconds: 3, finishSeconds: 6, systemSeconds: 60 };
let server: WandbImitation;
let folder: string;
let said: string[];

beforeEach(async () => {
  server = await wandbImitation(key);
  folder = mkdtempSync(join(tmpdir(), "wandb-"));
  said = [];
});
afterEach(() => server.close());

function start(mode: "online" | "offline", environment: NodeJS.ProcessEnv = {}, times = quick) {
  const run = { name: "a run", project: "a-project", configuration: { epochs: 2 }, folder, kind: "finetune" };
  const settings = wandbSettings(mode, run, {
    WANDB_DIR: folder,
    WANDB_BASE_URL: server.url,
    WANDB_API_KEY: key,
    WANDB_TAGS: "a, b",
    NETRC: "/nowhere",
    ...environment,
  });
  return wandbTracker(run, settings, (line) => said.push(line), times);
}

/** The payloads of a transaction log, every checksum and block boundary checked. */
function chunks(bytes: Buffer): Buffer[] {
  expect([...bytes.subarray(0, 7)]).toEqual([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 7; at < bytes.length; ) {
    const room = 32768 - (at % 32768);
    if (room < 7) {
      at += room;
      continue;
    }
    const [sum, length, type] = [bytes.readUInt32LE(at), bytes.readUInt16LE(at + 4), bytes[at + 6] as number];
    expect(crc32(bytes.subarray(at + 6, at + 7 + length))).toBe(sum);
    expect(length).toBeLessThanOrEqual(room - 7);
    parts.push(bytes.subarray(at + 7, at + 7 + length));
    if (type === 1 || type === 4) {
      records.push(Buffer.concat(parts));
      parts = [];
    }
    at += 7 + length;
  }
  expect(parts).toHaveLength(0);
  return records;
}

const onlyRun = (): string => join(folder, "wandb", readdirSync(join(folder, "wandb"))[0] as string);
const logOf = (run: string): Buffer =>
  readFileSync(join(run, readdirSync(run).find((name) => name.endsWith(".wandb")) as string));
const steps = (): number[] =>
  (server.files["wandb-history.jsonl"] ?? []).map((line) => (JSON.parse(line) as { _step: number })._step);

describe("W&B offline", () => {
  it("writes a log of whole records over block boundaries", async () => {
    const tracker = start("offline");
    for (let step = 0; step < 300; step++) tracker.log({ loss: step, text: "x".repeat(step * 5) }, step);
    tracker.log({ huge: "y".repeat(100_000) }, 300);
    await tracker.finish(0);
    expect(onlyRun()).toMatch(/offline-run-\d{8}_\d{6}-[a-z0-9]{8}$/);
    const records = chunks(logOf(onlyRun()));
    // header, run, three metrics, 301 history, statistics, summary, exit, footer
    expect(records).toHaveLength(2 + 3 + 301 + 4);
    expect(server.requests).toHaveLength(0);
  });

  it("goes on without it where the folder cannot be made", async () => {
    const tracker = start("offline", { WANDB_DIR: "/dev/null" });
    tracker.log({ loss: 1 }, 1);
    await tracker.finish(0);
    expect(said.join("\n")).toMatch(/W&B: cannot make .*the run goes on/);
  });
});

describe("W&B online", () => {
  it("sends every line once and in order, with configuration, tags, summary and exit code", async () => {
    const tracker = start("online");
    for (let step = 0; step < 50; step++) tracker.log({ loss: 1 / (step + 1), bad: step === 3 ? Number.NaN : 0 }, step);
    tracker.summary({ final_test_accuracy: 0.5 });
    tracker.output("a line");
    await tracker.finish(0);
    expect(server.runs[0]).toMatchObject({
      project: "a-project",
      displayName: "a run",
      tags: ["a", "b"],
      config: { epochs: { value: 2 } },
    });
    expect((server.files["wandb-history.jsonl"] ?? []).length).toBe(50);
    expect(server.files["wandb-history.jsonl"]?.[3]).toContain('"bad":NaN');
    expect(server.files["wandb-summary.json"]?.[0]).toContain('"final_test_accuracy":0.5');
    expect(server.files["output.log"]).toEqual(["a line"]);
    expect(server.exitCode).toBe(0);
    expect(onlyRun()).toMatch(/\/run-\d/);
    expect(said.some((line) => line.includes("/team/a-project/runs/"))).toBe(true);
  });

  it("keeps two lines of one step apart", async () => {
    const tracker = start("online");
    tracker.log({ "train/loss": 2, "train/global_step": 5 }, 5);
    tracker.log({ "eval/loss": 3, "train/global_step": 5 }, 5);
    tracker.log({ final_test_accuracy: 0.5 }, 5);
    await tracker.finish(0);
    expect(steps()).toEqual([5, 6, 7]);
    expect(
      (server.files["wandb-history.jsonl"] ?? []).map(
        (line) => (JSON.parse(line) as Record<string, number>)["train/global_step"],
      ),
    ).toEqual([5, 5, undefined]);
    expect(server.files["wandb-summary.json"]?.[0]).toContain('"final_test_accuracy":0.5');
  });

  it("loses and repeats nothing when the server fails, stalls, cuts and answers 429", async () => {
    server.trouble = [500, "ok", "stall", 429, "cut", "garbage", "ok", 500];
    const tracker = start("online", {}, { ...quick, patienceSeconds: 15, finishSeconds: 20 });
    for (let step = 0; step < 40; step++) {
      tracker.log({ loss: step }, step);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await tracker.finish(0);
    expect(steps()).toEqual(Array.from({ length: 40 }, (_, step) => step));
    expect(server.exitCode).toBe(0);
  });

  it.each([
    ["401", 401 as const, /check WANDB_API_KEY/],
    ["a server that is gone", "cut" as const, /wandb sync/],
    ["a server that never answers", "stall" as const, /wandb sync/],
  ])("falls back to the offline folder on %s, and says so", async (_name, trouble, expected) => {
    server.always = trouble;
    const tracker = start("online");
    const before = performance.now();
    for (let step = 0; step < 10; step++) tracker.log({ loss: step }, step);
    expect(performance.now() - before).toBeLessThan(200);
    await tracker.finish(1);
    expect(said.join("\n")).toMatch(expected);
    expect(onlyRun()).toMatch(/offline-run-/);
    expect(chunks(logOf(onlyRun())).length).toBe(2 + 1 + 10 + 4);
  });

  it("says what to do without a key", async () => {
    const tracker = start("online", { WANDB_API_KEY: "" });
    await tracker.finish(0);
    expect(said.join("\n")).toMatch(/no API key.*wandb sync/);
  });
});

describe("settings", () => {
  const run = { name: "n", project: "p" };
  it("a server's address or a mode that cannot be read is said, and stops nothing", async () => {
    expect(wandbSettings(undefined, run, { WANDB_MODE: "ofline" })).toMatchObject({
      mode: "offline",
      complaints: [expect.stringContaining('WANDB_MODE is "ofline"')],
    });
    const tracker = start("online", { WANDB_BASE_URL: "http://wandb example/" });
    tracker.log({ loss: 1 }, 1);
    await tracker.finish(0);
    expect(said.join("\n")).toMatch(/WANDB_BASE_URL is no address[^]*wandb sync/);
    expect(onlyRun()).toMatch(/offline-run-/);
  });
  it("takes the usual variables, and the flag over them", () => {
    expect(wandbSettings(undefined, run, { WANDB_MODE: "offline" }).mode).toBe("offline");
    expect(wandbSettings("online", run, { WANDB_MODE: "offline" }).mode).toBe("online");
    expect(wandbSettings(undefined, run, {}).mode).toBe("disabled");
    expect(
      wandbSettings(undefined, run, { WANDB_PROJECT: "q", WANDB_ENTITY: "e", WANDB_RUN_GROUP: "g" }),
    ).toMatchObject({ project: "q", entity: "e", group: "g" });
  });
});
