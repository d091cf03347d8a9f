import { expect, it } from "vitest";
import { UserError } from "../base/errors.js";
import { DeviceFailure } from "../graph/index.js";
import type { AnswerRequest } from "./answerer.js";
import { engineAnswerer } from "./engine-answerer.js";
import type { TextEngine } from "./server/engine.js";

const request = { key: "a", prompt: "Question", maximumTokens: 4, rows: [{ id: "a" }] } as unknown as AnswerRequest;

it.each([
  ["lost", /^What was answered is kept: run the same command again, it goes on from there\.$/],
  ["memory", /^What was answered is kept: .* with a lower answerer\.concurrency or --device cpu\.$/],
] as const)("a device that failed (%s) ends the asking with what is kept and what to do", async (kind, hint) => {
  const failure = new DeviceFailure(`the device webgpu was ${kind}`, kind);
  const engine: Partial<TextEngine> = { tokenize: async () => [1], generate: () => Promise.reject(failure) };
  const answerer = engineAnswerer({
    ...{ name: "x", description: "x", identity: {}, concurrency: 1, temperature: 0, logProbabilities: false, seed: 1 },
    open: async () => engine as TextEngine,
  });
  await answerer.prepare();
  const ended = answerer.answer([request]);
  await expect(ended).rejects.toBeInstanceOf(UserError);
  await expect(ended).rejects.toMatchObject({
    message: failure.message,
    hint: expect.stringMatching(hint),
    cause: failure,
  });
});
