import { z } from "zod";
import type { Connection } from "./connection.js";
import type { Finding } from "./finding.js";
import { type Asker, type Completion, type ListedModel, promptTokens } from "./replies.js";

/**
 * Words of the prompts that are tried one after the other: more than contexts that are set small (4,096, 8,192), more
 * than 32,768. No more: a server whose attention takes memory by the square of them dies of longer ones.
 */
const WORDS = [9000, 33_000] as const;

/** The next prompt is tried where this one took no longer: a server that is slow with it would take long, or break. */
const QUICK_MILLISECONDS = 3000;

/** A context's tokens in a server's words about a prompt that is too long; what the prompt itself has stands there too. */
const IN_WORDS = [
  /(?:context|limit|maximum|max_model_len|n_ctx)[^\d]{0,60}(\d{3,7})/i,
  /(\d{3,7})[^\d]{0,20}(?:context|tokens that this server)/i,
];

const llamaProps = z.looseObject({
  total_slots: z.number().int().positive().optional(),
  default_generation_settings: z.looseObject({ n_ctx: z.number().int().positive().optional() }).optional(),
});

/** How much a model reads at once, and what becomes of a prompt that is longer. */
export async function lookAtContext(
  asker: Asker,
  connection: Connection,
  listed: ListedModel | undefined,
): Promise<Finding[]> {
  const told = await toldContext(asker, connection, listed);
  const kind = asker.answers.chat || !asker.answers.text ? "chat" : "text";
  const beyond = Math.ceil((told?.length ?? Number.POSITIVE_INFINITY) * 1.1) + 64;
  let sent = 0;
  let tooLong: Completion;
  for (const size of WORDS) {
    const next = Math.min(size, beyond);
    if (next <= sent) break;
    sent = next;
    const long = "go ".repeat(sent).trim();
    const few = { max_tokens: asker.fewest };
    tooLong = await (kind === "text" ? asker.text(long, few) : asker.chat([{ role: "user", content: long }], few));
    if (!tooLong || tooLong.milliseconds > QUICK_MILLISECONDS || (promptTokens(tooLong) ?? 0) < sent / 2) break;
  }
  const { status, words } = asker;
  const findings: Finding[] = [];
  const inWords = tooLong ? undefined : IN_WORDS.map((one) => one.exec(words)?.[1]).find(Boolean);
  const refusedAt = inWords === undefined ? undefined : Number(inWords);
  const read = promptTokens(tooLong);
  const length = told?.length ?? refusedAt;
  const lies =
    told?.length === undefined
      ? undefined
      : refusedAt !== undefined && Math.abs(refusedAt - told.length) > 0.02 * told.length
        ? `but it refuses a long prompt naming ${refusedAt.toLocaleString("en")}`
        : read !== undefined && read > told.length
          ? `but a prompt of ${read.toLocaleString("en")} tokens was read`
          : undefined;
  findings.push(
    length === undefined
      ? { about: "context length", verdict: "unknown", said: "neither the list of models nor an error tells it" }
      : {
          about: "context length",
          verdict: lies ? "bad" : length < 2048 ? "note" : "good",
          said:
            `${length.toLocaleString("en")} tokens ` +
            `(${told ? told.where : "by its words on a prompt that is too long"})${lies ? `, ${lies}` : ""}`,
          ...(lies
            ? { hint: "Trust neither: set the server's context length by hand, and filter.maxTokens to keep to it." }
            : length < 2048
              ? { hint: "Few-shot prompts and long questions may not fit." }
              : {}),
        },
  );
  findings.push(
    tooLong === undefined
      ? refusal(status, words, asker.answers[kind])
      : read !== undefined && read < sent / 2
        ? {
            about: "prompts that are too long",
            verdict: "bad",
            said:
              `cut without a word: of a prompt of ${sent.toLocaleString("en")} words ` +
              `${read.toLocaleString("en")} tokens were read`,
            hint: "Rows that are too long are answered without their question: filter.maxTokens keeps them out.",
          }
        : {
            about: "prompts that are too long",
            verdict: read === undefined ? "unknown" : "note",
            said:
              read === undefined
                ? "taken, and nobody says how much of it was read"
                : `a prompt of ${read.toLocaleString("en")} tokens was read whole`,
          },
  );
  if (told?.slots !== undefined)
    findings.push({ about: "slots", verdict: "note", said: `the server has ${told.slots}, by its own word` });
  return findings;
}

/** What became of a prompt that is too long where no reply came. */
function refusal(status: number, words: string, answersShort: boolean): Finding {
  const about = "prompts that are too long";
  if (!answersShort) return { about, verdict: "unknown", said: `short ones are not answered either: ${words}` };
  if (status >= 400 && status < 500) return { about, verdict: "good", said: `refused: ${words}` };
  if (status < 400) return { about, verdict: "unknown", said: `no reply that can be read came: ${words}` };
  return {
    about,
    verdict: "note",
    said: `the server fails on them: ${words}`,
    hint: "Rows that are too long count as failed requests and are tried again: filter.maxTokens keeps them out.",
  };
}

async function toldContext(
  asker: Asker,
  connection: Connection,
  listed: ListedModel | undefined,
): Promise<{ length?: number; slots?: number; where: string } | undefined> {
  const own = listed?.loaded_context_length ?? listed?.max_model_len ?? listed?.context_length;
  if (own !== undefined) return { length: own, where: "by the list of models" };
  const props = llamaProps.safeParse((await connection.ask("/props")).body).data;
  const length = props?.default_generation_settings?.n_ctx;
  if (length !== undefined) return { length, slots: props?.total_slots, where: "by llama.cpp's /props" };
  const studio = await connection.ask(`/api/v0/models/${encodeURIComponent(asker.model)}`);
  const loaded = z.looseObject({ loaded_context_length: z.number().int().positive() }).safeParse(studio.body).data;
  return loaded ? { length: loaded.loaded_context_length, where: "by LM Studio's own list" } : undefined;
}
