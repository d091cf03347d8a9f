/*
 * Work on a model that was really trained, measured: what docs/real-model.md tells.
 *
 *   npm run bench:real -- data OUT                          real rows in the layouts that the command reads
 *   npm run bench:real -- measure COMMAND...                a command of mmmlu, its seconds and peak memory
 *   npm run bench:real -- shape EXPERIMENT OUT TOKENIZER    random weights of the real shape of an experiment's model
 *   npm run bench:real -- peft RUN --python PYTHON [--steps N]
 *                                                           PEFT and bitsandbytes on the rows of a fine-tuning run
 *   npm run bench:real -- letters MODEL DATA --python PYTHON [--rows 2000]
 *                                                           letters by log-probability, ours and transformers'
 *   npm run bench:real -- quantized MODEL --python PYTHON   4-bit weights and logits, ours and bitsandbytes'
 *
 * PYTHON is an interpreter with torch, transformers, PEFT and bitsandbytes (reference/requirements.txt).
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [name = "", ...given] = process.argv.slice(2);
const file = new URL(`./real/${name}.ts`, import.meta.url);
if (!/^[a-z]+$/.test(name) || !existsSync(fileURLToPath(file))) {
  console.error("Say which: data, measure, shape, peft, letters or quantized; bench/real.ts tells more.");
  process.exit(2);
}
const { bench } = (await import(file.href)) as { bench: (given: string[]) => Promise<void> };
await bench(given);
