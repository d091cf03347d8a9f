import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeParquet } from "../../test/task-files.js";
import { questionOf } from "../tasks/index.js";
import { type CorpusOptions, loadCorpus } from "./corpus.js";

const root = mkdtempSync(join(tmpdir(), "own-rows-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const file = (content: string, ending = "csv"): string => {
  const path = join(root, `rows${made++}.${ending}`);
  writeFileSync(path, content);
  return path;
};
async function load(source: string, more: Partial<CorpusOptions> = {}) {
  const said: string[] = [];
  const progress = { begin() {}, update() {}, say: (line: string) => void said.push(line), end() {} };
  return { ...(await loadCorpus({ source, progress, ...more })), said: said.join("\n") };
}
const lines = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

describe("a file of own rows", () => {
  it("is guessed by its columns' names, and that is told", async () => {
    const { rows, said, columns, kind, languages } = await load(
      file('Question,A,B,C,Answer,Topic\n"1 + 1?",1,2,3,b,maths\n"Red?",colour,number,,(A),words\n'),
    );
    expect(rows).toEqual([
      {
        id: expect.stringMatching(/^rows\d+\.csv:und\/maths\/0$/),
        language: "und",
        subject: "maths",
        index: 0,
        question: "1 + 1?",
        choices: ["1", "2", "3"],
        answer: "B",
        key: expect.any(String),
      },
      expect.objectContaining({ choices: ["colour", "number"], answer: "A", subject: "words" }),
    ]);
    expect(said).toMatch(
      /question from "Question"; options from "A", "B", "C"; answer from "Answer" \(a letter\); subject from "Topic"; all of one language; no key/,
    );
    expect(columns).toEqual(["Question", "A", "B", "C", "Answer", "Topic"]);
    expect({ kind, languages }).toEqual({ kind: "file", languages: ["und"] });
  });

  it.each([
    ["numbers from 0", [0, 2, 1], ["A", "C", "B"], /from 0/],
    ["numbers from 1", [1, 3, 2], ["A", "C", "B"], /from 1/],
    ["letters", ["a", " C ", "B."], ["A", "C", "B"], /a letter/],
    ["texts", ["x", "z", "y"], ["A", "C", "B"], /the option's text/],
  ])("names answers by %s", async (_name, answers, letters, told) => {
    const { rows, said } = await load(
      file(
        lines(...answers.map((label, i) => ({ prompt: `q${i}`, option_1: "x", option_2: "y", option_3: "z", label }))),
        "jsonl",
      ),
    );
    expect(rows.map((row) => row.answer)).toEqual(letters);
    expect(said).toMatch(told);
  });

  it("asks where numbers may count from 0 or from 1", async () => {
    const source = file(lines({ question: "q", choices: ["x", "y", "z"], answer: 1 }), "jsonl");
    await expect(load(source)).rejects.toMatchObject({
      message: expect.stringContaining("from 0 or from 1"),
      hint: expect.stringContaining("data.columns.answers=number-from-0"),
    });
    expect((await load(source, { columns: { answers: "number-from-1" } })).rows[0]!.answer).toBe("A");
  });

  it.each([
    ["numbers", ["2", "1", "0"], "1,2,0", /numbers the options, from 0 or from 1, or gives their texts/],
    ["letters", ["B", "A", "C"], "A,B,C", /names the options by their letters, or gives their texts/],
  ])("asks where %s may be the options' own texts", async (_name, choices, answers, expected) => {
    const rows = answers.split(",").map((answer, id) => ({ id, question: `q${id}`, choices, answer }));
    for (const source of [
      file(lines(...rows), "jsonl"),
      file(`question,A,B,C,answer\n${rows.map((row) => `q,${choices},${row.answer}`).join("\n")}\n`),
    ]) {
      await expect(load(source)).rejects.toMatchObject({
        message: expect.stringMatching(expected),
        hint: expect.stringContaining("or text"),
      });
      const told = await load(source, { columns: { answers: "text" } });
      expect(told.rows[0]!.choices.indexOf(answers.split(",")[0]!)).toBe("ABC".indexOf(told.rows[0]!.answer));
    }
    // Where both ways name the same options there is nothing to ask.
    const same = lines(
      { question: "q", choices: ["A", "B"], answer: "A" },
      { question: "r", choices: ["x", "B"], answer: "B" },
    );
    expect((await load(file(same, "jsonl"))).rows.map((row) => row.answer)).toEqual(["A", "B"]);
  });

  it("leaves out no option: an eleventh, or one behind a gap, is told", async () => {
    const letters = "ABCDEFGHIJKL".split("");
    const twelve = (row: string) => file(`question,${letters.join(",")},answer\nq,${row},B\n`);
    await expect(load(twelve("1,2,3,4,5,6,7,8,9,10,11,12"))).rejects.toThrow(/"J" look like options, and so does "K"/);
    // A column of that name which is empty in every row is none.
    expect((await load(twelve("1,2,3,4,5,6,7,8,9,10,,"))).rows[0]!.choices).toHaveLength(10);
    const gap = file("question,option_1,option_2,option_4,answer\nq,x,y,z,A\n");
    await expect(load(gap)).rejects.toThrow(/"option_2" look like options, and so does "option_4"/);
    const columns = { options: ["option_1", "option_2"] };
    expect((await load(gap, { columns })).rows[0]!.choices).toEqual(["x", "y"]);
  });

  it("keeps numbers as they are written", async () => {
    const numbers = "[9007199254740993, 9007199254740992, 1.50, -0, 1e22]";
    for (const source of [
      file(`{"id": 12345678901234567890, "question": "q \\" 1.0", "options": ${numbers}, "answer": "A"}\n`, "jsonl"),
      file(`question,options,answer\n"q "" 1.0","${numbers}",A\n`),
    ]) {
      const [row] = (await load(source)).rows;
      expect(row!.choices).toEqual(["9007199254740993", "9007199254740992", "1.50", "-0", "1e22"]);
      expect(row!.question).toMatch(/^q \W+1\.0$/);
    }
  });

  it("is a CSV file as Excel writes it elsewhere: with a mark, semicolons, CRLF; other encodings are told", async () => {
    const text =
      'Question;A;B;Answer;Subject\r\n"1 + 1, und ""warum""; für wen?";2;3;A;Mathe\r\n2 x 2?;3,5;4;B;Mathe\r\n';
    for (const [content, told] of [
      [`\ufeff${text}`, /: separated by semicolons; question from/],
      [text.replace("; für", " für").replaceAll(";", "\t"), /: separated by tabs; question from/],
    ] as const) {
      const { rows, said } = await load(file(content));
      expect(rows.map(({ choices, answer }) => [choices, answer])).toEqual([
        [["2", "3"], "A"],
        [["3,5", "4"], "B"],
      ]);
      expect(rows[0]!.question).toMatch(/^1 \+ 1, und "warum"/);
      expect(said).toMatch(told);
    }
    for (const [encoding, message] of [
      ["latin1", /rows\d+\.csv:2: bytes that are not UTF-8/],
      ["utf16le", /rows\d+\.csv: the file is UTF-16, not UTF-8/],
    ] as const) {
      const path = file("");
      writeFileSync(path, Buffer.from(`${encoding === "utf16le" ? "\ufeff" : ""}${text}`, encoding));
      await expect(load(path)).rejects.toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringContaining("CSV UTF-8"),
      });
    }
    await expect(load(file("Question;A;B;Answer\nq;1;2\n"))).rejects.toThrow(/:2: the row has 3 cells, expected 4/);
  });

  it("that is none of the kinds that are read, or has columns without a name, is told so", async () => {
    for (const ending of ["xlsx", "json", "tsv"])
      await expect(load(file("[]", ending))).rejects.toMatchObject({
        message: expect.stringMatching(/ is a file that rows are not read from$/),
        hint: expect.stringContaining("CSV UTF-8"),
      });
    await expect(load(file("Question;A;B;Answer;;\nq;1;2;A;;\n"))).rejects.toThrow(/:1: 2 columns have no name: 5, 6/);
    await expect(load(file("[]\n", "jsonl"))).rejects.toThrow(
      /:1: not a JSON object: expected an object with keys, not a list/,
    );
  });

  it("has two to ten options, as columns, as lists, and as lists in a table", async () => {
    const ten = Array.from({ length: 10 }, (_, i) => `option ${i}`);
    const rows = [
      { question: "q0", choices: ten, answer: "J", lang: "de", id: 7 },
      { question: "q1", choices: ["yes", "no"], answer: "B", lang: "fr", id: 7 },
    ];
    const fromLines = await load(file(lines(...rows), "jsonl"));
    expect(fromLines.rows.map((row) => [row.language, row.choices.length, row.answer])).toEqual([
      ["de", 10, "J"],
      ["fr", 2, "B"],
    ]);
    // The same number in two languages is one question.
    expect(questionOf(fromLines.rows[0]!)).toBe(questionOf(fromLines.rows[1]!));
    const parquet = join(root, "rows.parquet");
    const types = { question: "VARCHAR", choices: "VARCHAR[]", answer: "VARCHAR", lang: "VARCHAR", id: "INTEGER" };
    await writeParquet(parquet, types, rows);
    const table = file(
      `question,choices,answer,lang,id\n${rows.map((row) => `${row.question},"${JSON.stringify(row.choices).replaceAll('"', '""')}",${row.answer},${row.lang},${row.id}`).join("\n")}\n`,
    );
    const bare = ({ id: _id, key: _key, ...row }: (typeof fromLines.rows)[number]) => row;
    expect((await load(parquet)).rows.map(bare)).toEqual(fromLines.rows.map(bare));
    expect((await load(table)).rows.map(bare)).toEqual(fromLines.rows.map(bare));
    expect((await load(table, { languages: ["FR_FR"] })).rows.map((row) => row.language)).toEqual(["fr"]);
    await expect(load(table, { languages: ["it"] })).rejects.toThrow(/no language it/);
  });

  it("takes columns as the configuration names them", async () => {
    const source = file("Frage,eins,zwei,richtig,A,B\nWas?,ja,nein,2,x,y\nWo?,da,dort,1,x,y\n");
    const { rows } = await load(source, {
      columns: { question: "Frage", options: ["eins", "zwei"], answer: "richtig" },
      languages: ["de"],
    });
    expect(rows.map((row) => [row.language, row.question, row.choices, row.answer])).toEqual([
      ["de", "Was?", ["ja", "nein"], "B"],
      ["de", "Wo?", ["da", "dort"], "A"],
    ]);
    await expect(load(source, { columns: { question: "frage" } })).rejects.toMatchObject({
      message: expect.stringContaining('there is no column "frage"'),
      hint: expect.stringContaining("Frage, eins, zwei, richtig"),
    });
    await expect(load(source)).rejects.toThrow(/no column is known to hold the question/);
  });

  it("carries the keys of MMLU's questions, and keys of its own across files", async () => {
    const own = await load(
      file(
        "question,A,B,C,D,answer,subject,sample_id\nq,1,2,3,4,A,anatomy,anatomy/test/12\nr,1,2,3,4,B,virology,virology/3\n",
      ),
    );
    expect(own.rows.map(questionOf)).toEqual(["anatomy/12", "virology/3"]);
    expect(own.said).toContain("MMLU's own");
    const [german, french] = await Promise.all(
      ["de", "fr"].map((language) =>
        load(file(`key,question,A,B,answer\nk2,${language} 2,1,2,A\nk1,${language} 1,1,2,B\n`), {
          languages: [language],
        }),
      ),
    );
    expect(german!.rows.map(questionOf)).toEqual(french!.rows.map(questionOf));
    expect(new Set([...german!.rows, ...french!.rows].map((row) => row.id)).size).toBe(4);
  });

  it.each([
    ["an empty option between others", "question,A,B,C,answer\nq,1,,3,A\n", /:2: B is empty/],
    ["an empty question", "question,A,B,answer\nq,1,2,A\n,1,2,A\n", /:3: question is empty/],
    [
      "options that are objects",
      'question,options,answer\nq,"[{""text"":""x""},{""text"":""y""}]",A\n',
      /:2: .* no list/,
    ],
    ["one option", "question,A,B,answer\nq,1,2,A\nq,1,,A\n", /:3: there are 1 options/],
    [
      "an answer without an option",
      "question,A,B,C,answer\nq,1,2,3,C\nq,1,2,,C\n",
      /:3: the answer is "C", expected A or B/,
    ],
    ["an id twice", "id,question,A,B,answer\n4,q,1,2,A\n4,r,1,2,A\n", /:3: the row .* is there twice, first on line 2/],
    ["a row too short", "question,A,B,answer\nq,1,2,A\nq,1\n", /:3: the row has 2 cells/],
    [
      "two equal options where the text is the answer",
      "question,A,B,answer\nq,x,x,x\n",
      /:2: the answer is "x", expected the text of one/,
    ],
    ["no row", "question,A,B,answer\n", /no row/],
  ])("refuses %s", async (_name, content, expected) => {
    await expect(load(file(content))).rejects.toThrow(expected);
  });
  it.each([
    ["no JSON", '{"question": "q", "A": 1, "B": 2, "answer": "A"}\n{\n', /:2: not JSON/],
    ["no object", '["q"]\n', /:1: not a JSON object/],
    [
      "options that are no list",
      lines({ question: "q", options: "a", answer: "A" }),
      /:1: the options \(options\) are no list/,
    ],
  ])("refuses lines of %s", async (_name, content, expected) => {
    await expect(load(file(content, "jsonl"))).rejects.toThrow(expected);
  });
  it("that is not there is told", async () => {
    await expect(load(join(root, "none.csv"))).rejects.toThrow(/cannot read .*none\.csv/);
  });
});
