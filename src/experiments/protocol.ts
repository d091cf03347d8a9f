import {
  chooseShots,
  type PromptFormat,
  planOf,
  promptFormats,
  protocols,
  type RequestPlan,
  type ShotCounts,
  type ShotSource,
  type Shots,
  templateFormat,
} from "../answer/index.js";
import { canonicalJson } from "../base/canonical.js";
import { sha256 } from "../base/files.js";
import type { ProtocolFacts } from "../record/index.js";
import { type Row, turned } from "../tasks/index.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { loadRows, type Prepared } from "./prepare.js";

/*
 * How an evaluation's configuration has its rows asked: prompt, examples, orders and repeats.
 */

/** One asking of all rows: under an order of their options, for the first time or again. */
export interface Variant {
  readonly order: number;
  readonly repeat: number;
  /** `test`, and of a further asking with what it is behind that: `test.order-1`, `test.repeat-1`. */
  readonly stage: string;
}

/** All askings of the rows, the plain one first. */
export const variantsOf = ({ permutations, repeats }: EvaluateConfiguration["answerer"]): Variant[] =>
  Array.from({ length: permutations * repeats }, (_, index) => {
    const [order, repeat] = [index % permutations, Math.floor(index / permutations)];
    const parts = ["test", ...(order ? [`order-${order}`] : []), ...(repeat ? [`repeat-${repeat}`] : [])];
    return { order, repeat, stage: parts.join(".") };
  });

/** The rows as an order shows them, made as they are gone through. */
export const rowsUnder = (rows: readonly Row[], order: number): Iterable<Row> =>
  order === 0
    ? rows
    : {
        *[Symbol.iterator]() {
          for (const row of rows) yield turned(row, order);
        },
      };

const formatOf = ({ template, prompt }: EvaluateConfiguration["answerer"]): PromptFormat =>
  template ? templateFormat(template) : promptFormats[prompt];

/** Turns of a chat, or a plain text. */
export const promptKind = (answerer: EvaluateConfiguration["answerer"]): "chat" | "text" => formatOf(answerer).kind;

const shotSourceOf = ({ protocol, shotSource }: EvaluateConfiguration["answerer"]): ShotSource =>
  shotSource ?? protocols[protocol].shotSource;

/** Examples in front of the questions, where the configuration wants any; with what they are. */
export interface PreparedShots {
  readonly shots: Shots;
  readonly counts: ShotCounts;
  /** In a sentence or two, for a run's notes: what the prompts give away is told. */
  readonly words: string;
}

/**
 * Chooses the examples that a configuration wants.
 * @throws {UserError} where there are too few, or their source cannot be read
 */
export async function prepareShots(
  { answerer }: EvaluateConfiguration,
  { corpus, filtered, splits }: Prepared,
  context: RunContext,
): Promise<PreparedShots | undefined> {
  const { shots: count, shotLanguage: language, shotsFrom } = answerer;
  if (count === 0) return undefined;
  const source = shotSourceOf(answerer);
  const english = { source: "cais/mmlu", task: null, columns: null, revision: null, languages: null };
  const elsewhere = shotsFrom ?? (language === "english" ? { ...english, rowsPerLanguage: null } : undefined);
  const own = source === "disjoint" ? filtered.rows : corpus.rows;
  const from = elsewhere ? (await loadRows(elsewhere, context)).rows : own;
  const shots = chooseShots({ count, source, language, asked: splits.test, from });
  const counts = shots.count();
  return { shots, counts, words: inWords(answerer, source, counts) };
}

function inWords(
  { shots, shotLanguage }: EvaluateConfiguration["answerer"],
  source: ShotSource,
  { examples, askedExamples, prompts, promptsWithOwnAnswer }: ShotCounts,
): string {
  const number = (value: number): string => value.toLocaleString("en");
  return (
    `${shots} ${shots === 1 ? "example" : "examples"} in front of each question (${source}, ` +
    `${shotLanguage === "english" ? "in English" : "in its language"}), ${number(examples)} different ones: ` +
    `${number(askedExamples)} of them are asked as well or translate a question that is, so that prompts show their ` +
    `answers; ${number(promptsWithOwnAnswer)} of ${number(prompts)} prompts show the answer that they ask for.`
  );
}

/**
 * How an evaluation's rows become requests.
 * @param prepared what examples are chosen from; undefined only where the configuration wants none
 * @throws {UserError} as {@link prepareShots}
 */
export async function evaluationPlan(
  configuration: EvaluateConfiguration,
  prepared: Prepared | undefined,
  context: RunContext,
): Promise<{ readonly plan: RequestPlan; readonly shots: PreparedShots | undefined }> {
  const { answerer } = configuration;
  const { maxTokensPerQuestion: each, maxTokensExtra: extra } = answerer;
  const shots = prepared && (await prepareShots(configuration, prepared, context));
  const plan = planOf({
    format: formatOf(answerer),
    instruction: answerer.instruction,
    systemMessage: answerer.systemMessage,
    questionsPerRequest: answerer.questionsPerRequest,
    maximumTokens: (questions) => each * questions + extra,
    measures: protocols[answerer.protocol].measures,
    examplesOf: shots && ((rows) => shots.shots.examplesOf(rows)),
  });
  return { plan, shots };
}

/** What a manifest says of how rows were asked and read. */
export function protocolFacts({ answerer, answerExtraction }: EvaluateConfiguration): ProtocolFacts {
  const text = protocols[answerer.protocol].measures === "text";
  return {
    name: answerer.protocol,
    prompt: answerer.template ? "template" : answerer.prompt,
    instruction: !answerer.template && answerer.prompt === "questions" ? answerer.instruction : null,
    systemMessage: answerer.systemMessage,
    template: answerer.template && sha256(canonicalJson(answerer.template)),
    questionsPerRequest: answerer.questionsPerRequest,
    shots: answerer.shots,
    shotSource: answerer.shots ? shotSourceOf(answerer) : null,
    shotLanguage: answerer.shots ? answerer.shotLanguage : null,
    temperature: text ? answerer.temperature : 0,
    maxTokens: text ? answerer.maxTokensPerQuestion + answerer.maxTokensExtra : 1,
    answerExtraction,
    permutations: answerer.permutations,
    repeats: answerer.repeats,
  };
}
