import { withoutReasoning } from "../reading/reasoning.js";
import type { Finding } from "./finding.js";
import type { Asker } from "./replies.js";

/** Whether a model thinks before it answers, and whether the limit of tokens is kept. */
export async function lookAtReasoning(asker: Asker): Promise<Finding[]> {
  const content = "Which is larger, 9 or 4? Answer with the digit alone.";
  const ask = (tokens: number) => asker.chat([{ role: "user", content }], { max_tokens: tokens });
  // A short context has no room for thoughts.
  const reply = (await ask(256)) ?? (await ask(16));
  if (!reply)
    return [
      { about: "chat", verdict: "bad", said: `a chat is not answered: ${asker.words}`, hint: "Is the model loaded?" },
    ];
  const inText = withoutReasoning(reply.text).trim() !== reply.text.trim() || /<think|<\|channel/i.test(reply.text);
  const thinks = Boolean(reply.reasoning) || inText;
  const tokens = reply.tokens?.completion;
  const where = reply.reasoning ? "apart from the reply (reasoning_content)" : "in the reply's own text";
  const short = await asker.chat([{ role: "user", content: "Count from one to one hundred in words." }], {
    max_tokens: 5,
  });
  const kept = short?.tokens ? short.tokens.completion <= 5 : undefined;
  return [
    thinks
      ? {
          about: "reasoning",
          verdict: "note",
          said: `on: it thinks ${where}${tokens === undefined ? "" : `, ${tokens} tokens for one digit`}`,
          hint: "Give replies room (answerer.maxTokensPerQuestion, answerer.maxTokensExtra), or turn thinking off.",
        }
      : {
          about: "reasoning",
          verdict: "good",
          said:
            `off: it answered ${JSON.stringify(reply.text.slice(0, 40))}` +
            `${tokens === undefined ? "" : ` with ${tokens} tokens`}`,
        },
    short === undefined
      ? {
          about: "limit of tokens",
          verdict: "unknown",
          said: `a chat with a small limit is not answered: ${asker.words}`,
        }
      : kept === false
        ? {
            about: "limit of tokens",
            verdict: "bad",
            said: `asked for 5 tokens it wrote ${short.tokens?.completion}`,
            hint: "max_tokens is not heeded: replies cost more than is planned.",
          }
        : {
            about: "limit of tokens",
            verdict: short.finish === "length" ? "good" : "note",
            said:
              short.finish === "length"
                ? "kept, and an end by it is told (length)"
                : `kept, and its end is called ${JSON.stringify(short.finish ?? null)}: cut replies cannot be told`,
          },
    reply.tokens
      ? { about: "usage", verdict: "good", said: "tokens read and written are counted" }
      : { about: "usage", verdict: "note", said: "tokens are not counted: no cost can be told" },
  ];
}
