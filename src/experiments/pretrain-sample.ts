import { AdamW, clipCoefficient, type DeviceArray, GradientNorm } from "../graph/index.js";
import { type Example, type LanguageModel, Random } from "../models/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import { endToken } from "./examples.js";

const STEPS = 28;
const ROWS = 16;

/**
 * Teaches a model with random weights the form of an answer, as a pretrained one knows it, and nothing of what is
 * asked: prompts of random tokens, each followed by a letter drawn at random. It then guesses: before fine-tuning it is
 * right as often as by lot, instead of never saying a letter. Only the output layer is trained where the model has one
 * of its own.
 */
export async function pretrainOnLetters(
  model: LanguageModel,
  tokenizer: Tokenizer,
  { training: { seed } }: Pick<FinetuneConfiguration, "training">,
  options: readonly string[],
): Promise<void> {
  const random = new Random(seed, 1);
  const letters = await Promise.all(
    options.map((letter) => tokenizer.encode(`${model.text.beforeAnswer}${letter}`, false)),
  );
  const ids = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id).filter((id) => !tokenizer.isSpecial(id));
  const row = (): Example => {
    const text = Array.from({ length: 20 + random.below(40) }, () => ids[random.below(ids.length)]!);
    const letter = letters[random.below(letters.length)]!;
    const end = endToken(tokenizer);
    if (!model.text.oneSequence) return { id: "practice", input: [...text, end], target: letter };
    const begin = model.text.opensWithBos ? [tokenizer.tokenId(tokenizer.bosToken!)!] : [];
    return { id: "practice", input: [...begin, ...text], target: [...letter, end] };
  };
  const output = model.parameters.filter(({ name }) => name === "lm_head.weight");
  const optimizer = new AdamW(model.device, output.length > 0 ? output : model.parameters, {
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    weightDecay: 0,
  });
  const norm = new GradientNorm(model.device);
  const highest = output.length > 0 ? 5e-2 : 4e-3;
  try {
    for (let step = 0; step < STEPS; step++) {
      const rows = Array.from({ length: ROWS }, row);
      const gradients = new Map<string, DeviceArray>();
      const scale = 1 / rows.reduce((sum, { target }) => sum + target.length, 0);
      await model.lossAndGradients(rows, {
        scale,
        receive: ({ name }, gradient) => void gradients.set(name, gradient),
      });
      await optimizer.update(
        gradients,
        highest * (1 - step / STEPS),
        clipCoefficient(await norm.of(gradients.values()), 1),
      );
    }
  } finally {
    await optimizer.dispose();
    await norm.dispose();
  }
}
