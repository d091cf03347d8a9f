import { BIT } from "./lexicon.js";
import { CLAUSES, ENDS, has, isArticle, isListed, isMark, REACH } from "./sentences.js";
import type { Token } from "./tokens.js";

/** Options that are named together: "A, B and C". */
export interface Group {
  readonly first: number;
  readonly last: number;
  /** Places of the letters in the tokens. */
  readonly members: readonly number[];
  /** Whether the first two are parted by a comma alone. */
  readonly loose: boolean;
}

export function groupsOf(tokens: readonly Token[]): Group[] {
  const groups: Group[] = [];
  for (let index = 0; index < tokens.length; index++) {
    if (tokens[index]!.kind !== "letter" || tokens[index]!.glued || isArticle(tokens, index)) continue;
    const members = [index];
    let loose = false;
    for (;;) {
      let [at, joined, comma] = [members.at(-1)! + 1, false, false];
      while (at < tokens.length && at < members.at(-1)! + 8) {
        const token = tokens[at]!;
        if (isMark(token, ",،")) comma = true;
        else if (isMark(token, "、/&+→⇒➔➜⟶") || isArrow(tokens, at) || has(token, BIT.and | BIT.or | BIT.nor))
          joined = true;
        else if (!isMark(token, ")]\"'»”(") && !has(token, BIT.option) && !(has(token, BIT.link) && joined)) break;
        at++;
      }
      if (tokens[at]?.kind !== "letter" || isArticle(tokens, at) || tokens[at]!.glued || !(joined || comma)) break;
      if (members.length === 1) loose = !joined;
      members.push(at);
    }
    groups.push({ first: index, last: members.at(-1)!, members, loose });
    index = members.at(-1)!;
  }
  return groups;
}

/** The head of "->" and "=>". */
const isArrow = (tokens: readonly Token[], at: number): boolean =>
  isMark(tokens[at], "-=–—>") && (isMark(tokens[at + 1], ">") || isMark(tokens[at - 1], "-=–—"));

const POINTING = new Set(
  (
    "which that this it that's it's die das dies diese was ce c'est qui celle-ci que lo cual esto eso il che questo " +
    "o isso yang itu ini ambayo 这 這 这个 هذا وهذا وهو وهي यह जो এটি যা これ それ 이는 이것"
  ).split(" "),
);

/** "…, which is wrong", "… (incorrect)": what points back at a group and rejects it. */
export function isRetracted(tokens: readonly Token[], group: Group): boolean {
  let [at, marks] = [group.last + 1, ""];
  while (tokens[at]?.kind === "mark") marks += tokens[at++]!.text;
  if (has(tokens[at], BIT.wrong) && /^[)\]"'»”]*\($/.test(marks)) return isMark(tokens[at + 1], ")");
  if (!/[,.،，。(;–—-]/.test(marks)) return false;
  const pointing = (token: Token | undefined): boolean =>
    token?.kind === "word" && POINTING.has(token.text.toLowerCase().replace("’", "'"));
  if (!pointing(tokens[at])) return false;
  for (let seen = 0; seen < 4; seen++, at++) {
    const token = tokens[at];
    if (has(token, BIT.wrong)) return true;
    if (has(token, BIT.not)) return has(tokens[at + 1], BIT.right) || has(tokens[at + 2], BIT.right);
    if (!pointing(token) && !has(token, BIT.link)) return false;
  }
  return false;
}

/** "A is wrong", "A、B错误", "A und B sind falsch", "B ではない": what follows a group, in its clause, rejects it. */
export function rejectedAfter(tokens: readonly Token[], group: Group, spent: Set<number>): boolean {
  const listed = group.members.length === 1 && isListed(tokens, group.first);
  // "Answer: B. No other fits.": there the point ends a sentence.
  const numbered = listed || has(tokens[group.first - 1], BIT.option);
  let found: number[] = [];
  let at = group.last + 1;
  if (isMark(tokens[at], numbered ? ").:、]" : "):、]")) at++;
  for (let seen = 0; at < tokens.length && seen < (listed ? 60 : REACH); at++, seen++) {
    const token = tokens[at]!;
    if (token.kind === "letter" && !isArticle(tokens, at)) {
      // "B is right, not A": the word just before the next letter is about that one.
      if (found.length > 0 && found.at(-1)! >= at - 2 && isPlainNot(tokens[found.at(-1)!])) found = found.slice(0, -1);
      break;
    }
    if (token.kind === "newline" || (!listed && (isMark(token, CLAUSES) || has(token, BIT.so)))) break;
    if (has(token, BIT.but) && found.length > 0) break;
    if (has(token, BIT.wrong) || (!listed && has(token, BIT.not | BIT.exclude) && !optionNumber(tokens, at)))
      found.push(at);
    else if (has(token, BIT.right) && listed && !has(tokens[at - 1], BIT.not)) {
      if (found.length === 0) return false;
    }
  }
  // What is both: "is not wrong".
  const not = found.filter((place) => has(tokens[place], BIT.not) && !has(tokens[place], BIT.wrong));
  const wrong = found.filter((place) => has(tokens[place], BIT.wrong));
  for (const place of found) spent.add(place);
  return (
    found.length > 0 && !(not.length === 1 && wrong.length === 1 && wrong[0]! - not[0]! <= 2 && wrong[0]! > not[0]!)
  );
}

const isPlainNot = (token: Token | undefined): boolean => has(token, BIT.not) && !has(token, BIT.wrong | BIT.but);

/** Portuguese "no item B" is no "not". */
const optionNumber = (tokens: readonly Token[], at: number): boolean =>
  /^no$/i.test(tokens[at]!.text) && has(tokens[at + 1], BIT.option);

/** "not B", "nicht A", "wrong: A, B", "we can rule out A": what stands before a group, in its clause, rejects it. */
export function rejectedBefore(tokens: readonly Token[], group: Group, spent: Set<number>): boolean {
  let colon = false;
  for (let at = group.first - 1, seen = 0; at >= 0 && seen < 9; at--, seen++) {
    const token = tokens[at]!;
    if (isMark(token, ":")) colon = true;
    else if (token.kind === "mark" && `${ENDS},،、–—`.includes(token.text)) return false;
    else if (token.kind === "letter" && !isArticle(tokens, at)) return nextOfNeither(tokens, group, at, spent);
    else if (token.kind === "newline" && !colon) return false;
    else if (has(token, BIT.not) && has(token, BIT.but)) return false;
    else if (has(token, BIT.not) && !spent.has(at) && !optionNumber(tokens, at)) {
      if (colon) return false;
      spent.add(at);
      return true;
    } else if (has(token, BIT.wrong | BIT.exclude) && !spent.has(at)) {
      spent.add(at);
      return true;
    } else if (has(token, BIT.nor) && repeated(tokens, group, at)) return true;
    else if (has(token, BIT.so | BIT.but) || (has(token, BIT.and) && !has(token, BIT.link))) return false;
    else if (token.kind === "word" && token.roles === 0 && seen > 4) return false;
  }
  return false;
}

/** "ni A ni B", "né A né B": the same word before both. */
function repeated(tokens: readonly Token[], group: Group, at: number): boolean {
  if (at !== group.first - 1) return false;
  const word = tokens[at]!.text.toLowerCase();
  for (let other = Math.max(0, at - 8); other < Math.min(tokens.length, group.last + 8); other++)
    if (other !== at && tokens[other]!.text.toLowerCase() === word && tokens[other + 1]?.kind === "letter") return true;
  return false;
}

/** "neither A nor B" where the words between make two groups of it. */
function nextOfNeither(tokens: readonly Token[], group: Group, letter: number, spent: ReadonlySet<number>): boolean {
  for (let at = letter + 1; at < group.first; at++) {
    const token = tokens[at]!;
    if ((has(token, BIT.not | BIT.exclude) && !spent.has(at)) || (has(token, BIT.nor) && !has(token, BIT.link)))
      return true;
  }
  return false;
}
