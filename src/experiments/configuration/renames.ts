import { byNames, ownValue } from "../../base/named.js";

/**
 * Keys of version 0.1 and what they are called since, in the words of Hugging Face's Trainer, PEFT and OpenAI's API.
 * Files, `--set` and the configurations of kept runs are still read by the old names; a run's identity is spelled in
 * them, so that a rename changes none.
 */
export const RENAMED: Readonly<Record<string, string>> = {
  "filter.maximumTokens": "filter.maxTokens",
  "filter.specialTokens": "filter.addSpecialTokens",
  maximumTokens: "maxLength",
  "target.endOfSequence": "target.addEosToken",
  "lora.rank": "lora.r",
  "lora.modules": "lora.targetModules",
  "training.accumulation": "training.gradientAccumulationSteps",
  "training.schedule": "training.lrScheduler",
  "training.maximumGradientNorm": "training.maxGradNorm",
  "training.logEvery": "training.loggingSteps",
  "training.checkpointEvery": "training.saveSteps",
  "training.keepBest": "training.loadBestModelAtEnd",
  "evaluation.maximumNewTokens": "evaluation.maxNewTokens",
  "evaluation.reading": "evaluation.answerExtraction",
  reading: "answerExtraction",
  "answerer.maximumTokensPerQuestion": "answerer.maxTokensPerQuestion",
  "answerer.maximumTokensExtra": "answerer.maxTokensExtra",
  "answerer.logProbabilities": "answerer.logprobs",
  "answerer.retries": "answerer.maxRetries",
};

type Plain = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** A configuration, or a part of one, by today's names. */
export interface Migrated {
  readonly configuration: Plain;
  /** The old names that it had. */
  readonly renamed: readonly string[];
  /** Old names that it had beside their new ones: their values were left out. */
  readonly twice: readonly string[];
}

/** Reads a configuration that may have old names. What is given stays as it is. */
export function migrated(given: Readonly<Plain>): Migrated {
  const renamed: string[] = [];
  const twice: string[] = [];
  const under = (object: Readonly<Plain>, prefix: string): Plain => {
    const own = byNames<unknown>();
    for (const [name, value] of Object.entries(object)) {
      const path = `${prefix}${name}`;
      const since = ownValue(RENAMED, path)?.slice(prefix.length);
      if (since !== undefined) (Object.hasOwn(object, since) ? twice : renamed).push(path);
      if (since === undefined || !Object.hasOwn(object, since))
        own[since ?? name] = isPlain(value) ? under(value, `${path}.`) : value;
    }
    return own;
  };
  return { configuration: under(given, ""), renamed, twice };
}

/** The same the other way: a configuration by the names of version 0.1. */
export function byFormerNames(given: Readonly<Plain>, prefix = ""): Plain {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const path = `${prefix}${name}`;
      return [
        former.get(path)?.slice(prefix.length) ?? name,
        isPlain(value) ? byFormerNames(value, `${path}.`) : value,
      ];
    }),
  );
}

const former = new Map(Object.entries(RENAMED).map(([old, since]) => [since, old]));
