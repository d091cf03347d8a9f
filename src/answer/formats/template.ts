import { UserError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { languageInEnglish, lettersOf, OPTION_LETTERS, type Row } from "../../tasks/index.js";
import { chatOf, type PromptFormat } from "./format.js";

/** A prompt of the configuration's own. */
export interface PromptTemplate {
  /** The user's message of a chat, or null; */
  readonly user: string | null;
  /** or a plain text to go on from, or null: one of the two. */
  readonly text: string | null;
  /** The system's message of a chat. */
  readonly system: string | null;
  /** A line of `{options}`, with `{letter}` and `{option}`. */
  readonly option: string;
  /** What answers an example, with `{letter}`; in a plain text it follows the question. */
  readonly answer: string;
  /** What stands between an example and the next question of a plain text. */
  readonly between: string;
}

type Values = Readonly<Record<string, string | undefined>>;
type Part = string | { readonly name: string };

/** What may stand in braces, by the template's key. */
const OF_A_ROW = ["question", "options", "letters", "subject", "language", ...OPTION_LETTERS];
const PLACEHOLDERS: Readonly<Record<string, readonly string[]>> = {
  user: OF_A_ROW,
  text: OF_A_ROW,
  system: ["letters", "subject", "language"],
  option: ["letter", "option"],
  answer: ["letter"],
  between: [],
};

/** What a template's text is made of, or what is wrong with it; `{{` and `}}` are braces. */
function partsOf(text: string, known: readonly string[]): Part[] | string {
  const parts: Part[] = [];
  let literal = "";
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (sign !== "{" && sign !== "}") literal += sign;
    else if (text[at + 1] === sign) {
      literal += sign;
      at++;
    } else if (sign === "}") return "a } without its {: write }} for the sign itself";
    else {
      const end = text.indexOf("}", at);
      if (end < 0) return "a { without its }: write {{ for the sign itself";
      const name = text.slice(at + 1, end);
      if (!known.includes(name)) {
        const all = known.length ? `there are ${known.map((one) => `{${one}}`).join(", ")}` : "there is none here";
        const near = didYouMean(name, known);
        return `there is no placeholder {${name.slice(0, 40)}} (${all})${near}; {{ is the sign itself`;
      }
      parts.push(literal, { name });
      [literal, at] = ["", end];
    }
  }
  return [...parts, literal].filter((part) => part !== "");
}

/** What a text without some placeholders is no prompt for. */
function missingIn(key: string, names: readonly string[]): string | undefined {
  const has = (name: string): boolean => names.includes(name);
  switch (key) {
    case "user":
    case "text":
      if (!has("question")) return "it asks no question: put {question} into it";
      return has("options") || (has("A") && has("B"))
        ? undefined
        : "it shows no options: put {options} into it, or {A}, {B} and so on";
    case "answer":
      return has("letter") ? undefined : "it gives no answer: put {letter} into it";
    case "option":
      return has("option") ? undefined : "it shows no option: put {option} into it";
    default:
      return undefined;
  }
}

/** What is wrong with a template, and with which of its keys; undefined where nothing is. */
export function templateProblem(template: PromptTemplate): { readonly key: string; readonly why: string } | undefined {
  if ((template.user === null) === (template.text === null))
    return { key: "", why: "it has either user, a chat's message, or text, a plain text to go on from" };
  if (template.text !== null && template.system !== null)
    return { key: "system", why: "a plain text has no system message: write it into text" };
  for (const [key, known] of Object.entries(PLACEHOLDERS)) {
    const text = template[key as keyof PromptTemplate];
    const parts = text === null ? [] : partsOf(text, known);
    if (typeof parts === "string") return { key, why: parts };
    const names = parts.flatMap((part) => (typeof part === "string" ? [] : [part.name]));
    const missing = text === null ? undefined : missingIn(key, names);
    if (missing) return { key, why: missing };
  }
  return undefined;
}

/** The format of a template that {@link templateProblem} finds nothing wrong with. */
export function templateFormat(template: PromptTemplate): PromptFormat {
  const fill = (key: keyof PromptTemplate, values: Values, id: string): string => {
    const parts = partsOf(template[key] ?? "", PLACEHOLDERS[key]!) as Part[];
    return parts
      .map((part) => {
        if (typeof part === "string") return part;
        const value = values[part.name];
        if (value === undefined)
          throw new UserError(`${id} has no option ${part.name}, and answerer.template.${key} asks for it`, {
            hint: "Put {options} into it, which lists as many as a row has.",
          });
        return value;
      })
      .join("");
  };
  const valuesOf = ({ id, question, choices, subject, language }: Row): Values => {
    const letters = lettersOf(choices.length);
    return {
      question,
      letters: letters.join(""),
      subject: subject.replaceAll("_", " "),
      language: languageInEnglish(language),
      options: choices.map((option, index) => fill("option", { letter: letters[index], option }, id)).join("\n"),
      ...Object.fromEntries(letters.map((letter, index) => [letter, choices[index]])),
    };
  };
  const asked = (row: Row, key: "user" | "text"): string => fill(key, valuesOf(row), row.id);
  const answered = (row: Row): string => fill("answer", { letter: row.answer }, row.id);
  return {
    description: "the configuration's own template",
    kind: template.text === null ? "chat" : "text",
    several: false,
    beforeLetter: template.text === null ? "" : (/^\s*/.exec(template.answer)?.[0] ?? ""),
    write(rows, examples) {
      const row = rows[0] as Row;
      if (template.text !== null)
        return (
          examples.map((one) => asked(one, "text") + answered(one) + fill("between", {}, one.id)).join("") +
          asked(row, "text")
        );
      return chatOf(
        template.system === null ? undefined : fill("system", valuesOf(row), row.id),
        examples.map((one) => [asked(one, "user"), answered(one)]),
        asked(row, "user"),
      );
    },
  };
}
