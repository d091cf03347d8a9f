import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { type RawReply, type ReadingName, readReply } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import { JsonLinesFile, readJsonLines } from "../base/json-lines.js";
import type { Letter } from "../data/index.js";
import type { Prediction } from "./prediction.js";

/** A line of `replies.jsonl`: one raw reply, and the questions that it answers in order. */
export interface LoggedReply extends RawReply {
  readonly key: string;
  readonly stage: string;
  readonly ids: readonly string[];
  /** The true letters, in the order of `ids`: the log can be scored without the data. */
  readonly answers: string;
  readonly milliseconds: number;
}

/** The raw replies of a run, appended as they land; what makes a run go on where it stopped. */
export class ReplyLog {
  private constructor(
    readonly path: string,
    private readonly file: JsonLinesFile<LoggedReply>,
    private readonly before: ReadonlySet<string>,
  ) {}

  /**
   * Opens or begins a log. Holds the keys that were there before (some 80 bytes each), nothing of what is appended.
   * @throws {UserError} naming file and line where a line is not JSON.
   */
  static async open(path: string): Promise<ReplyLog> {
    const file = new JsonLinesFile<LoggedReply>(path);
    const before = new Set<string>();
    for await (const line of readJsonLines<LoggedReply>(path)) before.add(`${line.stage} ${line.key}`);
    return new ReplyLog(path, file, before);
  }

  /** Whether a reply was there when the log was opened. */
  has(stage: string, key: string): boolean {
    return this.before.has(`${stage} ${key}`);
  }

  append(...replies: LoggedReply[]): void {
    this.file.append(...replies);
  }

  close(): void {
    this.file.close();
  }
}

interface Place {
  readonly offset: number;
  readonly length: number;
  /** Which of the reply's questions it is. */
  readonly index: number;
}

/** Where each row's reply lies in a log. */
export interface ReplyIndex {
  readonly path: string;
  /** By stage, then by row id in the log's order; a row that was asked again has its latest reply. */
  readonly stages: ReadonlyMap<string, ReadonlyMap<string, Place>>;
}

/**
 * Reads a log once and remembers only the places (some 200 bytes a row).
 * @throws {UserError} where there is no log, or a line is not a reply.
 */
export async function indexReplies(path: string): Promise<ReplyIndex> {
  if (!existsSync(path))
    throw new UserError(`there is no ${path}`, { hint: "Only a run that asked questions can be scored." });
  const stages = new Map<string, Map<string, Place>>();
  let offset = 0;
  let number = 0;
  for await (const line of rawLines(path)) {
    number++;
    const length = line.length;
    if (length > 0) {
      const { stage, ids } = parseLine(line, `${path}:${number}`);
      const places = stages.get(stage) ?? new Map<string, Place>();
      stages.set(stage, places);
      ids.forEach((id, index) => places.set(id, { offset, length, index }));
    }
    offset += length + 1;
  }
  return { path, stages };
}

/** Lines as bytes, without their newline: offsets count bytes. A torn last line is left out. */
async function* rawLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(path)) {
    let bytes = rest.length ? Buffer.concat([rest, piece as Buffer]) : (piece as Buffer);
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      yield bytes.subarray(0, end);
      bytes = bytes.subarray(end + 1);
    }
    rest = Buffer.from(bytes);
  }
}

function parseLine(bytes: Buffer, where: string): LoggedReply {
  let line: unknown;
  try {
    line = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new UserError(`${where}: not a JSON object`);
  }
  const { ids, answers, stage, text } = line as Partial<LoggedReply>;
  if (
    !Array.isArray(ids) ||
    typeof answers !== "string" ||
    ids.length !== answers.length ||
    typeof stage !== "string" ||
    typeof text !== "string"
  ) {
    throw new UserError(`${where}: not a reply (needs stage, ids, answers, text)`);
  }
  return line as LoggedReply;
}

/**
 * Reads the replies of a stage with a reading: as often, and with as many readings, as one likes.
 * @param order row ids in the order wanted; without it the log's order.
 * @throws {UserError} where a row of `order` has no reply, or the reading does not fit replies to several questions.
 */
export function* predictionsFrom(
  index: ReplyIndex,
  stage: string,
  reading: ReadingName,
  order?: Iterable<string>,
): Generator<Prediction> {
  const places = index.stages.get(stage) ?? new Map<string, Place>();
  const file = openSync(index.path, "r");
  let last: { offset: number; line: LoggedReply; letters: (Letter | null)[] } | undefined;
  try {
    for (const id of order ?? places.keys()) {
      const place = places.get(id);
      if (!place)
        throw new UserError(`${index.path} holds no reply to ${id} in the stage "${stage}"`, {
          hint: "Run the same command again: it asks what is missing.",
        });
      // The questions of one request mostly follow each other.
      if (last?.offset !== place.offset) {
        const bytes = Buffer.alloc(place.length);
        readSync(file, bytes, 0, place.length, place.offset);
        const line = parseLine(bytes, index.path);
        last = { offset: place.offset, line, letters: readReply(reading, line.text, line.ids.length) };
      }
      yield predictionOf(id, last.line, last.letters, place.index);
    }
  } finally {
    closeSync(file);
  }
}

function predictionOf(id: string, line: LoggedReply, letters: readonly (Letter | null)[], index: number): Prediction {
  const [language, subject] = id.split("/") as [string, string];
  return {
    id,
    language,
    subject,
    answer: line.answers[index] as Letter,
    prediction: letters[index] ?? null,
    reply: line.text,
    stage: line.stage,
    ...(line.logProbabilities ? { logProbabilities: line.logProbabilities } : {}),
  };
}
