import { describe, expect, it } from "vitest";
import { lettersOf, partsOfId, questionOf, rowId } from "./index.js";

describe("a row's id", () => {
  it("of MMMLU has no set's name", () => expect(rowId("", "DE_DE", "anatomy", 3)).toBe("DE_DE/anatomy/3"));
  it.each([
    ["", "DE_DE", "abstract_algebra", 0],
    ["include", "North Macedonian", "Driving License", 12],
    ["own-rows", "a:b/c", "50%/50: a/b\nc", 7],
    ["own-rows", "%2F", "%", 1],
  ])("gives its parts back: %s, %s, %s, %i", (set, language, subject, index) => {
    const id = rowId(set, language, subject, index);
    expect(id).toMatch(/^[^/\n]+\/[^/\n]+\/\d+$/);
    expect(partsOfId(id)).toEqual({ language, subject, index });
  });
  it("tells nothing of a question that has a key", () => {
    expect(questionOf({ subject: "anatomy", index: 3 })).toBe("anatomy/3");
    expect(questionOf({ key: "include:German/law/3", subject: "law", index: 3 })).toBe("include:German/law/3");
  });
  it("and letters go to J", () =>
    expect([lettersOf(2).join(""), lettersOf(10).join("")]).toEqual(["AB", "ABCDEFGHIJ"]));
});
