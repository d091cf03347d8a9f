import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChatImitation, startChatImitation } from "./chat-imitation/server.js";

const ROWS = 200;
let server: ChatImitation;
let folder = "";
beforeAll(async () => {
  server = await startChatImitation({ delayMilliseconds: 20 });
  folder = mkdtempSync(join(tmpdir(), "mmmlu-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const start = (log: string): ChildProcess =>
  spawn(process.execPath, ["--import", "tsx", "test/evaluation-child.ts", server.url, log, String(ROWS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
const lines = (log: string): number => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0);

async function ended(child: ChildProcess): Promise<{
  code: number | null;
  output: { error?: string; asked: number; cached: number; metrics: { n: number } } | undefined;
}> {
  let text = "";
  child.stdout?.on("data", (piece: Buffer) => (text += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    code,
    output: text ? (JSON.parse(text) as { asked: number; cached: number; metrics: { n: number } }) : undefined,
  };
}

async function stopAfter(log: string, replies: number, signal: NodeJS.Signals): ReturnType<typeof ended> {
  const child = start(log);
  const end = ended(child);
  while (lines(log) < replies) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill(signal);
  return end;
}

describe("an evaluation that is stopped", () => {
  it("by kill -9, twice, goes on where it was and measures over all rows", async () => {
    const log = join(folder, "killed.jsonl");
    const before = server.seen.completions;
    await stopAfter(log, 20, "SIGKILL");
    await stopAfter(log, lines(log) + 20, "SIGKILL");
    const kept = lines(log);
    const { code, output } = await ended(start(log));
    expect(code).toBe(0);
    expect(output).toMatchObject({ asked: ROWS - kept, cached: kept, metrics: { n: ROWS } });
    // Only what was under way at a kill, four at most, was asked again.
    expect(server.seen.completions - before).toBeLessThanOrEqual(ROWS + 8);
  });

  it("by Ctrl-C says so, drops what is under way, and goes on", async () => {
    const log = join(folder, "interrupted.jsonl");
    const stopped = await stopAfter(log, 20, "SIGINT");
    expect(stopped.code).toBe(1);
    expect(stopped.output?.error).toBe(`stopped after ${lines(log)} of ${ROWS} questions`);
    expect((await ended(start(log))).output).toMatchObject({ metrics: { n: ROWS } });
  });
});
