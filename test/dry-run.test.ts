import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatTemplateOf, encodePrompt } from "../src/answer/index.js";
import { sampleFolder } from "../src/data/index.js";
import { loadTokenizer, makeTokenizer } from "../src/tokens/index.js";
import { type ChatImitation, startChatImitation } from "./chat-imitation/server.js";
import { type Finished, mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-dry-"));
const bodies: Record<string, unknown>[] = [];
const headers: Readonly<Record<string, unknown>>[] = [];
let server: ChatImitation;
beforeAll(async () => {
  server = await startChatImitation({
    reply: (request) => {
      bodies.push(request.body);
      headers.push(request.headers);
      return "A\nA\nA\nA\nA\nA\nA\nA";
    },
  });
  cpSync(sampleFolder(), join(folder, "data"), { recursive: true });
  mkdirSync(join(folder, "tokenizer"));
  makeTokenizer(["Question Choices Answer Hund"], join(folder, "tokenizer"), { kind: "gemma", size: 200 });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const run = (out: string, ...words: string[]): Promise<Finished> =>
  mmmlu(["run", "gemma-3-27b-baseline", "--offline", "--out", join(folder, out), ...words], {
    environment: {
      LMSTUDIO_ENDPOINT: server.url,
      LMSTUDIO_API_KEY: "secret-key",
      XDG_CACHE_HOME: join(folder, "cache"),
    },
  });
const data = ["--data", join(folder, "data"), "--set", "data.rowsPerLanguage=21", "--set", "split=null"];
const own = [...data, "--set", `tokenizer.source=${join(folder, "tokenizer")}`];

/** Of what `--dry-run` prints: the lines, and the first request's body. */
function read({ out }: Finished): { lines: string[]; body: unknown } {
  const at = out.indexOf("\n{");
  return {
    lines: out.slice(0, at < 0 ? undefined : at).split("\n"),
    body: at < 0 ? undefined : JSON.parse(out.slice(at)),
  };
}

describe("--dry-run", () => {
  it("sends nothing, writes nothing, and prints the first request as a run sends it", async () => {
    const dry = await run("run", ...own, "--dry-run");
    expect([dry.code, dry.error]).toEqual([0, expect.stringMatching(/counting tokens of prompts/)]);
    expect(server.seen).toMatchObject({ models: 0, completions: 0 });
    expect(existsSync(join(folder, "run"))).toBe(false);
    const { lines, body } = read(dry);
    expect(lines).toContain("rows 42 in DE_DE, FR_FR");
    expect(lines).toContain("requests 6");
    expect(lines).toContain(`POST ${server.url}chat/completions`);
    expect(lines).toContain("authorization: Bearer …");
    expect(dry.out).not.toContain("secret-key");

    expect((await run("run", ...own)).code).toBe(0);
    expect(body).toEqual(bodies[0]);
    expect(headers[0]).toMatchObject({ authorization: "Bearer secret-key", "content-type": "application/json" });
    // The tokens told are those of all that was sent, by the tokenizer that is at hand and its chat template.
    const [tokenizer, template] = [
      await loadTokenizer({ source: join(folder, "tokenizer") }),
      await chatTemplateOf(join(folder, "tokenizer")),
    ];
    let tokens = 0;
    for (const { messages } of bodies)
      tokens += (await encodePrompt(messages as Parameters<typeof encodePrompt>[0], tokenizer, template)).length;
    const out = bodies.reduce((sum, one) => sum + Number(one.max_tokens), 0);
    expect(lines).toContain(
      `tokens in ${tokens.toLocaleString("en")} (by the tokenizer of ${join(folder, "tokenizer")}, with its chat ` +
        `template), out at most ${out}`,
    );

    const again = read(await run("run", ...own, "--dry-run"));
    expect(again.lines).toContain("requests 6, of which 6 have their replies");
    expect(again.body).toBeUndefined();
  });

  it("guesses where no tokenizer is at hand, and counts none for a baseline", async () => {
    const guessed = await run("other", ...data, "--set", "filter=null", "--dry-run");
    expect(guessed.out).toMatch(/^tokens in about [\d,]+ \(guessed from the texts' bytes: no tokenizer is at hand\)/m);
    const baseline = await run("other", ...own, "--model", "baseline:longest", "--dry-run");
    expect(baseline.out).toMatch(/^requests 6$/m);
    expect(baseline.out).not.toMatch(/tokens|first request/);
  });

  it("is refused where nobody is asked", async () => {
    for (const [experiment, kind] of [
      ["eda", "explore"],
      ["flan-t5-finetune", "finetune"],
    ] as const) {
      const { code, error } = await mmmlu(["run", experiment, "--dry-run"]);
      expect([code, error]).toEqual([2, expect.stringContaining(`its kind is ${kind}`)]);
    }
  });
});

describe("the tokens of a run", () => {
  it("are in its manifest as the server counted them, those of earlier sittings included", async () => {
    const path = join(folder, "run", "manifest.json");
    const { tokens } = JSON.parse(readFileSync(path, "utf8"));
    const log = readFileSync(join(folder, "run", "replies.jsonl"), "utf8")
      .trim()
      .split("\n");
    const sum = (of: "prompt" | "completion"): number =>
      log.reduce((all, line) => all + (JSON.parse(line).tokens?.[of] ?? 0), 0);
    expect(tokens).toEqual({ prompt: sum("prompt"), completion: sum("completion"), replies: 6, uncounted: 0 });
    expect(tokens.prompt).toBeGreaterThan(0);
    const again = await run("run", ...own);
    expect(again.out).toMatch(new RegExp(`^tokens ${tokens.prompt.toLocaleString("en")} in, `, "m"));
    expect(JSON.parse(readFileSync(path, "utf8")).tokens).toEqual(tokens);
  });
});
