import { describe, expect, it } from "vitest";
import type { Row } from "../../tasks/index.js";
import { type PromptTemplate, templateFormat, templateProblem } from "./template.js";

const row: Row = {
  id: "DE_DE/abstract_algebra/0",
  language: "DE_DE",
  subject: "abstract_algebra",
  index: 0,
  question: "Was ist {x}?",
  choices: ["eins", "zwei {A}", "drei"],
  answer: "B",
};
const bare: PromptTemplate = {
  user: null,
  text: null,
  system: null,
  option: "{letter}) {option}",
  answer: "{letter}",
  between: "\n\n",
};
const plain = { instruction: "english", systemMessage: null } as const;

describe("a template", () => {
  it("of a chat fills in what a row has, and nothing in what it has filled in", () => {
    const template = {
      ...bare,
      system: "{subject} in {language}",
      user: "{{Q}} {question}\n{options}\n{letters}: {B}",
    };
    expect(templateProblem(template)).toBeUndefined();
    const format = templateFormat(template);
    expect([format.kind, format.beforeLetter]).toEqual(["chat", ""]);
    const asked = "{Q} Was ist {x}?\nA) eins\nB) zwei {A}\nC) drei\nABC: zwei {A}";
    expect(format.write([row], [row], plain)).toEqual([
      { role: "system", content: "abstract algebra in German" },
      { role: "user", content: asked },
      { role: "assistant", content: "B" },
      { role: "user", content: asked },
    ]);
  });

  it("of a plain text puts examples with their answers in front", () => {
    const format = templateFormat({
      ...bare,
      text: "F: {question}\n{options}\nA:",
      answer: " ({letter})",
      between: "\n--\n",
    });
    expect([format.kind, format.beforeLetter]).toEqual(["text", " "]);
    const asked = "F: Was ist {x}?\nA) eins\nB) zwei {A}\nC) drei\nA:";
    expect(format.write([row], [row], plain)).toBe(`${asked} (B)\n--\n${asked}`);
  });

  it.each([
    ["no text at all", {}, "", /either user, .* or text/],
    ["both", { user: "{question}{options}", text: "{question}{options}" }, "", /either/],
    [
      "a system message before a plain text",
      { text: "{question}{options}", system: "x" },
      "system",
      /no system message/,
    ],
    [
      "an unknown placeholder",
      { user: "{qestion}{options}" },
      "user",
      /no placeholder \{qestion\} .*did you mean question/,
    ],
    ["one of another key", { user: "{question}{option}" }, "user", /no placeholder \{option\}/],
    ["an open brace", { user: "{question}{options" }, "user", /a \{ without its \}/],
    ["a closed brace", { text: "{question}}{options}" }, "text", /a \} without its \{/],
    ["no question", { user: "{options}" }, "user", /asks no question/],
    ["no options", { user: "{question} {A}" }, "user", /shows no options/],
    ["no answer", { user: "{question}{A}{B}", answer: "so" }, "answer", /gives no answer/],
    ["no option in its line", { user: "{question}{options}", option: "{letter}" }, "option", /shows no option/],
    [
      "a placeholder where there is none",
      { text: "{question}{options}", between: "{letter}" },
      "between",
      /there is none here/,
    ],
  ] as const)("is refused with %s, by its key", (_name, part, key, why) =>
    expect(templateProblem({ ...bare, ...part })).toEqual({ key, why: expect.stringMatching(why) }),
  );

  it("that asks for an option that a row has not names the row", () => {
    const format = templateFormat({ ...bare, user: "{question}{A}{B}{C}{D}" });
    expect(() => format.write([row], [], plain)).toThrow(/DE_DE\/abstract_algebra\/0 has no option D/);
  });
});
