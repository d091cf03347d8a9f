import { describe, expect, it } from "vitest";
import { partsOf, turnsIn } from "../prompt-turns.js";
import type { AskedText } from "../result.js";
import { aspectsApart } from "./prompt-aspects.js";

const question = "Which of these is alive?";
const choices = ["Lamp", "Elephant", "Window", "Car"];
const options = (label: (letter: string) => string, order = [0, 1, 2, 3]): string =>
  order.map((place, index) => `${label("ABCD"[index]!)} ${choices[place]}`).join("\n");
const dotted = options((letter) => `${letter}.`);
const HEAD = "The following are multiple choice questions (with answers) about anatomy.\n\n";
const EXAMPLES = ["One?\nA. 1\nB. 2\nAnswer: A\n\n", "Read.\n\nTwo?\nA. 1\nB. 2\nAnswer: B\n\n"];
const ASKED = `${question}\n${dotted}\nAnswer:`;
const text = (prompt: string, more: Partial<AskedText> = {}): AskedText => ({ question, choices, prompt, ...more });
const aspects = (a: AskedText, b: AskedText): string[] => aspectsApart(a, b).map(({ aspect }) => aspect);
const plain = text(`${HEAD}${ASKED}`);
const chat = (...turns: [string, string][]): AskedText =>
  text("a chat", { turns: turns.map(([role, content]) => ({ role, content })) });

describe("prompts of one row", () => {
  it.each<[string, AskedText, AskedText, string[]]>([
    ["the same", plain, plain, []],
    ["another heading", plain, text(`Answer these:\n\n${ASKED}`), ["instruction"]],
    ["no heading", plain, text(ASKED), ["instruction"]],
    ["examples", plain, text(`${HEAD}${EXAMPLES.join("")}${ASKED}`), ["number of examples"]],
    [
      "examples in another order",
      text(`${HEAD}${EXAMPLES.join("")}${ASKED}`),
      text(`${HEAD}${[...EXAMPLES].reverse().join("")}${ASKED}`),
      ["order of examples"],
    ],
    [
      "other examples",
      text(`${HEAD}${EXAMPLES[0]}${ASKED}`),
      text(`${HEAD}${EXAMPLES[0]!.replace("One", "Uno")}${ASKED}`),
      ["examples"],
    ],
    [
      "options in another order",
      plain,
      text(`${HEAD}${question}\n${options((letter) => `${letter}.`, [3, 0, 1, 2])}\nAnswer:`),
      ["order of options"],
    ],
    [
      "other labels",
      plain,
      text(`${HEAD}${question}\n${options((letter) => `(${letter})`)}\nAnswer:`),
      ["how options are written"],
    ],
    [
      "options under a heading",
      plain,
      text(`${HEAD}${question}\nChoices:\n${dotted}\nAnswer:`),
      ["how options are written"],
    ],
    ["another cue", plain, text(`${HEAD}${question}\n${dotted}\nRéponse :`), ["text behind the options"]],
    ["a blank at the end", plain, text(`${HEAD}${ASKED} `), ["white space"]],
    ["other line breaks", plain, text(`${HEAD}${ASKED}`.replaceAll("\n", "\r\n")), ["white space"]],
    ["another question", plain, text(`${HEAD}${ASKED.replace("alive", "living")}`), ["text of the question"]],
    ["a chat of the same text", plain, chat(["user", `${HEAD}${ASKED}`]), ["chat or plain text"]],
    [
      "a system message",
      chat(["user", ASKED]),
      chat(["system", "Answer with a letter."], ["user", ASKED]),
      ["system message"],
    ],
    [
      "the same chat, by the template and as messages",
      text(`<bos><start_of_turn>user\n${ASKED}<end_of_turn>\n<start_of_turn>model\n`),
      chat(["user", ASKED]),
      [],
    ],
    [
      "the same chat by two templates",
      text(`<bos><start_of_turn>user\n${ASKED}<end_of_turn>\n<start_of_turn>model\n`),
      text(`<|im_start|>user\n${ASKED}<|im_end|>\n<|im_start|>assistant\n`),
      ["turn tokens"],
    ],
    [
      "examples as turns",
      chat(["user", "One?\nA. 1\nB. 2\nAnswer:"], ["assistant", "A"], ["user", ASKED]),
      chat(["user", ASKED]),
      ["number of examples"],
    ],
    ["several questions a request", plain, text(`${HEAD}${ASKED}`, { together: 10 }), ["questions a request"]],
    ["nothing in common", plain, text("?"), ["text of the question"]],
    ["nothing known", { prompt: "x" }, { prompt: "y" }, ["other text"]],
  ])("with %s", (_, a, b, expected) => {
    expect(aspects(a, b)).toEqual(expected);
    expect(aspects(b, a)).toEqual(expected);
  });
});

it("turns are read however a tool writes them", () => {
  const turns = [
    { role: "system", content: "s" },
    { role: "user", content: "u" },
  ];
  const json = JSON.stringify(turns);
  for (const given of [json, [json], turns, [turns[0], { role: "user", content: [{ type: "text", text: "u" }] }]])
    expect(turnsIn(given)).toEqual(turns);
  for (const given of ["[{", "plain [{", "[1]", [], [1], [{ role: 1 }], null, {}, ["a", "b"]])
    expect(turnsIn(given)).toBeUndefined();
  const llama =
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|><|start_header_id|>user<|end_header_id|>" +
    "\n\nu<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
  expect(partsOf(llama, undefined)).toEqual({ written: "turn tokens", system: "s", body: "u", answers: 0 });
  expect(partsOf("<s>[INST] u [/INST] A</s>[INST] v [/INST]", undefined)).toMatchObject({
    body: "u A\n\nv",
    answers: 1,
  });
});
