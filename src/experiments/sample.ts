import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rowTexts } from "../answer/index.js";
import { VERSION } from "../base/versions.js";
import { loadCorpus } from "../data/index.js";
import { mmmlu } from "../tasks/index.js";
import { makeTokenizer } from "../tokens/index.js";
import type { ExperimentConfiguration } from "./configuration/schema.js";

/** Source of data, tokenizers and models that are made on the spot. */
export const SAMPLE = "sample";

/**
 * An experiment on the embedded sample: its own data, a word tokenizer and a tiny model made on the spot, and training
 * settings that such a model needs. Everything else stays as it is.
 */
export function onSample<C extends ExperimentConfiguration>(configuration: C): C {
  const sample = { source: SAMPLE, revision: null };
  const changed: ExperimentConfiguration = {
    ...configuration,
    description: descriptionOnSample(configuration),
    data: { ...configuration.data, ...sample, task: null, columns: null, trainFrom: null },
    tokenizer: sample,
  };
  if (changed.kind === "evaluate" && changed.split)
    return { ...changed, split: { ...changed.split, kind: "grouped" } } as C;
  if (changed.kind !== "finetune") return changed as C;
  return {
    ...changed,
    split: { ...changed.split, kind: "grouped" },
    model: { ...changed.model, ...sample, torchDtype: "float32" },
    lora: changed.lora && { ...changed.lora, r: 8 },
    training: {
      ...changed.training,
      epochs: 12,
      maxSteps: null,
      batchSize: 16,
      gradientAccumulationSteps: 1,
      learningRate: changed.lora ? 4e-3 : 1.5e-3,
      lrScheduler: "linear",
      warmupRatio: 0.05,
      dropout: 0,
      loggingSteps: 50,
      saveSteps: 500,
    },
    evaluation: { ...changed.evaluation, batchSize: 64 },
  } as C;
}

/** What is done on the sample: neither the model nor the data are those of the experiment's own description. */
function descriptionOnSample(configuration: ExperimentConfiguration): string {
  if (configuration.kind === "explore") return "The embedded sample, explored";
  if (configuration.kind === "evaluate") return "Questions of the embedded sample, asked zero-shot";
  const { lora, model } = configuration;
  const quantized = model.quantization === "none" ? "" : `, ${model.quantization} base weights`;
  const trained = lora ? `a LoRA adapter${quantized}` : "all weights";
  return `A tiny model made on the spot, ${trained}, on the embedded sample`;
}

/**
 * A tokenizer of the sample's words, made where it is not there yet; `gemma` opens texts with `<bos>`, `t5` closes them
 * with `</s>`.
 * @param letters those that are tokens whatever the words; the sample's own at least
 */
export async function sampleTokenizerFolder(
  kind: "t5" | "gemma",
  letters: readonly string[] = mmmlu.letters,
): Promise<string> {
  const own = letters.length > mmmlu.letters.length ? letters : mmmlu.letters;
  const name = own.length === mmmlu.letters.length ? kind : `${kind}-${own.length}`;
  const folder = join(tmpdir(), `mmmlu-lab-sample-tokenizer-${name}-${VERSION}-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  const { rows } = await loadCorpus({ source: SAMPLE });
  const texts = rows.flatMap((row) => Object.values(rowTexts).map((text) => text(row)));
  makeTokenizer(texts, folder, { kind, size: 2048, letters: own });
  return folder;
}
