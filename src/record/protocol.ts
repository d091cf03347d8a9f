import { z } from "zod";
import { differences } from "../base/differences.js";
import type { Manifest } from "./manifest.js";

/** What decides whether two runs' figures may be compared, besides the rows: how the questions were asked and read. */
export const protocolSchema = z.looseObject({
  /** `published`, `simple-evals`, `lm-eval` or `letters`. */
  name: z.string(),
  /** The prompt by its name; `template` for one of the configuration's own. */
  prompt: z.string(),
  /** `english` or `native`, of the chat of numbered questions; else null. */
  instruction: z.string().nullable(),
  /** The system message, where the configuration says one; else null. */
  systemMessage: z.string().nullable(),
  /** SHA-256 of the configuration's own template; else null. */
  template: z.string().nullable(),
  questionsPerRequest: z.number(),
  /** Examples in front of each question. */
  shots: z.number(),
  /** `first_n` or `disjoint`; null without examples. */
  shotSource: z.string().nullable(),
  /** `row` or `english`; null without examples. */
  shotLanguage: z.string().nullable(),
  /** Null where none is sent: the server's own. */
  temperature: z.number().nullable(),
  /** The most new tokens of a reply to one question; null where no limit is sent. */
  maxTokens: z.number().nullable(),
  answerExtraction: z.string(),
  /** Cyclic orders of the options that each row was asked under, and how often each. */
  permutations: z.number(),
  repeats: z.number(),
});
export type ProtocolFacts = z.infer<typeof protocolSchema>;

/** The keys of a configuration that say it, by the names of this version and of 0.1. */
const configurationSchema = z.looseObject({
  prompt: z.string().optional(),
  reading: z.string().optional(),
  answerExtraction: z.string().optional(),
  evaluation: z
    .looseObject({
      maxNewTokens: z.number().optional(),
      maximumNewTokens: z.number().optional(),
      answerExtraction: z.string().optional(),
      reading: z.string().optional(),
    })
    .optional(),
  answerer: z
    .looseObject({
      prompt: z.string(),
      questionsPerRequest: z.number(),
      instruction: z.string(),
      temperature: z.number(),
      maxTokensPerQuestion: z.number().optional(),
      maxTokensExtra: z.number().optional(),
      maximumTokensPerQuestion: z.number().optional(),
      maximumTokensExtra: z.number().optional(),
    })
    .optional(),
});

/** What runs were before they said their protocol: as published, without examples, each row asked once. */
const AS_PUBLISHED = {
  name: "published",
  systemMessage: null,
  template: null,
  shots: 0,
  shotSource: null,
  shotLanguage: null,
  permutations: 1,
  repeats: 1,
} as const;

/**
 * A run's protocol: as its manifest says, or, of a run of an earlier version, as its configuration does.
 * @returns undefined of a run that asked nothing
 */
export function protocolOf({ protocol, configuration }: Pick<Manifest, "protocol" | "configuration">) {
  if (protocol) return protocol;
  const read = configurationSchema.safeParse(configuration);
  if (!read.success) return undefined;
  const { answerer, evaluation, prompt } = read.data;
  if (answerer) {
    const each = answerer.maxTokensPerQuestion ?? answerer.maximumTokensPerQuestion ?? 0;
    return {
      ...AS_PUBLISHED,
      prompt: answerer.prompt,
      instruction: answerer.prompt === "questions" ? answerer.instruction : null,
      questionsPerRequest: answerer.questionsPerRequest,
      temperature: answerer.temperature,
      maxTokens: each + (answerer.maxTokensExtra ?? answerer.maximumTokensExtra ?? 0),
      answerExtraction: read.data.answerExtraction ?? read.data.reading ?? "",
    } satisfies ProtocolFacts;
  }
  if (!evaluation || prompt === undefined) return undefined;
  return {
    ...AS_PUBLISHED,
    prompt,
    instruction: null,
    questionsPerRequest: 1,
    temperature: 0,
    maxTokens: evaluation.maxNewTokens ?? evaluation.maximumNewTokens ?? null,
    answerExtraction: evaluation.answerExtraction ?? evaluation.reading ?? "",
  } satisfies ProtocolFacts;
}

/** Facts that change no figure of one asking of each row. */
const OF_FURTHER_ASKINGS = ["permutations", "repeats"];

/**
 * Where two protocols differ, so that figures by them may not be compared, in words: `shots: 5, and 0`. Nothing where
 * they are one.
 */
export const protocolsApart = (first: ProtocolFacts, second: ProtocolFacts): string[] =>
  differences(first, second)
    .filter(({ path }) => !OF_FURTHER_ASKINGS.includes(path))
    .map(({ path, before, after }) => `${path}: ${inWords(before)}, and ${inWords(after)}`);

const inWords = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));
