import { withoutTrailing } from "../../../base/trim.js";
import { answerOf, isRecord, jsonIn } from "./json.js";

type Read = (text: string) => string | null;

const COUNTED = [
  "Q|question|answer|frage|antwort|aufgabe|pregunta|respuesta|réponse|domanda|risposta|questão|pergunta|resposta",
  "soal|pertanyaan|jawaban|nomor|swali|jibu|ìbéèrè|ìdáhùn|問題?|问题?|第|题|答え|答案|문제|질문|답|정답|प्रश्न|सवाल|उत्तर",
  "প্রশ্ন|উত্তর|السؤال|سؤال|الإجابة",
].join("|");
const NUMBER = `(?:(?:${COUNTED})[ \\t#.-]{0,3}(?:n(?:o|r|um(?:ber)?)?[.º°]?[ \\t]?)?)?(\\d{1,3})[ \\t]?(?:题|題|问|問|번)?`;
/** A line that begins with a question's number. */
const NUMBERED = new RegExp(
  `^[^\\p{L}\\p{N}]{0,20}${NUMBER}(?=[^\\p{L}\\p{M}\\p{N}]|[A-J](?![\\p{L}\\p{N}]))([^\\p{L}\\p{N}\\n]{0,12})`,
  "iu",
);
/** One of several numbered answers on a line: "1. B", "Q2: C", "3) A". */
const INLINE = new RegExp(
  `(?<![\\p{L}\\p{N}])${NUMBER}[^\\p{L}\\p{M}\\p{N}\\n,;]{0,6}([A-J])(?![\\p{L}\\p{M}\\p{N}'’_+#])`,
  "giu",
);

/**
 * The letters of a reply to several questions: from JSON, by number ("Q3: B", "1. B 2. C"), one a line, or as a run of
 * exactly so many letters. A question without a letter of its own is null; nothing moves up into its place.
 * @param read reads the answer to one question.
 */
export function readSeveral(raw: string, text: string, questions: number, read: Read): (string | null)[] {
  const none = (): (string | null)[] => new Array<string | null>(questions).fill(null);
  const json = jsonIn(raw);
  if (json !== undefined) {
    const entries = entriesOf(json);
    if (entries)
      return place(
        entries.map(([number, value]) => [number, read(value)]),
        questions,
      );
    const values = valuesOf(json);
    const numbers = values?.map((value) => NUMBERED.exec(value)?.[1]);
    if (values && numbers!.every((number) => number !== undefined))
      return place(
        values.map((value, at) => [Number(numbers![at]), read(value.slice(NUMBERED.exec(value)![0].length))]),
        questions,
      );
    if (values)
      return values.length === questions ? values.map((value) => (value === "" ? null : read(value))) : none();
  }
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /[\p{L}\p{N}]/u.test(line));
  const numbered = numberedIn(lines);
  if (numbered) {
    const answers = numbered.map(([number, content]) => [number, read(content)] as const);
    if (answers.some(([, letter]) => letter !== null)) return place(answers, questions);
  }
  const run = lines.map((line) => runIn(line, questions)).filter((letters) => letters !== undefined);
  if (run.length === 1) return [...run[0]!].map((letter) => read(letter));
  if (isLettered(lines)) return none();
  const perLine = lines.map(read);
  if (perLine.length === questions) return perLine;
  const found = perLine.filter((letter) => letter !== null);
  return found.length === questions ? found : none();
}

/** A line's run of so many letters: "BCA", "B, C, A", "BCAD ABCB"; not "II. C", nor words such as "A bad". */
function runIn(line: string, questions: number): string | undefined {
  const pieces = line
    .slice(line.indexOf(":") + 1)
    .replace(/\\boxed ?\{([^{}]{1,200})\}/, "$1")
    .split(/[\s,;.|/()[\]"'、，-]+/)
    .filter(Boolean);
  const letters = pieces.join("");
  const [{ length } = ""] = pieces;
  const even = pieces.every((one, at) => one.length === length || (at === pieces.length - 1 && length > 2));
  return even && letters.length === questions && /^(?:[A-J]+|[a-j]+)$/.test(letters) ? letters : undefined;
}

/** Whether letters number the lines, "a) B", "b) C": then nobody can tell which of the two is the answer. */
const isLettered = (lines: readonly string[]): boolean =>
  lines.length > 1 &&
  lines.every((line, at) => {
    const [, own] = /^[([]?([a-j])[).\]:] ?[([]?[A-J][)\]]?[.,;]?$/i.exec(line) ?? [];
    return own !== undefined && own.toLowerCase().charCodeAt(0) === 97 + at;
  });

/** Each number's answer in its place. Numbers that do not begin with 1, and two answers to one number, say nothing. */
function place(answers: readonly (readonly [number: number, letter: string | null])[], questions: number) {
  const letters = new Array<string | null>(questions).fill(null);
  if (answers.some(([number]) => number === 0)) return letters;
  const doubtful = new Set<number>();
  for (const [number, letter] of answers) {
    if (letter === null || number > questions) continue;
    if (letters[number - 1] !== null && letters[number - 1] !== letter) doubtful.add(number);
    letters[number - 1] = letter;
  }
  return letters.map((letter, index) => (doubtful.has(index + 1) ? null : letter));
}

/** The numbered parts of a reply with their text. */
function numberedIn(lines: readonly string[]): [number, string][] | undefined {
  const parts: [number, string][] = [];
  for (const line of lines) {
    const several = [...line.slice(0, 20_000).matchAll(INLINE)];
    if (
      several.length > 1 &&
      several.every((match, at) => at === 0 || Number(match[1]) > Number(several[at - 1]![1]))
    ) {
      for (const [at, match] of several.entries()) {
        const from = match.index + match[0].length - 1;
        parts.push([Number(match[1]), withoutTrailing(line.slice(from, several[at + 1]?.index), " \t,;|{}\"'")]);
      }
      continue;
    }
    const match = NUMBERED.exec(line);
    if (match) parts.push([Number(match[1]), line.slice(match[0].length).replace(/\|/g, " ")]);
    else if (parts.length > 0) parts.at(-1)![1] += `\n${line}`;
  }
  return parts.length > 0 ? parts : undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string"
    ? value
    : value === null
      ? ""
      : isRecord(value)
        ? textOf(answerOf(value) ?? null)
        : undefined;

const numberOf = (key: unknown): number | undefined => {
  const digits = /^\D{0,20}?(\d{1,3})\D{0,2}$/.exec(String(key))?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** `{"1": "B"}`, `{"Q1": "B"}`, `[{"question": 1, "answer": "B"}]`: numbers with their answers. */
function entriesOf(json: unknown): [number, string][] | undefined {
  if (Array.isArray(json)) {
    const entries = json.map((value: unknown) => {
      if (!isRecord(value)) return undefined;
      const number = Object.entries(value).find(([key]) =>
        /^(?:q|id|number|index|no|nr|question|question_?(?:id|number)|num)$/i.test(key),
      );
      // The question itself may end in a number.
      const named = number === undefined || String(number[1]).split(" ").length > 2 ? undefined : number[1];
      const found = named === undefined ? undefined : numberOf(named);
      if (found !== undefined) return [found, textOf(value) ?? ""] as [number, string];
      const [only, ...more] = Object.entries(value);
      return only && more.length === 0 ? entryOf(only) : undefined;
    });
    return entries.length > 0 && entries.every((entry) => entry !== undefined) ? entries : undefined;
  }
  if (!isRecord(json)) return undefined;
  const entries = Object.entries(json)
    .map(entryOf)
    .filter((entry) => entry !== undefined);
  if (entries.length > 0) return entries;
  const [inner, ...more] = Object.values(json).filter((value) => isRecord(value) || Array.isArray(value));
  return inner !== undefined && more.length === 0 ? entriesOf(inner) : undefined;
}

function entryOf([key, value]: [string, unknown]): [number, string] | undefined {
  const number = numberOf(key);
  const text = textOf(value);
  return number === undefined || text === undefined ? undefined : [number, text];
}

/** `["B", "C"]`, `{"answers": ["B", "C"]}`, `[{"answer": "B"}]`: answers in order. */
function valuesOf(json: unknown): string[] | undefined {
  if (isRecord(json)) {
    const [inner, ...more] = Object.values(json).filter((value) => Array.isArray(value));
    return inner !== undefined && more.length === 0 ? valuesOf(inner) : undefined;
  }
  if (!Array.isArray(json)) return undefined;
  const values = json.map(textOf);
  return values.every((value) => value !== undefined) ? values : undefined;
}
