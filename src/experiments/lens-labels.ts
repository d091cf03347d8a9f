import { rowTexts } from "../answer/index.js";
import { UserError } from "../base/errors.js";
import { loadCorpus, readTable, type Table } from "../data/index.js";
import type { LensLabels } from "../evaluate/index.js";
import type { Manifest } from "../record/index.js";
import { contentOf } from "../split/index.js";
import { isMmluSubject, lettersOfRows, questionOf, type Row } from "../tasks/index.js";
import type { Tokenizer } from "../tokens/index.js";
import { migrated } from "./configuration/renames.js";
import { experimentSchema } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { findExperimentTokenizer, loadRows } from "./prepare.js";

/** Rows whose tokens are counted at once. */
const AT_ONCE = 4096;

/** The rows that a finished run read, as its own manifest names them. @throws {UserError} where they are not to be had */
export async function rowsOfRun(
  manifest: Pick<Manifest, "configuration" | "name">,
  context: RunContext,
): Promise<{ rows: readonly Row[]; tokenizer: () => Promise<Tokenizer> }> {
  const read = experimentSchema.safeParse(migrated(manifest.configuration).configuration);
  if (!read.success)
    throw new UserError(`the manifest of ${manifest.name} has a configuration that this version does not read`, {
      hint: "Its rows cannot be read anew: leave out what needs their texts.",
    });
  const { trainFrom: _train, limit: _limit, ...data } = read.data.data;
  const { rows } = await loadRows(data, context);
  return {
    rows,
    tokenizer: async () => (await findExperimentTokenizer(read.data, context, () => lettersOfRows(rows))).load(),
  };
}

/** What rows' texts tell: tokens, unknown ones, and which repeat another of their language. */
export async function labelsOfTexts(
  rows: readonly Row[],
  tokenizer: Tokenizer,
  context: Pick<RunContext, "progress">,
): Promise<Pick<LensLabels, "tokens" | "tokenizer" | "duplicates">> {
  const tokens = new Map<string, { count: number; unknown: number; perCharacter: number }>();
  const text = rowTexts["question-and-choices"];
  context.progress.begin("counting tokens", rows.length);
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const part = rows.slice(start, start + AT_ONCE);
    const texts = part.map(text);
    const { unknownId } = tokenizer;
    if (unknownId === undefined) {
      const counts = await tokenizer.count(texts, false);
      part.forEach(({ id }, index) => {
        const count = counts[index]!;
        tokens.set(id, { count, unknown: 0, perCharacter: count / Math.max(1, texts[index]!.length) });
      });
    } else {
      const all = await tokenizer.encodeAll(texts, false);
      part.forEach(({ id }, index) => {
        const ids = all[index]!;
        const unknown = ids.filter((one) => one === unknownId).length / Math.max(1, ids.length);
        tokens.set(id, { count: ids.length, unknown, perCharacter: ids.length / Math.max(1, texts[index]!.length) });
      });
    }
    context.progress.update(start + part.length);
  }
  context.progress.end();
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const row of rows) {
    const content = contentOf(row);
    if (seen.has(content)) duplicates.add(row.id);
    seen.add(content);
  }
  return { tokens, tokenizer: tokenizer.source, duplicates };
}

/** A text as two files may both have it: one form of Unicode, blanks as one, in small letters. */
const plain = (text: string): string => text.normalize("NFKC").replace(/\s+/gu, " ").trim().toLowerCase();

/** All columns of a file of labels. @throws {UserError} naming those that are needed and missing */
async function labelTable(path: string, needed: readonly string[]): Promise<Table> {
  const table = await readTable(path);
  const missing = needed.filter((name) => !table.columns.has(name));
  if (missing.length)
    throw new UserError(`${path} has no column ${missing.join(", ")}`, {
      hint: `It has ${[...table.columns.keys()].slice(0, 20).join(", ")}.`,
    });
  return table;
}

/**
 * MMLU-Redux' error labels by question. Its rows have no number: they are found by their English text.
 * @param english MMLU's own rows: a hub id (`cais/mmlu`), a folder, or a file of own rows with its subjects and numbers
 * @throws {UserError} where a column is missing, or no row is found
 */
export async function reduxErrors(path: string, english: string, context: RunContext): Promise<Map<string, string>> {
  const labels = await labelTable(path, ["question", "error_type"]);
  const { rows } = await loadCorpus({
    source: english,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    environment: context.environment,
  });
  const places = new Map<string, string[]>();
  const add = (key: string, question: string): void => void places.set(key, [...(places.get(key) ?? []), question]);
  for (const row of rows) {
    // A file of own rows has keys of its own, and MMLU's questions their subjects and numbers.
    const question = isMmluSubject(row.subject) ? `${row.subject}/${row.index}` : questionOf(row);
    add(plain(row.question), question);
    add([row.question, ...row.choices].map(plain).join("\n"), question);
  }
  const cell = (column: string, row: number): string => {
    const value = labels.columns.get(column)?.[row];
    return typeof value === "string" ? value : "";
  };
  const errors = new Map<string, string>();
  let found = 0;
  for (let row = 0; row < labels.length; row++) {
    const choices = labels.columns.get("choices")?.[row];
    const whole = Array.isArray(choices)
      ? places.get([cell("question", row), ...choices.map((one) => one ?? "")].map(plain).join("\n"))
      : undefined;
    const questions = whole ?? places.get(plain(cell("question", row))) ?? [];
    const subject = cell("subject", row) || cell("config", row);
    const own = questions.filter((one) => subject === "" || one.startsWith(`${subject}/`));
    // A text that several questions share, and whose choices do not tell them apart, is nobody's.
    const [question, other] = own.length ? own : questions;
    if (question === undefined || (other !== undefined && !whole)) continue;
    found++;
    const error = cell("error_type", row).trim();
    if (error !== "" && error.toLowerCase() !== "ok") errors.set(question, error);
  }
  if (found === 0)
    throw new UserError(`${path}: none of its ${labels.length} questions is among the rows of ${english}`, {
      hint: "Give MMLU's own English rows with --english, such as cais/mmlu.",
    });
  context.progress.say(
    `${path}: ${found.toLocaleString("en")} of ${labels.length.toLocaleString("en")} rows found, ` +
      `${errors.size.toLocaleString("en")} with an error`,
  );
  return errors;
}

/**
 * Global-MMLU's cultural labels by question: `culturally sensitive` or `agnostic`.
 * @throws {UserError} where a column is missing, or no row has a label
 */
export async function culturalLabels(
  path: string,
  context: Pick<RunContext, "progress">,
): Promise<Map<string, string>> {
  const labels = await labelTable(path, ["sample_id", "cultural_sensitivity_label"]);
  const ids = labels.columns.get("sample_id")!;
  const kinds = labels.columns.get("cultural_sensitivity_label")!;
  const found = new Map<string, string>();
  for (let row = 0; row < labels.length; row++) {
    const [id, kind] = [ids[row], kinds[row]];
    if (typeof id !== "string" || typeof kind !== "string") continue;
    const name = CULTURAL[kind.trim().toUpperCase()];
    if (name) found.set(id.trim().replace("/test/", "/"), name);
  }
  if (found.size === 0)
    throw new UserError(`${path}: no row has a cultural_sensitivity_label`, {
      hint: "Give a file of Global-MMLU's own rows: they have CS or CA there.",
    });
  context.progress.say(`${path}: ${found.size.toLocaleString("en")} questions with a cultural label`);
  return found;
}

const CULTURAL: Readonly<Record<string, string>> = { CS: "culturally sensitive", CA: "agnostic" };
