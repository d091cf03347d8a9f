import { BIT } from "./lexicon.js";
import { type Token, tokensOf } from "./tokens.js";

/** A place where a text says which option is right. */
interface Claim {
  readonly at: number;
  /** The option's place among the labels; -1 where several are named. */
  readonly letter: number;
  /** Said to be final: outranks what came before. */
  readonly final: boolean;
}

/** Options that are named together: "A, B and C". */
interface Group {
  readonly first: number;
  readonly last: number;
  /** Places of the letters in the tokens. */
  readonly members: readonly number[];
  /** Whether the first two are parted by a comma alone. */
  readonly loose: boolean;
}

const REACH = 16;
const ENDS = ".!?。！？।॥؟;؛";
const CLAUSES = `${ENDS},،、:–—`;
const has = (token: Token | undefined, bits: number): boolean => token !== undefined && (token.roles & bits) !== 0;
const isMark = (token: Token | undefined, marks: string): boolean =>
  token?.kind === "mark" && marks.includes(token.text);

/**
 * The option that a text to one question settles on, as its place among `count` labels; -1 where it settles on none. It
 * would rather say none than guess: two different claims are none unless the text says which is corrected, options that
 * are rejected are none, and nor are those that a question asks about.
 */
export function settledOption(text: string, count: number, explicit: readonly Claim[] = []): number {
  const tokens = tokensOf(text, count);
  const groups = groupsOf(tokens);
  const spent = new Set<number>();
  const rejected = new Set<Group>();
  for (const group of groups) if (rejectedAfter(tokens, group, spent)) rejected.add(group);
  for (const group of groups) if (rejectedBefore(tokens, group, spent)) rejected.add(group);
  const out = new Set(
    [...rejected].flatMap((group) =>
      (group.loose && leads(tokens, group) ? group.members.slice(1) : group.members).map((at) => tokens[at]!.letter),
    ),
  );
  const claims = [
    ...explicit,
    ...claimsIn(tokens, groups, rejected, spent),
    ...claimsByPlace(tokens, groups, rejected),
  ].sort((one, other) => one.at - other.at);
  if (claims.length > 0) return settle(claims, tokens, out);
  return rejected.size > 0 ? -1 : onlySpoken(tokens);
}

function groupsOf(tokens: readonly Token[]): Group[] {
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
        else if (isMark(token, "、/&+") || has(token, BIT.and | BIT.or | BIT.nor)) joined = true;
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

/** Whether a comma's list begins with the claimed letter: "the answer is B, A is wrong". */
const leads = (tokens: readonly Token[], group: Group): boolean =>
  has(tokens[back(tokens, group.first)], BIT.answer | BIT.right | BIT.choose | BIT.link | BIT.so);

function back(tokens: readonly Token[], from: number): number {
  let at = from - 1;
  while (at > 0 && tokens[at]!.kind === "mark" && !isMark(tokens[at], `${ENDS},،、`)) at--;
  return at;
}

/** A letter that begins a line and has a mark of lists behind it: "A) …", "A: …". */
const isListed = (tokens: readonly Token[], at: number): boolean => {
  let before = at - 1;
  while (before >= 0 && tokens[before]!.kind === "mark") before--;
  return (before < 0 || tokens[before]!.kind === "newline") && isMark(tokens[at + 1], ").:、]-–—");
};

/** "A is wrong", "A、B错误", "A und B sind falsch", "B ではない": what follows a group, in its clause, rejects it. */
function rejectedAfter(tokens: readonly Token[], group: Group, spent: Set<number>): boolean {
  const listed = group.members.length === 1 && isListed(tokens, group.first);
  let found: number[] = [];
  let at = group.last + 1;
  if (isMark(tokens[at], ").:、]")) at++;
  for (let seen = 0; at < tokens.length && seen < (listed ? 60 : REACH); at++, seen++) {
    const token = tokens[at]!;
    if (token.kind === "letter" && !isArticle(tokens, at)) {
      // "B is right, not A": the word just before the next letter is about that one.
      if (found.length > 0 && found.at(-1)! >= at - 2 && !has(tokens[at - 1], BIT.and | BIT.but))
        found = found.slice(0, -1);
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

/** Portuguese "no item B" is no "not". */
const optionNumber = (tokens: readonly Token[], at: number): boolean =>
  /^no$/i.test(tokens[at]!.text) && has(tokens[at + 1], BIT.option);

/** "not B", "nicht A", "wrong: A, B", "we can rule out A": what stands before a group, in its clause, rejects it. */
function rejectedBefore(tokens: readonly Token[], group: Group, spent: Set<number>): boolean {
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

const MARKERS = BIT.answer | BIT.choose | BIT.right | BIT.so | BIT.but;

function claimsIn(
  tokens: readonly Token[],
  groups: readonly Group[],
  rejected: ReadonlySet<Group>,
  spent: ReadonlySet<number>,
): Claim[] {
  const claims: Claim[] = [];
  const groupAt = new Map(groups.map((group) => [group.first, group]));
  const claimed = new Set<Group>();
  const used = new Set<number>();
  const gone = new Set([...rejected].flatMap(({ members }) => members));
  for (const group of groups) {
    if (group.members.length > 1 || rejected.has(group)) continue;
    const marker = saidOf(tokens, group, gone);
    if (marker < 0 || asks(tokens, group.last)) continue;
    used.add(marker);
    claimed.add(group);
    claims.push({ at: tokens[group.first]!.at, letter: tokens[group.first]!.letter, final: isFinal(tokens, marker) });
  }
  for (let marker = 0; marker < tokens.length; marker++) {
    if (!has(tokens[marker], MARKERS) || used.has(marker)) continue;
    if (spent.has(marker) && !has(tokens[marker], BIT.but)) continue;
    const walk = forward(tokens, marker);
    const group = walk.letter < 0 ? undefined : groupAt.get(walk.letter);
    if (!group || claimed.has(group) || asks(tokens, group.last)) continue;
    const only = has(tokens[marker], BIT.but) && !has(tokens[marker], BIT.not | (MARKERS & ~(BIT.but | BIT.so)));
    if (only && !groups.some((other) => rejected.has(other) && other.last < marker && marker - other.last < 8))
      continue;
    const first = tokens[group.first]!;
    const alone = group.members.length === 1 || (group.loose && rejected.has(group));
    if (rejected.has(group) && !(group.loose && leads(tokens, group))) continue;
    if (
      !first.capital &&
      first.letter >= 0 &&
      /^[a-j]$/.test(first.text) &&
      !walk.opened &&
      !isClosed(tokens, group.last)
    )
      continue;
    const so = has(tokens[marker], BIT.so) && !has(tokens[marker], MARKERS & ~BIT.so);
    if (so && !isClosed(tokens, group.last)) continue;
    claimed.add(group);
    claims.push({ at: first.at, letter: alone ? first.letter : -1, final: isFinal(tokens, marker) });
  }
  return claims;
}

/** The marker that says of a letter before it that it is right: "C is correct", "Cが正解です"; -1 for none. */
function saidOf(tokens: readonly Token[], group: Group, gone: ReadonlySet<number>): number {
  const first = tokens[group.first]!;
  if (/^[a-j]$/.test(first.text) && !has(tokens[group.first - 1], BIT.option)) return -1;
  const listed = isListed(tokens, group.first);
  let at = group.last + 1;
  if (isMark(tokens[at], ").:、]")) at++;
  for (let seen = 0; at < tokens.length && seen < (listed ? 60 : REACH); at++, seen++) {
    const token = tokens[at]!;
    if (token.kind === "newline" || token.kind === "letter") return -1;
    if (has(token, BIT.not | BIT.wrong)) return -1;
    if (isMark(token, listed ? "?？؟" : CLAUSES)) return -1;
    if (listed ? has(token, BIT.right) : has(token, BIT.right | BIT.answer | BIT.choose)) {
      const walk = forward(tokens, at);
      if (walk.letter >= 0 && !walk.comma && !gone.has(walk.letter)) return -1;
      return isMark(tokens[at - 1], ":") && has(token, BIT.answer) ? -1 : at;
    }
  }
  return -1;
}

/** Goes on from a marker over words that may stand before a letter. */
function forward(tokens: readonly Token[], marker: number): { letter: number; comma: boolean; opened: boolean } {
  const none = { letter: -1, comma: false, opened: false };
  let [comma, opened, line] = [false, false, false];
  for (let at = marker + 1; at < tokens.length && at <= marker + REACH; at++) {
    const token = tokens[at]!;
    if (token.kind === "letter" && !isArticle(tokens, at)) {
      if (token.glued) return none;
      return line && !isClosed(tokens, at) ? none : { letter: at, comma, opened };
    }
    if (token.kind === "newline") line = true;
    else if (token.kind === "mark") {
      if (ENDS.includes(token.text)) return none;
      if (",،、".includes(token.text)) comma = true;
      if (":([".includes(token.text)) opened = true;
    } else if (has(token, BIT.not | BIT.wrong | BIT.exclude)) return none;
    else if (has(token, MARKERS | BIT.link | BIT.option | BIT.final) || (token.kind === "letter" && token.capital)) {
      // In a new line only a letter itself goes on.
      if (line && !has(token, BIT.option | BIT.answer)) return none;
    } else return none;
  }
  return none;
}

/** Whether a clause or a bracket ends behind a letter. */
function isClosed(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  return (
    next === undefined || next.kind === "newline" || next.kind === "mark" || (has(next, BIT.link) && !next.blankBefore)
  );
}

/** Whether the sentence that a letter stands in is a question. */
function asks(tokens: readonly Token[], from: number): boolean {
  for (let at = from + 1; at < tokens.length && at < from + 40; at++) {
    const token = tokens[at]!;
    if (isMark(token, "?？؟")) return true;
    if (token.kind === "newline" || (isMark(token, ENDS) && token.blankAfter)) return false;
  }
  return false;
}

function isFinal(tokens: readonly Token[], marker: number): boolean {
  for (let at = Math.max(0, marker - 3); at <= marker + 2; at++) if (has(tokens[at], BIT.final)) return true;
  return false;
}

/** Letters that claim by where they stand: alone on the first or last line, or as the only one listed, in the first. */
function claimsByPlace(tokens: readonly Token[], groups: readonly Group[], rejected: ReadonlySet<Group>): Claim[] {
  const lines = linesOf(tokens);
  const claims: Claim[] = [];
  const gone = new Set([...rejected].flatMap(({ members }) => members));
  for (const [index, line] of lines.entries()) {
    if (index > 0 && index < lines.length - 1) continue;
    const words = line.filter((at) => tokens[at]!.kind !== "mark");
    const at = words[0];
    if (words.length !== 1 || tokens[at!]!.kind !== "letter" || gone.has(at!)) continue;
    claims.push({ at: tokens[at!]!.at, letter: tokens[at!]!.letter, final: false });
  }
  const listed = lines.map((line) => line.find((at) => tokens[at]!.kind !== "mark")).filter((at) => at !== undefined);
  const letters = new Set(
    listed.filter((at) => tokens[at]!.capital && isMark(tokens[at + 1], ").:、]-")).map((at) => tokens[at]!.letter),
  );
  const first = listed[0];
  if (
    first !== undefined &&
    letters.size === 1 &&
    tokens[first]!.capital &&
    !tokens[first]!.glued &&
    !gone.has(first)
  ) {
    const line = new Set(lines[0]);
    const others = groups.some((group) => group.first !== first && line.has(group.first) && !rejected.has(group));
    if (isMark(tokens[first + 1], ").:、]-") && !others && !asks(tokens, first))
      claims.push({ at: tokens[first]!.at, letter: tokens[first]!.letter, final: false });
  }
  return claims;
}

function linesOf(tokens: readonly Token[]): number[][] {
  const lines: number[][] = [[]];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "newline") lines.push([]);
    else lines.at(-1)!.push(at);
  }
  return lines.filter((line) => line.some((at) => tokens[at]!.kind !== "mark"));
}

function settle(claims: readonly Claim[], tokens: readonly Token[], out: ReadonlySet<number>): number {
  const last = claims.at(-1)!;
  if (last.letter < 0 || out.has(last.letter)) return -1;
  const other = claims.findLast(({ letter }) => letter !== last.letter && letter >= 0 && !out.has(letter));
  if (!other) return last.letter;
  if (last.final && !other.final) return last.letter;
  const corrected = tokens.some(({ at, roles }) => at > other.at && at < last.at && (roles & BIT.correction) !== 0);
  return corrected ? last.letter : -1;
}

/** The one letter that a text without a claim speaks of, where it stands by itself or behind words of this kind. */
function onlySpoken(tokens: readonly Token[]): number {
  const spoken = new Set<number>();
  let sure = false;
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== "letter" || token.glued || isArticle(tokens, at)) continue;
    const before = tokens[at - 1];
    const named = has(before, BIT.option);
    if (!token.capital && !named) continue;
    spoken.add(token.letter);
    const known = before === undefined || before.kind !== "word" || before.roles !== 0;
    const begins = before === undefined || before.kind === "newline";
    if (known && !asks(tokens, at) && !(begins && "AEI".includes(token.text) && isUnknownWord(tokens[at + 1])))
      sure = true;
  }
  return sure && spoken.size === 1 ? [...spoken][0]! : -1;
}

const isUnknownWord = (token: Token | undefined): boolean =>
  token?.kind === "word" && token.roles === 0 && token.blankBefore && token.text !== "";

/** Whether a letter is a word: the article "A" or "a", Italian's and Portuguese's "E", English's "I". */
function isArticle(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at]!;
  if (token.kind !== "letter" || !/^[AEIaei]$/.test(token.text)) return false;
  const next = tokens[at + 1];
  if (next === undefined || next.kind !== "word" || !next.blankBefore) return false;
  const latin = /^[\p{Script=Latin}'’]+/u.test(next.text);
  if (!latin) return false;
  if (next.roles & (BIT.answer | BIT.right | BIT.option | BIT.final)) return true;
  if (next.roles !== 0) return /^[ei]$/i.test(token.text) && (next.roles & (BIT.and | BIT.or)) === 0;
  return /^[aei]$/.test(token.text) || /^\p{Ll}/u.test(next.text);
}
