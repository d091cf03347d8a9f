import type { Tokenizer } from "../../tokens/index.js";

/** Text from tokens as they come: a character of several tokens is held back until it is whole. */
export class TextStream {
  readonly #tokens: number[] = [];
  #shown = "";
  #whole = "";

  constructor(private readonly tokenizer: Tokenizer) {}

  /** What the next token adds to the text. */
  async push(token: number): Promise<string> {
    this.#tokens.push(token);
    this.#whole = await this.tokenizer.decode(this.#tokens, true);
    return this.#show(this.#whole.replace(/\ufffd+$/, ""));
  }

  /** What is left at the end, whole or not. */
  rest(): string {
    return this.#show(this.#whole);
  }

  #show(text: string): string {
    if (!text.startsWith(this.#shown) || text.length <= this.#shown.length) return "";
    const added = text.slice(this.#shown.length);
    this.#shown = text;
    return added;
  }
}
