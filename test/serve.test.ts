import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDevice } from "../src/graph/index.js";
import { createTinyT5 } from "../src/models/index.js";
import { loadTokenizer, makeTokenizer } from "../src/tokens/index.js";
import { type Finished, mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "serve-"));
const model = join(folder, "a\u001b[31mred\u202e model");
beforeAll(async () => {
  const made = join(folder, "tokenizer");
  makeTokenizer(["cat dog stone table A B C D"], made, { kind: "t5", size: 64 });
  const tokenizer = await loadTokenizer({ source: made });
  const device = await openDevice("cpu", { threads: 1 });
  const tiny = await createTinyT5(device, { vocabSize: tokenizer.vocabularySize, dropoutRate: 0 }, 3, {
    tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(made, name)),
  });
  await tiny.save(model);
  await tiny.dispose();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Serves the model in a process of its own while `use` asks it. */
async function serving(
  more: readonly string[],
  use: (url: string, child: ChildProcess) => Promise<void>,
): Promise<Finished> {
  let child!: ChildProcess;
  let said = "";
  const finished = mmmlu(["serve", model, "--port", "0", ...more], {
    started: (one) => (child = one).stdout!.on("data", (piece: Buffer) => (said += piece.toString())),
  });
  const began = (): string | undefined => /^http:\S+/m.exec(said)?.[0];
  await expect.poll(() => began() ?? child.exitCode, { interval: 20 }).not.toBeNull();
  try {
    await use(began()!, child);
  } finally {
    child.kill("SIGINT");
  }
  return finished;
}

describe("mmmlu serve", () => {
  it("says what it serves, to whom and within what limits, and shows a name without what a terminal obeys", async () => {
    const { code, out } = await serving(["--api-key", "k", "--queue", "7"], async (url) => {
      expect((await fetch(new URL("models", url))).status).toBe(401);
    });
    expect(code).toBe(0);
    const [what, limits, who, url] = out.split("\n");
    expect(what).toMatch(/^serving .*ared model \([\d,]+ parameters, unquantized, .+\)$/);
    expect(limits).toBe("at most 4096 tokens in a prompt, 2048 new ones; 16 requests at once, 7 waiting");
    expect(who).toBe("this machine alone can ask; requests must carry the key");
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/$/);
    expect(out).not.toMatch(/[\u001b\u202e]/);
  });

  it.each([
    [["--host", "0.0.0.0"], /other machines could ask without a key/],
    [["--host", "::"], /other machines could ask without a key/],
    [["--api-key", ""], /the API key is empty/],
    [["--allowed-host", "http://lab.example/"], /is no name of a host/],
    [["--allowed-origin", "*"], /is no origin of a page/],
  ])("%j ends before a model is loaded, and says what to do", async (given, message) => {
    const { code, error } = await mmmlu(["serve", join(folder, "there is none"), "--port", "0", ...given]);
    expect([code, error]).toEqual([2, expect.stringMatching(message)]);
    expect(error).toMatch(/--api-key|takes/);
  });

  it("listens to other machines where a flag says that they need no key", async () => {
    const { out } = await serving(
      ["--host", "0.0.0.0", "--allow-unauthenticated", "--allowed-host", "lab"],
      async (url) => {
        const to = new URL("models", url.replace("0.0.0.0", "127.0.0.1"));
        expect((await fetch(to)).status).toBe(200);
      },
    );
    expect(out).toMatch(/^other machines can ask; no key is asked for$/m);
  });

  it.skipIf(!existsSync("/proc/self/status"))("reads 100 prompts of 900 KB at once in bounded memory", async () => {
    await serving(["--max-prompt-tokens", "40000"], async (url, child) => {
      const memory = (name: string): number => {
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
      };
      /** Asks until it is let in, and gives the answer. */
      const ask = async (prompt: string): Promise<[number, string]> => {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ model, prompt });
        for (;;) {
          const response = await fetch(new URL("completions", url), { method: "POST", headers, body });
          const { error } = (await response.json()) as { error: { message: string } };
          if (response.status !== 429) return [response.status, error.message];
          await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
        }
      };
      const before = memory("VmRSS");
      // Longer than its tokens could be, it is not tokenized; shorter, it is, and refused then.
      for (const [prompts, words, message] of [
        [100, 225_000, /^the prompt has 899999 characters, more than the \d+ that 40000 tokens can stand for$/],
        [30, 50_000, /^the prompt has 50001 tokens, more than the 40000 that this server takes$/],
      ] as const) {
        const answers = await Promise.all(Array.from({ length: prompts }, () => ask("cat ".repeat(words).trim())));
        for (const answer of answers) expect(answer).toEqual([400, expect.stringMatching(message)]);
      }
      // Where all were tokenized at once, 100 of them took 1,900 MiB.
      expect(memory("VmHWM") - before).toBeLessThan(700);
    });
  });
});
