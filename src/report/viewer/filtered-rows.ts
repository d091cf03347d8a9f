import { readLog, readPredictions } from "../../evaluate/index.js";
import type { AskedText } from "../../exchange/index.js";
import { runFile } from "../../record/index.js";
import { type FieldName, type FilteredAnswer, FilterFault, parseFilter, type Side } from "./filter.js";
import { answerKey, type ListedRow, outcomeOf, outcomes, type RunRows } from "./listed-row.js";
import type { FoundRun } from "./runs.js";

/** A run whose rows are filtered, or one stage of the run beside it. */
export interface FilteredRun {
  readonly run: FoundRun;
  readonly known: RunRows;
  /** The questions of a language, by row id; nothing where they are not on this machine. */
  readonly questions: (language: string) => Promise<ReadonlyMap<string, AskedText>>;
}

export interface FilteredRows {
  /** Keys of the answers for which it holds, by {@link answerKey}. */
  readonly found: ReadonlySet<string>;
  /** Answers of which nobody knows, since a value that it names is not kept. */
  readonly unknown: number;
}

/** What of an answer is not in the list: numbers, and which comparisons of texts hold, a bit each. */
interface Facts {
  tokens?: number;
  seconds?: number;
  characters?: number;
  held: number;
  compared: number;
}

/** Bits of a number that a comparison may take. */
const TEXTS = 30;

/**
 * The answers for which a filter holds; files are read at most once, and only where it names what stands in them alone.
 * @param beside answers of the run beside it, by row id
 * @throws {FilterFault} where the filter cannot be read
 * @throws {UserError} where the run's files cannot be read
 */
export async function filteredRows(
  where: string,
  own: FilteredRun,
  beside?: FilteredRun & { readonly rows: ReadonlyMap<string, ListedRow> },
): Promise<FilteredRows> {
  const filter = parseFilter(where, (field) => valuesOf(own.known.rows, field));
  if (!filter) return { found: new Set(own.known.rows.map(answerKey)), unknown: 0 };
  if (filter.texts.length > TEXTS) throw new FilterFault(`a filter compares ${TEXTS} texts at most`, 0, where.length);
  const other = [...filter.names].some((name) => name.startsWith("other "));
  if (other && !beside)
    throw new FilterFault(
      "choose in Beside which run other is",
      where.toLowerCase().indexOf("other."),
      "other.".length,
    );
  const facts = {
    own: await factsOf(own, filter, "own"),
    other: other && beside ? await factsOf(beside, filter, "other") : undefined,
  };
  const found = new Set<string>();
  let unknown = 0;
  for (const row of own.known.rows) {
    const sides = { own: row, other: beside?.rows.get(row.id) };
    const answer: FilteredAnswer = {
      value(field, side) {
        const one = sides[side];
        return one && fieldOf(one, field, facts[side]?.get(answerKey(one)));
      },
      holds(text) {
        const { side } = filter.texts[text]!;
        const one = sides[side];
        const known = one && facts[side]?.get(answerKey(one));
        return known && known.compared & (1 << text) ? (known.held & (1 << text)) !== 0 : undefined;
      },
    };
    const holds = filter.test(answer);
    if (holds) found.add(answerKey(row));
    else if (holds === undefined) unknown++;
  }
  return { found, unknown };
}

/** The values that a field of few values has. */
function valuesOf(rows: readonly ListedRow[], field: FieldName): readonly string[] {
  if (field === "outcome") return outcomes.filter((one) => one !== "cut");
  const values = new Set<string>();
  for (const row of rows) {
    const value = fieldOf(row, field);
    if (typeof value === "string") values.add(value);
  }
  return [...values].sort();
}

function fieldOf(row: ListedRow, field: FieldName, facts?: Facts): string | number | boolean | undefined {
  switch (field) {
    case "outcome":
      return outcomeOf(row);
    case "predicted":
      return row.prediction ?? "none";
    case "true":
      return row.answer;
    case "tokens":
    case "seconds":
    case "characters":
      return facts?.[field];
    case "reply":
    case "reasoning":
    case "question":
      return undefined;
    default:
      return row[field];
  }
}

async function factsOf(
  { run, known, questions }: FilteredRun,
  { names, texts }: NonNullable<ReturnType<typeof parseFilter>>,
  side: Side,
): Promise<Map<string, Facts>> {
  const facts = new Map<string, Facts>();
  const of = (key: string): Facts => {
    const one = facts.get(key) ?? { held: 0, compared: 0 };
    facts.set(key, one);
    return one;
  };
  const compare = (key: string, field: string, text: string | undefined): void => {
    for (const [at, one] of texts.entries())
      if (one.side === side && one.field === field && text !== undefined) {
        const fact = of(key);
        fact.compared |= 1 << at;
        fact.held = one.holds(text) ? fact.held | (1 << at) : fact.held & ~(1 << at);
      }
  };
  const asks = (...fields: FieldName[]): boolean => fields.some((field) => names.has(`${side} ${field}`));
  if (asks("tokens", "seconds", "characters", "reply", "reasoning"))
    for await (const { key, reply, reasoning, tokens, seconds } of said(run, known)) {
      compare(key, "reply", reply);
      compare(key, "reasoning", reasoning);
      Object.assign(of(key), { tokens, seconds, characters: reply.length });
    }
  if (asks("question")) {
    const told = known.results?.map((one) => one.texts);
    for (const language of new Set(known.rows.map((row) => row.language))) {
      const maps = told ?? [await questions(language)];
      for (const row of known.rows) {
        if (row.language !== language) continue;
        const text = maps.map((map) => map.get(row.id)).find((one) => one?.question !== undefined);
        if (text) compare(answerKey(row), "question", [text.question, ...(text.choices ?? [])].join("\n"));
      }
    }
  }
  return facts;
}

interface Said {
  readonly key: string;
  readonly reply: string;
  readonly reasoning?: string;
  readonly tokens?: number;
  readonly seconds?: number;
}

/** Every kept reply; of several to the same asking the last one counts, which comes last. */
async function* said(run: FoundRun, { results }: RunRows): AsyncGenerator<Said> {
  for (const { predictions } of results ?? [])
    for (const one of predictions) yield { key: answerKey(one), reply: one.reply };
  if (results) return;
  const replies = runFile(run.path, "replies.jsonl");
  const predictions = replies === undefined ? runFile(run.path, "predictions.jsonl") : undefined;
  if (replies !== undefined)
    for await (const { reply: line } of readLog(replies)) {
      if (!line) continue;
      const { text: reply, reasoning, tokens, milliseconds, stage } = line;
      const about = { reply, reasoning, tokens: tokens?.completion, seconds: milliseconds / 1000 };
      for (const id of line.ids) yield { key: answerKey({ stage, id }), ...about };
    }
  if (predictions !== undefined)
    for await (const one of readPredictions(predictions)) yield { key: answerKey(one), reply: one.reply };
}
