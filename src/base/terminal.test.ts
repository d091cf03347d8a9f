import { describe, expect, it } from "vitest";
import { cutTo, displayWidth, fold, inLocale, isSmart, shownOn } from "./terminal.js";

describe("columns of a text", () => {
  it.each([
    ["plain", 5],
    ["−2.0 · ×", 8],
    ["中文", 4],
    ["한국어", 6],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    // Bengali: the vowel signs behind a letter stand in a column of their own, the virama does not.
    ["বাংলা", 5],
    ["হিন্দি", 5],
    ["العربية", 7],
    ["🙂", 2],
    ["a\u200db", 2],
  ])("%s takes %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("a cut keeps within them, whatever the script", () => {
    expect(cutTo("abcdef", 6)).toBe("abcdef");
    expect(cutTo("abcdef", 4)).toBe("abc…");
    expect(cutTo("中文字符", 6)).toBe("中文…");
    expect(displayWidth(cutTo("中文字符", 6))).toBeLessThanOrEqual(6);
  });
});

describe("folding", () => {
  it("breaks between words, a little further in, and loses none", () => {
    const line = "train on a split that keeps translations together, and compare before with after";
    const folded = fold(line, 30).split("\n");
    expect(folded.slice(1).every((one) => one.startsWith("  ") && one[2] !== " ")).toBe(true);
    for (const one of folded) expect(displayWidth(one)).toBeLessThanOrEqual(30);
    expect(folded.map((one) => one.trim()).join(" ")).toBe(line);
  });

  it("keeps columns: what follows stands under the text, not under the label", () => {
    expect(fold("  memory    5.9 GiB: whether it fits is not known", 30)).toBe(
      "  memory    5.9 GiB: whether\n            it fits is not\n            known",
    );
  });

  it("never breaks a word: an address stays whole", () => {
    const address = "file:///a/rather/long/folder/report.html";
    expect(fold(`report: ${address}`, 30)).toBe(`report:\n  ${address}`);
    expect(fold(address, 10)).toBe(address);
  });

  it("parts no figure from its unit, at any width", () => {
    const figures = ["1 min 54 s", "2 h 3 min", "5.9 GiB", "(27.2 %)", "4,560.5 rows/s", "0.3 s,", "12 ms.", "98.4 %"];
    const line = `took ${figures.join(" and ")} in all 14 sets of 456 x`;
    for (let width = 20; width < 140; width++) {
      const lines = fold(line, width).split("\n");
      expect(lines.map((one) => one.trim()).join(" ")).toBe(line);
      for (const figure of figures) expect([width, lines.some((one) => one.includes(figure))]).toEqual([width, true]);
      for (const one of lines) expect(displayWidth(one)).toBeLessThanOrEqual(width);
    }
    expect(fold("in 14 sets", 7)).toBe("in 14\n  sets");
    expect(fold("of 50\u00a0% alone", 9)).toBe("of 50\u00a0%\n  alone");
  });

  it("measures wide scripts by their columns", () => {
    expect(fold("中文 中文 中文", 9)).toBe("中文 中文\n  中文");
  });
});

describe("what a stream shows", () => {
  const long = "a line of more than twenty columns";

  it("is the text itself where it is no terminal, and folded where it is one", () => {
    expect(shownOn({ isTTY: false, columns: 20 }, long, {})).toBe(long);
    expect(shownOn({ isTTY: true, columns: 20 }, long, {})).toBe("a line of more than\n  twenty columns");
    // A terminal that does not say how wide it is.
    expect(shownOn({ isTTY: true, columns: 0 }, long, {})).toBe(long);
  });

  it("has our own signs in ASCII where the locale is known to have no UTF-8", () => {
    const text = "✓ −2.0 × 3 → …";
    for (const environment of [{}, { LANG: "de_DE.UTF-8" }, { LANG: "C", LC_ALL: "C.utf8" }])
      expect(inLocale(text, environment)).toBe(text);
    if (process.platform !== "win32")
      for (const environment of [{ LANG: "C" }, { LC_ALL: "POSIX", LANG: "de_DE.UTF-8" }, { LC_CTYPE: "de_DE" }])
        expect(inLocale(text, environment)).toBe("+ -2.0 x 3 -> ~");
    expect(shownOn({ isTTY: false }, text, { LANG: "C" })).toBe(text);
  });

  it("a dumb terminal is sent no escape sequences", () => {
    expect(
      [{}, { TERM: "xterm" }, { TERM: "dumb" }].map((environment) => isSmart({ isTTY: true }, environment)),
    ).toEqual([true, true, false]);
    expect(isSmart({}, { TERM: "xterm" })).toBe(false);
  });
});
