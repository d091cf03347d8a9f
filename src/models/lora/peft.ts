import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { copyWhole, writeWhole } from "../../base/files.js";
import { writeFolderWhole } from "../../base/folders.js";
import { parameterToWrite } from "../save.js";
import { type LoraSettings, makeParameter, type Weights } from "../weights.js";
import { type TensorToWrite, writeSafetensors } from "../write-safetensors.js";
import { ADAPTER_CONFIG, adapterConfigJson, readAdapterSettings } from "./adapter-config.js";
import { adapterWeightName, openMatrices } from "./matrices.js";
import { loraStart } from "./start.js";
import { trainingEnvironment, writeEnvironment } from "./training-environment.js";

/**
 * Gives a model the adapter that lies in a folder, made by PEFT or by us. The rest of the model is frozen.
 * @throws {UserError} where it was made for a model of other layers or shapes, a matrix is missing, or one belongs to
 * no layer
 */
export async function loadAdapter(weights: Weights, folder: string): Promise<LoraSettings> {
  const settings = await readAdapterSettings(folder);
  const matrices = await openMatrices(folder, settings, weights.linearLayers);
  try {
    const { device } = weights;
    for (const { layer, shape, rank, scaling, read } of matrices.targets) {
      const [outputs, inputs] = shape;
      const [a, b] = await read();
      weights.addAdapter(layer, {
        a: await makeParameter(device, adapterWeightName(layer, "A"), [rank, inputs], a),
        b: await makeParameter(device, adapterWeightName(layer, "B"), [outputs, rank], b),
        scaling,
        dropout: settings.dropout,
      });
    }
  } catch (error) {
    weights.removeAdapters();
    throw error;
  } finally {
    await matrices.close();
  }
  weights.lora = settings;
  weights.freezeAll();
  return settings;
}

/**
 * Saves a model's adapters as a folder that PEFT's `PeftModel.from_pretrained` loads, with what they were trained on in
 * a file beside them; whole or not at all.
 * @param taskType PEFT's: `CAUSAL_LM` or `SEQ_2_SEQ_LM`
 * @param files copied along: the tokenizer's, so that the adapter can be asked without looking for them
 * @throws {UserError} where it cannot be written
 */
export async function saveAdapter(
  folder: string,
  weights: Weights,
  taskType: "CAUSAL_LM" | "SEQ_2_SEQ_LM",
  files: readonly string[] = [],
): Promise<void> {
  const { lora } = weights;
  if (!lora) throw new Error("the model has no adapters");
  const tensors: TensorToWrite[] = [];
  for (const { a, b } of weights.adapted.values())
    for (const parameter of [a, b]) tensors.push(await parameterToWrite(weights.device, parameter));
  const environment = trainingEnvironment(weights, lora);
  await writeFolderWhole(folder, (place) => {
    for (const file of files) if (existsSync(file)) copyWhole(file, join(place, basename(file)));
    writeSafetensors(join(place, "adapter_model.safetensors"), tensors);
    writeEnvironment(place, environment);
    writeWhole(join(place, ADAPTER_CONFIG), `${JSON.stringify(adapterConfigJson(lora, taskType), null, 2)}\n`);
  });
}

/**
 * Writes adapters as training begins with them, as a folder that PEFT's `PeftModel.from_pretrained` loads.
 * @param layers shapes [outputs, inputs] of all linear layers, in the model's order
 * @throws {UserError} where a module matches nothing, or it cannot be written
 */
export function writeAdapterStart(
  folder: string,
  layers: ReadonlyMap<string, readonly [number, number]>,
  settings: LoraSettings,
  taskType: "CAUSAL_LM" | "SEQ_2_SEQ_LM",
  seed: number,
): void {
  const tensors: TensorToWrite[] = [];
  for (const { layer, shape, rank, a, b } of loraStart(layers, settings, seed))
    tensors.push(
      { name: adapterWeightName(layer, "A"), type: "F32", shape: [rank, shape[1]], elements: () => a },
      { name: adapterWeightName(layer, "B"), type: "F32", shape: [shape[0], rank], elements: () => b },
    );
  writeSafetensors(join(folder, "adapter_model.safetensors"), tensors);
  writeWhole(join(folder, ADAPTER_CONFIG), `${JSON.stringify(adapterConfigJson(settings, taskType), null, 2)}\n`);
}
