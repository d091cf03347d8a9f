import { z } from "zod";
import { hintForTemplate } from "../template-errors.js";
import type { Connection } from "./connection.js";
import type { Finding } from "./finding.js";
import { type Asker, type Completion, promptTokens } from "./replies.js";

/** Names of tokens that open a text, of the models that are asked most. */
const BEGINNINGS = ["<bos>", "<s>", "<|begin_of_text|>", "<|startoftext|>"];

const SYSTEM = "You answer with a single capital letter.";

/** Whether messages are put into a template, whether a system message gets through, and how many `<bos>` stand in front. */
export async function lookAtTokens(asker: Asker, connection: Connection): Promise<Finding[]> {
  const user = { role: "user", content: "Which letter comes after A?" } as const;
  const room = { max_tokens: asker.fewest };
  const counted = async (asked: Promise<Completion>): Promise<Counted> => {
    const reply = await asked;
    return { count: promptTokens(reply), words: reply ? "it counts no tokens" : asker.words };
  };
  const plain = await counted(asker.text(user.content, room));
  const chat = await counted(asker.chat([user], room));
  const withSystem = await counted(asker.chat([{ role: "system", content: SYSTEM }, user], room));
  return [templateFinding(plain, chat), systemFinding(chat, withSystem), ...(await beginnings(asker, connection))];
}

/** Tokens of a prompt by the server's count, or why they are not known. */
interface Counted {
  readonly count: number | undefined;
  readonly words: string;
}

function templateFinding(own: Counted, other: Counted): Finding {
  const [plain, chat] = [own.count, other.count];
  const about = "chat template";
  if (chat === undefined)
    return { about, verdict: "unknown", said: `how many tokens a chat's prompt has is not known: ${other.words}` };
  if (plain === undefined)
    return {
      about,
      verdict: "unknown",
      said: `there is nothing to hold it against: of plain completions ${own.words}`,
    };
  const more = chat - plain;
  return more >= 3
    ? {
        about,
        verdict: "good",
        said: `a chat's message gets ${more} tokens more than the same text alone: a template is applied`,
      }
    : {
        about,
        verdict: "bad",
        said: `a chat's message has ${more} tokens more than the same text alone: no template seems to be applied`,
        hint: "Give the server the model's chat template, or ask a plain prompt (answerer.prompt).",
      };
}

function systemFinding({ count: chat, words }: Counted, other: Counted): Finding {
  const about = "system message";
  const withSystem = other.count;
  if (chat === undefined) return { about, verdict: "unknown", said: `what it adds cannot be counted: ${words}` };
  if (withSystem === undefined) {
    const hint = hintForTemplate(other.words);
    return hint === undefined
      ? { about, verdict: "unknown", said: `a chat with a system message is not counted: ${other.words}` }
      : { about, verdict: "bad", said: `a chat with a system message is refused: ${other.words}`, hint };
  }
  return withSystem - chat >= 5
    ? { about, verdict: "good", said: `it gets through (${withSystem - chat} tokens)` }
    : {
        about,
        verdict: "bad",
        said: `with a system message the prompt has ${withSystem - chat} tokens more: it is dropped`,
        hint: "The template knows no system role: a protocol without a system message asks the same everywhere.",
      };
}

/** How many opening tokens a text gets: by echo, by the server's own tokenizer, else by arithmetic on its counts. */
async function beginnings(asker: Asker, connection: Connection): Promise<Finding[]> {
  const about = "<bos>";
  const own = await ownTokenizer(asker, connection);
  if (own) return [inChat(own)];
  const echoed = await asker.text("A B", { max_tokens: asker.fewest, echo: true, logprobs: 1 });
  const tokens = z.object({ tokens: z.array(z.string()) }).safeParse(echoed?.logprobs).data?.tokens;
  if (tokens?.join("").includes("A")) {
    const count = leading(tokens);
    return [
      textFinding(count, `an echo of a plain text begins with ${count ? tokens.slice(0, count).join("") : "none"}`),
    ];
  }
  // n(k) of k repeats is a constant and k times the repeat's tokens.
  const counts = [];
  for (const repeats of [8, 16, 24])
    counts.push(promptTokens(await asker.text(" go".repeat(repeats).trim(), { max_tokens: asker.fewest })));
  const [eight, sixteen, more] = counts;
  if (eight === undefined || sixteen === undefined || more === undefined || more - sixteen !== sixteen - eight)
    return [{ about, verdict: "unknown", said: "neither echoes nor token counts tell it" }];
  const count = eight - (sixteen - eight);
  const added = [];
  for (const name of BEGINNINGS) {
    const tokens = promptTokens(await asker.text(`${name}${" go".repeat(8).trim()}`, { max_tokens: asker.fewest }));
    // One token more is the opening token itself; none more means that it is taken off where there would be two.
    if (tokens !== undefined && tokens - eight <= 1) added.push({ name, more: tokens - eight });
  }
  const known = added[0];
  return [
    countedFinding(count),
    ...(known && count === 1
      ? [
          known.more === 0
            ? ({ about, verdict: "good", said: `${known.name} written into a text is not doubled` } as const)
            : ({
                about,
                verdict: "note",
                said: `${known.name} written into a text comes on top of the one that is put there: two of them`,
                hint: "A prompt or template that writes it itself gets two; Gemma collapses with two.",
              } as const),
        ]
      : []),
  ];
}

/** Of counts alone: whether a special token stands in front or behind they do not tell. */
function countedFinding(count: number): Finding {
  const about = "<bos>";
  const said = `by its counts a plain text has ${count} special token${count === 1 ? "" : "s"} besides its own`;
  if (count <= 1) return { about, verdict: count === 1 ? "good" : "note", said };
  return { about, verdict: "note", said, hint: "Two of them in front make Gemma collapse; one may stand behind." };
}

const leading = (tokens: readonly string[]): number => {
  const other = tokens.findIndex((token) => !BEGINNINGS.includes(token.trim()));
  return other < 0 ? tokens.length : other;
};

function textFinding(count: number, seen: string): Finding {
  const about = "<bos>";
  if (count === 1) return { about, verdict: "good", said: `a plain text gets one opening token: ${seen}` };
  return count === 0
    ? {
        about,
        verdict: "note",
        said: `a plain text gets no opening token: ${seen}`,
        hint: "Gemma and Llama need one; Qwen has none.",
      }
    : {
        about,
        verdict: "bad",
        said: `a plain text gets ${count} opening tokens: ${seen}`,
        hint: "Gemma collapses with two.",
      };
}

/** What a chat becomes, by the tokenizer that vLLM or llama.cpp offers; undefined where there is none. */
async function ownTokenizer(asker: Asker, connection: Connection): Promise<readonly string[] | undefined> {
  const messages = [{ role: "user", content: "A B" }];
  const strings = z.object({ token_strs: z.array(z.string()).min(1) });
  const vllm = await connection.ask("/tokenize", {
    model: asker.model,
    messages,
    add_generation_prompt: true,
    return_token_strs: true,
  });
  const told = strings.safeParse(vllm.body).data?.token_strs;
  if (told) return told;
  const template = z.object({ prompt: z.string().max(100_000) });
  const applied = template.safeParse((await connection.ask("/apply-template", { messages })).body).data?.prompt;
  if (applied === undefined) return undefined;
  const pieces = z.object({ tokens: z.array(z.object({ piece: z.unknown() })).min(1) });
  const tokens = pieces.safeParse(
    (await connection.ask("/tokenize", { content: applied, add_special: true, with_pieces: true })).body,
  ).data?.tokens;
  return tokens?.map(({ piece }) => (typeof piece === "string" ? piece : "\ufffd"));
}

function inChat(tokens: readonly string[]): Finding {
  const count = leading(tokens);
  const about = "<bos>";
  const seen = `a chat begins ${JSON.stringify(tokens.slice(0, Math.max(3, count + 1)).join(""))}`;
  if (count < 2)
    return {
      about,
      verdict: count === 1 ? "good" : "note",
      said: `${seen}: ${count ? "one opening token" : "no opening token"}`,
    };
  return {
    about,
    verdict: "bad",
    said: `${seen}: ${count} opening tokens`,
    hint: "The template writes one and the tokenizer another: turn one of them off.",
  };
}
