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
  /** The status of the last reply; 0 where none came. */
  status = 0;
  /** The fewest tokens that a reply may be asked for: some servers refuse one. */
  fewest = 1;

  /** What was answered at least once. */
  readonly answers = { chat: false, text: false };

  constructor(
    private readonly connection: Connection,
    readonly model: string,
  ) {}

  async chat(messages: readonly ChatMessage[], more: object = {}): Promise<Completion> {
    const completion = await this.completed("chat/completions", { messages, ...more });
    this.answers.chat ||= completion !== undefined;
    return completion;
  }

  async text(prompt: string, more: object = {}): Promise<Completion> {
    const completion = await this.completed("completions", { prompt, ...more });
    this.answers.text ||= completion !== undefined;
    return completion;
  }

  private async completed(path: string, more: object): Promise<Completion> {
    const common = { model: this.model, temperature: 0, max_tokens: 16 };
    const answered = await this.connection.ask(path, { ...common, ...more });
    return this.read(answered);
  }

  private read({ status, body, words, milliseconds }: Answered): Completion {
    this.status = status;
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

/** A number that may be missing, null or nonsense: then nobody says it. */
const told = z.number().int().positive().max(1e9).optional().catch(undefined);

/** Fields of the lists of models of several servers that tell a model's context. */
const modelSchema = z.looseObject({
  id: z.string().min(1),
  max_model_len: told,
  context_length: told,
  loaded_context_length: told,
  max_context_length: told,
});
export type ListedModel = z.infer<typeof modelSchema>;

/** The models of a list, as far as they can be read. */
export function listedModels(body: unknown): ListedModel[] {
  const list = z.looseObject({ data: z.array(z.unknown()) }).safeParse(body);
  return list.success
    ? list.data.data.flatMap((one): ListedModel[] => {
        const read = modelSchema.safeParse(one);
        return read.success ? [read.data] : [];
      })
    : [];
}

/** Whether a body is a list of models, be it empty. */
export const isModelList = (body: unknown): boolean =>
  z.looseObject({ data: z.array(z.unknown()).nullable() }).safeParse(body).success;

/** Names of models that write nothing. */
const NO_WRITER = /embed|rerank|whisper|tts|moderation|clip/i;

/** The first model of a list that writes, by its name. */
export const firstWriter = (names: readonly string[]): string | undefined =>
  names.find((name) => !NO_WRITER.test(name)) ?? names[0];
