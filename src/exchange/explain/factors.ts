import { differences } from "../../base/differences.js";
import { protocolOfResult, type Result } from "../result.js";
import { type Alike, alikeIn } from "./alike.js";
import { aspectInWords, comparePrompts, type PromptsCompared } from "./prompts-apart.js";

/** What may differ between two results besides the rows, their keys and how replies are read. */
export const FACTORS = ["model", "prompt", "scoring", "limit of tokens", "sampling"] as const;
export type Factor = (typeof FACTORS)[number];

export interface FactorDifference {
  readonly factor: Factor;
  /** In words: `temperature: 0, and 0.5`. */
  readonly what: string;
}

/**
 * What is known to differ between two results; what nobody says is no difference here.
 * @param prompts laid side by side, where both are known: what they show counts, not what is said of them
 * @param alike log-probabilities of rows whose prompts are the same: where they are the same too, so is the model
 */
export function factorsApart(
  a: Result,
  b: Result,
  prompts: PromptsCompared | undefined = comparePrompts(a, b),
  alike: Alike | undefined = prompts && alikeIn(a, b, prompts.same),
): FactorDifference[] {
  const found: FactorDifference[] = [];
  const differ = (factor: Factor, name: string, first: unknown, second: unknown): void => {
    if (first !== undefined && second !== undefined && first !== null && second !== null && first !== second)
      found.push({ factor, what: `${name}: ${String(first)}, and ${String(second)}` });
  };
  const [one, other] = [protocolOfResult(a), protocolOfResult(b)];
  const names = [modelName(a), modelName(b)] as const;
  const folders = [a, b].some(isFolder) ? " (a folder's name says little: it may be one model)" : "";
  if (!alike?.same && names[0] !== names[1])
    found.push({ factor: "model", what: `model: ${names[0]}, and ${names[1]}${folders}` });
  if (a.manifest && b.manifest && modelName(a) === modelName(b))
    for (const what of weightsApart(a, b)) found.push({ factor: "model", what });
  if (prompts)
    for (const one of prompts.apart) found.push({ factor: "prompt", what: aspectInWords(one, prompts.compared) });
  else {
    if (a.manifest && b.manifest) for (const name of ASKED) differ("prompt", name, one?.[name], other?.[name]);
    else found.push({ factor: "prompt", what: "the prompts of both are not known: they may be the same" });
    differ("prompt", "examples", a.facts.shots, b.facts.shots);
    differ("prompt", "chat template", a.facts.chat, b.facts.chat);
  }
  differ("scoring", "scoring", a.facts.scoring, b.facts.scoring);
  const generated = [a, b].every(({ facts: { scoring = "generated" } }) => scoring === "generated");
  if (generated) {
    differ("limit of tokens", "tokens at most", a.facts.maxTokens, b.facts.maxTokens);
    differ("sampling", "temperature", a.facts.temperature, b.facts.temperature);
    if ((a.facts.temperature ?? 0) > 0) differ("sampling", "seed", a.facts.seed, b.facts.seed);
  }
  return found;
}

/** What a manifest says of how a row was asked. */
const ASKED = [
  ...(["name", "prompt", "instruction", "systemMessage", "template", "questionsPerRequest"] as const),
  ...(["shotSource", "shotLanguage"] as const),
];

/** A model's name as two tools may both write it: without the folder, the provider, the case. */
const modelName = ({ facts, name }: Result): string =>
  (facts.model ?? name)
    .replace(/^(local|llama|openai-api|openai|vllm|hf|mmmlu-lab):?\/?/i, "")
    .replace(/^.*\//, "")
    .toLowerCase();

/** Whether a result's model is known by the name of its folder alone. */
const isFolder = ({ facts: { model = "" } }: Result): boolean => /^(local:|[./~]|[A-Za-z]:[\\/])/.test(model);

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
