import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../base/progress.js";
import { type Device, openDevice } from "../graph/index.js";
import { gemma2 } from "./architectures/gemma2.js";
import { createTinyDecoder, createTinyT5, loadModel, openModel } from "./index.js";

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "generation-"));
const places: Readonly<Record<string, string>> = { t5: join(folder, "t5"), gemma2: join(folder, "gemma2") };
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
  const models = [
    await createTinyT5(device, { vocabSize: 40 }, 1),
    await createTinyDecoder(device, gemma2, { vocabSize: 40 }, 1),
  ];
  for (const [i, model] of models.entries()) {
    await model.save(Object.values(places)[i]!);
    await model.dispose();
  }
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});
const write = (name: string, generation: object): void =>
  writeFileSync(join(places[name]!, "generation_config.json"), JSON.stringify(generation));

describe.each(Object.keys(places))("generation_config.json of %s", (name) => {
  it("names the tokens that end a reply", async () => {
    for (const [eos_token_id, ends] of [
      [
        [1, 7],
        [1, 7],
      ],
      [5, [5]],
    ] as const) {
      write(name, { eos_token_id });
      const model = await loadModel(places[name]!, device);
      expect(model.endTokens).toEqual(ends);
      await model.dispose();
    }
  });

  it("what of it is not applied is said, and nothing of what changes no reply", async () => {
    const said: string[] = [];
    const opened = async (generation: object): Promise<void> => {
      write(name, generation);
      const progress = { ...silent, say: (line: string) => said.push(line) };
      const { model } = await openModel(places[name]!, device, { progress });
      await model.dispose();
    };
    await opened({
      ...{ repetition_penalty: 1, min_length: 0, num_beams: 1, suppress_tokens: [], bad_words_ids: null },
      ...{ temperature: 0.6, top_p: 0.9, top_k: 20, do_sample: true, max_length: 2048, a_note: "x" },
    });
    expect(said).toEqual([]);
    await opened({ repetition_penalty: 1.1, suppress_tokens: [4], temperature: 0.6 });
    expect(said).toEqual([
      expect.stringMatching(/^generation_config\.json's repetition_penalty = 1\.1, suppress_tokens = \[4\] is not/),
    ]);
  });
});

it("a T5 that begins replies otherwise than config.json says is refused", async () => {
  write("t5", { decoder_start_token_id: 3 });
  await expect(loadModel(places["t5"]!, device)).rejects.toThrow(/decoder_start_token_id is 3 in generation_config/);
  write("t5", { decoder_start_token_id: null });
  await (await loadModel(places["t5"]!, device)).dispose();
});
