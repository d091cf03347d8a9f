import { type PromptParts, partsOf } from "../prompt-turns.js";
import type { AskedText } from "../result.js";

/** In what two prompts of one row may differ. */
export const ASPECTS = [
  "chat or plain text",
  "turn tokens",
  "system message",
  "questions a request",
  "instruction",
  "number of examples",
  "order of examples",
  "examples",
  "text of the question",
  "order of options",
  "how options are written",
  "text behind the options",
  "white space",
  "other text",
] as const;
export type Aspect = (typeof ASPECTS)[number];

/** A way in which the prompts of a row differ. */
export interface AspectDifference {
  readonly aspect: Aspect;
  /** What stands in both, as far as it concerns this. */
  readonly first: string;
  readonly second: string;
}

/** In what the prompts of one row differ; empty where a model reads the same. */
export function aspectsApart(a: AskedText, b: AskedText): AspectDifference[] {
  const [one, other] = [partsOf(a.prompt ?? "", a.turns), partsOf(b.prompt ?? "", b.turns)];
  const found: AspectDifference[] = [];
  const differ = (aspect: Aspect, first: string, second: string): void => void found.push({ aspect, first, second });
  if ((one.written === "plain text") !== (other.written === "plain text"))
    differ("chat or plain text", one.written, other.written);
  const [systemOne, systemOther] = [one.system ?? "", other.system ?? ""];
  if (systemOne.trim() !== systemOther.trim()) differ("system message", systemOne, systemOther);
  const together = [a.together ?? 1, b.together ?? 1] as const;
  if (together[0] !== together[1]) differ("questions a request", `${together[0]}`, `${together[1]}`);
  else if (one.body !== other.body) found.push(...bodiesApart(one, other, a, b));
  const both = one.written === "turn tokens" && other.written === "turn tokens";
  if (found.length === 0 && both && a.prompt !== b.prompt) differ("turn tokens", a.prompt ?? "", b.prompt ?? "");
  return found;
}

const blanksAsOne = (text: string): string => text.replace(/\s+/gu, " ").trim();

function bodiesApart(one: PromptParts, other: PromptParts, a: AskedText, b: AskedText): AspectDifference[] {
  if (blanksAsOne(one.body) === blanksAsOne(other.body))
    return [{ aspect: "white space", first: one.body, second: other.body }];
  const question = a.question ?? b.question;
  const [first, second] = [cutAtQuestion(one.body, question), cutAtQuestion(other.body, question)];
  const whole = { first: one.body, second: other.body };
  if (!first || !second)
    return [{ aspect: question !== undefined && (first || second) ? "text of the question" : "other text", ...whole }];
  const choices = a.choices ?? b.choices ?? [];
  const found = [
    ...frontsApart(takenApart(first, one.answers, second.before), takenApart(second, other.answers, first.before)),
    ...optionsApart(first.behind, second.behind, choices),
  ];
  return found.length ? found : [{ aspect: "other text", ...whole }];
}

interface Cut {
  /** Instruction and examples. */
  readonly before: string;
  /** Options, and what asks for an answer. */
  readonly behind: string;
}

/** A prompt's text before and behind its question, the last time it stands there. */
function cutAtQuestion(body: string, question: string | undefined): Cut | undefined {
  const wanted = question?.trim();
  if (!wanted) return undefined;
  const at = body.lastIndexOf(wanted);
  return at < 0 ? undefined : { before: body.slice(0, at), behind: body.slice(at + wanted.length) };
}

interface Front {
  readonly instruction: string;
  readonly examples: readonly string[];
}

/** Characters that what asks for an answer has at most, such as `Answer:`. */
const LONGEST_CUE = 60;

/** Instruction and examples apart. @param other the same of the other prompt */
function takenApart({ before, behind }: Cut, answers: number | undefined, other: string): Front {
  const cue = behind.trimEnd().split("\n").at(-1)!.trim();
  const isCue = behind.includes("\n") && cue !== "" && cue.length <= LONGEST_CUE;
  // A line of an example's answer: what asks for it, and a letter or a word behind it.
  const lines = before.split("\n");
  const ends = isCue
    ? lines.flatMap((line, index) => (line.startsWith(cue) && line.length > cue.length ? [index + 1] : []))
    : [];
  if (ends.length === 0) {
    // Turns say how many answers there are, if not where each begins.
    const count = answers ?? 0;
    return count
      ? { instruction: "", examples: Array<string>(count).fill(before) }
      : { instruction: before, examples: [] };
  }
  const pieces = ends.map((end, index) => lines.slice(ends[index - 1] ?? 0, end).join("\n"));
  const head = pieces[0]!;
  // A question may have an empty line of its own: what both begin with tells where the instruction ends.
  let common = 0;
  while (common < head.length && head[common] === other[common]) common++;
  const blank = head.slice(0, common).lastIndexOf("\n\n");
  const known = other.trim();
  const end =
    known !== "" && head.startsWith(known) ? known.length : Math.max(0, blank >= 0 ? blank : head.lastIndexOf("\n\n"));
  return { instruction: head.slice(0, end), examples: [head.slice(end), ...pieces.slice(1)].map((one) => one.trim()) };
}

function frontsApart(one: Front, other: Front): AspectDifference[] {
  const found: AspectDifference[] = [];
  const [first, second] = [one.instruction.trim(), other.instruction.trim()];
  if (first !== second) found.push({ aspect: "instruction", first, second });
  const [own, others] = [one.examples, other.examples];
  const texts = { first: own.join("\n\n"), second: others.join("\n\n") };
  if (own.length !== others.length)
    found.push({ aspect: "number of examples", first: `${own.length}`, second: `${others.length}` });
  else if (texts.first !== texts.second) {
    const sorted = (all: readonly string[]): string => JSON.stringify([...all].sort());
    found.push({ aspect: sorted(own) === sorted(others) ? "order of examples" : "examples", ...texts });
  }
  return found;
}

/** What a label in front of an option looks like: `A. `, `(A) `, `A) `, `A: `. */
const LABELLED = /^\s*([([]?[A-J][.):\]]{0,2})\s+(\S.*?)\s*$/;

function optionsApart(first: string, second: string, choices: readonly string[]): AspectDifference[] {
  if (first.trim() === second.trim()) return [];
  const [one, other] = [shownIn(first, choices), shownIn(second, choices)];
  if (!one || !other) return [{ aspect: "how options are written", first, second }];
  const found: AspectDifference[] = [];
  if (one.order.join() !== other.order.join())
    found.push({ aspect: "order of options", first: one.lines.join("\n"), second: other.lines.join("\n") });
  if (one.labels.join() !== other.labels.join() || one.before !== other.before)
    found.push({
      aspect: "how options are written",
      first: [one.before, ...one.lines].join("\n").trim(),
      second: [other.before, ...other.lines].join("\n").trim(),
    });
  if (one.behind !== other.behind)
    found.push({ aspect: "text behind the options", first: one.behind, second: other.behind });
  return found.length ? found : [{ aspect: "white space", first, second }];
}

/** The options as a prompt shows them; undefined where they are not a line each. */
function shownIn(behind: string, choices: readonly string[]) {
  const wanted = choices.map(blanksAsOne);
  const lines = behind.split("\n");
  const found = lines.flatMap((line, index) => {
    const [, label, text] = LABELLED.exec(line) ?? [];
    const place = text === undefined ? -1 : wanted.indexOf(blanksAsOne(text));
    return place < 0 ? [] : [{ index, label: label!, place, line: line.trim() }];
  });
  if (wanted.length === 0 || found.length !== wanted.length) return undefined;
  return {
    order: found.map(({ place }) => place),
    labels: found.map(({ label }) => label),
    lines: found.map(({ line }) => line),
    before: lines.slice(0, found[0]!.index).join("\n").trim(),
    behind: lines
      .slice(found.at(-1)!.index + 1)
      .join("\n")
      .trim(),
  };
}
