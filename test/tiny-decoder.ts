import { join } from "node:path";
import { openDevice } from "../src/graph/index.js";
import { createTinyDecoder, gemma3 } from "../src/models/index.js";
import { writeCharacterTokenizer } from "./character-tokenizer.js";

/** Gemma's chat template in short. */
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}" +
  "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}";

/**
 * Writes the folder of a tiny Gemma 3 with random weights, a tokenizer that GGUF can have, and a chat template.
 * @param chats whether it has the template
 */
export async function writeTinyDecoder(folder: string, chats = true): Promise<void> {
  const files = `${folder}-tokenizer`;
  const vocabSize = writeCharacterTokenizer(files, chats ? TEMPLATE : undefined);
  const tokenizer = ["tokenizer.json", "tokenizer_config.json"].map((name) => join(files, name));
  const device = await openDevice("cpu", { threads: 1 });
  const model = await createTinyDecoder(
    device,
    gemma3,
    {
      ...{ vocabSize, hiddenSize: 64, intermediateSize: 128, numHiddenLayers: 2, eosTokenIds: [1] },
      ...{ slidingWindow: 64, layerTypes: ["sliding_attention", "sliding_attention"] },
    },
    5,
    { tokenizer },
  );
  await model.save(folder);
  await model.dispose();
  await device.close();
}
