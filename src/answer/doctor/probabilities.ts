import { faultOf, ONLY_ITS_OWN, PROBES, TOP_LOG_PROBABILITIES, tokensOf } from "../log-probabilities.js";
import type { Finding } from "./finding.js";
import type { Asker, Completion } from "./replies.js";

/** Whether log-probabilities are sent on each route, and whether they can be true. */
export async function lookAtLogProbabilities(asker: Asker): Promise<Finding[]> {
  const chat: Seen[] = [];
  const text: Seen[] = [];
  const seen = (reply: Completion): Seen => reply ?? { words: asker.words };
  const tokens = Math.max(4, asker.fewest);
  for (const { messages } of PROBES) {
    const asked = { max_tokens: tokens, logprobs: true, top_logprobs: TOP_LOG_PROBABILITIES };
    chat.push(seen(await asker.chat(messages, asked)));
    const plain = messages.map(({ content }) => content).join("\n\n");
    text.push(seen(await asker.text(plain, { max_tokens: tokens, logprobs: 5 })));
  }
  const echo = await asker.text("Question: A\nAnswer: B", { max_tokens: asker.fewest, echo: true, logprobs: 1 });
  return [
    routeFinding("log-probabilities of chats", chat),
    routeFinding("log-probabilities of plain texts", text),
    echoFinding(echo),
  ];
}

/** A reply, or why there is none. */
type Seen = NonNullable<Completion> | { readonly words: string };

function routeFinding(about: string, replies: readonly Seen[]): Finding {
  const known: { content: unknown; text: string }[] = [];
  for (const reply of replies) {
    if ("words" in reply)
      return { about, verdict: "unknown", said: `no reply where they are asked for: ${reply.words}` };
    known.push({ content: tokensOf(reply.logprobs), text: reply.text });
  }
  const fault = known.map(({ content, text }) => faultOf(content, text)).find(Boolean);
  const same = !fault && valuesOf(known[0]!.content) === valuesOf(known[1]!.content);
  if (fault === "none were sent") return { about, verdict: "note", said: "none are sent" };
  if (fault === ONLY_ITS_OWN)
    return {
      about,
      verdict: "note",
      said: "only the reply's own tokens have them, not the most probable others: letters cannot be scored by them",
      hint: "Set answerer.logprobs=false, or let the server send more of them (top_logprobs).",
    };
  if (fault || same)
    return {
      about,
      verdict: "bad",
      said: `invented: ${fault ?? "two different questions got the very same values"}`,
      hint: "Set answerer.logprobs=false: they are not computed.",
    };
  return {
    about,
    verdict: "good",
    said: "they are sent and can be true: they add up, and differ between two questions",
  };
}

/** The numbers alone: whose tokens' they are may differ where they are invented too. */
const valuesOf = (content: unknown): string => (JSON.stringify(content).match(/"logprob":[^,}]+/g) ?? []).join();

function echoFinding(reply: Completion): Finding {
  const about = "log-probabilities of prompts";
  const logprobs = (reply?.logprobs ?? {}) as { token_logprobs?: unknown[]; tokens?: unknown[] };
  const values = Array.isArray(logprobs.token_logprobs) ? logprobs.token_logprobs : [];
  const numbers = values.filter((one): one is number => typeof one === "number");
  if (numbers.length < 4)
    return {
      about,
      verdict: "note",
      said: "none are sent (echo with logprobs): lm-evaluation-harness' log-likelihood tasks cannot be run against it",
    };
  return new Set(numbers).size > 1 && numbers.every((one) => one <= 1e-6)
    ? {
        about,
        verdict: "good",
        said: `a prompt's tokens come back with theirs (${numbers.length} of ${values.length})`,
      }
    : { about, verdict: "bad", said: "a prompt's tokens come back with values that cannot be true" };
}
