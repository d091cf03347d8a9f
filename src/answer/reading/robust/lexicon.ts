import { type Role, WORDS } from "./words.js";

/** Scripts that are written without blanks between words. */
export const UNSPACED = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}";
const unspaced = new RegExp(`[${UNSPACED}]`, "u");
export const isUnspaced = (character: string): boolean => unspaced.test(character);

const ROLES = [
  "answer",
  "option",
  "choose",
  "right",
  "wrong",
  "not",
  "exclude",
  "final",
  "correction",
  "but",
  "so",
  "and",
  "or",
  "nor",
  "if",
  "link",
] as const satisfies readonly Role[];

/** Each role a bit: a phrase may have several, in one language or in two. */
export const BIT = Object.fromEntries(ROLES.map((role, index) => [role, 1 << index])) as Record<Role, number>;

/** Lower case, without the accents of Latin letters and the vowel signs and hamzas of Arabic ones. */
export function fold(text: string): string {
  const lower = text.toLowerCase().replaceAll("’", "'");
  if (/^[a-z0-9' ]*$/.test(lower)) return lower;
  return lower
    .normalize("NFD")
    .replace(/[\u0300-\u036f\u064b-\u0655\u0640]/g, "")
    .replaceAll("ى", "ي")
    .replaceAll("ة", "ه")
    .normalize("NFC");
}

const phrases = new Map<string, number>();
/** For the first word of a phrase, how many words the longest one has. */
const longest = new Map<string, number>();
let widest = 1;

for (const language of Object.values(WORDS)) {
  for (const role of ROLES) {
    for (const phrase of (language[role] ?? "").split(",").map((text) => fold(text.trim()))) {
      if (phrase === "") continue;
      phrases.set(phrase, (phrases.get(phrase) ?? 0) | BIT[role]);
      if (isUnspaced(phrase)) widest = Math.max(widest, phrase.length);
      else {
        const words = phrase.split(" ");
        longest.set(words[0]!, Math.max(longest.get(words[0]!) ?? 1, words.length));
      }
    }
  }
}
// What is a mere link in one language says nothing sure in another: "to" is Yoruba's "right" without its accents.
const UNSURE = BIT.answer | BIT.option | BIT.choose | BIT.right | BIT.wrong | BIT.exclude | BIT.final | BIT.not;
for (const [phrase, roles] of phrases)
  if (roles & BIT.link && !isUnspaced(phrase)) phrases.set(phrase, roles & ~UNSURE);

/** How many words of a phrase that begins with this word are to be tried, at most. */
export const wordsFrom = (first: string): number => longest.get(first) ?? 1;

/** The roles of a folded phrase; 0 where it has none. */
export function rolesOf(phrase: string): number {
  const roles = phrases.get(phrase);
  if (roles !== undefined) return roles;
  if (phrase.endsWith("n't")) return BIT.not;
  const apostrophe = phrase.lastIndexOf("'");
  if (apostrophe > 0) return phrases.get(phrase.slice(apostrophe + 1)) ?? 0;
  // Arabic writes "and" with the word that follows it.
  return phrase.length > 3 && phrase.startsWith("و") ? (phrases.get(phrase.slice(1)) ?? 0) : 0;
}

/** The longest word at a place of a text in a script without blanks: its length and roles. */
export function unspacedWordAt(text: string, at: number): { length: number; roles: number } {
  for (let length = Math.min(widest, text.length - at); length > 0; length--) {
    const roles = phrases.get(text.slice(at, at + length));
    if (roles !== undefined) return { length, roles };
  }
  return { length: 1, roles: 0 };
}
