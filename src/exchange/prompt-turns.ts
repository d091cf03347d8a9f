/** A turn of a chat, as any tool writes it. */
export interface PromptTurn {
  readonly role: string;
  readonly content: string;
}

/** A prompt taken apart, whether it was written as a chat, as a plain text, or with a template's turn tokens. */
export interface PromptParts {
  readonly written: "chat" | "turn tokens" | "plain text";
  /** Undefined where there is no system message. */
  readonly system?: string;
  /** All other turns as one text: an answer stands behind its question as it does in a plain text. */
  readonly body: string;
  /** Answers that the prompt itself gives, where turns tell. */
  readonly answers?: number;
}

/** What begins a turn in the templates of Gemma, ChatML (Qwen), Llama 3, Phi and Zephyr, Llama 2 and Mistral. */
const TURN =
  /<start_of_turn>(\w{1,20})\n|<\|im_start\|>(\w{1,20})\n|<\|start_header_id\|>(\w{1,20})<\|end_header_id\|>\n{0,2}|<\|(user|assistant|system)\|>\n?|(\[INST\]) ?| ?(\[\/INST\])/g;

/** Tokens of templates that are no text. */
const SPECIAL = /<\|[a-z_]{1,40}\|>|<(?:bos|eos|s|\/s|end_of_turn)>/g;

/** Takes a prompt apart. @param turns of a chat; undefined where it is a text */
export function partsOf(prompt: string, turns: readonly PromptTurn[] | undefined): PromptParts {
  if (turns) return fromTurns(turns, "chat");
  const starts = [...prompt.matchAll(TURN)];
  if (starts.length === 0) return { written: "plain text", body: prompt };
  const read = starts.map((start, index): PromptTurn => {
    const [all, ...names] = start;
    const name = names.find((one) => one !== undefined)!;
    const role = name === "[INST]" ? "user" : name === "[/INST]" || name === "model" ? "assistant" : name;
    const content = prompt.slice(start.index + all.length, starts[index + 1]?.index);
    return { role, content: content.replace(SPECIAL, "").trim() };
  });
  return fromTurns(read, "turn tokens");
}

function fromTurns(turns: readonly PromptTurn[], written: PromptParts["written"]): PromptParts {
  const isSystem = ({ role }: PromptTurn): boolean => role === "system" || role === "developer";
  const system = turns.filter(isSystem).map(({ content }) => content);
  let body = "";
  let answers = 0;
  const others = turns.filter((turn) => !isSystem(turn));
  others.forEach(({ role, content }, index) => {
    const answer = role === "assistant";
    // The last turn is where the model goes on.
    if (answer && index < others.length - 1) answers++;
    body += index === 0 || (answer && content === "") ? content : `${answer ? " " : "\n\n"}${content}`;
  });
  return { written, ...(system.length ? { system: system.join("\n\n") } : {}), body, answers };
}

/** The turns that a value of another tool's file holds; undefined where it is none. */
export function turnsIn(value: unknown): PromptTurn[] | undefined {
  if (typeof value === "string") {
    if (!/^\s*\[\s*\{/.test(value)) return undefined;
    try {
      return turnsIn(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  if (!Array.isArray(value) || value.length === 0) return undefined;
  // A chat that was written as JSON stands in a list of its own.
  if (value.length === 1 && typeof value[0] === "string") return turnsIn(value[0]);
  const turns = value.map((one: unknown): PromptTurn | undefined => {
    const { role, content } = (one ?? {}) as { role?: unknown; content?: unknown };
    const text = typeof content === "string" ? content : Array.isArray(content) ? textOfParts(content) : undefined;
    return typeof role === "string" && text !== undefined ? { role, content: text } : undefined;
  });
  return turns.every((one) => one !== undefined) ? turns : undefined;
}

const textOfParts = (parts: readonly unknown[]): string =>
  parts
    .map((part) => (part as { text?: unknown } | null)?.text)
    .filter((text): text is string => typeof text === "string")
    .join("");

/** Turns as one text, for reading. */
export const turnsAsText = (turns: readonly PromptTurn[]): string =>
  turns.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
