import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readLetter, readReply } from "../index.js";

interface Case {
  /** One of MMMLU's languages or EN; "any" for forms without words. */
  readonly language: string;
  readonly kind: string;
  readonly reply: string;
  /** Of a reply to one question: its letter, or null where it is to be unreadable. */
  readonly letter?: string | null;
  /** Of a reply to several: a letter or "?" for each. */
  readonly letters?: string;
  readonly questions?: number;
  /** The options' letters where they are not A to D. */
  readonly labels?: string;
}

const cases = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8")) as Case[];
const LANGUAGES = ["EN", "AR", "BN", "DE", "ES", "FR", "HI", "ID", "IT", "JA", "KO", "PT", "SW", "YO", "ZH"];
const single = cases.filter(({ questions, labels }) => questions === undefined && labels === undefined);
const read = (reply: string): string | null => readLetter("robust", reply);

describe("the corpus", () => {
  it("has every kind in every language", () => {
    expect(cases.length).toBeGreaterThan(700);
    const kinds = new Set(cases.filter(({ language }) => language === "SW").map(({ kind }) => kind));
    expect(kinds.size).toBeGreaterThan(15);
    const missing = LANGUAGES.flatMap((language) =>
      [...kinds]
        .filter((kind) => !cases.some((one) => one.language === language && one.kind === kind))
        .map((kind) => `${language} ${kind}`),
    );
    expect(missing).toEqual([]);
  });

  it.each([...new Set(cases.map(({ language }) => language))])("is read in %s", (language) => {
    for (const { reply, letter, letters, questions, labels } of cases.filter((one) => one.language === language)) {
      const found = readReply("robust", reply, questions ?? 1, labels === undefined ? undefined : [...labels]);
      expect(found.map((one) => one ?? "?").join(""), JSON.stringify(reply)).toBe(letters ?? letter ?? "?");
    }
  });
});

/** Whether a reply begins and ends as itself, so that something may be put before or behind it. */
const whole = single.filter(({ kind }) => !/thought|turn|next question|json|marks/.test(kind));

describe("what never changes a reading", () => {
  const thoughts = [
    (reply: string) => `<think>Perhaps A, B, C or D? The answer is A.</think>${reply}`,
    (reply: string) => `<think>\nAntwort: B\n</think>\n\n${reply}`,
    (reply: string) => `◁think▷答案是C◁/think▷${reply}`,
    (reply: string) => `<seed:think>D. Answer: D</seed:think>${reply}`,
    (reply: string) => `<|START_THINKING|>A, so A<|END_THINKING|>${reply}`,
    (reply: string) => `[THINK]The answer is B.[/THINK]${reply}`,
    (reply: string) => `The answer might be C.\n</think>\n${reply}`,
    (reply: string) => `<|channel>thought\nAnswer: A<channel|>${reply}`,
    (reply: string) =>
      `<|channel|>analysis<|message|>Answer: A<|end|><|start|>assistant<|channel|>final<|message|>${reply}<|return|>`,
    (reply: string) => `analysisThe answer is D.assistantfinal${reply}`,
  ];
  it("is a closed thought before it", () => {
    for (const { reply, letter } of whole)
      for (const wrap of thoughts) expect(read(wrap(reply)), JSON.stringify(wrap(reply))).toBe(letter);
  });

  it("is emphasis, a fence or blanks around it", () => {
    const around = [
      (reply: string) => `**${reply}**`,
      (reply: string) => `\n\n  ${reply}\n \n`,
      (reply: string) => `\`\`\`\n${reply}\n\`\`\``,
      (reply: string) => `*${reply}*`,
      (reply: string) => `> ${reply}`,
      (reply: string) => `<b>${reply}</b>`,
    ];
    for (const { reply, letter } of whole)
      for (const wrap of around) expect(read(wrap(reply)), JSON.stringify(wrap(reply))).toBe(letter);
  });

  it("is a question in any language, or a turn, that the model invents behind it", () => {
    const invented = single
      .filter(({ kind }) => kind === "next question after none")
      .map(({ reply }) => reply.slice(reply.indexOf("\n\n")));
    expect(invented.length).toBe(LANGUAGES.length);
    const turns = [
      "<end_of_turn>",
      "<|im_end|>\n<|im_start|>user\n",
      "<|eot_id|>",
      "</s>",
      "\n\nUser: ",
      "\n\nHuman: ",
      "\n[INST] ",
    ];
    for (const { reply, letter } of whole) {
      for (const more of invented) expect(read(reply + more), JSON.stringify(reply + more)).toBe(letter);
      for (const turn of turns) {
        const text = `${reply}${turn}The answer is A. Or B? Answer: C`;
        expect(read(text), JSON.stringify(text)).toBe(letter);
      }
    }
  });
});

describe("a guess", () => {
  it("is never a letter that is rejected, alone or among others", () => {
    const rejections = single.filter(({ kind }) => kind === "rejected");
    expect(rejections.length).toBeGreaterThan(90);
    for (const { reply } of rejections)
      for (const letters of ["ABCD", "BCDA", "CDAB", "DABC"]) {
        const other = reply.replace(
          /(?<![\p{L}\p{N}])[A-D](?![\p{Script=Latin}\p{N}])/gu,
          (letter) => letters["ABCD".indexOf(letter)]!,
        );
        // French and Portuguese "A" before a word may be an article; that is no letter either.
        expect(read(other), JSON.stringify(other)).toBeNull();
        expect(read(`${other}\n${other}`), JSON.stringify(other)).toBeNull();
      }
  });

  it("is not made of a reply that is cut short", () => {
    const thoughts = single.filter(({ kind }) => /thought/.test(kind) && kind !== "open thought");
    const ends = single.filter(({ kind }) => /^next (?:turn|question)$/.test(kind));
    const open = single.filter(({ kind }) => kind === "open thought");
    expect(Math.min(thoughts.length, ends.length, open.length)).toBeGreaterThan(40);
    for (const { reply, letter } of [...thoughts, ...ends, ...open]) {
      // Portuguese's article, cut behind, is the letter itself.
      if (/A (?:resposta|alternativa)/.test(reply)) continue;
      // A thought whose opening mark the server kept cannot be told from a reply until it is closed.
      if (/^(?!<|\[|◁|analysis)[^]*<\/think>/.test(reply)) continue;
      for (let length = 0; length <= reply.length; length++) {
        // Cut inside a word: the A of "Answer".
        if (/^(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}]/u.test(reply.slice(length)))
          continue;
        const found = read(reply.slice(0, length));
        if (found !== null) expect(found, JSON.stringify(reply.slice(0, length))).toBe(letter);
      }
    }
  });
});
