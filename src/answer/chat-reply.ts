import { z } from "zod";
import { wordsOf } from "../base/error-words.js";
import { type RawReply, rawReplySchema } from "./answerer.js";

/** A reply that was sent with status 200 and is none; `words` are the server's own, where it said why. */
export class BadReply extends Error {
  constructor(
    message: string,
    readonly words?: string,
    /** A page or a text where JSON was asked for: whoever sends it may be no such server at all. */
    readonly isPage = false,
  ) {
    super(message);
  }
}

const unknown = z.unknown().optional();

/** A choice of a completion, of either route, before its parts are looked at. */
const choiceSchema = z.looseObject({
  index: unknown,
  message: z
    .looseObject({
      content: unknown,
      refusal: unknown,
      reasoning_content: unknown,
      reasoning: unknown,
      tool_calls: unknown,
    })
    .nullish(),
  text: unknown,
  finish_reason: z.union([z.string().max(100), z.number()]).nullish(),
  error: unknown,
  logprobs: unknown,
});

const completionSchema = z.looseObject({
  choices: z.array(choiceSchema).min(1),
  error: unknown,
  usage: unknown,
  model: unknown,
});

const count = z.number().int().nonnegative();
const usageSchema = z.object({ prompt_tokens: count, completion_tokens: count });

const textPart = z.union([
  z.string(),
  z.object({
    type: z.enum(["text", "output_text"]).optional(),
    text: z.string(),
    thought: z.literal(false).optional(),
  }),
]);
const text = z.union([z.string(), z.array(textPart)]);
const thoughtPart = z.union([
  z
    .object({ type: z.enum(["thinking", "reasoning", "reasoning_text", "thought"]) })
    .and(
      z.union([
        z.object({ thinking: text }),
        z.object({ reasoning: text }),
        z.object({ text }),
        z.object({ summary: text }),
      ]),
    ),
  z.object({ type: z.literal("redacted_thinking") }),
  z.object({ text: z.string(), thought: z.literal(true) }),
]);

/** Words with which servers say that generation failed or was broken off: such a text is not the model's answer. */
const FAILED =
  /error|fail|abort|cancel|time.?out|crash|unload|filter|safety|sensitive|block|prohibit|recitation|spii|violat|guardrail|intervened|refus|denied|overload|insufficient|interrupt|disconnect|userstopped|^(load|loading|unknown|unspecified)$/i;

export interface ChatReply extends Omit<RawReply, "logProbabilities"> {
  /** As the server sent them, unchecked. */
  readonly logprobs: unknown;
}

/**
 * Reads the body of a completion, of `/chat/completions` or of `/completions`. Texts that come in parts are joined,
 * thinking parts are reasoning.
 * @param asked the model that was asked, where it is to be told that another answered
 * @throws {BadReply} where it is no whole reply of a model: an error with status 200, a generation that failed, content
 * that is no text
 */
export function readChatReply(body: unknown, asked?: string): ChatReply {
  const failure = wordsOf((body as { error?: unknown } | null)?.error);
  if (failure) throw new BadReply(`an error with status 200: ${failure}`, failure);
  const completion = completionSchema.safeParse(body);
  if (!completion.success) {
    const words = Array.isArray((body as { choices?: unknown } | null)?.choices) ? undefined : wordsOf(body);
    if (words) throw new BadReply(`no completion: ${words}`, words);
    const at = completion.error.issues[0]?.path.join(".");
    throw new BadReply(
      at === "choices" || !at ? "a reply without a choice" : `a reply whose ${at} is not as it should be`,
    );
  }
  const { choices, usage, model } = completion.data;
  // One was asked for; of several the first is named by its number, wherever it stands.
  const choice = choices.find(({ index }) => index === 0 || index === "0") ?? choices[0]!;
  const broken = wordsOf(choice.error);
  if (broken) throw new BadReply(`an error in the choice: ${broken}`, broken);
  const finish = choice.finish_reason == null ? undefined : String(choice.finish_reason);
  if (finish !== undefined && FAILED.test(finish)) throw new BadReply(`a generation that ended with "${finish}"`);
  const tokens = usageSchema.safeParse(usage);
  const reply = rawReplySchema.safeParse({
    ...saidBy(choice, finish),
    ...(finish ? { finish } : {}),
    ...(asked !== undefined && isOther(model, asked) ? { model: model.slice(0, 200) } : {}),
    ...(tokens.success
      ? { tokens: { prompt: tokens.data.prompt_tokens, completion: tokens.data.completion_tokens } }
      : {}),
  });
  if (!reply.success)
    throw new BadReply(`a reply whose ${reply.error.issues[0]?.path.join(".")} is not as it should be`);
  return { logprobs: choice.logprobs, ...reply.data };
}

const isOther = (model: unknown, asked: string): model is string =>
  typeof model === "string" && model.trim() !== "" && model !== asked;

function saidBy(
  choice: z.infer<typeof choiceSchema>,
  finish: string | undefined,
): Pick<RawReply, "text" | "reasoning"> {
  const { message } = choice;
  const apart = [message?.reasoning_content, message?.reasoning, message?.thinking]
    .map((one) => thoughtOf(one))
    .find(Boolean);
  // Such as a piece of a stream, whose text stands elsewhere: to call it empty would lose a reply.
  if (!message && (choice.text === null || choice.text === undefined))
    throw new BadReply("a reply without content: its choice has neither a message nor a text");
  const content = message ? message.content : choice.text;
  if (content === null || content === undefined || content === "") {
    const refusal = wordsOf(message?.refusal);
    if (refusal) throw new BadReply("a refusal instead of a reply", refusal);
    // A model that had thought to the end of its tokens, or that ended at once, has said nothing: that is a reply.
    if (content !== "" && !apart && finish === undefined) throw new BadReply("a reply without content");
    return { text: "", ...(apart ? { reasoning: apart } : {}) };
  }
  if (typeof content === "string") return { text: content, ...(apart ? { reasoning: apart } : {}) };
  if (!Array.isArray(content)) throw new BadReply(`a reply whose content is ${kindOf(content)}, not a text`);
  let said = "";
  let thought = apart ?? "";
  let refusal: string | undefined;
  for (const part of content as unknown[]) {
    const plain = textPart.safeParse(part);
    if (plain.success) {
      said += typeof plain.data === "string" ? plain.data : plain.data.text;
      continue;
    }
    if (thoughtPart.safeParse(part).success) {
      thought += thoughtOf(part);
      continue;
    }
    const { type, refusal: refused } = (part ?? {}) as { type?: unknown; refusal?: unknown };
    if (type !== "refusal") throw new BadReply(`a reply with a part that is no text (${kindOf(part)})`);
    refusal = wordsOf(refused) ?? "no reason";
  }
  if (refusal && said === "") throw new BadReply("a refusal instead of a reply", refusal);
  return { text: said, ...(thought ? { reasoning: thought } : {}) };
}

/** The text of reasoning, in whichever of its shapes; empty where it has none. */
function thoughtOf(value: unknown, depth = 0): string {
  if (typeof value === "string") return value;
  if (depth > 4) return "";
  if (Array.isArray(value)) return value.map((one) => thoughtOf(one, depth + 1)).join("");
  const { thinking, reasoning, text: inner, summary } = (value ?? {}) as Record<string, unknown>;
  const found = [thinking, reasoning, inner, summary].find((one) => typeof one === "string" || Array.isArray(one));
  return found === undefined ? "" : thoughtOf(found, depth + 1);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  const type = (value as { type?: unknown }).type;
  if (typeof value === "object") return typeof type === "string" ? JSON.stringify(type.slice(0, 40)) : "an object";
  return `a ${typeof value}`;
}
