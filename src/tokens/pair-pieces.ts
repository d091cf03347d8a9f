import type { Tokenizer } from "./tokenizer.js";

const [SPACE, MARK] = [" ", "▁"].map((character) => character.codePointAt(0)) as [number, number];

/** Code points are below this. */
const CODES = 0x110000;

/**
 * How a text falls apart into pieces whose tokens are those that they have in the text, for BPE that merges over a
 * whole text (SentencePiece's, as Gemma has it): between two characters that stand side by side in no token of the
 * vocabulary nothing is ever merged. Pieces are as the text has them: the library changes their spaces itself.
 * @returns undefined where the tokenizer is of another kind
 */
export function pairPieces(tokenizer: Tokenizer): ((text: string) => string[]) | undefined {
  if (!mergesWholeTexts(tokenizer)) return undefined;
  const pairs = made.get(tokenizer) ?? pairsOf(tokenizer);
  made.set(tokenizer, pairs);
  return (text) => {
    const pieces: string[] = [];
    let begin = 0;
    let before = -1;
    for (let at = 0; at < text.length; ) {
      const point = text.codePointAt(at) as number;
      // The library is given � for half a character.
      const code = point === SPACE ? MARK : point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
      if (before >= 0 && !pairs.has(before * CODES + code)) {
        pieces.push(text.slice(begin, at));
        begin = at;
      }
      before = code;
      at += point > 0xffff ? 2 : 1;
    }
    if (begin < text.length) pieces.push(text.slice(begin));
    return pieces;
  };
}

const made = new WeakMap<Tokenizer, ReadonlySet<number>>();

/** The pairs of code points that stand side by side in a token, each as one number. */
function pairsOf(tokenizer: Tokenizer): ReadonlySet<number> {
  const pairs = new Set<number>();
  for (const token of Object.keys(vocabularyOf(tokenizer))) {
    let before = -1;
    for (const character of token) {
      const code = character.codePointAt(0) as number;
      if (before >= 0) pairs.add(before * CODES + code);
      before = code;
    }
  }
  return pairs;
}

/** The file's own, which the library has read: asking it token by token takes seconds. */
const vocabularyOf = ({ definition }: Tokenizer): object => definition.model?.vocab ?? {};

/** BPE with bytes for what it does not know, whose texts are changed in nothing but their spaces before. */
function mergesWholeTexts({ definition }: Tokenizer): boolean {
  const { model, normalizer, pre_tokenizer: split } = definition;
  const rule = normalizer as { type?: string; pattern?: { String?: string }; content?: string } | null | undefined;
  const spaces = rule?.type === "Replace" && rule.pattern?.String === " " && rule.content === "▁";
  // A split at spaces finds none: they are ▁ by then.
  const pattern = (split as { pattern?: { String?: string } } | null | undefined)?.pattern?.String;
  const whole = !split || (split.type === "Split" && pattern === " ");
  return (
    model?.type === "BPE" &&
    model.vocab != null &&
    model.byte_fallback === true &&
    !model.ignore_merges &&
    !model.dropout &&
    spaces &&
    whole
  );
}
