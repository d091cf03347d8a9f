import { z } from "zod";
import type { Connection } from "./connection.js";
import type { Finding } from "./finding.js";
import { type Asker, type ListedModel, promptTokens } from "./replies.js";

/** Words of a prompt that is longer than most contexts. */
const WORDS = 150_000;

/** A number of tokens in a server's words about a context that is too short. */
const IN_WORDS =
  /(?:context|limit|maximum|max_model_len|n_ctx)[^\d]{0,60}(\d{3,7})|(\d{3,7})[^\d]{0,40}(?:context|tokens that this server)/i;

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
  const tooLong = await asker.chat([{ role: "user", content: "go ".repeat(WORDS).trim() }], { max_tokens: 1 });
  const findings: Finding[] = [];
  const inWords = tooLong ? undefined : (IN_WORDS.exec(asker.words) ?? undefined);
  const length = told?.length ?? (inWords ? Number(inWords[1] ?? inWords[2]) : undefined);
  findings.push(
    length === undefined
      ? { about: "context length", verdict: "unknown", said: "neither the list of models nor an error tells it" }
      : {
          about: "context length",
          verdict: length < 2048 ? "note" : "good",
          said:
            `${length.toLocaleString("en")} tokens ` +
            `(${told ? told.where : "by its words on a prompt that is too long"})`,
          ...(length < 2048 ? { hint: "Few-shot prompts and long questions may not fit." } : {}),
        },
  );
  const read = promptTokens(tooLong);
  findings.push(
    tooLong === undefined
      ? { about: "prompts that are too long", verdict: "good", said: `refused: ${asker.words}` }
      : read !== undefined && read < WORDS / 2
        ? {
            about: "prompts that are too long",
            verdict: "bad",
            said:
              `cut without a word: of a prompt of ${WORDS.toLocaleString("en")} words ` +
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
