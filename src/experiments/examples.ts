import { rowTexts } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import type { Example } from "../models/index.js";
import type { Row } from "../tasks/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { FinetuneConfiguration } from "./configuration.js";

/** How a letter stands behind the prompt: T5's decoder begins a text of its own, Gemma goes on after a space. */
export const letterText = (configuration: Pick<FinetuneConfiguration, "prompt">): ((letter: string) => string) =>
  configuration.prompt === "gemma-2" ? (letter) => ` ${letter}` : (letter) => letter;

/**
 * Rows as token ids: the prompt with the tokenizer's special tokens, the answer's tokens without.
 * @throws {UserError} where a row is longer than the experiment takes, naming it; or Gemma's prompt has not exactly one `<bos>`
 */
export async function examplesOf(
  rows: readonly Row[],
  tokenizer: Tokenizer,
  configuration: FinetuneConfiguration,
): Promise<Example[]> {
  const inputs = await tokenizer.encodeAll(rows.map(rowTexts[configuration.prompt]), true);
  const write = letterText(configuration);
  const end = endToken(tokenizer, configuration);
  const targets = new Map<string, number[]>();
  for (const letter of new Set(rows.map((row) => row.answer)))
    targets.set(letter, [...(await tokenizer.encode(write(letter), false)), ...(end === undefined ? [] : [end])]);
  return rows.map((row, index) => {
    const [input, target] = [inputs[index] as number[], targets.get(row.answer) as number[]];
    if (configuration.prompt === "gemma-2") checkBegin(input, row, tokenizer);
    const length = input.length + (configuration.prompt === "gemma-2" ? target.length : 0);
    if (length > configuration.maximumTokens) {
      throw new UserError(
        `the row ${row.id} has ${length} tokens, more than the ${configuration.maximumTokens} that the experiment takes`,
        { hint: "Lower filter.maximumTokens, or raise maximumTokens." },
      );
    }
    return { id: row.id, input, target };
  });
}

function endToken(tokenizer: Tokenizer, configuration: FinetuneConfiguration): number | undefined {
  if (!configuration.target.endOfSequence) return undefined;
  const name = configuration.prompt === "gemma-2" ? "<eos>" : "</s>";
  const id = tokenizer.tokenId(name);
  if (id === undefined)
    throw new UserError(`the tokenizer of ${tokenizer.source} has no ${name}`, {
      hint: "Set target.endOfSequence=false, or use the model's own tokenizer.",
    });
  return id;
}

function checkBegin(input: readonly number[], row: Row, tokenizer: Tokenizer): void {
  const begin = tokenizer.tokenId("<bos>");
  const count = input.filter((token) => token === begin).length;
  if (begin === undefined || input[0] !== begin || count !== 1) {
    throw new UserError(`the prompt of ${row.id} has ${count} <bos>, expected exactly one, in front`, {
      hint: `Gemma collapses without it, or with two: check the tokenizer of ${tokenizer.source}.`,
    });
  }
}
