import { z } from "zod";
import { BadReply, type ChatReply, readChatReply } from "../chat-reply.js";
import type { ChatMessage } from "../prompts.js";
import type { Answered, Connection } from "./connection.js";

/** A completion as it was read, or why there is none. */
export type Completion =
  | (Omit<ChatReply, "logprobs"> & { readonly logprobs: unknown; readonly milliseconds: number })
  | undefined;

/** Asks for completions of one model. */
export class Asker {
  /** Why the last request gave none. */
  words = "";

  constructor(
    private readonly connection: Connection,
    readonly model: string,
  ) {}

  chat(messages: readonly ChatMessage[], more: object = {}): Promise<Completion> {
    return this.completed("chat/completions", { messages, ...more });
  }

  text(prompt: string, more: object = {}): Promise<Completion> {
    return this.completed("completions", { prompt, ...more });
  }

  private async completed(path: string, more: object): Promise<Completion> {
    const common = { model: this.model, temperature: 0, max_tokens: 16 };
    const answered = await this.connection.ask(path, { ...common, ...more });
    return this.read(answered);
  }

  private read({ body, words, milliseconds }: Answered): Completion {
    if (body === undefined) {
      this.words = words || "a reply that is no JSON";
      return undefined;
    }
    try {
      return { ...readChatReply(body), milliseconds };
    } catch (error) {
      if (!(error instanceof BadReply)) throw error;
      this.words = error.message;
      return undefined;
    }
  }
}

/** Prompt tokens as the server counts them. */
export const promptTokens = (completion: Completion): number | undefined => completion?.tokens?.prompt;

/** Fields of the lists of models of several servers that tell a model's context. */
const modelSchema = z.looseObject({
  id: z.string().optional(),
  max_model_len: z.number().int().positive().optional(),
  context_length: z.number().int().positive().optional(),
  loaded_context_length: z.number().int().positive().optional(),
  max_context_length: z.number().int().positive().optional(),
});
export type ListedModel = z.infer<typeof modelSchema>;

/** The models of a list, as far as they can be read. */
export function listedModels(body: unknown): ListedModel[] {
  const list = z.looseObject({ data: z.array(z.unknown()).max(10_000) }).safeParse(body);
  return list.success
    ? list.data.data.flatMap((one): ListedModel[] => {
        const read = modelSchema.safeParse(one);
        return read.success ? [read.data] : [];
      })
    : [];
}
