import { randomBytes } from "node:crypto";
import type { TextEnd, TextToken } from "./engine.js";
import type { CompletionRequest } from "./request.js";

/** A piece of text that is a token of the vocabulary. */
export type WrittenToken = TextToken & { readonly token: string };

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Writes replies in OpenAI's formats: whole ones, and the pieces of a stream. */
export class ReplyFormat {
  readonly #id: string;
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly request: CompletionRequest,
    private readonly model: string,
  ) {
    this.#id = `${request.kind === "chat" ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`;
  }

  #head(object: string): Record<string, unknown> {
    return { id: this.#id, object, created: this.#created, model: this.model };
  }

  whole(text: string, tokens: readonly WrittenToken[], end: TextEnd, usage: Usage): unknown {
    const logprobs = this.#logprobs(tokens, 0);
    return this.request.kind === "chat"
      ? {
          ...this.#head("chat.completion"),
          choices: [
            { index: 0, message: { role: "assistant", content: text, refusal: null }, logprobs, finish_reason: end },
          ],
          usage,
        }
      : { ...this.#head("text_completion"), choices: [{ index: 0, text, logprobs, finish_reason: end }], usage };
  }

  /** The first piece of a chat's stream says who speaks; other streams have none. */
  opening(): unknown {
    return this.request.kind === "chat" ? this.#chunk({ role: "assistant", content: "" }, null, null) : undefined;
  }

  piece(text: string, tokens: readonly WrittenToken[], offset: number): unknown {
    const logprobs = this.#logprobs(tokens, offset);
    return this.request.kind === "chat"
      ? this.#chunk({ content: text }, logprobs, null)
      : { ...this.#head("text_completion"), choices: [{ index: 0, text, logprobs, finish_reason: null }] };
  }

  closing(end: TextEnd): unknown {
    return this.request.kind === "chat"
      ? this.#chunk({}, null, end)
      : { ...this.#head("text_completion"), choices: [{ index: 0, text: "", logprobs: null, finish_reason: end }] };
  }

  usage(usage: Usage): unknown {
    return {
      ...this.#head(this.request.kind === "chat" ? "chat.completion.chunk" : "text_completion"),
      choices: [],
      usage,
    };
  }

  #chunk(delta: unknown, logprobs: unknown, finish: TextEnd | null): unknown {
    return { ...this.#head("chat.completion.chunk"), choices: [{ index: 0, delta, logprobs, finish_reason: finish }] };
  }

  /** @param offset where the first of the tokens begins in the text */
  #logprobs(tokens: readonly WrittenToken[], offset: number): unknown {
    if (this.request.topLogProbabilities === undefined) return null;
    if (this.request.kind === "chat") {
      return {
        content: tokens.map(({ token, logProbability, top = [] }) => ({
          ...chatToken(token, logProbability ?? 0),
          top_logprobs: top.map((other) => chatToken(other.token, other.logProbability)),
        })),
        refusal: null,
      };
    }
    const offsets: number[] = [];
    for (const { token } of tokens) {
      offsets.push(offset);
      offset += token.length;
    }
    return {
      tokens: tokens.map(({ token }) => token),
      token_logprobs: tokens.map(({ logProbability }) => logProbability),
      top_logprobs: tokens.map(({ top = [] }) =>
        Object.fromEntries(top.map((other) => [other.token, other.logProbability])),
      ),
      text_offset: offsets,
    };
  }
}

const chatToken = (token: string, logprob: number): { token: string; logprob: number; bytes: number[] } => ({
  token,
  logprob,
  bytes: bytesOf(token),
});

/** SentencePiece writes a byte that is no character by itself as `<0xE6>`. */
function bytesOf(token: string): number[] {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  return byte === undefined ? [...Buffer.from(token)] : [Number.parseInt(byte, 16)];
}
