import { withoutReasoning } from "../reading/reasoning.js";
import { hintForTemplate } from "../template-errors.js";
import type { Finding } from "./finding.js";
import type { Asker } from "./replies.js";

/** Whether a model thinks before it answers, and whether the limit of tokens is kept. */
export async function lookAtReasoning(asker: Asker): Promise<Finding[]> {
  const content = "Which is larger, 9 or 4? Answer with the digit alone.";
  const ask = (tokens: number) => asker.chat([{ role: "user", content }], { max_tokens: tokens });
  // A short context has no room for thoughts.
  const reply = (await ask(256)) ?? (await ask(16));
  if (!reply)
    return [{ about: "chat", verdict: "bad", said: `a chat is not answered: ${asker.words}`, hint: hintFor(asker) }];
  const inText = withoutReasoning(reply.text).trim() !== reply.text.trim() || /<think|<\|channel/i.test(reply.text);
  const thinks = Boolean(reply.reasoning) || inText;
  const tokens = reply.tokens?.completion;
  const where = reply.reasoning ? "apart from the reply (reasoning_content)" : "in the reply's own text";
  const short = await asker.chat([{ role: "user", content: "Count from one to one hundred in words." }], {
    max_tokens: 5,
  });
  const one = await asker.chat([{ role: "user", content }], { max_tokens: 1 });
  const refused = one || asker.status < 400 || asker.status >= 500 ? undefined : asker.words;
  if (refused !== undefined) asker.fewest = 16;
  const empty = reply.text.trim() === "";
  const kept = short?.tokens ? short.tokens.completion <= 5 : undefined;
  return [
    ...(empty && !thinks
      ? [
          {
            about: "chat",
            verdict: "bad",
            said: `the reply is empty (its end is called ${JSON.stringify(reply.finish ?? null)})`,
            hint: "No letter can be read in it: is it a server that calls tools, or a model without a chat template?",
          } as const,
        ]
      : []),
    ...(refused === undefined
      ? []
      : [
          {
            about: "one token",
            verdict: "note",
            said: `a reply of one token is refused: ${refused}`,
            hint: "Letters cannot be measured as the next token (answerer.protocol=letters).",
          } as const,
        ]),
    thinks
      ? {
          about: "reasoning",
          verdict: "note",
          said:
            `on: it thinks ${where}${tokens === undefined ? "" : `, ${tokens} tokens for one digit`}` +
            `${empty ? "; within 256 tokens no answer came" : ""}`,
          hint: "Give replies room (answerer.maxTokensPerQuestion, answerer.maxTokensExtra), or turn thinking off.",
        }
      : {
          about: "reasoning",
          verdict: empty ? "unknown" : "good",
          said: empty
            ? "it says nothing at all"
            : `off: it answered ${JSON.stringify(reply.text.slice(0, 40))}` +
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

/** What to do where no chat is answered. */
function hintFor({ status, words }: Asker): string {
  if (status === 401 || status === 403) return "Set LMSTUDIO_API_KEY to the server's key.";
  if (/stream of events/.test(words))
    return "The server only streams: turn that off, or put one before it that does not.";
  if (/^no JSON/.test(words))
    return "It is no OpenAI-compatible server, or its base URL is another (mostly it ends in /v1).";
  if (status === 404)
    return "It has no chat/completions there: does the address end in /v1, and is that the model's name?";
  return hintForTemplate(words) ?? "Is the model loaded?";
}
