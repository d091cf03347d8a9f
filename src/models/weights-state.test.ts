import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, openDevice } from "../graph/index.js";
import { gemma2 } from "./architectures/gemma2.js";
import { createTinyDecoder } from "./decoder/create.js";
import type { LanguageModel } from "./language-model.js";
import { loadDecoder, loadT5 } from "./load-model.js";
import { addLora, loadAdapter, mergeAdapters } from "./lora/index.js";
import { type Example, readLoss, type TrainableModel } from "./model.js";
import { storeLinearLayers, weightStore } from "./quantize/index.js";
import { Random } from "./random.js";
import { createTinyT5 } from "./t5/create.js";

/*
 * Programs follow the weights' state by themselves: whatever was run before, what comes next is that of a model made so
 * at once.
 */

const EXAMPLES: Example[] = [
  { id: "a", input: [2, 5, 9, 11, 4], target: [7] },
  { id: "b", input: [2, 8], target: [6, 3] },
];
const KINDS = {
  t5: {
    create: (device: Device): Promise<LanguageModel> => createTinyT5(device, { vocabSize: 40 }, 3),
    load: (folder: string, device: Device): Promise<LanguageModel> => loadT5(folder, device),
    modules: ["q", "v", "wo"],
  },
  gemma2: {
    create: (device: Device): Promise<LanguageModel> =>
      createTinyDecoder(device, gemma2, { vocabSize: 40, eosTokenIds: [] }, 3),
    load: (folder: string, device: Device): Promise<LanguageModel> => loadDecoder(folder, device, { frozen: false }),
    modules: ["q_proj", "v_proj", "down_proj"],
  },
};

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "weights-state-"));
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that a model's programs give: loss, gradients, a reply's log-probabilities and tokens. */
async function all(model: LanguageModel): Promise<Record<string, unknown>> {
  const gradients: Record<string, number[]> = {};
  const { lossSum } = await readLoss(
    model.device,
    await model.lossAndGradients(EXAMPLES, {
      scale: 1,
      receive: (parameter, gradient) => {
        gradients[parameter.name] = [...(gradient.data as Float32Array)];
        (model as TrainableModel).recycle?.(parameter, gradient);
      },
    }),
  );
  return {
    lossSum,
    gradients,
    loss: (await model.loss(EXAMPLES)).lossSum,
    letters: await model.letterLogProbabilities([EXAMPLES[0]!.input], [3, 4, 5, 6]),
    reply: await model.generate([EXAMPLES[0]!.input], { maximumNewTokens: 4 }),
  };
}

const adapted = async (model: LanguageModel, modules: readonly string[], rank: number, base = ""): Promise<void> => {
  await addLora(model.weights, { rank, alpha: 4, dropout: 0, modules, base }, 1);
  const noise = new Random(4);
  for (const { name, array } of model.parameters)
    if (name.includes("lora_B")) noise.fillNormal(array.data as Float32Array, 0.1);
};

describe.each(Object.entries(KINDS))("%s, whatever was compiled before", (kind, { create, load, modules }) => {
  const ranOrNot = async (
    change: (model: LanguageModel) => Promise<void>,
    make = () => create(device),
  ): Promise<void> => {
    const [fresh, ran] = [await make(), await make()];
    await change(fresh);
    const before = await all(ran);
    await change(ran);
    const after = await all(ran);
    expect(after).toEqual(await all(fresh));
    expect(after).not.toEqual(before);
    const trained = ran.parameters.filter((parameter) => parameter.trained).map(({ name }) => name);
    expect(Object.keys(after["gradients"] as object).sort()).toEqual(trained.sort());
    for (const model of [fresh, ran]) await model.dispose();
  };

  it("takes adapters", () => ranOrNot((model) => adapted(model, modules, 2)));

  it("takes an adapter from a folder, all else frozen", async () => {
    const base = await create(device);
    await base.save(join(folder, kind));
    await adapted(base, modules, 2, join(folder, kind));
    await base.save(join(folder, `${kind}-adapter`));
    await base.dispose();
    await ranOrNot(
      async (model) => void (await loadAdapter(model.weights, join(folder, `${kind}-adapter`))),
      () => load(join(folder, kind), device),
    );
  });

  it("merges adapters, and takes others of another rank", async () => {
    await ranOrNot(async (model) => {
      await adapted(model, modules, 2);
      await all(model);
      await mergeAdapters(model.weights);
      await all(model);
      await adapted(model, modules, 3);
    });
  });

  it("freezes a parameter, and quantizes layers", () =>
    ranOrNot(async (model) => {
      const first = model.parameters[0]!;
      model.weights.replace({ ...first, trained: false });
      await all(model);
      await storeLinearLayers(model.weights, weightStore({ kind: "nf4" }, device)!);
    }));
});
