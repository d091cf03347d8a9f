import { fold, isUnspaced } from "./lexicon.js";
import { QUESTION_WORDS, SPEAKERS } from "./words.js";

/*
 * Where a reply ends although the model went on: at a token that ends a turn, at another's turn, at a question of its
 * own.
 */

const listOf = (text: string): Set<string> => new Set(text.split(",").map((word) => fold(word.trim())));
const QUESTIONS = listOf(QUESTION_WORDS);
const TURNS = listOf(SPEAKERS);
const OWN = listOf(
  "assistant, model, bot, ai, assistent, asistente, assistente, asisten, msaidizi, 助手, アシスタント, المساعد, " +
    "সহকারী, सहायक, 어시스턴트",
);

/**
 * What templates put between turns: `<end_of_turn>`, `<|im_start|>`, `</s>`, `[INST]`, `[|user|]`, `]~b]`, `<role>`,
 * `<｜User｜>`, `<turn|>`.
 */
const TURN_TOKEN = new RegExp(
  [
    "<(?:start|end)_of_turn>|<\\/?s>|<(?:eos|bos|pad|eod|eot)>|<<\\/?SYS>>|<extra_id_\\d{1,3}>|<unused\\d{1,3}>",
    "<\\/?\\|?(?:user|assistant|system|human|model|bot|question|instruction)\\|?>",
    "<\\|[^<>|\\s]{1,40}\\|>|<｜[^<>｜\\n]{1,40}｜>|<\\|turn>|<turn\\|>|<\\|(?:user|assistant|system)\\|?",
    "\\[\\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS)\\]|\\[\\|[^[\\]|\\s]{1,40}\\|\\]|\\]~!?b[\\][]|\\[e~\\[",
    "<\\/?role>",
  ].join("|"),
  "giu",
);
/** Tokens that stand around an answer and end nothing. */
const WRAPPER = new RegExp(
  [
    "<\\|?\\/?(?:begin|start|end)_(?:of_)?(?:solution|box|response|text|answer|final)\\|?>",
    "<\\|?\\/?(?:response|solution|output|reply)\\|?>",
  ].join("|"),
  "giu",
);
const WRAPPED = /<｜begin▁of▁sentence｜>/gu;

/** The turn that a reply begins with, without the tokens around it. */
export function firstTurn(text: string): string {
  const bare = text.replace(WRAPPER, "\n").replace(WRAPPED, "\n");
  let from = 0;
  for (const match of bare.matchAll(TURN_TOKEN)) {
    const turn = withoutRole(bare.slice(from, match.index), from > 0);
    if (turn === undefined) return "";
    if (turn.trim() !== "") return turn;
    from = match.index + match[0].length;
    if (/user|human/i.test(match[0])) return "";
  }
  return withoutRole(bare.slice(from), from > 0) ?? "";
}

/** A turn without the name of its role; undefined where it is another's. */
function withoutRole(turn: string, named: boolean): string | undefined {
  const role = /^\s{0,20}(user|human|system|tool|assistant|model|bot)[ \t]{0,4}(?:\n|:|$)/i.exec(turn.slice(0, 60));
  if (!role || !(named || /\n|:/.test(role[0]))) return turn;
  return /^(?:user|human|system|tool)$/i.test(role[1]!) ? undefined : turn.slice(role[0].length);
}

/** A line's beginning without the formatting and numbering before its first word. */
const HEAD = new RegExp(
  "^[^\\p{L}\\p{N}{\"]{0,20}([\\p{L}\\p{M}'’]{1,24}(?: [\\p{L}\\p{M}'’]{1,16}){0,3})" +
    "(?:[.-](?=[ \\t]?\\d))?[ \\t]{0,3}(?:(?:n[°ºo.]{0,2}|no\\.|#)?[ \\t]{0,3}(\\d{1,4}))?" +
    "[^\\p{L}\\p{N}:.)\\n]{0,6}([:.)])?",
  "u",
);
const HAN_NUMBER = /^[^\p{L}\p{N}]{0,20}第?[ \t]?(\d{1,4}|[一二三四五六七八九十]{1,3})[ \t]?(?:题|題|问|問|道题)/u;
const NUMBERED_QUESTION = /^[^\p{L}\p{N}]{0,20}\d{1,4}[ \t]?[.):、]/u;
/** A question in the middle of a line, behind an answer. */
const INLINE = new RegExp(
  '(?<=(?:^|[\\s*(])[A-J][)*\\]]{0,3}[.。!]?[ \\t]{1,4}|[.!?。！？।॥][*"]{0,2}[ \\t]{0,4})' +
    "\\*{0,2}([\\p{L}\\p{M}]{1,16}(?: \\d{1,3})?)[ \\t]?\\*{0,2}:",
  "gu",
);

const isQuestion = (head: string): boolean => {
  const words = fold(head).split(" ");
  for (let count = Math.min(4, words.length); count > 0; count--)
    if (QUESTIONS.has(words.slice(0, count).join(" "))) return count === words.length;
  return false;
};

export interface Boundaries {
  /** The text before another turn or question. */
  readonly text: string;
  /** Whether a question's head was the first thing. */
  readonly beginsWithQuestion: boolean;
}

/**
 * The text of a reply before another question or another's turn in plain words ("User:", "Question 2:", "下一题").
 * @param questions how many questions the reply answers: where there are several, their numbers are no boundaries.
 */
export function beforeNextQuestion(text: string, questions = 1): Boundaries {
  let offset = 0;
  let seen = false;
  for (const line of text.split("\n")) {
    const start = line.slice(0, 200);
    const end = (): Boundaries => ({ text: text.slice(0, offset), beginsWithQuestion: !seen });
    const head = HEAD.exec(start);
    if (head) {
      const [whole, name, number, mark] = head as unknown as [string, string, string | undefined, string | undefined];
      const bare = start.slice(whole.length).trim() === "";
      const own = questions > 1 && number !== undefined && Number(number) >= 1 && Number(number) <= questions;
      if (isQuestion(name) && !own && (mark !== undefined || number !== undefined || bare) && fold(name) !== "q.") {
        if (!seen && questions === 1 && (number === undefined || number === "1")) {
          const rest = line.slice(whole.length);
          if (/^[^\p{L}\p{N}]*[A-J][^\p{L}\p{N}]*$/u.test(rest.slice(0, 40))) {
            return { text: rest, beginsWithQuestion: false };
          }
        }
        if (seen || questions === 1) return end();
      }
      if (TURNS.has(fold(name)) && number === undefined && mark === ":" && (seen || !OWN.has(fold(name)))) return end();
      if (!seen && OWN.has(fold(name)) && (mark === ":" || bare)) {
        offset += line.length + 1;
        if (mark === ":" && !bare) {
          const rest = beforeNextQuestion(`${line.slice(whole.length)}\n${text.slice(offset)}`, questions);
          return rest;
        }
        text = text.slice(offset);
        offset = 0;
        continue;
      }
      if (seen && bare && mark === undefined && number === undefined && /^(?:assistant|user)$/i.test(name))
        return end();
    }
    if (questions === 1) {
      if (HAN_NUMBER.test(start) || (seen && NUMBERED_QUESTION.test(start) && /[?？؟]\s*$/.test(line.slice(-4)))) {
        if (seen || HAN_NUMBER.test(start)) return end();
      }
      const inline = inlineBoundary(line.slice(0, 2000));
      if (inline !== undefined) return { text: text.slice(0, offset + inline), beginsWithQuestion: false };
      if (/[A-J.)!。](?:assistant|user)$/.test(line.slice(-40)))
        return { text: text.slice(0, offset + line.search(/(?:assistant|user)$/)), beginsWithQuestion: false };
    }
    seen ||= /[\p{L}\p{N}]/u.test(line);
    offset += line.length + 1;
  }
  return { text, beginsWithQuestion: false };
}

function inlineBoundary(line: string): number | undefined {
  for (const match of line.matchAll(INLINE)) {
    const name = match[1]!.replace(/ \d+$/, "");
    if ((isQuestion(name) && (isUnspaced(name) || /^\p{Lu}|[^\p{Script=Latin}]/u.test(name))) || TURNS.has(fold(name)))
      if (!OWN.has(fold(name)) || match.index > 0) return match.index;
  }
  return undefined;
}
