import { type Doubts, doubtsIn } from "./doubts.js";
import { type Group, groupsOf, isRetracted, rejectedAfter, rejectedBefore } from "./groups.js";
import { BIT } from "./lexicon.js";
import {
  asks,
  CLAUSES,
  ENDS,
  has,
  isArticle,
  isClosed,
  isListed,
  isMark,
  isSupposed,
  isUnknownWord,
  linesOf,
  REACH,
} from "./sentences.js";
import { type Token, tokensOf } from "./tokens.js";

/** A place where a text says which option is right. */
interface Claim {
  readonly at: number;
  /** The option's place among the labels; -1 where several are named. */
  readonly letter: number;
  /** Said to be final: outranks what came before. */
  readonly final: boolean;
}

/**
 * The option that a text to one question settles on, as its place among `count` labels; -1 where it settles on none. It
 * would rather say none than guess: two different claims are none unless the text says which is corrected, options that
 * are rejected are none, and nor are those that a question asks about.
 */
export function settledOption(text: string, count: number, explicit: readonly Claim[] = []): number {
  const tokens = tokensOf(text, count);
  const groups = groupsOf(tokens);
  const doubts = doubtsIn(text);
  const spent = new Set<number>();
  const rejected = new Set<Group>();
  const retracted = groups.filter((group) => isRetracted(tokens, group));
  for (const group of groups) if (rejectedAfter(tokens, group, spent)) rejected.add(group);
  const wholly = new Set<Group>();
  for (const group of groups) if (rejectedBefore(tokens, group, spent)) wholly.add(group);
  for (const group of retracted) wholly.add(group);
  for (const group of wholly) rejected.add(group);
  const out = new Set(
    [...rejected].flatMap((group) =>
      (group.loose && leads(tokens, group) && !wholly.has(group) ? group.members.slice(1) : group.members).map(
        (at) => tokens[at]!.letter,
      ),
    ),
  );
  const claims = [
    ...explicit,
    ...claimsIn(tokens, groups, rejected, wholly, spent),
    ...claimsByPlace(tokens, groups, rejected),
  ]
    .filter(({ at }) => !doubts.unclaimed(at))
    .map((claim) => (doubts.oneOfSeveral(claim.at) ? { ...claim, letter: -1 } : claim))
    .sort((one, other) => one.at - other.at);
  if (claims.length > 0) return settle(claims, tokens, out);
  return onlySpoken(tokens, out, doubts);
}

/** Whether a comma's list begins with the claimed letter: "the answer is B, A is wrong". */
const leads = (tokens: readonly Token[], group: Group): boolean =>
  has(tokens[back(tokens, group.first)], BIT.answer | BIT.right | BIT.choose | BIT.link | BIT.so);

function back(tokens: readonly Token[], from: number): number {
  let at = from - 1;
  while (at > 0 && tokens[at]!.kind === "mark" && !isMark(tokens[at], `${ENDS},،、`)) at--;
  return at;
}

const MARKERS = BIT.answer | BIT.choose | BIT.right | BIT.so | BIT.but;

function claimsIn(
  tokens: readonly Token[],
  groups: readonly Group[],
  rejected: ReadonlySet<Group>,
  wholly: ReadonlySet<Group>,
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
    if (marker < 0 || asks(tokens, group.last) || isSupposed(tokens, group.first)) continue;
    used.add(marker);
    claimed.add(group);
    claims.push({ at: tokens[group.first]!.at, letter: tokens[group.first]!.letter, final: isFinal(tokens, marker) });
  }
  for (let marker = 0; marker < tokens.length; marker++) {
    const copula = isCopula(tokens, marker);
    const corrects = isCorrection(tokens, marker);
    if (!(has(tokens[marker], MARKERS) || corrects || copula) || used.has(marker)) continue;
    if (spent.has(marker) && !has(tokens[marker], BIT.but)) continue;
    const walk = forward(tokens, marker);
    const group = walk.letter < 0 ? undefined : groupAt.get(walk.letter);
    if (!group || claimed.has(group) || asks(tokens, group.last)) continue;
    // "suppose it is A", "A if it rains".
    if (isSupposed(tokens, marker) || has(tokens[group.last + 1], BIT.if)) continue;
    const only =
      copula || (has(tokens[marker], BIT.but) && !has(tokens[marker], BIT.not | (MARKERS & ~(BIT.but | BIT.so))));
    if (only && !groups.some((other) => rejected.has(other) && other.last < marker && marker - other.last < 8))
      continue;
    const first = tokens[group.first]!;
    const alone = group.members.length === 1 || (group.loose && rejected.has(group));
    if (rejected.has(group) && (wholly.has(group) || !(group.loose && leads(tokens, group)))) continue;
    if (
      !first.capital &&
      first.letter >= 0 &&
      /^[a-j]$/.test(first.text) &&
      !walk.opened &&
      !isClosed(tokens, group.last)
    )
      continue;
    // "so B.", "wait, it is C.": only where the letter ends its clause.
    const weak = (corrects || has(tokens[marker], BIT.so)) && !has(tokens[marker], MARKERS & ~BIT.so);
    if (weak && !isClosed(tokens, group.last)) continue;
    claimed.add(group);
    claims.push({ at: first.at, letter: alone ? first.letter : -1, final: isFinal(tokens, marker) });
  }
  return claims;
}

const COPULAS = new Set("is it's that's ist est c'est es è é adalah ni jẹ́ 是 它是 就是".split(" "));

/** "not A, it is B": a copula right before a letter that ends its clause. */
const isCopula = (tokens: readonly Token[], at: number): boolean =>
  COPULAS.has(tokens[at]!.text.toLowerCase().replace("’", "'")) &&
  tokens[at + 1]?.kind === "letter" &&
  isClosed(tokens, at + 1);

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
    // A letter that has come so far is an article.
    else if (has(token, MARKERS | BIT.link | BIT.option | BIT.final) || token.kind === "letter") {
      // In a new line only a letter itself goes on.
      if (line && !has(token, BIT.option | BIT.answer)) return none;
    } else return none;
  }
  return none;
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
    if (words.length !== 1 || tokens[at!]!.kind !== "letter" || tokens[at!]!.glued || gone.has(at!)) continue;
    claims.push({ at: tokens[at!]!.at, letter: tokens[at!]!.letter, final: false });
  }
  const listed = lines.map((line) => line.find((at) => tokens[at]!.kind !== "mark")).filter((at) => at !== undefined);
  const letters = new Set(
    listed.filter((at) => tokens[at]!.capital && isMark(tokens[at + 1], ").:、]-")).map((at) => tokens[at]!.letter),
  );
  const first = listed[0];
  if (
    first !== undefined &&
    letters.size === 0 &&
    tokens[first]!.kind === "letter" &&
    !tokens[first]!.capital &&
    isMark(tokens[first + 1], ")")
  ) {
    const more = listed.slice(1).some((at) => tokens[at]!.kind === "letter" && isMark(tokens[at + 1], ")"));
    if (!more && !gone.has(first) && !asks(tokens, first))
      claims.push({ at: tokens[first]!.at, letter: tokens[first]!.letter, final: false });
  }
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

function settle(claims: readonly Claim[], tokens: readonly Token[], out: ReadonlySet<number>): number {
  const last = claims.at(-1)!;
  if (last.letter < 0 || out.has(last.letter)) return -1;
  if (wavers(tokens, last, out)) return -1;
  const other = claims.findLast(({ letter }) => letter !== last.letter && letter >= 0 && !out.has(letter));
  if (!other) return last.letter;
  if (last.final && !other.final) return last.letter;
  const corrected = tokens.some(({ at }, index) => at > other.at && at < last.at && isCorrection(tokens, index));
  return corrected ? last.letter : -1;
}

/** "wait", "actually"; "no" alone: what comes after replaces what came before. */
function isCorrection(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at]!;
  if (has(token, BIT.correction)) return true;
  const before = tokens[at - 1];
  const opens = before === undefined || before.kind === "newline" || before.kind === "mark";
  return opens && has(token, BIT.not) && isMark(tokens[at + 1], ",.!;:–—，。、،।");
}

/**
 * Whether a text that has settled corrects itself and speaks of another letter then: "B. Wait, no, C"; or goes on with
 * "but" and says that another one is it: "it seems to be A. However, it is B."
 */
function wavers(tokens: readonly Token[], claim: Claim, out: ReadonlySet<number>): boolean {
  let [corrected, but] = [false, false];
  return tokens.some((token, at) => {
    if (token.at <= claim.at) return false;
    corrected ||= isCorrection(tokens, at);
    but ||= has(token, BIT.but) && !has(token, BIT.not);
    return (
      (corrected || (but && isStated(tokens, at))) &&
      token.kind === "letter" &&
      token.letter !== claim.letter &&
      !out.has(token.letter) &&
      (token.capital || has(tokens[at - 1], BIT.option)) &&
      !(token.glued || isArticle(tokens, at) || isUnknownWord(tokens[at - 1]))
    );
  });
}

/** Whether a letter is a sentence of its own, or the end of one that says what is: "B.", "it is in fact B". */
function isStated(tokens: readonly Token[], letter: number): boolean {
  if (!isClosed(tokens, letter) || isMark(tokens[letter + 1], ")")) return false;
  let at = letter - 1;
  if (at < 0 || tokens[at]!.kind === "newline" || isMark(tokens[at], ENDS)) return true;
  while (at > letter - 5 && at >= 0 && has(tokens[at], BIT.link)) {
    if (COPULAS.has(tokens[at]!.text.toLowerCase().replace("’", "'"))) return true;
    at--;
  }
  return false;
}

/**
 * The one letter that a text without a claim speaks of, if a place speaks of it as an answer might: behind words of
 * this kind only, not as in "vitamin C" or "let us consider option A". Where others are rejected, they are behind it:
 * "B, not A".
 * @param out letters that are rejected
 */
function onlySpoken(tokens: readonly Token[], out: ReadonlySet<number>, doubts: Doubts): number {
  const spoken = new Set<number>();
  let [sure, rejection] = [false, false];
  // Of the sentence so far: whether it has words, one of no known role, one that names options.
  let [begun, unknown, named] = [false, false, false];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "newline" || (isMark(token, ENDS) && token.blankAfter)) {
      [begun, unknown, named] = [false, false, false];
    } else if (token.kind === "letter" && !token.glued && !isArticle(tokens, at)) {
      const before = tokens[at - 1];
      if (out.has(token.letter)) rejection = true;
      else if (token.capital || has(before, BIT.option)) {
        spoken.add(token.letter);
        if (doubts.oneOfSeveral(token.at)) return -1;
        // "The option that describes it best is C."
        const stated = named && before !== undefined && COPULAS.has(before.text.toLowerCase());
        // "B cells", "A Paris" is none; "B Paris" is.
        const next = tokens[at + 1];
        const word = !begun && isUnknownWord(next) && ("AEI".includes(token.text) || /^\p{Ll}/u.test(next!.text));
        const supposed = isSupposed(tokens, at - 1) || has(next, BIT.if) || doubts.unclaimed(token.at);
        if ((!unknown || stated || isMark(before, ":")) && !word && !supposed && !asks(tokens, at))
          sure ||= out.size === 0 || (!rejection && (isMark(next, ",;.،、(") || has(next, BIT.not)));
      }
      begun = true;
    } else if (token.kind === "word") {
      begun = true;
      unknown ||= (token.roles === 0 && !/^\p{N}+$/u.test(token.text)) || has(token, BIT.if);
      named ||= has(token, BIT.option | BIT.answer);
    }
  }
  return sure && spoken.size === 1 ? [...spoken][0]! : -1;
}
