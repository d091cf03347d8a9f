import type { Tokenizer } from "../../tokens/index.js";

/** Tokens after which bytes that make no character are shown as they are. */
const LONGEST_CHARACTER = 16;

/**
 * Text from tokens as they come: a character of several tokens is held back until it is whole. Each token is decoded
 * beside the one or few before it, never with all of them: some decoders take a blank away at the beginning, and a long
 * reply would cost the square of its length.
 */
export class TextStream {
  private tokens: number[] = [];
  /** Of `tokens`, those that have been shown: what comes is decoded behind them. */
  private shown = 0;
  private held = "";

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly skipSpecialTokens = true,
  ) {}

  /** What the next token adds to the text. */
  async push(token: number): Promise<string> {
    if (this.skipSpecialTokens && this.tokenizer.isSpecial(token)) return "";
    this.tokens.push(token);
    const [before, all] = await Promise.all(
      [this.tokens.slice(0, this.shown), this.tokens].map((tokens) =>
        tokens.length === 0 ? "" : this.tokenizer.decode(tokens, this.skipSpecialTokens),
      ),
    );
    this.held = all!.slice(before!.length);
    const partial = this.held.endsWith("\ufffd") && this.tokens.length - this.shown < LONGEST_CHARACTER;
    return this.held === "" || partial ? "" : this.show();
  }

  /** What is left at the end, whole or not. */
  rest(): string {
    return this.show();
  }

  private show(): string {
    const { held } = this;
    this.held = "";
    this.tokens = this.tokens.slice(this.shown);
    this.shown = this.tokens.length;
    return held;
  }
}
