import { lettersOf, OPTION_LETTERS, type Row } from "../../tasks/index.js";
import { chatOf, type PromptFormat } from "./format.js";
import { readByPandas } from "./pandas.js";

/** What its samplers of OpenAI's chat models send in front. */
export const SIMPLE_EVALS_SYSTEM_MESSAGE = "You are a helpful assistant.";

/** How a reply ends that does as it is told. */
export const SIMPLE_EVALS_ANSWER = "Answer: ";

/** A cell that pandas reads as missing is written by Python as `nan`. */
const cell = (text: string): string => readByPandas(text, "nan");

const messageOf = ({ question, choices }: Row): string =>
  "Answer the following multiple choice question. The last line of your response should be of the following " +
  `format: 'Answer: $LETTER' (without quotes) where LETTER is one of ${lettersOf(choices.length).join("")}. Think ` +
  `step by step before answering.\n\n${cell(question)}\n\n` +
  choices.map((choice, index) => `${OPTION_LETTERS[index]}) ${cell(choice)}`).join("\n");

/** OpenAI's own, which MMMLU was published with (github.com/openai/simple-evals, common.py, MIT). */
export const simpleEvalsFormat: PromptFormat = {
  description: "a chat that asks one question, to be thought through, as OpenAI's simple-evals asks",
  kind: "chat",
  several: false,
  beforeLetter: "",
  write: ([row], examples, { systemMessage }) =>
    chatOf(
      systemMessage ?? SIMPLE_EVALS_SYSTEM_MESSAGE,
      examples.map((example) => [messageOf(example), SIMPLE_EVALS_ANSWER + example.answer]),
      messageOf(row as Row),
    ),
};
