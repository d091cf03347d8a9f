import { existsSync } from "node:fs";
import { type ReadingName, readReply } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import { byOwnLetters, type Letter, lettersOf, ownLetter, partsOfId } from "../tasks/index.js";
import { KeySet, type Keys } from "./key-set.js";
import { LineReader } from "./line-reader.js";
import { Damage, type LoggedReply, parseReply, readLog } from "./logged-reply.js";
import { type Place, Places } from "./places.js";
import type { Prediction } from "./prediction.js";
import { lettersOfAnswers, optionsOf } from "./row-facts.js";
import { wasCut, whyUnreadable } from "./unreadable.js";

/** Where each row's reply lies in a log. */
export interface ReplyIndex {
  readonly path: string;
  /** By stage, then by row id in the log's order; a row that was asked again has its latest reply. */
  readonly stages: ReadonlyMap<string, Places>;
  /** By stage: the tokens of the replies. */
  readonly tokens: ReadonlyMap<string, TokenTotals>;
  /** By stage: replies by the name that the server gave who answered, where it was another than was asked for. */
  readonly models: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By stage: the keys of replies whose rows' answers the data have changed since. */
  readonly renewed: ReadonlyMap<string, Keys>;
  /** Lines that cannot be read. */
  readonly damage: Damage;
}

/** Tokens of kept replies, as those who gave them counted. */
export interface TokenTotals {
  readonly prompt: number;
  readonly completion: number;
  /** Replies that came with their numbers, and replies that came without. */
  readonly replies: number;
  readonly uncounted: number;
}

/** Names that are told apart at most. */
const NAMES = 20;

function count(models: Map<string, Map<string, number>>, stage: string, model: string): void {
  const counts = models.get(stage) ?? new Map<string, number>();
  models.set(stage, counts);
  const name = counts.has(model) || counts.size < NAMES ? model : "others";
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const noTokens = () => ({ prompt: 0, completion: 0, replies: 0, uncounted: 0 });

function add(totals: { -readonly [part in keyof TokenTotals]: number }, { tokens }: LoggedReply): void {
  if (!tokens) totals.uncounted++;
  else {
    totals.prompt += tokens.prompt;
    totals.completion += tokens.completion;
    totals.replies++;
  }
}

/**
 * Reads a log once and remembers only the places (some 90 bytes a row). Lines that cannot be read are counted and
 * passed over.
 * @param keys of the replies wanted; without it all
 * @throws {UserError} where there is no log
 */
export async function indexReplies(path: string, keys?: Keys): Promise<ReplyIndex> {
  if (!existsSync(path))
    throw new UserError(`there is no ${path}`, { hint: "Only a run that asked questions can be scored." });
  const stages = new Map<string, Places>();
  const tokens = new Map<string, ReturnType<typeof noTokens>>();
  const models = new Map<string, Map<string, number>>();
  const renewed = new Map<string, KeySet>();
  const damage = new Damage(path);
  for await (const line of readLog(path)) {
    const { reply, offset, length } = line;
    if (!reply) damage.add(line);
    else if (!keys || keys.has(reply.key)) {
      const places = stages.get(reply.stage) ?? new Places();
      stages.set(reply.stage, places);
      const totals = tokens.get(reply.stage) ?? noTokens();
      tokens.set(reply.stage, totals);
      if (reply.renewed) {
        const keys = renewed.get(reply.stage) ?? new KeySet();
        renewed.set(reply.stage, keys);
        keys.add(reply.key);
      } else {
        add(totals, reply);
        if (reply.model !== undefined) count(models, reply.stage, reply.model);
      }
      reply.ids.forEach((id, index) => places.set(id, { offset, length, index }));
    }
  }
  return { path, stages, tokens, models, renewed, damage };
}

/** An index of one log in which the rows of a later one have the later's reply. */
export const overlaid = (index: ReplyIndex, later: ReplyIndex): ReplyIndex => ({
  ...index,
  stages: new Map(
    [...new Set([...index.stages.keys(), ...later.stages.keys()])].map((stage) => [
      stage,
      Places.of(index.stages.get(stage), later.stages.get(stage)),
    ]),
  ),
});

/**
 * Reads the replies of a stage with a reading: as often, and with as many readings, as one likes.
 * @param order row ids in the order wanted, gone through twice; without it the log's order.
 * @throws {UserError} where rows of `order` have no reply (how many is said), or the reading does not fit replies to
 * several questions.
 */
export function* predictionsFrom(
  index: ReplyIndex,
  stage: string,
  reading: ReadingName,
  order?: Iterable<string>,
): Generator<Prediction> {
  const places = index.stages.get(stage) ?? new Places();
  if (order) requireAll(index, stage, places, order);
  const file = new LineReader(index.path);
  const names = new Map<string, string>();
  const named = (name: string): string => {
    const known = names.get(name);
    if (known === undefined) names.set(name, name);
    return known ?? name;
  };
  let last: { offset: number; line: LoggedReply; letters: readonly (Letter | null)[] } | undefined;
  try {
    for (const id of order ?? places.keys()) {
      const place = places.get(id) as Place;
      // The questions of one request mostly follow each other.
      if (last?.offset !== place.offset) {
        const line = lineAt(file, place, index.path);
        const labels = lettersOfAnswers(line.facts ?? [{}]);
        last = { offset: place.offset, line, letters: readReply(reading, line.text, line.ids.length, labels) };
      }
      const { language, subject } = partsOfId(id);
      // A text of each name, not one a row: whoever keeps predictions keeps them.
      const about = { id: places.own(id), language: named(language), subject: named(subject), stage };
      yield predictionOf(about, last.line, last.letters, place.index);
    }
  } finally {
    file.close();
  }
}

/** The text of the reply to a row of a stage. @throws {UserError} where it has none, or the log has changed */
export function replyTo(index: ReplyIndex, stage: string, id: string): string {
  const replies = new KeptReplies(index, stage);
  try {
    const reply = replies.to(id);
    if (reply) return reply.text;
    throw new UserError(`${index.path} has no reply to ${id}`, { hint: "Run the run's own command again." });
  } finally {
    replies.close();
  }
}

/** The replies of a stage with all that came with them, read from the log one at a time. */
export class KeptReplies {
  private readonly file: LineReader;
  private readonly places: Places | undefined;
  /** The questions of one request mostly follow each other. */
  private last: { readonly offset: number; readonly line: LoggedReply } | undefined;

  constructor(
    private readonly index: ReplyIndex,
    stage: string,
  ) {
    this.file = new LineReader(index.path);
    this.places = index.stages.get(stage);
  }

  /** The latest reply to a row; undefined where it has none. @throws {UserError} where the log has changed */
  to(id: string): LoggedReply | undefined {
    const place = this.places?.get(id);
    if (place && this.last?.offset !== place.offset)
      this.last = { offset: place.offset, line: lineAt(this.file, place, this.index.path) };
    return place && this.last?.line;
  }

  close(): void {
    this.file.close();
  }
}

function requireAll(index: ReplyIndex, stage: string, places: Places, order: Iterable<string>): void {
  let [all, missing] = [0, 0];
  let first = "";
  for (const id of order) {
    all++;
    if (!places.has(id) && missing++ === 0) first = id;
  }
  if (missing > 0) {
    const { words } = index.damage;
    throw new UserError(
      `${index.path} lacks replies to ${missing.toLocaleString("en")} of ${all.toLocaleString("en")} rows in ` +
        `the stage "${stage}" (the first: ${first})${words ? `; ${words}` : ""}`,
      { hint: "Run the run's own command again: it asks what is missing, and nothing twice." },
    );
  }
}

function lineAt(file: LineReader, { offset, length }: Place, path: string): LoggedReply {
  const parsed = parseReply(file.at(offset, length), offset === 0);
  if ("reply" in parsed) return parsed.reply;
  throw new UserError(`${path} has changed while it was read (byte ${offset}: ${parsed.fault})`, {
    hint: "Try again once nothing writes to it.",
  });
}

/** Of one literal that begins with a name: V8 makes each object of one that begins with a spread a map of its own. */
function predictionOf(
  { id, language, subject, stage }: Pick<Prediction, "id" | "language" | "subject" | "stage">,
  line: LoggedReply,
  letters: readonly (Letter | null)[],
  index: number,
): Prediction {
  const facts = line.facts?.[index] ?? {};
  const letter = letters[index] ?? null;
  // Another question of the same request may have had more options.
  const shown = letter !== null && lettersOf(optionsOf(facts)).includes(letter) ? letter : null;
  const { order = 0, repeat } = line;
  const own = (of: Letter): Letter => ownLetter(of, order, optionsOf(facts));
  const prediction = shown && own(shown);
  return {
    id,
    language,
    subject,
    stage,
    ...facts,
    answer: own(line.answers[index] as Letter),
    prediction,
    ...(prediction === null ? { unreadable: whyUnreadable(line) } : {}),
    ...(wasCut(line) ? { cut: true } : {}),
    reply: line.text,
    ...(order ? { order } : {}),
    ...(repeat ? { repeat } : {}),
    ...(line.logProbabilities ? { logProbabilities: byOwnLetters(line.logProbabilities, order) } : {}),
    ...(line.letterLogit === undefined ? {} : { letterLogit: line.letterLogit }),
  };
}
