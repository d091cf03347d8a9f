import { UsageError } from "../base/errors.js";
import { type DryRun, dryRun, type TokensIn } from "../experiments/index.js";
import { configurationOf, contextOf } from "./context.js";
import type { ExperimentFlags } from "./experiment-flags.js";

/** What `run --dry-run` does. */
export async function dryRunAction(experiment: string, flags: ExperimentFlags): Promise<void> {
  const configuration = await configurationOf(experiment, flags);
  if (configuration.kind !== "evaluate")
    throw new UsageError(`${experiment}: --dry-run is for evaluations, and its kind is ${configuration.kind}`, {
      hint:
        configuration.kind === "finetune"
          ? `mmmlu prepare ${experiment} tells its rows.`
          : `An exploration asks nobody: mmmlu run ${experiment} runs it.`,
    });
  const context = contextOf(flags);
  try {
    for (const line of dryRunInWords(await dryRun(configuration, context))) process.stdout.write(`${line}\n`);
  } finally {
    context.done();
  }
}

/** What would be asked, a line each, and the first request as JSON. */
export function dryRunInWords({ first, tokensIn, ...found }: DryRun): string[] {
  const number = (value: number): string => value.toLocaleString("en");
  return [
    `nothing is sent; asked would be ${found.answerer}`,
    `rows ${number(found.rows)} in ${found.languages.join(", ")}`,
    `requests ${number(found.requests)}` +
      `${found.answered ? `, of which ${number(found.answered)} have their replies` : ""}`,
    ...(tokensIn ? [`tokens in ${tokensInWords(tokensIn)}, out at most ${number(found.tokensOutAtMost)}`] : []),
    ...(first
      ? [
          "the first request:",
          first.to,
          ...Object.entries(first.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
          JSON.stringify(first.body, null, 2),
        ]
      : []),
  ];
}

function tokensInWords({ count, tokenizer, chatTemplate }: TokensIn): string {
  const number = count.toLocaleString("en");
  return tokenizer === undefined
    ? `about ${number} (guessed from the texts' bytes: no tokenizer is at hand)`
    : `${number} (by the tokenizer of ${tokenizer}, with${chatTemplate ? " its" : "out a"} chat template)`;
}
