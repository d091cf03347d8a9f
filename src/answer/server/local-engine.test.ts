import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDevice } from "../../graph/index.js";
import { createTinyT5, type LocalModel } from "../../models/index.js";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "../../tokens/index.js";
import { chatTemplateOf } from "./chat-template.js";
import type { TextEngine } from "./engine.js";
import { localEngine } from "./local-engine.js";

describe("requests that are generated together", () => {
  const folder = mkdtempSync(join(tmpdir(), "local-engine-"));
  let tokenizer: Tokenizer;
  let together: TextEngine;
  let alone: LocalModel;
  beforeAll(async () => {
    makeTokenizer(["Which of these is alive ? cat dog stone table A B C D Antwort Frage"], folder, {
      kind: "t5",
      size: 256,
    });
    tokenizer = await loadTokenizer({ source: folder });
    const device = await openDevice("cpu", { threads: 1 });
    // Without an end token every reply has as many tokens as were asked for.
    alone = await createTinyT5(device, { vocabSize: tokenizer.vocabularySize, dropoutRate: 0, eosTokenIds: [] }, 4);
    together = localEngine({
      id: "together",
      model: alone,
      tokenizer,
      chatTemplate: await chatTemplateOf(folder),
      requestsAtOnce: 3,
    });
  });
  afterAll(async () => {
    await together.close();
    rmSync(folder, { recursive: true });
  });

  /** Asks, and tells how many tokens have come and whether it has ended; `ended` is the text. */
  const asking = (prompt: number[], maximumTokens: number) => {
    const told = { tokens: 0, over: false, ended: Promise.resolve("") };
    let text = "";
    const request = { prompt, maximumTokens, temperature: 0, topShare: 1, seed: 1 };
    told.ended = together
      .generate(
        request,
        (token) => {
          if (token.token !== undefined) told.tokens++;
          text += token.text;
        },
        new AbortController().signal,
      )
      .then(() => {
        told.over = true;
        return text;
      });
    return told;
  };
  const aloneText = async (prompt: number[], maximumNewTokens: number): Promise<string> =>
    tokenizer.decode((await alone.generate([prompt], { maximumNewTokens }))[0]!.tokens, true);

  it("end each when its own reply has ended", async () => {
    const [short, long] = [asking([10, 13, 1], 3), asking([14, 15, 16, 1], 50)];
    expect((await short.ended).trim()).toBe((await aloneText([10, 13, 1], 3)).trim());
    expect(short.tokens).toBe(3);
    expect(long.over).toBe(false);
    expect((await long.ended).trim()).toBe((await aloneText([14, 15, 16, 1], 50)).trim());
  });

  it("do not wait for a long one to end, as long as there is room; each gets what it gets alone", async () => {
    const long = asking([14, 15, 16, 1], 300);
    await expect.poll(() => long.tokens, { interval: 1 }).toBeGreaterThan(2);
    const short = [asking([10, 13, 1], 5), asking([11, 1], 2), asking([12, 1], 4)];
    await Promise.all(short.map(({ ended }) => ended));
    expect(short.map(({ tokens }) => tokens)).toEqual([5, 2, 4]);
    expect(long.over).toBe(false);
    expect((await short[0]!.ended).trim()).toBe((await aloneText([10, 13, 1], 5)).trim());
    expect((await long.ended).trim()).toBe((await aloneText([14, 15, 16, 1], 300)).trim());
  });
});
