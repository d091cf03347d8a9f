import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { experiments } from "../../src/experiments/index.js";
import { ARCHITECTURES, TOKENIZER_FILES } from "../../src/models/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import { writeRandomModel } from "../train/random-model.js";

/** `OUT`: random weights of the real shape of an experiment's model, with the tokenizer of a folder. */
export async function bench([experiment, out, tokenizer]: string[]): Promise<void> {
  const config = Object.entries(experiments).find(([name]) => name === experiment)?.[1].finetune?.modelConfig;
  const modelType = String(config?.["model_type"]);
  const architecture = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(modelType));
  if (config === undefined || architecture === undefined || out === undefined || tokenizer === undefined) {
    console.error("usage: npm run bench:real -- shape EXPERIMENT OUT TOKENIZER");
    process.exit(2);
  }
  const made = await loadTokenizer({ source: tokenizer });
  const eos = made.eosToken === undefined ? undefined : made.tokenId(made.eosToken);
  const file = { path: join(out, "config.json"), json: config, modelType, floatKeys: new Set<string>() };
  writeRandomModel(out, { ...config, eos_token_id: eos ?? config["eos_token_id"] }, architecture.weightShapes(file));
  for (const name of TOKENIZER_FILES)
    if (existsSync(join(tokenizer, name))) copyFileSync(join(tokenizer, name), join(out, name));
  console.log(`${out}: random weights of ${experiment}'s model`);
}
