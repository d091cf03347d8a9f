/*
 * Questions without a question mark, by how they begin or end: "Is the answer A", "答案是A吗". What stands behind a comma
 * or a colon is no part of them: "Is it A: no, it is B".
 */

/** How a sentence begins that asks for yes or no; a small letter goes on from the prompt: "is the letter B". */
const BEGINS = new RegExp(
  `^[\\s>"'«“(]{0,6}(?:¿|(?:${[
    "(?:Is|Are|Was|Isn['’]t) (?:it|the|this|that|option|choice|[A-J] (?:the|correct|right|true|an?))",
    "(?:Could|Would|Should|Can|Might|Does|Did) (?:it|the|this|that|option|choice|[A-J])",
    "(?:Ist|Sind|Wäre|War|Könnte|Kann|Sollte) (?:es|die|das|der|Antwort|Option|[A-J] (?:die|das|der|richtig|korrekt))",
    "[Aa]pakah",
    "Je,",
    "Ṣé|Ǹjẹ́",
    "क्या",
    "هل",
  ].join("|")})(?![\\p{L}\\p{M}]))`,
  "u",
);

/** French puts the subject behind its verb: "Est-ce A", "La réponse est-elle A". */
const TURNED = /(?<!\p{L})(?:est|sont|serait|peut|pourrait)-(?:ce|elle|il)(?!\p{L})/iu;

/** How a clause ends that asks. */
const ENDS =
  /(?:[吗嗎]|(?:です|ます|でしょう|だろう|ません)か|입니까|일까요?|인가요|কি(?: ?\(?[A-Jক-ঞ]\)?)?)["'»”」)\s]{0,4}$/u;

/** The parts of a sentence that ask without a question mark, from their first character to before their end. */
export function* askedIn(sentence: string): Generator<readonly [start: number, end: number]> {
  let from = 0;
  // Swahili's "Je," has its comma for itself.
  const marks = sentence.matchAll(/(?<!^[\s>"'«“(]{0,6}Je)[,،、，:;–—]/gu);
  for (const end of [...[...marks].map(({ index }) => index), sentence.length]) {
    const part = sentence.slice(from, end);
    if ((from === 0 && BEGINS.test(part)) || TURNED.test(part) || ENDS.test(part)) yield [from, end];
    from = end + 1;
  }
}
