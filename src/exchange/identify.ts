import { sha256 } from "../base/files.js";
import {
  cleanSubject,
  isMmluSubject,
  LANGUAGES,
  type Letter,
  languageTag,
  OPTION_LETTERS,
  rowId,
  SUBJECTS,
  wholeNumber,
} from "../tasks/index.js";
import { UNKNOWN_PLACE } from "./result.js";

/** Which question of which language a row of another tool asks, as far as it says. */
export interface Place {
  /** Our row id, or one made of the text. */
  readonly id: string;
  readonly language: string;
  readonly subject: string;
}

export interface Clues {
  /** The tool's name of the task, such as `mmmlu_de_de_anatomy`. */
  readonly task: string;
  /** Columns of the data set, or metadata. */
  readonly doc: Readonly<Record<string, unknown>>;
  /** Its place among the rows of its task. */
  readonly number?: number;
  readonly language?: string;
  readonly question?: string;
  readonly choices?: readonly string[];
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;

/** Finds out which row it is: by an id of ours, by set, language, subject and index, else by its text alone. */
export function placeOf({ task, doc, number, ...clues }: Clues): Place {
  const own = text(doc["mmmlu_lab_id"]) ?? text(doc["id"]);
  const parts = own === undefined ? undefined : OWN_ID.exec(own);
  if (parts) return { id: own!, language: parts[1]!, subject: parts[2]! };
  const name = task.toLowerCase().replace(/^.*\//, "").replaceAll("-", "_");
  const subject = subjectOf(doc, name);
  const sample = /^([a-z_]+)\/test\/(\d{1,6})$/.exec(text(doc["sample_id"]) ?? "");
  const set = setOf(name, clues.language ?? text(doc["language"]), sample !== null);
  const index = sample
    ? Number(sample[2])
    : (wholeNumber(text(doc["Unnamed: 0"]) ?? text(doc["index"]) ?? "") ?? (namesSubject(name) ? number : undefined));
  const clean = sample?.[1] ?? subject;
  if (set && clean !== undefined && isMmluSubject(clean) && index !== undefined)
    return { id: rowId(set.prefix, set.language, clean, index), language: set.language, subject: clean };
  const language = set?.language ?? clues.language ?? "und";
  return { id: textId(language, clues), language, subject: clean ?? "all" };
}

const OWN_ID = /^(?:[a-z-]+:)?([^/:]{1,100})\/([^/]{1,200})\/\d{1,9}$/;

/** An id of what a row says: the same in every tool that asks the same in the same language. */
export const textId = (
  language: string,
  { question = "", choices = [] }: Pick<Clues, "question" | "choices">,
): string =>
  `${UNKNOWN_PLACE}${languageTag(language)}/all/` +
  `${Number.parseInt(sha256(textKey(question, choices)).slice(0, 12), 16)}`;

/** What tells a question from others by its text: whatever the order of its options. */
export const textKey = (question: string, choices: readonly string[]): string =>
  [question, ...choices.map(plainText).sort()].map(plainText).join("\n");

/** A text without what two files may write differently: one form of Unicode, blanks as one, in small letters. */
export const plainText = (written: string): string =>
  written.normalize("NFKC").replace(/\s+/gu, " ").trim().toLowerCase();

const subjectOf = (doc: Clues["doc"], name: string): string | undefined => {
  const told = text(doc["Subject"]) ?? text(doc["subject"]);
  if (told !== undefined) return cleanSubject(told).replaceAll(" ", "_");
  return SUBJECTS.find((subject) => name.endsWith(`_${subject}`) || name === subject);
};

const namesSubject = (name: string): boolean => SUBJECTS.some((subject) => name.endsWith(`_${subject}`));

const LANGUAGE_OF_TAG: ReadonlyMap<string, string> = new Map(LANGUAGES.map((code) => [languageTag(code), code]));

/** The set that a task's name tells, and the language as that set codes it. */
function setOf(
  name: string,
  told: string | undefined,
  global: boolean,
): { readonly prefix: string; readonly language: string } | undefined {
  const mmmlu = LANGUAGES.find(
    (code) =>
      new RegExp(`(^|_)mmmlu_${code.toLowerCase()}(_|$)`).test(name) || code === told?.replace("-", "_").toUpperCase(),
  );
  if (mmmlu) return { prefix: "", language: mmmlu };
  if (global || /(^|_)global_mmlu/.test(name)) {
    const language = /global_mmlu_(?:full_|lite_)?([a-z]{2,3})(?:_|$)/.exec(name)?.[1] ?? told;
    return language === undefined ? undefined : { prefix: "global-mmlu", language };
  }
  if (told !== undefined) {
    const code = LANGUAGE_OF_TAG.get(languageTag(told));
    if (code) return { prefix: "", language: code };
  }
  return /(^|_)mmlu(_|$)/.test(name) && (told === undefined || languageTag(told) === "en")
    ? { prefix: "mmlu", language: "en" }
    : undefined;
}

/** The letter that a target names: itself, a number from 0, or one of the options' texts. */
export function letterOf(target: unknown, choices: readonly string[] = []): Letter | undefined {
  const written = text(target)?.trim();
  if (written === undefined) return undefined;
  const letter = /^\(?([A-J])[).]?$/.exec(written)?.[1];
  if (letter) return letter as Letter;
  if (/^\d$/.test(written)) return OPTION_LETTERS[Number(written)];
  const at = choices.findIndex((choice) => plainText(choice) === plainText(written));
  return at >= 0 ? OPTION_LETTERS[at] : undefined;
}
