import { PYTHON_SPACE } from "./python-text.js";
import { letterAmong, type Reading } from "./reading.js";

/*
 * How OpenAI's simple-evals reads a reply (github.com/openai/simple-evals, common.py and mmlu_eval.py, MIT), to the
 * letter: what it calls a right answer is what published figures count. So the first "Answer:" is taken where there
 * are several, a small letter is none, and thoughts that a server leaves in the text are read like any text.
 */

/** What is deleted from a reply before it is read, one after the other. */
const DELETED = [
  "**",
  "$\\boxed{",
  "}$",
  "\\$",
  "$\\text{",
  "$",
  "\\mathrm{",
  "\\{",
  "\\text",
  "\\(",
  "\\mathbf{",
  "{",
  "\\boxed",
];

/** Six of them stand behind a colon in one of the forms. */
const INVISIBLE = "\u200b".repeat(6);

/**
 * How replies announce their answer, in the order in which the forms are tried: a word, and what follows it. `s` stands
 * for any blanks before a colon.
 */
const FORMS: readonly (readonly [word: string, ...ends: string[]])[] = [
  ["Answer", "s:", `s:${INVISIBLE}`],
  ["উত্তর", "s:"],
  ["उत्तर", "s:"],
  ["উত্তর", "ঃ", "s:"],
  ["Antwort", "s:"],
  ["답변", "s:"],
  ["정답", "s:"],
  ["답", "s:"],
  ["答案", "s：", "s:"],
  ["答", "s：", "s:"],
  ["答复", "s："],
  ["答曰", "s："],
  ["الإجابة", ":"],
  ["الجواب", ":"],
  ["إجابة", ":"],
  ["الإجابة النهائية", ":"],
  ["الإجابة الصحيحة", ":"],
  ["الإجابة الصحيحة هي", ":"],
  ["الإجابة هي", ":"],
  ["الجواب النهائي", ":"],
  ["Respuesta", "s:"],
  ["Risposta", "s:"],
  ["答え", "s:", "s："],
  ["回答", "s:", "s："],
  ["解答", "s:"],
  ["Jawaban", "s:"],
  ["Réponse", "s:"],
  ["Resposta", "s:"],
  ["Jibu", "s:"],
  ["Idahun", "s:"],
  ["Ìdáhùn", "s:"],
  ["Idáhùn", "s:"],
  // Two of Yoruba's are written with combining accents.
  ["A\u0300m\u1ecd\u0300na\u0300", "s:"],
  ["Àdáhùn", "s:"],
  ["A\u0300nu\u0301go\u0323", "s:"],
  ["Àṣàyàn", "s:"],
];

/** Python's letter i has two more forms, without regard to case. */
const asPython = (word: string): string => word.replace(/i/gi, "[iİı]");

/** The letters A, B … of other scripts, where a reply may be given in them. */
const SCRIPTS = ["أبجد", "অবডঢ", "ＡＢＣＤ"];

const expressions = new Map<string, readonly RegExp[]>();

/** The forms with a letter behind each; all letters from أ to د are taken, though only four of them are options. */
function formsFor(labels: readonly string[]): readonly RegExp[] {
  const last = labels.at(-1)!;
  const known = expressions.get(last);
  if (known) return known;
  const letter = `[ \\t]*([A-${last}]|[أ-د]|[অবডঢ]|[ＡＢＣＤ])`;
  const made = FORMS.flatMap(([word, ...ends]) =>
    ends.map((end) => new RegExp(asPython(word) + end.replace("s", `[${PYTHON_SPACE}]*`) + letter, "iu")),
  );
  expressions.set(last, made);
  return made;
}

export const simpleEvals: Reading = {
  description: "the first `Answer:` in the first language's words that match, as OpenAI's simple-evals reads",
  read: (reply, _questions, labels) => {
    let text = reply;
    for (const mark of DELETED) text = text.replaceAll(mark, "");
    for (const form of formsFor(labels)) {
      const found = form.exec(text)?.[1];
      if (found === undefined) continue;
      const at = SCRIPTS.map((letters) => [...letters].indexOf(found)).find((index) => index >= 0);
      return [letterAmong(labels, at === undefined ? found : labels[at])];
    }
    return [null];
  },
  settled: () => false,
  several: false,
};
