import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openDevice, openMetaDevice } from "../graph/index.js";
import { gemma3 } from "./architectures/gemma3.js";
import { architectureOf } from "./architectures/index.js";
import { readConfigFile } from "./config-file.js";
import { createTinyDecoder } from "./decoder/create.js";
import { loadModel } from "./load-model.js";
import { createTinyT5 } from "./t5/create.js";

const folder = mkdtempSync(join(tmpdir(), "reach-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("weights that a device does not reach are refused by name before any is read; a frozen table is not", async () => {
  const cpu = await openDevice("cpu", { threads: 1 });
  const models = {
    t5: await createTinyT5(cpu, { vocabSize: 2000, dModel: 16, dFf: 16, numLayers: 1, numDecoderLayers: 1 }, 1),
    gemma3: await createTinyDecoder(cpu, gemma3, { vocabSize: 2000, hiddenSize: 16, intermediateSize: 16 }, 1),
  };
  for (const [name, model] of Object.entries(models)) await model.save(join(folder, name));
  // No table of 128,000 bytes, but every other weight.
  const small = await openDevice("cpu", { threads: 1, bindingLimit: 100_000 });
  const refused = {
    t5: ["shared.weight", "Use --device cpu."],
    gemma3: ["model.embed_tokens.weight", "Train adapters alone (lora), which leave the table as it is, or use"],
  } as const;
  for (const [name, [weight, hint]] of Object.entries(refused)) {
    const expected = {
      message: expect.stringMatching(`^${weight.replaceAll(".", "\\.")} is float32 \\[2000, 16\\].* reaches no more`),
      hint: expect.stringContaining(hint),
    };
    const begun: string[] = [];
    const progress = { begin: (what: string) => void begun.push(what), update() {}, say() {}, end() {} };
    await expect(loadModel(join(folder, name), small, { progress })).rejects.toMatchObject(expected);
    expect(begun).toEqual([]);
    const config = await readConfigFile(join(folder, name));
    const shapes = openMetaDevice("webgpu", { bindingLimit: 100_000 });
    await expect(architectureOf(config).ofShape(config, shapes)).rejects.toMatchObject(expected);
  }
  const prompts = [[2, 5, 6, 7]];
  const frozen = await loadModel(join(folder, "gemma3"), small, { frozen: true });
  const [found, wanted] = [frozen, models.gemma3].map((model) => model.letterLogProbabilities(prompts, [3, 4]));
  expect(await found).toEqual(await wanted);
  for (const model of [frozen, ...Object.values(models)]) await model.dispose();
  for (const device of [small, cpu]) await device.close();
});
