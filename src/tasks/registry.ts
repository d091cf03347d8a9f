import { UsageError } from "../base/errors.js";
import { ownValue } from "../base/named.js";
import { globalMmlu } from "./global-mmlu.js";
import { include } from "./include.js";
import { mmlu } from "./mmlu.js";
import { mmluProx } from "./mmlu-prox.js";
import { LANGUAGES_IN_ENGLISH, mmmlu } from "./mmmlu.js";
import { isOwnFile, ownRows } from "./own-rows.js";
import type { Task } from "./task.js";

/** All tasks; a new one is a file and its name here. */
export const tasks: readonly Task[] = [mmmlu, globalMmlu, mmluProx, include, mmlu, ownRows];

/** @throws {UsageError} where there is no such task; the message lists them. */
export function taskNamed(name: string): Task {
  const task = tasks.find((one) => one.name === name);
  if (!task)
    throw new UsageError(`there is no task "${name}"`, {
      hint: `Tasks: ${tasks.map((one) => one.name).join(", ")}.`,
    });
  return task;
}

/**
 * The task that a source of rows is of: that of the hub's data set, own rows of a file, MMMLU where nothing else is
 * told.
 */
export const taskOfSource = (source: string): Task =>
  tasks.find(({ hub }) => hub?.repository.toLowerCase() === source.toLowerCase()) ??
  (isOwnFile(source) ? ownRows : mmmlu);

const tags: ReadonlyMap<string, string> = new Map(tasks.flatMap(({ languages }) => Object.entries(languages)));

/**
 * What BCP 47 calls a language that sets code as `DE_DE`, `de` or `German`: `de`; a code that no set has is its own
 * tag.
 */
export const languageTag = (code: string): string => tags.get(code) ?? code;

/**
 * The languages asked for, as there they are coded: `DE_DE` is `de` in Global-MMLU and `German` in INCLUDE.
 * @param there the codes of the languages that there are
 * @returns undefined for a language that is not there
 */
export const languagesAmong = (asked: readonly string[], there: readonly string[]): (string | undefined)[] =>
  asked.map((code) => (there.includes(code) ? code : there.find((other) => languageTag(other) === languageTag(code))));

let unicodeNames: Intl.DisplayNames | undefined;

/**
 * A language's name in English, as its set codes it: `German`. MMMLU's are those of lm-evaluation-harness; others are
 * Unicode's, and a code that it does not know is its own name.
 */
export function languageInEnglish(code: string): string {
  const own = ownValue<string>(LANGUAGES_IN_ENGLISH, code);
  if (own !== undefined) return own;
  unicodeNames ??= new Intl.DisplayNames("en", { type: "language" });
  try {
    return unicodeNames.of(languageTag(code)) ?? code;
  } catch {
    return code;
  }
}
