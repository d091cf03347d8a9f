import { type Part, runBench, type TableRow } from "../table.js";
import type { TokensBench } from "../tokens.js";

export const tokens: Part = {
  about: "counting tokens by Gemma's and by RoBERTa's tokenizer, beside the library alone",
  async rows({ rounds }) {
    const found: readonly TokensBench[] = runBench("./tokens.ts", ["--rounds", String(rounds)]);
    const [gemma, roberta] = found as [TokensBench, TokensBench];
    const what = (one: TokensBench): string =>
      `tokens of ${one.texts.toLocaleString("en")} texts by ${one.tokenizer}, processor`;
    return [
      ...found.map(
        (one): TableRow => ({
          ...{ what: what(one), unit: "s", ours: one.pieces.processorSeconds, theirs: one.library.processorSeconds },
          ...{
            beside: "tokenizers alone, in batches",
            same: `each text's count, ${one.tokens.toLocaleString("en")} in all`,
          },
        }),
      ),
      {
        ...{
          what: what(gemma),
          unit: "s",
          ours: gemma.pieces.processorSeconds,
          theirs: roberta.pieces.processorSeconds,
        },
        ...{ beside: "roberta-base, as here", same: "the same texts" },
      },
    ];
  },
};
