import { describe, expect, it } from "vitest";
import { FIELDS, type FieldName, type FilteredAnswer, FilterFault, parseFilter } from "./filter.js";

const known = (field: FieldName): readonly string[] =>
  ({
    subject: ["anatomy", "high_school_physics"],
    language: ["DE_DE", "FR_FR"],
    outcome: ["right", "wrong", "unreadable"],
    category: ["STEM", "social sciences"],
  })[field as string] ?? [];

const read = (text: string) => parseFilter(text, known)!;

/** An answer whose texts are compared at once. */
const holds = (text: string, own: Partial<Record<FieldName, unknown>>, other: typeof own = {}) => {
  const filter = read(text);
  const answer: FilteredAnswer = {
    value: (field, side) => (side === "own" ? own : other)[field] as string | undefined,
    holds(at) {
      const { field, side, holds } = filter.texts[at]!;
      const said = (side === "own" ? own : other)[field] as string | undefined;
      return said === undefined ? undefined : holds(said);
    },
  };
  return filter.test(answer);
};

const fault = (text: string): [string, string] => {
  try {
    parseFilter(text, known);
  } catch (error) {
    if (error instanceof FilterFault) return [error.message, text.slice(error.at, error.at + error.length)];
    throw error;
  }
  return ["", ""];
};

describe("a filter", () => {
  const answer = {
    ...{ outcome: "wrong", predicted: "B", true: "A", subject: "high_school_physics", language: "DE_DE" },
    ...{ tokens: 240, seconds: 1.5, confidence: 0.55, cut: false, reply: "I am not sure: B", id: "DE_DE/x/0" },
  };

  it("compares words, letters, numbers, shares and whole texts", () => {
    for (const [text, is] of [
      ["outcome = wrong", true],
      ["OUTCOME == Wrong and subject = 'high school physics'", true],
      ["subject = high_school_physics", true],
      ["predicted = b and not true = b", true],
      ["predicted = true", false],
      ["predicted != true", true],
      ["tokens > 200 and tokens <= 240", true],
      ["tokens < 9", false],
      ["confidence < 60%", true],
      ["confidence < .6", true],
      ['reply contains "NOT SURE"', true],
      ['reply not contains "not sure"', false],
      ["reply !~ sure", false],
      ["reply = reply", false],
      ["id contains /x/", true],
      ["cut", false],
      ["cut = no", true],
      ["!cut && (outcome = right || seconds >= 1.5)", true],
    ] as const)
      expect([text, holds(text, answer)]).toEqual([text, is]);
    expect(parseFilter(" \t", known)).toBeUndefined();
  });

  it("binds not before and before or, and brackets before all", () => {
    const of = (text: string) => [true, false].map((cut) => holds(text, { cut, predicted: "A", true: "A" }));
    expect(of("predicted = A or predicted = B and cut")).toEqual([true, true]);
    expect(of("(predicted = A or predicted = B) and cut")).toEqual([true, false]);
    expect(of("not cut and predicted = A")).toEqual([false, true]);
    expect(of("not (cut and predicted = B)")).toEqual([true, true]);
  });

  it("leaves open what nobody knows, as SQL does", () => {
    for (const [text, is] of [
      ["tokens > 5", undefined],
      ["not tokens > 5", undefined],
      ["tokens > 5 or cut = no", true],
      ["tokens > 5 and cut = no", undefined],
      ["tokens > 5 and cut", false],
      ["reasoning not contains x", undefined],
      ["predicted != other.predicted", undefined],
    ] as const)
      expect([text, holds(text, { cut: false, predicted: "A" })]).toEqual([text, is]);
    expect(holds("predicted != other.predicted", { predicted: "A" }, { predicted: "none" })).toBe(true);
    expect(holds("tokens > other.tokens", { tokens: 7 }, { tokens: 3 })).toBe(true);
  });

  it("says what is wrong with it and where", () => {
    for (const [text, message, at] of [
      ["outcom = wrong", "there is no field outcom; did you mean outcome?", "outcom"],
      ["other.tokns > 3", "there is no field other.tokns; did you mean tokens?", "other.tokns"],
      ["constructor = 3", /^there is no field constructor/, "constructor"],
      ["outcome wrong", /^a comparison is missing here/, "wrong"],
      ["outcome =", /^a value is missing here, to compare outcome with/, ""],
      ["outcome = wrong or", /^a field is missing here/, ""],
      ["(outcome = wrong", "a closing bracket is missing here", ""],
      ["outcome = wrong)", "no bracket is open here", ")"],
      ["outcome = wrong tokens > 3", 'and or or is missing before "tokens"', "tokens"],
      ["outcome = wrog", "no answer here has outcome wrog; did you mean wrong?", "wrog"],
      ["subject = anatomi", "no answer here has subject anatomi; did you mean anatomy?", "anatomi"],
      ["predicted = Z", /^no answer here has predicted Z/, "Z"],
      ["tokens > many", "tokens is compared with a number, not many", "many"],
      ["tokens contains 3", /^tokens contains nothing/, "3"],
      ["subject < x", /^subject is no number/, "x"],
      ["confidence < 60", "confidence lies between 0 and 1: write 0.6 or 60%", "60"],
      ["cut = maybe", "cut is yes or no", "maybe"],
      ['reply contains "so', "this quotation mark is not closed", '"so'],
      ["reply contains don't", "this quotation mark is not closed", "'t"],
      ["tokens > 3 & cut", '"&" cannot stand here', "&"],
      [`id = ${"x".repeat(1000)}`, "a filter has 1,000 characters at most", "x"],
    ] as const) {
      const [said, place] = fault(text);
      expect([text, said]).toEqual([text, typeof message === "string" ? message : expect.stringMatching(message)]);
      expect([text, place]).toEqual([text, at]);
    }
  });

  it("is quick whatever it holds", () => {
    for (const text of ["(".repeat(1000), "not ".repeat(250), `reply contains "${'"'.repeat(900)}`])
      expect(() => parseFilter(text, known)).toThrow(FilterFault);
    expect(Object.keys(FIELDS)).not.toContain("other");
  });
});
