import { OPTION_LETTERS } from "../../../tasks/index.js";

/** The letters of options: ten at most. */
export const ALL_LABELS = OPTION_LETTERS.join("");

/**
 * Letters that stand for A–J in other scripts: look-alikes, and the choice letters of Arabic, Bengali, Hindi, Japanese,
 * Korean and Chinese tests.
 */
const OTHER_SCRIPTS: readonly string[] = [
  "АΑأاঅকअकア가甲",
  "ВΒبবখबखイ나乙",
  "СϹجডগसगウ다丙",
  "দঢঘदघエد라丁",
  "ЕΕهঙङオ마戊",
  "চचカ바己",
  "ছछキ사庚",
  "НΗク아辛",
  "ІΙطঝझケ자壬",
  "Јيঞञコ차癸",
];

const OTHER: ReadonlyMap<string, number> = new Map(
  OTHER_SCRIPTS.flatMap((letters, index) => [...letters].map((other) => [other, index] as const)),
);

/** The place of a character among the labels: a label of either case, or a letter of another script; -1 for none. */
export function labelOf(character: string, count: number): number {
  const plain = character.length === 1 ? ALL_LABELS.indexOf(character.toUpperCase()) : -1;
  const index = plain >= 0 ? plain : (OTHER.get(character) ?? OTHER.get(character.toUpperCase()) ?? -1);
  return index < count ? index : -1;
}
