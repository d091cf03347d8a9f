import { rowTexts } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import type { Example, TextFormat } from "../models/index.js";
import type { Row } from "../tasks/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";

/**
 * Rows as token ids: the prompt with the tokenizer's special tokens, the answer's tokens without.
 * @param text how the model's texts are written
 * @throws {UserError} where a row is longer than the experiment takes, naming it; or a prompt has not exactly one
 * `<bos>` where the model's texts open with it
 */
export async function examplesOf(
  rows: readonly Row[],
  tokenizer: Tokenizer,
  configuration: FinetuneConfiguration,
  text: TextFormat,
): Promise<Example[]> {
  const inputs = await tokenizer.encodeAll(rows.map(rowTexts[configuration.prompt]), true);
  const end = configuration.target.addEosToken ? endToken(tokenizer) : undefined;
  const targets = new Map<string, number[]>();
  for (const letter of new Set(rows.map((row) => row.answer)))
    targets.set(letter, [
      ...(await tokenizer.encode(`${text.beforeAnswer}${letter}`, false)),
      ...(end === undefined ? [] : [end]),
    ]);
  return rows.map((row, index) => {
    const [input, target] = [inputs[index] as number[], targets.get(row.answer) as number[]];
    if (text.opensWithBos) checkBegin(input, row, tokenizer);
    const length = input.length + (text.oneSequence ? target.length : 0);
    if (length > configuration.maxLength) {
      throw new UserError(
        `the row ${row.id} has ${length} tokens, more than the ${configuration.maxLength} that the experiment takes`,
        { hint: "Lower filter.maxTokens, or raise maxLength." },
      );
    }
    return { id: row.id, input, target };
  });
}

/** The id of the token that ends a text. @throws {UserError} where the tokenizer has none */
export function endToken(tokenizer: Tokenizer): number {
  const id = tokenizer.eosToken === undefined ? undefined : tokenizer.tokenId(tokenizer.eosToken);
  if (id === undefined)
    throw new UserError(
      `the tokenizer of ${tokenizer.source} has no ${tokenizer.eosToken ?? "token that ends a text"}`,
      {
        hint: "Set target.addEosToken=false, or use the model's own tokenizer.",
      },
    );
  return id;
}

function checkBegin(input: readonly number[], row: Row, tokenizer: Tokenizer): void {
  const name = tokenizer.bosToken ?? "<bos>";
  const begin = tokenizer.tokenId(name);
  const count = input.filter((token) => token === begin).length;
  if (begin === undefined || input[0] !== begin || count !== 1) {
    throw new UserError(`the prompt of ${row.id} has ${count} ${name}, expected exactly one, in front`, {
      hint: `Such a model collapses without it, or with two: check the tokenizer of ${tokenizer.source}.`,
    });
  }
}
