import { differences } from "../../base/differences.js";
import { plainText } from "../identify.js";
import { protocolOfResult, type Result } from "../result.js";

/** What may differ between two results besides the rows, their keys and how replies are read. */
export const FACTORS = ["model", "prompt", "scoring", "limit of tokens", "sampling"] as const;
export type Factor = (typeof FACTORS)[number];

export interface FactorDifference {
  readonly factor: Factor;
  /** In words: `temperature: 0, and 0.5`. */
  readonly what: string;
}

/** Prompts that are held against each other, row by row. */
const COMPARED_PROMPTS = 2000;

/** What is known to differ between two results; what nobody says is no difference here. */
export function factorsApart(a: Result, b: Result): FactorDifference[] {
  const found: FactorDifference[] = [];
  const differ = (factor: Factor, name: string, first: unknown, second: unknown): void => {
    if (first !== undefined && second !== undefined && first !== null && second !== null && first !== second)
      found.push({ factor, what: `${name}: ${String(first)}, and ${String(second)}` });
  };
  const [one, other] = [protocolOfResult(a), protocolOfResult(b)];
  differ("model", "model", modelName(a), modelName(b));
  if (a.manifest && b.manifest && modelName(a) === modelName(b))
    for (const what of weightsApart(a, b)) found.push({ factor: "model", what });
  const prompts = promptsApart(a, b);
  if (prompts) found.push({ factor: "prompt", what: prompts });
  else if (a.manifest && b.manifest)
    for (const name of ["name", "prompt", "instruction", "systemMessage", "template", "questionsPerRequest"] as const)
      differ("prompt", name, one?.[name], other?.[name]);
  else if (prompts === undefined)
    found.push({ factor: "prompt", what: "the prompts of both are not known: they may be the same" });
  differ("prompt", "examples", a.facts.shots, b.facts.shots);
  differ("prompt", "chat template", a.facts.chat, b.facts.chat);
  differ("scoring", "scoring", a.facts.scoring, b.facts.scoring);
  const generated = [a, b].every(({ facts: { scoring = "generated" } }) => scoring === "generated");
  if (generated) {
    differ("limit of tokens", "tokens at most", a.facts.maxTokens, b.facts.maxTokens);
    differ("sampling", "temperature", a.facts.temperature, b.facts.temperature);
    if ((a.facts.temperature ?? 0) > 0) differ("sampling", "seed", a.facts.seed, b.facts.seed);
  }
  return found;
}

/** A model's name as two tools may both write it: without the folder, the provider, the case. */
const modelName = ({ facts, name }: Result): string =>
  (facts.model ?? name)
    .replace(/^(local|llama|openai-api|openai|vllm|hf|mmmlu-lab):?\/?/i, "")
    .replace(/^.*\//, "")
    .toLowerCase();

/** What a manifest says of a model that changes no answer of it. */
const WORDS = /^(name|description|path|source|endpoint)$/;

/** Where two of our own runs of one model had other weights: trained or not, another commit, quantization, device. */
function weightsApart(a: Result, b: Result): string[] {
  const told = ({ manifest }: Result): Record<string, unknown> =>
    Object.fromEntries(Object.entries(manifest?.model ?? {}).filter(([key]) => !WORDS.test(key)));
  const trained = ({ manifest, predictions }: Result): string =>
    predictions[0]?.stage === "final" ? `trained (${manifest?.configurationHash.slice(0, 8)})` : "not trained";
  const [first, second] = [trained(a), trained(b)];
  return [
    ...(first === second ? [] : [`weights: ${first}, and ${second}`]),
    ...differences(told(a), told(b)).map(({ path, before, after }) =>
      `${path}: ${JSON.stringify(before ?? null)}, and ${JSON.stringify(after ?? null)}`.slice(0, 300),
    ),
  ];
}

/**
 * In how many rows the prompts differ, in words; empty where they are the same in all that were compared, undefined
 * where the prompts of one are not known.
 */
function promptsApart(a: Result, b: Result): string | undefined {
  let [compared, apart] = [0, 0];
  for (const [id, { prompt }] of a.texts) {
    const other = b.texts.get(id)?.prompt;
    if (prompt === undefined || other === undefined) continue;
    if (plainText(prompt) !== plainText(other)) apart++;
    if (++compared >= COMPARED_PROMPTS) break;
  }
  if (compared === 0) return undefined;
  return apart ? `the text differs in ${apart.toLocaleString("en")} of ${compared.toLocaleString("en")} rows` : "";
}
