import { BIT, fold, rolesOf } from "./lexicon.js";

const FENCE = /```(?:jsonc?|JSON)?[ \t]{0,4}\n([^`]{1,60000})```/;

/** What a reply holds as JSON, alone, in a code fence or between its first and last bracket; undefined for none. */
export function jsonIn(text: string): unknown {
  const fenced = FENCE.exec(text)?.[1];
  const bare = text.trim();
  const opening = bare.search(/[[{]/);
  const closing = Math.max(bare.lastIndexOf("]"), bare.lastIndexOf("}"));
  for (const candidate of [
    fenced,
    bare,
    opening >= 0 && closing > opening ? bare.slice(opening, closing + 1) : undefined,
  ]) {
    if (candidate === undefined || !/^\s{0,4}[[{]/.test(candidate)) continue;
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      // Prose with brackets.
    }
  }
  return undefined;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const namesAnswer = (key: string): boolean => {
  const words = fold(key.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll(/[_-]+/g, " ")).split(" ");
  return words.length <= 4 && words.some((word) => rolesOf(word) & (BIT.answer | BIT.option | BIT.choose));
};

/** The value of an object that is named as its answer; undefined where none or several are. */
export function answerOf(value: Record<string, unknown>): unknown {
  const named = Object.entries(value).filter(([key]) => namesAnswer(key));
  const answers = named.filter(([key]) => /answer|solution/i.test(key));
  const [only, ...more] = answers.length > 0 ? answers : named;
  return more.length === 0 ? only?.[1] : undefined;
}
