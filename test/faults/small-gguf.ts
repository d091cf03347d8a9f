import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../../src/graph/index.js";
import { llama } from "../../src/models/architectures/llama.js";
import { exportGguf } from "../../src/models/gguf/export.js";
import { createTinyDecoder } from "../../src/models/index.js";

/** Writes a tiny Llama with a tokenizer as a GGUF file. */
export async function writeSmallGguf(folder: string, out: string, device: Device): Promise<void> {
  const files = join(folder, "gguf-files");
  mkdirSync(files);
  const golden = join(import.meta.dirname, "../../reference/golden/gguf/tokenizer-llama-bpe.json");
  copyFileSync(golden, join(files, "tokenizer.json"));
  writeFileSync(
    join(files, "tokenizer_config.json"),
    JSON.stringify({ bos_token: "<|begin|>", eos_token: "<|end|>", chat_template: "{{ messages[0].content }}" }),
  );
  const sizes = { vocabSize: 500, hiddenSize: 32, intermediateSize: 32, eosTokenIds: [1] };
  const tokenizer = ["tokenizer.json", "tokenizer_config.json"].map((name) => join(files, name));
  const model = await createTinyDecoder(device, llama, sizes, 5, { tokenizer });
  await model.save(join(folder, "gguf-model"));
  await model.dispose();
  await exportGguf(join(folder, "gguf-model"), out, { kind: "Q8_0" });
}
