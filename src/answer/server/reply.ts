import { randomBytes } from "node:crypto";
import type { TextEnd, TextToken } from "./engine.js";
import type { CompletionRequest } from "./request.js";

/** A piece of text that is a token of the vocabulary. */
export type WrittenToken = TextToken & { readonly token: string };

/** One choice of a reply, whole. */
export interface Choice {
  readonly text: string;
  /** Those of the text, in order: an echoed prompt's first. */
  readonly tokens: readonly WrittenToken[];
  /** Where each token begins in the text; each behind the one before unless given. */
  readonly offsets?: readonly number[];
  readonly end: TextEnd;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Writes replies in OpenAI's formats: whole ones, and the pieces of a stream. */
export class ReplyFormat {
  private readonly id: string;
  private readonly created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly request: CompletionRequest,
    private readonly model: string,
  ) {
    this.id = `${request.kind === "chat" ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`;
  }

  private head(object: string): Record<string, unknown> {
    return { id: this.id, object, created: this.created, model: this.model };
  }

  whole(choices: readonly Choice[], usage: Usage): unknown {
    const isChat = this.request.kind === "chat";
    return {
      ...this.head(isChat ? "chat.completion" : "text_completion"),
      choices: choices.map(({ text, tokens, offsets, end }, index) => ({
        index,
        ...(isChat ? { message: { role: "assistant", content: text, refusal: null } } : { text }),
        logprobs: this.logprobs(tokens, 0, offsets),
        finish_reason: end,
      })),
      usage,
    };
  }

  /** The first piece of a chat's stream says who speaks; other streams have none. */
  opening(): unknown {
    return this.request.kind === "chat" ? this.chunk({ role: "assistant", content: "" }, null, null) : undefined;
  }

  piece(text: string, tokens: readonly WrittenToken[], offset: number): unknown {
    const logprobs = this.logprobs(tokens, offset);
    return this.request.kind === "chat"
      ? this.chunk({ content: text }, logprobs, null)
      : { ...this.head("text_completion"), choices: [{ index: 0, text, logprobs, finish_reason: null }] };
  }

  closing(end: TextEnd): unknown {
    return this.request.kind === "chat"
      ? this.chunk({}, null, end)
      : { ...this.head("text_completion"), choices: [{ index: 0, text: "", logprobs: null, finish_reason: end }] };
  }

  usage(usage: Usage): unknown {
    return {
      ...this.head(this.request.kind === "chat" ? "chat.completion.chunk" : "text_completion"),
      choices: [],
      usage,
    };
  }

  private chunk(delta: unknown, logprobs: unknown, finish: TextEnd | null): unknown {
    return { ...this.head("chat.completion.chunk"), choices: [{ index: 0, delta, logprobs, finish_reason: finish }] };
  }

  /** @param offset where the first of the tokens begins in the text */
  private logprobs(tokens: readonly WrittenToken[], offset: number, given?: readonly number[]): unknown {
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
      token_logprobs: tokens.map(({ logProbability }) => logProbability ?? null),
      top_logprobs: tokens.map(({ token, logProbability, top = [] }) =>
        logProbability === undefined ? null : mostProbable(token, logProbability, top),
      ),
      text_offset: given ?? offsets,
    };
  }
}

/**
 * The most probable tokens, and the token itself where it is none of them. Of tokens that are written alike the more
 * probable one stands.
 */
function mostProbable(token: string, logProbability: number, top: NonNullable<TextToken["top"]>): unknown {
  const all = new Map(top.toReversed().map((other) => [other.token, other.logProbability]));
  if (!all.has(token)) all.set(token, logProbability);
  return Object.fromEntries([...all].reverse());
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
