import { isDeepStrictEqual } from "node:util";
import type { Row } from "../tasks/index.js";
import type { LoggedReply } from "./logged-reply.js";
import { KeptReplies, type ReplyIndex } from "./reply-index.js";
import { ReplyLog } from "./reply-log.js";
import { factsOfRow, factsOfRows } from "./row-facts.js";

/** Lines that are held, and written, at once. */
export const RENEWED_AT_ONCE = 10_000;

/**
 * Writes kept replies to some rows once more where the data no longer say what they said when these were asked: another
 * answer key, question or category. What was asked is the same, so nothing is asked again.
 * @param rows as they were shown
 * @returns how many lines were written; there may be more to write where these are {@link RENEWED_AT_ONCE}
 */
export async function renewAnswers(index: ReplyIndex, stage: string, rows: Iterable<Row>): Promise<number> {
  const renewed = new Map<string, { line: LoggedReply; shown: Row[] }>();
  const kept = new KeptReplies(index, stage);
  try {
    for (const row of rows) {
      const line = kept.to(row.id);
      if (!line || says(line, line.ids.indexOf(row.id), row)) continue;
      if (renewed.size === RENEWED_AT_ONCE && !renewed.has(line.key)) break;
      if (!renewed.has(line.key)) renewed.set(line.key, { line, shown: [] });
    }
    if (renewed.size === 0) return 0;
    for (const row of rows) {
      const line = kept.to(row.id);
      const held = line && renewed.get(line.key);
      if (held) held.shown[held.line.ids.indexOf(row.id)] = row;
    }
  } finally {
    kept.close();
  }
  const log = await ReplyLog.open(index.path);
  try {
    for (const { line, shown } of renewed.values()) log.append(renewedLine(line, shown));
  } finally {
    log.close();
  }
  return renewed.size;
}

const says = (line: LoggedReply, place: number, row: Row): boolean =>
  line.answers[place] === row.answer && isDeepStrictEqual(line.facts?.[place] ?? {}, factsOfRow(row));

function renewedLine({ facts: _, ...line }: LoggedReply, shown: readonly Row[]): LoggedReply {
  const facts = factsOfRows(shown);
  return { ...line, answers: shown.map(({ answer }) => answer).join(""), ...(facts ? { facts } : {}), renewed: true };
}
