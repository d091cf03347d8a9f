import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { gemma2Prompt } from "../../answer/index.js";
import { presetNamed } from "../configuration/configure.js";
import type { FinetuneConfiguration } from "../configuration/schema.js";
import { modelCard } from "./card.js";
import type { CardRun, CardStage } from "./run.js";

const stage = (accuracy: number): CardStage => ({
  n: 2370,
  accuracy,
  unreadable: 3,
  statistics: {
    overall: { chance: 0.25 },
    clustered: { interval: [accuracy - 0.02, accuracy + 0.02] },
    languages: ["DE_DE", "FR_FR"].map((language) => ({
      language,
      n: 1185,
      accuracy,
      clusteredInterval: [accuracy - 0.03, accuracy + 0.03] as [number, number],
    })),
  },
  additionalMetrics: {
    letterLogProbabilities: null,
    withoutTwinInTrain: { n: 200, accuracy: 0.3, interval: [0.2, 0.4] },
  },
});
const leak = { rows: 2370, translationInTrain: 1896, duplicateInTrain: 12, either: 1900 };

const run = (name: string, more: Partial<CardRun> = {}): CardRun => ({
  name,
  version: "0.2.0",
  sample: false,
  device: "cpu (2 threads)",
  configuration: presetNamed(name) as FinetuneConfiguration,
  facts: {
    data: {
      source: "openai/MMMLU",
      kind: "hub",
      task: "mmmlu",
      revision: "325a01dc3e173cac1578df94120499aaca2e2504",
      rows: 28_084,
      rowsKept: 23_696,
      rowsKeptByLanguage: { DE_DE: 11_848, FR_FR: 11_848 },
    },
    split: {
      kind: "published",
      shape: "80/10/10",
      seed: 42,
      sha256: "5d9fc8a858131aa5",
      train: 18_956,
      validation: 2370,
      test: 2370,
    },
    model: {
      source: "google/gemma-2-2b",
      commit: "c5ebcd40d208330abc697524c919956e692655cf",
      trainedParameters: 41_533_440,
    },
  },
  metrics: {
    baseline: stage(0.3751),
    final: stage(0.5392),
    training: { steps: 2370, rows: 37_912, loss: 0.4727 },
    audit: { test: leak, validation: leak },
  },
  saved: { adapter: true, encoderDecoder: false, base: "google/gemma-2-2b" },
  base: "google/gemma-2-2b",
  license: { license: "gemma" },
  ...more,
});

function parts(card: string): { front: any; body: string } {
  const [, front, ...body] = card.split(/^---$/m);
  return { front: parse(front!), body: body.join("---") };
}

describe("a model's card", () => {
  it("has the metadata of an adapter", () => {
    const { front } = parts(modelCard(run("gemma-2-2b-finetune")));
    expect(front).toEqual({
      license: "gemma",
      base_model: "google/gemma-2-2b",
      base_model_relation: "adapter",
      datasets: ["openai/MMMLU"],
      language: ["de", "fr"],
      library_name: "peft",
      pipeline_tag: "text-generation",
      tags: ["mmmlu-lab", "multiple-choice", "mmmlu", "lora", "qlora"],
      metrics: ["accuracy"],
      "model-index": [
        {
          name: "gemma-2-2b-finetune",
          results: [
            expect.objectContaining({
              dataset: {
                type: "openai/MMMLU",
                name: "mmmlu, test part of a published 80/10/10 split, 2370 rows",
                split: "test",
                revision: "325a01dc3e173cac1578df94120499aaca2e2504",
              },
              metrics: [{ type: "accuracy", value: 0.5392, name: "accuracy, 95 % interval 0.5192 to 0.5592" }],
            }),
            expect.objectContaining({ dataset: expect.objectContaining({ config: "DE_DE" }) }),
            expect.objectContaining({ dataset: expect.objectContaining({ config: "FR_FR" }) }),
          ],
        },
      ],
    });
  });

  it("says what was trained on what, how it was split, and what leaks", () => {
    const { body } = parts(modelCard(run("gemma-2-2b-finetune")));
    for (const told of [
      "A LoRA adapter (QLoRA) for [google/gemma-2-2b](https://huggingface.co/google/gemma-2-2b)",
      "| before training | 2,370 | 37.5 % | 35.5 % to 39.5 % | 3 |",
      "| after training | 2,370 | 53.9 % | 51.9 % to 55.9 % | 3 |",
      "| test rows without a twin in train | 200 | 30.0 % | 20.0 % to 40.0 % |  |",
      "[openai/MMMLU](https://huggingface.co/datasets/openai/MMMLU) at `325a01dc3e173cac1578df94120499aaca2e2504`",
      "| test | 2,370 | 1,896 | 12 | 1,900 | 80.2 % |",
      "| base weights | fp4 |",
      "| LoRA | r 32, alpha 16, dropout 0.05 |",
      "The base is under gemma",
    ])
      expect(body).toContain(told);
  });

  it("shows the prompt that the model was trained on, and how the base was held", () => {
    const { body } = parts(modelCard(run("gemma-2-2b-finetune")));
    const row = { question: "Wie viele Minuten hat eine Stunde?", choices: ["30", "45", "60", "90"] };
    expect(body).toContain(`prompt = ${JSON.stringify(gemma2Prompt(row))}`);
    expect(body).toContain('revision="c5ebcd40d208330abc697524c919956e692655cf"');
    expect(body).toContain('load_in_4bit=True, bnb_4bit_quant_type="fp4", bnb_4bit_use_double_quant=False');
  });

  it("gives no results of the sample, and no base that nobody else has", () => {
    const { facts } = run("flan-t5-finetune");
    const { front, body } = parts(
      modelCard(
        run("flan-t5-finetune", {
          sample: true,
          facts: {
            ...facts,
            data: { ...facts.data, source: "sample", kind: "sample" },
            model: { source: "/home/somebody/secret", commit: null },
          },
          saved: { adapter: false, encoderDecoder: true },
          base: undefined,
          license: undefined,
        }),
      ),
    );
    expect(front).toEqual({
      license: "unknown",
      language: ["de", "fr"],
      library_name: "transformers",
      pipeline_tag: "text-generation",
      tags: ["mmmlu-lab", "multiple-choice", "mmmlu", "text2text-generation"],
    });
    expect(body).toContain("its figures mean nothing");
    expect(body).toContain("AutoModelForSeq2SeqLM.from_pretrained(here)");
    expect(body).toContain("The licence of the base is not known");
    expect(body).not.toContain("somebody");
  });

  it("takes text from outside for text", () => {
    const { facts } = run("flan-t5-finetune");
    const { front, body } = parts(
      modelCard(
        run("flan-t5-finetune", {
          facts: {
            ...facts,
            data: {
              ...facts.data,
              source: "/data/questions.csv",
              kind: "file",
              task: "own-rows",
              revision: null,
              rowsKeptByLanguage: { "de\n---\n<script>": 1, "pt-BR": 1, und: 1 },
            },
          },
          license: { license: "other", license_name: "a | b\n# c", license_link: "javascript:alert(1)" },
        }),
      ),
    );
    expect(front.language).toEqual(["pt"]);
    expect(front.license_name).toBe("a | b\n# c");
    // In code nothing is markup.
    expect(body.replaceAll(/`[^`\n]*`/g, "")).not.toMatch(/<script>|\]\(javascript:|^# c/m);
    expect(body).not.toContain("/data/");
    expect(front["model-index"][0].results[0].dataset.type).toBe("own-rows");
  });
});
