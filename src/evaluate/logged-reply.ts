import { isUtf8 } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { type RawReply, rawReplySchema } from "../answer/index.js";
import { messageOf, UserError } from "../base/errors.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { faultsOf } from "../base/json.js";
import { OPTION_LETTERS, type Row } from "../tasks/index.js";
import { type RowFacts, rowFactsSchema } from "./row-facts.js";

/** A line of `replies.jsonl`: one raw reply, and the questions that it answers in order. */
export interface LoggedReply extends RawReply {
  readonly key: string;
  readonly stage: string;
  readonly ids: readonly string[];
  /**
   * The true letters as they were shown, in the order of `ids`: the log can be scored without the data.
   */
  readonly answers: string;
  /** By how many places the options were turned round, where they were. */
  readonly order?: number;
  /** Which asking of these rows under this order it is, but for the first. */
  readonly repeat?: number;
  readonly milliseconds: number;
  /** What the ids do not tell of rows that are not MMMLU's, in the order of `ids`. */
  readonly facts?: readonly RowFacts[];
  /** An earlier line's reply, with the answers that the data have by now. */
  readonly renewed?: true;
}

/** The line of a reply to a request about rows with these facts: of the rows' texts, which may lie on disk, none is read. */
export function loggedReply(
  stage: string,
  key: string,
  { rows, facts }: { readonly rows: readonly Row[]; readonly facts: readonly RowFacts[] | undefined },
  reply: RawReply,
  milliseconds: number,
  { order = 0, repeat = 0 }: { readonly order?: number; readonly repeat?: number } = {},
): LoggedReply {
  return {
    key,
    stage,
    ids: rows.map((row) => row.id),
    answers: rows.map((row) => row.answer).join(""),
    ...(order ? { order } : {}),
    ...(repeat ? { repeat } : {}),
    ...(facts ? { facts } : {}),
    ...reply,
    milliseconds,
  };
}

/** What a line is: whoever writes one and whoever reads one hold to it. */
export const loggedReplySchema: z.ZodType<LoggedReply> = rawReplySchema
  .extend({
    key: z.string().min(1).max(200),
    stage: z.string().min(1).max(200),
    ids: z
      .array(
        z
          .string()
          .max(500)
          .regex(/^[^/]+\/[^/]+\/\d+$/, "not such as DE_DE/anatomy/0"),
      )
      .min(1),
    answers: z.string().regex(/^[A-J]+$/, "not letters A to J"),
    order: z.number().int().min(1).lt(OPTION_LETTERS.length).optional(),
    repeat: z.number().int().min(1).lt(1000).optional(),
    milliseconds: z.number().nonnegative(),
    facts: z.array(rowFactsSchema).optional(),
    renewed: z.literal(true).optional(),
  })
  .refine(({ ids, answers }) => ids.length === answers.length, { message: "as many as ids", path: ["answers"] })
  .refine(({ ids, facts }) => !facts || ids.length === facts.length, { message: "as many as ids", path: ["facts"] });

/** Bytes of a line at most: the largest reply that is taken from a server, with every character escaped. */
export const LONGEST_LINE = 64 << 20;

/** A line of a log, as it lies in the file; `reply` or `fault` is there. */
export interface LogLine {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  /** Bytes, without the line feed. */
  readonly length: number;
  readonly reply?: LoggedReply;
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** Read at once. */
const BLOCK_BYTES = 1 << 18;

/**
 * The lines of a log, whatever they hold; blank ones are passed over. One line at a time is in memory.
 * @param holding only lines that hold these bytes; others are not even parsed
 * @throws {UserError} where the file cannot be read
 */
export async function* readLog(path: string, holding?: Buffer): AsyncGenerator<LogLine> {
  let [number, offset, length] = [0, 0, 0];
  let pieces: Buffer[] = [];
  const line = (torn: boolean): LogLine | undefined => {
    number++;
    const place = { number, offset, length };
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    offset += length + 1;
    [pieces, length] = [[], 0];
    if (place.length > LONGEST_LINE) return { ...place, fault: `longer than ${LONGEST_LINE / 2 ** 20} MiB` };
    if (holding && !bytes.includes(holding)) return undefined;
    if (place.length === 0 || (bytes[0] as number) <= 0x20) {
      if (bytes.toString("latin1").trim() === "") return undefined;
    }
    return { number, offset: place.offset, length: place.length, ...parseReply(bytes, number === 1, torn) };
  };
  const take = (piece: Buffer): void => {
    length += piece.length;
    // What is too long is measured, not kept.
    if (length <= LONGEST_LINE) pieces.push(piece);
    else pieces = [];
  };
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    // One block for all: a stream's would stand beside each other until V8 looks, some 20 MiB of them.
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length, null);
      if (bytesRead === 0) break;
      const piece = block.subarray(0, bytesRead);
      let start = 0;
      for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, start)) {
        take(piece.subarray(start, end));
        start = end + 1;
        const whole = line(false);
        if (whole) yield whole;
      }
      if (start < piece.length) take(Buffer.from(piece.subarray(start)));
    }
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  } finally {
    await file?.close();
  }
  if (length > 0) {
    const last = line(true);
    if (last) yield last;
  }
}

/**
 * Reads a line's bytes. @param first whether a byte order mark may stand before it @param torn whether no line feed
 * ended it
 */
export function parseReply(bytes: Buffer, first = false, torn = false): { reply: LoggedReply } | { fault: string } {
  if (!isUtf8(bytes)) return { fault: "not UTF-8" };
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(first && text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch {
    return { fault: torn ? "torn" : "not JSON" };
  }
  const read = loggedReplySchema.safeParse(value);
  return read.success ? { reply: read.data } : { fault: `not a reply (${faultsOf(read.error)})` };
}

/** Lines of a log that could not be read: how many, and the first, in words. */
export class Damage {
  count = 0;
  private first = "";

  constructor(private readonly path: string) {}

  add({ number, fault }: Pick<LogLine, "number" | "fault">): void {
    if (this.count++ === 0) this.first = `line ${number}: ${fault}`;
  }

  /** Undefined where there is none. */
  get words(): string | undefined {
    if (this.count === 0) return undefined;
    return this.count === 1
      ? `1 line of ${this.path} cannot be read (${this.first})`
      : `${this.count.toLocaleString("en")} lines of ${this.path} cannot be read (the first: ${this.first})`;
  }
}
