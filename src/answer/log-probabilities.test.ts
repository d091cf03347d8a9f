import { describe, expect, it } from "vitest";
import { faultOf, letterLogProbabilities, tokensOf } from "./log-probabilities.js";

const log = Math.log;
type Top = { token: unknown; logprob: unknown }[];
const at = (token: string, top: Top | undefined = undefined, logprob: unknown = -0.1): object => ({
  token,
  logprob,
  ...(top ? { top_logprobs: top } : {}),
});
const top = (values: Record<string, unknown>): Top =>
  Object.entries(values).map(([token, logprob]) => ({ token, logprob }));
const usual = top({ A: log(0.1), B: log(0.6), C: log(0.2), D: log(0.05), The: log(0.01) });
const spaced = usual.map(({ token, logprob }) => ({ token: ` ${token as string}`, logprob }));
const rounded = (values: readonly number[] | undefined): number[] | undefined =>
  values?.map((value) => Math.round(Math.exp(value) * 1000) / 1000);

describe("the log-probabilities of the letters", () => {
  it("are those at the answer's token", () => {
    expect(rounded(letterLogProbabilities([at("B", usual)], "B"))).toEqual([0.1, 0.6, 0.2, 0.05]);
    expect(rounded(letterLogProbabilities([at("Answer"), at(":"), at(" B", spaced), at(".")], "Answer: B."))).toEqual([
      0.1, 0.6, 0.2, 0.05,
    ]);
    // The article is no answer.
    const tokens = [at("A", top({ A: log(0.9), O: log(0.1) })), at(" resposta"), at(" é"), at(" B", spaced)];
    expect(rounded(letterLogProbabilities(tokens, "A resposta é B"))).toEqual([0.1, 0.6, 0.2, 0.05]);
  });

  it("add up over the tokens of a letter, each once, whatever their vocabulary puts before them", () => {
    for (const blank of [" ", "▁", "Ġ", "\n", "(", "**"]) {
      const both = top({ B: log(0.5), [`${blank}B`]: log(0.3), [`${blank}A`]: log(0.1), C: log(0.05), D: log(0.02) });
      const tokens = [at(`${blank}B`, [...both, both[0]!])];
      expect(rounded(letterLogProbabilities(tokens, "B")), blank).toEqual([0.1, 0.8, 0.05, 0.02]);
    }
  });

  it("are no more than the lowest value sent where a letter was not sent or is −∞", () => {
    const values = letterLogProbabilities([at("B", top({ B: log(0.9), A: null, x: log(0.02) }))], "B");
    expect(rounded(values)).toEqual([0.02, 0.9, 0.02, 0.02]);
    expect(values!.every(Number.isFinite)).toBe(true);
  });

  it("count the chosen token where the list leaves it out", () => {
    expect(rounded(letterLogProbabilities([at("B", top({ A: log(0.2), C: log(0.1) }), log(0.7))], "B"))).toEqual([
      0.2, 0.7, 0.1, 0.1,
    ]);
  });

  it.each([
    ["missing", undefined],
    ["empty", []],
    ["null", null],
    ["no list", { B: -0.1 }],
    ["positive", top({ A: 0.5, B: -1 })],
    ["texts", top({ A: "-0.5", B: "-1" })],
    ["NaN", top({ A: Number.NaN, B: -1 })],
    ["infinite", top({ A: Number.POSITIVE_INFINITY, B: -1 })],
    ["all −∞", top({ A: null, B: null })],
    ["more than 1 together", top({ A: 0, B: 0 })],
    ["tokens that are no texts", [{ token: 7, logprob: -1 }]],
    ["null entries", [null]],
  ])("are none where the list is %s", (_what, list) => {
    expect(
      letterLogProbabilities([{ token: "B", logprob: list && !("B" in list) ? null : -1, top_logprobs: list }], "B"),
    ).toBeUndefined();
  });

  it.each([
    undefined,
    null,
    "B",
    7,
    {},
    [],
    [null],
    [7],
    ["B"],
    [{ token: null }],
    [{ token: "B" }],
    [{ token: "B", logprob: "x" }],
  ])("are none for %j", (content) => expect(letterLogProbabilities(content, "B")).toBeUndefined());

  it("are those where the answer is given, not where its letter is spoken of before or behind", () => {
    const before = top({ D: log(0.6), B: log(0.3) });
    const tokens = [at("Between"), at(" C"), at(" and"), at(" B", before), at(":"), at("\n"), at("Answer"), at(":")];
    const answer = [at(" B", spaced), at(". "), at("B", before), at(" is larger.")];
    const text = "Between C and B:\nAnswer: B. B is larger.";
    expect(rounded(letterLogProbabilities([...tokens, ...answer], text))).toEqual(
      rounded(letterLogProbabilities([at(" B", spaced)], "B")),
    );
    // A single letter is the answer where it stands first.
    expect(rounded(letterLogProbabilities([at("B", usual), at(". "), at("B", before)], "B. B"))).toEqual([
      0.1, 0.6, 0.2, 0.05,
    ]);
  });

  it("are none where the reply gives no letter", () => {
    expect(letterLogProbabilities([at("B", usual)], "")).toBeUndefined();
    expect(letterLogProbabilities([at("A", usual), at(" or"), at(" B", spaced)], "A or B")).toBeUndefined();
    expect(letterLogProbabilities([at("<think>"), at("B", usual)], "<think>B")).toBeUndefined();
  });

  const thought = top({ A: log(0.98), B: log(0.01) });
  it.each([
    ["<think>", "</think>"],
    ["[THINK]", "[/THINK]"],
    ["◁think▷", "◁/think▷"],
    ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"],
  ])("pass over letters in reasoning between %s and %s, in the text and not", (open, close) => {
    const tokens = [
      at(open),
      at("B", thought),
      at(" or"),
      at(" B", thought),
      at(close),
      at("B", usual),
      at("<|im_end|>"),
    ];
    for (const text of ["B", `${open}B or B${close}B`])
      expect(rounded(letterLogProbabilities(tokens, text)), text).toEqual([0.1, 0.6, 0.2, 0.05]);
  });
  it("pass over letters in reasoning that the server sent apart and did not mark", () => {
    const tokens = [at("Maybe"), at(" B", thought), at(".\n"), at("B", usual)];
    expect(rounded(letterLogProbabilities(tokens, "B"))).toEqual([0.1, 0.6, 0.2, 0.05]);
  });
});

describe("the older format", () => {
  it("is read, and −∞ in it is no probability", () => {
    const logprobs = {
      tokens: [" B"],
      token_logprobs: [log(0.6)],
      top_logprobs: [{ " B": log(0.6), " A": null, " C": log(0.3) }],
    };
    expect(rounded(letterLogProbabilities(tokensOf(logprobs), " B"))).toEqual([0.3, 0.6, 0.3, 0.3]);
  });
  it.each([{ tokens: "B" }, { tokens: [1], token_logprobs: [] }, { tokens: ["B"] }, 7, "x", null, undefined])(
    "is none in %j",
    (logprobs) => {
      expect(letterLogProbabilities(tokensOf(logprobs), "B")).toBeUndefined();
    },
  );
});

describe("the probe", () => {
  it("takes −∞ among the other tokens, and no other value that is no logarithm", () => {
    expect(faultOf([at("B", top({ B: -0.1, A: null, C: -5 }))], "B")).toBeUndefined();
    for (const bad of [0.5, "x", Number.NaN])
      expect(faultOf([at("B", top({ B: -0.1, A: bad }))], "B")).toMatch(/logarithm/);
    expect(faultOf([at("B", usual, null)], "B")).toMatch(/logarithm/);
  });
});
