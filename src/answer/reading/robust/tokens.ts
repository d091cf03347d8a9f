import { labelOf } from "./labels.js";
import { BIT, fold, isUnspaced, rolesOf, UNSPACED, unspacedWordAt, wordsFrom } from "./lexicon.js";

/** A word, a letter of an option, a mark or the end of a line. */
export interface Token {
  readonly kind: "word" | "letter" | "mark" | "newline";
  /** As it stands; of a phrase, its words. */
  readonly text: string;
  readonly at: number;
  /** Bits of {@link BIT}. */
  readonly roles: number;
  /** Of a letter: its place among the labels, else -1. */
  readonly letter: number;
  /** Of a letter: whether it is a capital A, B, C … and no other script's or small one. */
  readonly capital: boolean;
  /** Of a letter: part of a name such as C++, B-cell, U.S.A. */
  readonly glued: boolean;
  readonly blankBefore: boolean;
  readonly blankAfter: boolean;
}

const RUN = `(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}_])+`;
const LEX = new RegExp(`\\n|[${UNSPACED}]|${RUN}(?:['’]${RUN})*|[^\\s]`, "gu");
const WORD = /[\p{L}\p{M}\p{N}_]/u;
const KATAKANA = /[ァ-ヺー]/;
/** Roles that a crossed or ticked option has by its mark. */
const SIGNS: Readonly<Record<string, number>> = { "✗": BIT.wrong, "✘": BIT.wrong, "❌": BIT.wrong, "✖": BIT.wrong };
const TICKS = "✓✔✅☑";

/** The tokens of a text of one reply, for options A to the count-th letter. Takes time in proportion to the text. */
export function tokensOf(text: string, count: number): Token[] {
  const pieces = [...text.matchAll(LEX)].map((match) => ({ text: match[0], at: match.index }));
  const tokens: Token[] = [];
  const blank = (at: number): boolean => at < 0 || at >= text.length || /\s/.test(text.charAt(at));
  const push = (token: Partial<Token> & Pick<Token, "kind" | "text" | "at">): void => {
    tokens.push({
      roles: 0,
      letter: -1,
      capital: false,
      glued: false,
      blankBefore: blank(token.at - 1),
      blankAfter: blank(token.at + token.text.length),
      ...token,
    });
  };
  for (let index = 0; index < pieces.length; index++) {
    const { text: piece, at } = pieces[index]!;
    if (piece === "\n") push({ kind: "newline", text: piece, at });
    else if (isUnspaced(piece.charAt(0))) {
      const letter = labelOf(piece, count);
      const word = unspacedWordAt(text, at);
      if (letter >= 0 && standsAlone(text, at, tokens.at(-1), word.length))
        push({ kind: "letter", text: piece, at, letter });
      else {
        push({ kind: "word", text: text.slice(at, at + word.length), at, roles: word.roles });
        while (index + 1 < pieces.length && pieces[index + 1]!.at < at + word.length) index++;
      }
    } else if (!WORD.test(piece)) {
      const roles = TICKS.includes(piece) ? BIT.right : (SIGNS[piece] ?? 0);
      push({ kind: roles ? "word" : "mark", text: piece, at, roles });
    } else {
      const phrase = phraseAt(pieces, index);
      const elided = /^(?:l|d|all|dell|nell|sull|dall|un)['’](\p{Lu})$/iu.exec(piece);
      // Arabic writes "and" with what follows it.
      const joined = /^و([أابجدهحطي])$/u.exec(piece)?.[1] ?? "";
      if (joined && labelOf(joined, count) >= 0) {
        push({ kind: "word", text: "و", at, roles: rolesOf("و") });
        push({ kind: "letter", text: joined, at: at + 1, letter: labelOf(joined, count) });
        continue;
      }
      const character = elided ? elided[1]! : piece;
      const letter = [...character].length === 1 ? labelOf(character, count) : -1;
      if (phrase.words > 1) {
        const last = pieces[index + phrase.words - 1]!;
        push({ kind: "word", text: text.slice(at, last.at + last.text.length), at, roles: phrase.roles });
        index += phrase.words - 1;
      } else if (letter >= 0) {
        const capital = character >= "A" && character <= "Z";
        const glued = isGlued(text, at, piece.length) || isNamed(text, at);
        push({ kind: "letter", text: piece, at, letter, capital, glued });
      } else push({ kind: "word", text: piece, at, roles: phrase.roles });
    }
  }
  return tokens;
}

/** The longest phrase with a role that begins at a piece; one word where there is none. */
function phraseAt(pieces: readonly { text: string }[], index: number): { words: number; roles: number } {
  const first = fold(pieces[index]!.text);
  let phrase = first;
  let best = { words: 1, roles: rolesOf(first) };
  for (let words = 2; words <= wordsFrom(first) && index + words <= pieces.length; words++) {
    const next = pieces[index + words - 1]!.text;
    if (!WORD.test(next)) break;
    phrase += ` ${fold(next)}`;
    const roles = rolesOf(phrase);
    if (roles) best = { words, roles };
  }
  return best;
}

/** Whether a character of a script without blanks is a letter by itself and not part of a word. */
function standsAlone(text: string, at: number, before: Token | undefined, wordLength: number): boolean {
  const previous = at > 0 ? text.charAt(at - 1) : " ";
  const next = at + 1 < text.length ? text.charAt(at + 1) : " ";
  if (KATAKANA.test(text.charAt(at))) return !KATAKANA.test(previous) && !KATAKANA.test(next);
  if (wordLength > 1) return false;
  const hangul = /\p{Script=Hangul}/u.test(text.charAt(at));
  const opens =
    !WORD.test(previous) || (!hangul && before !== undefined && (before.roles & (BIT.link | BIT.answer)) !== 0);
  const after = unspacedWordAt(text, at + 1);
  const closes = !WORD.test(next) || (hangul ? after.length > 2 && after.roles > 0 : after.roles > 0);
  return opens && closes;
}

/** Whether a letter is part of a name: C++, C#, B-cell, vitamin-B, U.S.A., N/A, 100 °C. */
function isGlued(text: string, at: number, length: number): boolean {
  const [before, previous] = [text.charAt(at - 2), text.charAt(at - 1)];
  const [next, after] = [text.charAt(at + length), text.charAt(at + length + 1)];
  const word = (character: string): boolean => character !== "" && WORD.test(character);
  return (
    previous === "°" ||
    ("+#-.'’".includes(previous) && previous !== "" && word(before) && !isUnspaced(before)) ||
    (previous === "/" && word(before) && !/[A-J]/i.test(before) && !isUnspaced(before)) ||
    (next !== "" && "+#".includes(next)) ||
    (next !== "" && "-'’.".includes(next) && word(after) && !isUnspaced(after))
  );
}

/** Words behind which a letter names something else than an option: a person, a vitamin, a kind. */
const NAMING = new Set(
  [
    "mr, mrs, ms, dr, prof, professor, herr, herrn, frau, monsieur, madame, mme, mlle, sr, sra, señor, señora",
    "senhor, senhora, signor, signora, sig, dott, tuan, nyonya, bapak, bwana",
    "vitamin, vitamins, vitamine, vitamines, vitamina, vitaminas, vitamini, provitamin, hepatitis, hepatite",
    "influenza, plan, plano, piano, rencana, type, typ, tipo, tipe, blutgruppe, immunoglobulin, protein",
    "appendix, exhibit, schedule",
  ]
    .join(", ")
    .split(", ")
    .map(fold),
);
/** Second names of species: a letter before one is the genus. */
const SPECIES = new Set(
  [
    "thaliana tumefaciens fumigatus flavus niger aegypti gambiae albopictus mellifera baumannii",
    "afarensis africanus sediba anamensis lumbricoides duodenale mexicanum carolinensis phagocytophilum",
    "subtilis anthracis cereus thuringiensis fragilis burgdorferi pertussis abortus melitensis rapa",
    "oleracea napus floridae elegans briggsae albicans auris glabrata neoformans immitis botulinum",
    "difficile tetani perfringens jejuni trachomatis psittaci diphtheriae burnetii freundii reinhardtii",
    "intestinalis lupus familiaris melanogaster discoideum rerio coli faecalis faecium histolytica",
    "granulosus vermicularis chaffeensis influenzae pylori sapiens erectus habilis neanderthalensis",
    "floresiensis musculus",
  ].flatMap((line) => line.split(" ")),
);
const EPITHET = /^\. {1,2}(\p{Ll}{3,16})(?![\p{L}\p{N}])/u;
const BEFORE = /(?<![\p{L}\p{M}\p{N}])(\p{L}[\p{L}\p{M}]{1,15})\.? $/u;
const INITIALS = /(?<![\p{L}\p{N}])(?:M|\p{Lu}\.\p{Lu})\. $/u;
const TITLE_BEHIND = /^(?:先生|女士|小姐|さん|くん|様|씨|型|형)/u;

/** Whether a letter is a name's: "Mr. B", "vitamin C", "U.S. A", "A. thaliana", "B先生", "A型". */
function isNamed(text: string, at: number): boolean {
  if (TITLE_BEHIND.test(text.slice(at + 1, at + 4))) return true;
  if (SPECIES.has(EPITHET.exec(text.slice(at + 1, at + 24))?.[1] ?? "")) return true;
  const before = text.slice(Math.max(0, at - 24), at);
  return INITIALS.test(before) || NAMING.has(fold(BEFORE.exec(before)?.[1] ?? ""));
}
