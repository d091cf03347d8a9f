import { LETTERS, type Letter } from "../../data/index.js";
import { withoutReasoning } from "./reasoning.js";

/*
 * Our own reading of replies that do not keep to the form. It would rather say "unreadable" than guess: a letter is
 * taken only from a place where an answer stands, in this order: after the last "Answer:" (in any of MMMLU's
 * languages), in \boxed{}, a line that is a letter alone (the last, then the first), a first line that begins "C)",
 * and else the one letter that the whole reply speaks of.
 */

/** Words for "answer" in English and MMMLU's languages. */
const ANSWER_WORDS = [
  "answers?",
  "option",
  "choice",
  "antwort",
  "lösung",
  "réponse",
  "respuesta",
  "risposta",
  "resposta",
  "alternativa",
  "opción",
  "opzione",
  "opção",
  "jawaban",
  "jawabannya",
  "jibu",
  "ìdáhùn",
  "idahun",
  "答案",
  "回答",
  "选项",
  "選択肢",
  "答え",
  "正解",
  "解答",
  "정답",
  "답",
  "उत्तर",
  "जवाब",
  "উত্তর",
  "الإجابة",
  "الاجابة",
  "الجواب",
  "إجابة",
];
/** What may stand between that word and the letter. */
const LINKS = [
  "is",
  "are",
  "would be",
  "should be",
  "must be",
  "option",
  "choice",
  "letter",
  "the",
  "correct",
  "right",
  "final",
  "best",
  "number",
  "lautet",
  "ist",
  "die",
  "der",
  "richtige",
  "richtig",
  "buchstabe",
  "option",
  "correcta",
  "correcte",
  "est",
  "la",
  "le",
  "lettre",
  "es",
  "letra",
  "è",
  "lettera",
  "corretta",
  "é",
  "a letra",
  "correta",
  "adalah",
  "yang",
  "benar",
  "huruf",
  "ni",
  "sahihi",
  "ni herufi",
  "herufi",
  "jẹ",
  "ni lẹ́tà",
  "为",
  "是",
  "は",
  "が",
  "은",
  "는",
  "है",
  "হল",
  "হলো",
  "হচ্ছে",
  "सही",
  "সঠিক",
  "هي",
  "هو",
  "الصحيحة",
  "الصحيح",
];

/** Letters that stand for A–D in other scripts: look-alikes, and the choice letters of Arabic, Bengali, Hindi, Japanese, Korean and Chinese tests. */
const OTHER_SCRIPTS: Readonly<Record<Letter, string>> = {
  A: "АΑأاঅকअकア가甲",
  B: "ВΒبবখबखイ나乙",
  C: "СϹجডগसगウ다丙",
  D: "دঢঘदघエ라丁",
};
const OTHER: ReadonlyMap<string, Letter> = new Map(
  LETTERS.flatMap((letter) => [...OTHER_SCRIPTS[letter]].map((other) => [other, letter] as const)),
);
const OTHERS = [...OTHER.keys()].join("");

const WORD = "\\p{L}\\p{M}\\p{N}_";
const words = (list: readonly string[]): string => [...list].sort((a, b) => b.length - a.length).join("|");
// Han, kana and Hangul are written against what stands beside them; other scripts have an end of word.
const UNSPACED = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}";
const START = `(?:(?<![${WORD}])|(?<=[${UNSPACED}]))`;
const END = `(?:(?![${WORD}])|(?=[${UNSPACED}])|(?<=[${UNSPACED}]))`;
const MARKER = `${START}(?:${words(ANSWER_WORDS)})${END}`;
const LINK = `(?:[^${WORD}\\n]*(?:${words(LINKS)})${END})*`;
const CANDIDATE = `(?:[A-Da-d](?:(?![${WORD}])|(?=[${UNSPACED}]))|[${OTHERS}](?![${WORD}]))`;
const AFTER_MARKER = new RegExp(`${MARKER}${LINK}([^${WORD}]*)(${CANDIDATE})`, "giu");
const BOXED = /\\boxed\s*\{\s*(?:\\(?:text|mathrm|mathbf|textbf)\s*\{)?\s*\(?([A-Da-d])\)?\s*[.:]?\s*\}/gu;
const ALONE = new RegExp(`^[^${WORD}]*([A-Da-d${OTHERS}])[^${WORD}]*$`, "u");
const LISTED = /^[^\p{L}\p{M}\p{N}_]*([A-D])\s*[).:：）、\]-](?!\p{L}*['’])/u;
const STANDALONE = /(?<![\p{L}\p{M}\p{N}_'’+#-])([A-D])(?![\p{L}\p{M}\p{N}_+#]|['’-]\p{L})/gu;
const LISTED_LINE = /^[^\p{L}\p{M}\p{N}_]*([A-D])\s*[).:：）、\]]/u;
/** Words after which a letter before them is no article. */
const AFTER_LETTER =
  /^(?:because|since|as|is|are|and|or|which|with|weil|da|denn|ist|car|parce|puisque|est|porque|es|é|è|perché|karena|adalah|kwa|ni)(?![\p{L}])/iu;

/** Formatting that says nothing: emphasis, code, TeX's dollars and text commands. */
function plain(text: string): string {
  return text
    .replace(/\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}/g, "$1")
    .replace(/<\/?(?:b|strong|em|i|p|br|answer|final_answer)\s*\/?>/gi, " ")
    .replace(/[*`$~]|__/g, "")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g, "");
}

const letterOf = (text: string): Letter => OTHER.get(text.toUpperCase()) ?? (text.toUpperCase() as Letter);

/** Whether a letter "A" or "a" with that text behind it is the article (English, French "a", Spanish, Portuguese). */
function isArticle(letter: string, behind: string): boolean {
  if (letter !== "A" && letter !== "a") return false;
  const next = /^[ \t]+([\p{L}].*)/u.exec(behind);
  return (
    next !== null && !AFTER_LETTER.test(next[1] as string) && (letter === "a" || /^\p{Ll}/u.test(next[1] as string))
  );
}

/** The one letter that a reply to one question gives, or null. */
export function readRobust(reply: string): Letter | null {
  return readAnswer(plainReply(reply));
}

/** Full-width, circled and mathematical letters become plain ones; reasoning and formatting go. */
const plainReply = (reply: string): string => withoutReasoning(reply).normalize("NFKC");

function readAnswer(raw: string): Letter | null {
  const boxed = [...raw.matchAll(BOXED)].at(-1);
  if (boxed) return letterOf(boxed[1] as string);
  const text = plain(raw);
  const marked = [...text.matchAll(AFTER_MARKER)].filter((match) => {
    const [whole, between, letter] = match as unknown as [string, string, string];
    const behind = text.slice(match.index + whole.length);
    // "answer is a matter of" gives no letter; "the answer: c" and "(c)" do.
    if (/[a-d]/.test(letter) && !/[:(：（[]/.test(between) && !/^\s*(?:$|[).,\]\n])/u.test(behind)) return false;
    return !isArticle(letter, behind) && !/^['’]\p{L}/u.test(behind);
  });
  const last = marked.at(-1);
  if (last) return letterOf(last[2] as string);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  for (const line of [lines.at(-1), lines[0]]) {
    const alone = line === undefined ? null : ALONE.exec(line);
    if (alone) return letterOf(alone[1] as string);
  }
  const listed = new Set(lines.map((line) => LISTED_LINE.exec(line)?.[1]).filter((letter) => letter !== undefined));
  const first = lines[0] === undefined ? null : LISTED.exec(lines[0]);
  if (first && listed.size <= 1) return letterOf(first[1] as string);
  const spoken = new Set(
    [...text.matchAll(STANDALONE)]
      .filter((match) => !isArticle(match[1] as string, text.slice(match.index + 1)))
      .map((match) => match[1]),
  );
  return spoken.size === 1 ? ([...spoken][0] as Letter) : null;
}

const NUMBERED =
  /^[^\p{L}\p{N}]*(?:(?:Q|question|frage|aufgabe|pregunta|domanda|questão|soal|swali|問|第|题|問題|문제|प्रश्न|প্রশ্ন|سؤال)\s*)?(\d{1,3})\s*[).:：、\]-]*\s*(.*)$/iu;

/**
 * The letters of a reply to several questions: by number ("Q3: B", "3) B"), else one a line, else a run of exactly so
 * many letters. A question without a letter of its own is null; nothing moves up into its place.
 */
export function readRobustList(reply: string, questions: number): (Letter | null)[] {
  if (questions === 1) return [readRobust(reply)];
  const text = plainReply(reply);
  const lines = plain(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const letters: (Letter | null)[] = new Array(questions).fill(null);
  const numbered = lines.map((line) => NUMBERED.exec(line)).filter((match) => match !== null);
  const answers = numbered.map((match) => [Number(match[1]), readAnswer(match[2] as string)] as const);
  if (answers.some(([, letter]) => letter !== null)) {
    for (const [number, letter] of answers)
      if (letter && number >= 1 && number <= questions) letters[number - 1] = letter;
    return letters;
  }
  const run = lines
    .map((line) => line.replace(/[\s,;.|/()-]/g, ""))
    .findLast((line) => line.length === questions && /^[A-D]+$/i.test(line));
  if (run) return [...run].map(letterOf);
  const perLine = lines.map((line) => readAnswer(line));
  if (perLine.length === questions) return perLine;
  const read = perLine.filter((letter) => letter !== null);
  return read.length === questions ? read : letters;
}
