import { describe, expect, it } from "vitest";
import { generator } from "../../split/index.js";
import { LANGUAGES, type Letter } from "../../tasks/index.js";
import { RowAnswers, RowTable } from "./answers.js";
import { leaderboard } from "./board.js";
import { type BoardEntry, publishedEntries } from "./entries.js";
import type { BoardSection } from "./types.js";
import { writeLeaderboard } from "./write.js";

const SUBJECTS = ["anatomy", "philosophy", "sociology"];

interface Made {
  readonly model: string;
  /** The chance that it knows a question of a language. */
  readonly skill: number | Readonly<Record<string, number>>;
  readonly languages?: readonly string[];
  readonly questions?: number;
  readonly entry?: Partial<BoardEntry>;
  readonly seed?: number;
}

/** Entries whose models know questions by chance; two of one seed and one skill know the same. */
function made(table: RowTable, all: readonly Made[]): BoardEntry[] {
  return all.map(({ model, skill, languages = ["DE_DE", "FR_FR"], questions = 300, entry, seed = 1 }) => {
    const draw = generator(seed);
    const answers = new RowAnswers();
    for (let question = 0; question < questions; question++) {
      const level = draw.bounded(9999) / 10_000;
      for (const language of languages) {
        const subject = SUBJECTS[question % 3]!;
        const row = table.numberOf({
          id: `${language}/${subject}/${question}`,
          language,
          subject,
          answer: "A" as Letter,
        });
        answers.add(row, level < (typeof skill === "number" ? skill : skill[language]!));
      }
    }
    return {
      model,
      source: "run",
      runs: [model],
      task: "mmmlu",
      sample: false,
      protocol: { name: "questions", shots: 0, settings: { "answerer.temperature": 0 } },
      split: "all",
      answers,
      ...entry,
    };
  });
}

const board = (all: readonly Made[], options = {}, others: readonly BoardEntry[] = []) => {
  const table = new RowTable();
  return leaderboard([...made(table, all), ...others], table, options);
};
const told = ({ rows }: BoardSection) => rows.map(({ model, rank, ties }) => [model, rank, ties.length]);

describe("a leaderboard", () => {
  it("has the mean of languages and the accuracy over rows, and each language's", () => {
    const table = new RowTable();
    const [entry] = made(table, [{ model: "a", skill: { DE_DE: 1, FR_FR: 0 } }]);
    // A third language of fewer questions counts as much in the mean, and less over rows.
    for (let question = 0; question < 100; question++)
      entry!.answers!.add(
        table.numberOf({ id: `YO_NG/anatomy/${question}`, language: "YO_NG", subject: "anatomy", answer: "A" }),
        true,
      );
    const { columns, sections } = leaderboard([entry!], table);
    expect(columns.names).toEqual(["DE_DE", "FR_FR", "YO_NG"]);
    const [row] = sections[0]!.rows;
    expect(row!.cells.map((cell) => [cell!.accuracy, cell!.n])).toEqual([
      [1, 300],
      [0, 300],
      [1, 100],
    ]);
    expect([row!.mean!.mean, row!.mean!.groups, row!.n]).toEqual([2 / 3, 3, 700]);
    expect(row!.all!.accuracy).toBe(400 / 700);
    for (const { interval } of [row!.mean!, row!.all!]) expect(interval[1]).toBeGreaterThan(interval[0]);
    expect(row!.rank).toBeUndefined();
  });

  it("ranks what differs beyond noise, and shows what does not as ties", () => {
    const { sections } = board([
      { model: "worst", skill: 0.3 },
      { model: "best", skill: 0.8 },
      { model: "second", skill: 0.6 },
      { model: "second too", skill: 0.6 },
    ]);
    expect(told(sections[0]!)).toEqual([
      ["best", 1, 0],
      ["second", 2, 1],
      ["second too", 2, 1],
      ["worst", 4, 0],
    ]);
    expect(sections[0]!.rows[1]!.ties).toEqual(["second too (second too)"]);
  });

  it("tells apart by pairs what would be noise if the rows were not shared", () => {
    // Ten of 300 questions in both languages, all in one direction: the intervals overlap, the pairs do not.
    const paired = board([
      { model: "a", skill: 0.6 },
      { model: "b", skill: 0.65 },
    ]).sections[0]!;
    const [first, second] = paired.rows;
    expect(first!.mean!.interval[0]).toBeLessThan(second!.mean!.interval[1]);
    expect(told(paired)).toEqual([
      ["b", 1, 0],
      ["a", 2, 0],
    ]);
    // The same accuracies on rows of their own, in the same languages, are a tie.
    const table = new RowTable();
    const [a, b] = made(table, [
      { model: "a", skill: 0.6 },
      { model: "b", skill: 0.65 },
    ]);
    const others = new RowAnswers();
    for (const row of b!.answers!.rows()) {
      const [language, subject] = [
        table.languages.all[table.language[row]!]!,
        table.subjects.all[table.subject[row]!]!,
      ];
      const id = `${language}/${subject}/${1000 + row}`;
      others.add(table.numberOf({ id, language, subject, answer: "A" }), b!.answers!.right(row));
    }
    expect(told(leaderboard([a!, { ...b!, answers: others }], table).sections[0]!)).toEqual([
      ["b", 1, 1],
      ["a", 1, 1],
    ]);
  });

  it("never ranks together what is of another protocol, number of examples, data set, or of the sample", () => {
    const protocol = { name: "questions", shots: 0, settings: {} };
    const { sections } = board([
      { model: "a", skill: 0.5 },
      { model: "b", skill: 0.9, entry: { protocol: { ...protocol, name: "simple-evals" } } },
      { model: "c", skill: 0.9, entry: { protocol: { ...protocol, shots: 5 } } },
      { model: "d", skill: 0.9, entry: { task: "global-mmlu" } },
      { model: "e", skill: 0.9, entry: { sample: true } },
    ]);
    expect(sections.map(({ rows }) => rows.map(({ model }) => model))).toEqual([["d"], ["a"], ["c"], ["b"], ["e"]]);
  });

  it("marks other settings, and other rows, which are held against the others on what both answered", () => {
    const { sections } = board([
      { model: "a", skill: 0.5 },
      { model: "b", skill: 0.5, seed: 1 },
      {
        model: "warm",
        skill: 0.5,
        entry: { protocol: { name: "questions", shots: 0, settings: { "answerer.temperature": 1 } } },
      },
      { model: "part", skill: 0.9, questions: 150 },
    ]);
    const cautions = Object.fromEntries(sections[0]!.rows.map((row) => [row.model, row.cautions]));
    expect(cautions.a).toEqual([]);
    expect(cautions.warm).toEqual([{ sign: "≠", why: "answerer.temperature 1, not 0" }]);
    expect(cautions.part).toMatchObject([{ sign: "†", why: expect.stringContaining("300 of 600 rows") }]);
    expect(told(sections[0]!)[0]).toEqual(["part", 1, 0]);
  });

  it("of a category, a subject, some languages: only their rows", () => {
    const all: Made[] = [{ model: "a", skill: { DE_DE: 0.9, FR_FR: 0.1 } }];
    const n = (options: object) => board(all, options).sections[0]?.rows[0]?.n;
    expect(n({ categories: ["humanities"] })).toBe(200);
    expect(n({ subjects: ["anatomy", "sociology"] })).toBe(400);
    expect(n({ languages: ["FR_FR"] })).toBe(300);
    expect(board(all, { columns: "categories" }).columns.names).toEqual(["STEM", "humanities", "social sciences"]);
    expect(board(all, { columns: "subjects", languages: ["DE_DE"] }).columns.names).toEqual(SUBJECTS);
    expect(board(all, { categories: ["other"] }).sections).toEqual([]);
  });

  it("sorts by any column", () => {
    const all: Made[] = [
      { model: "a", skill: { DE_DE: 0.9, FR_FR: 0.1 } },
      { model: "b", skill: { DE_DE: 0.2, FR_FR: 0.7 } },
    ];
    const first = (sort: string) => board(all, { sort }).sections[0]!.rows[0]!.model;
    expect([first("DE_DE"), first("FR_FR"), first("mean"), first("model")]).toEqual(["a", "b", "a", "a"]);
  });
});

describe("the published figures", () => {
  const { columns, sections } = leaderboard(publishedEntries(), new RowTable());

  it("are ten models in MMMLU's 14 languages, whose means are the published ones", () => {
    expect(columns.names).toEqual(LANGUAGES);
    const means = { "o3-high": 0.888, o1: 0.877, "gpt-4o-2024-11-20": 0.814, "gpt-4.1-nano-2025-04-14": 0.669 };
    const rows = new Map(sections[0]!.rows.map((row) => [row.model, row]));
    expect(rows.size).toBe(10);
    for (const [model, mean] of Object.entries(means)) {
      const row = rows.get(model)!;
      expect(Math.abs(row.mean!.mean - mean)).toBeLessThan(0.001);
      expect([row.n, row.source]).toEqual([14 * 14_042, "published"]);
    }
    expect(rows.get("o3-high")!.cells[LANGUAGES.indexOf("YO_NG")]!.accuracy).toBe(0.78);
    // 1.1 points apart, each of 14,042 questions, their rows unknown: not told apart. 3.6 points are.
    expect(sections[0]!.rows[0]).toMatchObject({ model: "o3-high", rank: 1, ties: ["o1 (published)"] });
    expect(rows.get("o4-mini-high")).toMatchObject({ rank: 3, ties: ["gpt-4.5-preview-2025-02-27 (published)"] });
  });

  it("stand beside runs of their protocol, and are left out where they have no figures", () => {
    const own: Made = {
      model: "own",
      skill: 0.7,
      entry: { protocol: { name: "simple-evals", shots: 0, settings: { answerExtraction: "robust" } } },
    };
    const both = board([own], {}, publishedEntries()).sections;
    expect(both).toHaveLength(1);
    const row = both[0]!.rows.find(({ model }) => model === "own")!;
    expect(row.cautions.map(({ sign }) => sign)).toEqual(["≠", "†"]);
    expect(row.cells.map((cell) => cell !== undefined).filter(Boolean)).toHaveLength(2);
    expect(row.rank).toBeGreaterThan(5);
    expect(board([own], { subjects: ["anatomy"] }, publishedEntries()).sections[0]!.rows).toHaveLength(1);
  });
});

describe("a leaderboard as text", () => {
  const strange = 'my "model", 50 % of_it | \\x\n& #1';
  const table = new RowTable();
  const text = (format: Parameters<typeof writeLeaderboard>[1], intervals = false) =>
    writeLeaderboard(
      leaderboard([...made(table, [{ model: strange, skill: 0.5 }]), ...publishedEntries()], table),
      format,
      {
        intervals,
      },
    );

  it("csv has every value with its interval", () => {
    const lines = text("csv").split("\r\n");
    const head = lines[0]!.split(",");
    expect(head.filter((name) => / (low|high)$/.test(name))).toHaveLength(2 * (2 + 14));
    const o1 = lines.find((line) => line.includes(",o1,"))!.split(",");
    expect(o1).toHaveLength(head.length);
    expect(Number(o1[head.indexOf("AR_XY")])).toBe(0.89);
    expect(Number(o1[head.indexOf("AR_XY low")])).toBeLessThan(0.89);
    expect(text("csv")).toContain('"my ""model"", 50 % of_it | \\x\n& #1"');
  });

  it("markdown and latex keep a name in its cell", () => {
    const markdown = text("markdown", true);
    const lines = markdown.split("\n").filter((line) => line.startsWith("|"));
    expect(new Set(lines.map((line) => line.replaceAll(/\\./g, "").split("|").length))).toEqual(
      new Set([6 + 2 + 2, 6 + 14 + 2]),
    );
    expect(markdown).toContain('my "model", 50 % of_it \\| \\\\x & #1');
    expect(markdown).toMatch(/o3-high \(published\).*88\.8 \(88\.\d–89\.\d\)/);
    const latex = text("latex");
    expect(latex).toContain('my "model", 50 \\% of\\_it | \\textbackslash{}x \\& \\#1');
    for (const line of latex.split("\n").filter((one) => one.endsWith("\\\\")))
      expect([6 + 2, 6 + 14]).toContain(line.replaceAll("\\&", "").split("&").length);
  });

  it("json is the board", () => {
    expect(JSON.parse(text("json"))).toMatchObject({
      columns: { kind: "languages" },
      sections: [{ protocol: "questions" }, { protocol: "simple-evals", shots: 0 }],
    });
  });
});
