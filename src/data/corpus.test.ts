import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { categoryOf, cleanSubject, SUBJECTS } from "../tasks/index.js";
import { loadCorpus } from "./corpus.js";

const HEADER = ",Question,A,B,C,D,Answer,Subject\n";
function folderWith(content: string | Uint8Array, name = "mmlu_DE-DE.csv"): string {
  const folder = mkdtempSync(join(tmpdir(), "corpus-"));
  mkdirSync(join(folder, "test"));
  writeFileSync(join(folder, "test", name), content);
  return folder;
}
const read = (content: string | Uint8Array, languages?: string[]) =>
  loadCorpus({ source: folderWith(content), languages });

describe("a folder of rows", () => {
  it("keeps cells as they stand", async () => {
    const { rows, nulls } = await read(
      `${HEADER}0," Was ist ""das""?\r\nzwei\n",None,NA," 3 ",,B,anatomy\n1,null,1,1,1,nan,A,anatomy\r\n`,
    );
    expect(rows[0]).toMatchObject({
      id: "DE_DE/anatomy/0",
      question: ' Was ist "das"?\r\nzwei\n',
      choices: ["None", "NA", " 3 ", ""],
      answer: "B",
    });
    expect(rows[1]).toMatchObject({ question: "null", choices: ["1", "1", "1", "nan"] });
    expect(nulls).toMatchObject({ D: 1, Question: 0 });
  });
  it("cleans subjects of file names and says how many", async () => {
    const corpus = await read(
      `${HEADER}0,q,1,2,3,4,A,college_mathematics_test.csv_sw-KE.csv\n0,q,1,2,3,4,A,security_studies_test-sw-KE.csv\n`,
    );
    expect(corpus.rows.map((row) => row.subject)).toEqual(["college_mathematics", "security_studies"]);
    expect(corpus.cleanedSubjects).toEqual({ DE_DE: 2 });
    expect(corpus.storedSubjects).toEqual({
      "college_mathematics_test.csv_sw-KE.csv": 1,
      "security_studies_test-sw-KE.csv": 1,
    });
    expect(cleanSubject("high_school_test_prep")).toBe("high_school_test_prep");
  });
  it("finds columns by their names", async () => {
    const { rows } = await read("Subject,Unnamed: 0,Question,A,B,C,D,Answer\nanatomy,4,q,1,2,3,4,C\n");
    expect(rows[0]).toMatchObject({ id: "DE_DE/anatomy/4", answer: "C" });
  });
  it.each([
    ["a missing column", ",Question,A,B,C,Answer,Subject\n0,q,1,2,3,A,x\n", /:1: the column "D" is missing/],
    ["too few cells", `${HEADER}0,"q\nq",1,2,3,4,A,x\n1,q,1,2,3,4,A\n`, /:4: the row has 7 cells, expected 8/],
    ["too many cells", `${HEADER}0,q,1,2,3,4,A,x,y\n`, /:2: the row has 9 cells, expected 8/],
    ["an unclosed quote", `${HEADER}0,q,1,2,3,4,A,x\n1,"q,1,2,3,4,A,x\n`, /:3: a quote is opened and never closed/],
    ["an answer that is none", `${HEADER}0,"q\n",1,2,3,4,A,x\n1,q,1,2,3,4,E,x\n`, /:4: the answer is "E"/],
    ["an index that is none", `${HEADER}x,q,1,2,3,4,A,x\n`, /:2: the index .* "x"/],
    [
      "an id that repeats",
      `${HEADER}0,q,1,2,3,4,A,x\n1,"q\n",1,2,3,4,A,x\n0,r,1,2,3,4,B,x\n`,
      /:5: the row DE_DE\/x\/0 is there twice, first on line 2/,
    ],
    ["an empty file", "", /the file is empty/],
    ["a header alone", HEADER, /a header but no row/],
  ])("refuses %s", async (_name, content, expected) => {
    await expect(read(content)).rejects.toThrow(expected);
  });
  it("refuses bytes that are not UTF-8, naming the line", async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${HEADER}0,q,1,2,3,4,A,x\n1,`),
      Buffer.from([0xe4, 0x20]),
      Buffer.from(",1,2,3,4,A,x\n"),
    ]);
    await expect(read(bytes)).rejects.toThrow(/:3: bytes that are not UTF-8/);
  });
  it("says which languages there are", async () => {
    await expect(read(`${HEADER}0,q,1,2,3,4,A,x\n`, ["FR_FR"])).rejects.toMatchObject({
      message: expect.stringContaining("no language FR_FR"),
      hint: expect.stringContaining("DE_DE"),
    });
    await expect(loadCorpus({ source: "/nowhere/at/all" })).rejects.toThrow(/no folder/);
  });
});

describe("a folder's name", () => {
  const root = mkdtempSync(join(tmpdir(), "names-"));
  const rowsOf = (answer: string) => `${HEADER}0,"q ""1"" ",1,2,3,4,${answer},anatomy\n`;
  const make = (name: string, content = rowsOf("C")): string => {
    const folder = join(root, name);
    mkdirSync(join(folder, "test"), { recursive: true });
    writeFileSync(join(folder, "test", "mmlu_DE-DE.csv"), content);
    return folder;
  };
  // What the patterns would take instead.
  for (const decoy of ["copy1", "axb", "qx", "b", "!", "plain"]) make(decoy, rowsOf("A"));

  it.each([
    "copy[1]",
    "a*b",
    "**",
    "q?",
    "[!b]",
    "[a-z]",
    "[",
    "]",
    "Answer=B",
    "Subject=x/Answer=A",
    "it's",
    'say "so"',
    "über 問題",
    " a b ",
    "a\\b",
    "a\\*b",
    "back\\[1]",
    "~",
    "$HOME",
    "s3:",
    "http:",
    "x{a,b}",
    "%20",
    "#",
    "data.gz",
    "--",
    ";drop",
  ])("is a name: %s", async (name) => {
    const content = rowsOf("C");
    const folder = make(name, content);
    const { rows, files } = await loadCorpus({ source: folder });
    expect(rows).toEqual([expect.objectContaining({ question: 'q "1" ', answer: "C", subject: "anatomy" })]);
    expect(files[0]!.sha256).toBe(createHash("sha256").update(content).digest("hex"));
  });

  it("is a name where it stands relative to the working directory", async () => {
    const before = process.cwd();
    process.chdir(make("~").slice(0, -1));
    try {
      for (const name of ["~", "s3:", "copy[1]"]) {
        make(name);
        expect((await loadCorpus({ source: name })).rows[0]?.answer).toBe("C");
      }
    } finally {
      process.chdir(before);
    }
  });

  it("is no help to a file that is broken", async () => {
    await expect(loadCorpus({ source: make("a\\*c", `${HEADER}0,q,1,2,3,4,A\n`) })).rejects.toThrow(
      /:2: the row has 7 cells/,
    );
  });
});

describe("a byte order mark", () => {
  it.each(["Unnamed: 0,Question", ",Question", '"Unnamed: 0","Question"', '"","Question"'])(
    "is passed over before %s",
    async (begin) => {
      const { rows } = await read(`\ufeff${begin},A,B,C,D,Answer,Subject\n0,q,1,2,3,4,A,x\n`);
      expect(rows[0]).toMatchObject({ id: "DE_DE/x/0", question: "q", answer: "A" });
    },
  );
});

describe("the sample", () => {
  it("has every language and subject, and no hint in place or letter", async () => {
    const { rows, cleanedSubjects } = await loadCorpus({ source: "sample", languages: ["DE_DE", "SW_KE", "JA_JP"] });
    expect(rows.length).toBe(3 * 57 * 40);
    expect([...new Set(rows.map((row) => row.subject))].sort()).toEqual(SUBJECTS);
    expect(cleanedSubjects.SW_KE).toBeGreaterThan(0);
    for (const letter of ["A", "B", "C", "D"])
      expect(rows.filter((row) => row.answer === letter).length).toBe(rows.length / 4);
    const german = rows.filter((row) => row.language === "DE_DE");
    const lengthOf = (right: boolean): number => {
      const words = german.flatMap((row) => row.choices.filter((_, place) => ("ABCD"[place] === row.answer) === right));
      return words.reduce((sum, word) => sum + word.length, 0) / words.length;
    };
    expect(Math.abs(lengthOf(true) - lengthOf(false))).toBeLessThan(1);
    for (const row of german) expect(new Set(row.choices).size).toBe(4);
  });
  it("puts subjects into MMLU's categories", () => {
    expect(SUBJECTS.length).toBe(57);
    expect(categoryOf("anatomy")).toBe("STEM");
    expect(categoryOf("virology")).toBe("other");
  });
});
