import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

type Value = string | number | boolean | null | readonly (string | null)[];
export type Record_ = Readonly<Record<string, Value>>;

/** Writes rows as a Parquet file, as the hub's are: each column of the type that DuckDB is told. */
export async function writeParquet(
  path: string,
  types: Readonly<Record<string, string>>,
  rows: readonly Record_[],
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const json = `${path}.json`;
  writeFileSync(json, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const columns = Object.entries(types).map(([name, type]) => `'${name}': '${type}'`);
  const database = await (await DuckDBInstance.create(":memory:")).connect();
  await database.run(
    `copy (select * from read_json('${json}', format = 'newline_delimited', columns = ` +
      `{${columns.join(", ")}})) to '${path}' (format parquet)`,
  );
  database.closeSync();
  rmSync(json);
}

const texts = (...names: string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, "VARCHAR"]));

/** The columns of each task's files, by their public cards. */
export const TYPES = {
  "global-mmlu": {
    ...texts("sample_id", "subject", "subject_category", "question", "option_a", "option_b", "option_c", "option_d"),
    ...texts("answer", "required_knowledge", "time_sensitive", "reference", "culture", "region", "country"),
    ...texts("cultural_sensitivity_label"),
    is_annotated: "BOOLEAN",
  },
  "mmlu-prox": {
    question_id: "BIGINT",
    question: "VARCHAR",
    ...texts(...Array.from({ length: 10 }, (_, index) => `option_${index}`)),
    answer: "VARCHAR",
    answer_index: "BIGINT",
    ...texts("cot_content", "category", "src"),
    question_id_src: "BIGINT",
  },
  include: {
    ...texts("language", "country", "domain", "subject", "regional_feature", "level", "question"),
    ...texts("option_a", "option_b", "option_c", "option_d"),
    answer: "BIGINT",
  },
  mmlu: { question: "VARCHAR", subject: "VARCHAR", choices: "VARCHAR[]", answer: "BIGINT" },
} as const;

/** A question of a set of four words, one of them an answer; the same in every language but for the language's name. */
export interface Question {
  readonly subject: string;
  readonly index: number;
  readonly answer: number;
}

/** Questions of each subject, each letter right in turn. */
export const questions = (subjects: readonly string[], each: number, options = 4): Question[] =>
  subjects.flatMap((subject, s) =>
    Array.from({ length: each }, (_, index) => ({ subject, index, answer: (index * 3 + s) % options })),
  );

const choice = (question: Question, place: number, language: string): string =>
  place === question.answer ? `dog ${language}` : `stone ${place}`;
const asked = ({ subject, index }: Question, language: string): string =>
  `Which of ${subject} ${index} lives? ${language}`;

/** Global-MMLU's rows of a language. */
export const globalMmluRows = (language: string, all: readonly Question[]): Record_[] =>
  all.map((one) => ({
    sample_id: `${one.subject}/test/${one.index}`,
    subject: one.subject,
    subject_category: one.subject === "anatomy" ? "Medical" : "STEM",
    question: asked(one, language),
    ...Object.fromEntries(
      ["a", "b", "c", "d"].map((letter, place) => [`option_${letter}`, choice(one, place, language)]),
    ),
    answer: "ABCD"[one.answer]!,
    cultural_sensitivity_label: "CA",
    is_annotated: true,
  }));

/** MMLU-ProX's rows of a language: question `i` has between three and ten options, the rest are null. */
export const mmluProxRows = (language: string, all: readonly Question[]): Record_[] =>
  all.map((one, id) => {
    const count = Math.max(3 + (id % 8), one.answer + 1);
    return {
      question_id: id,
      question: asked(one, language),
      ...Object.fromEntries(
        Array.from({ length: 10 }, (_, place) => [
          `option_${place}`,
          place < count ? choice(one, place, language) : null,
        ]),
      ),
      answer: "ABCDEFGHIJ"[one.answer]!,
      answer_index: one.answer,
      cot_content: "",
      category: one.subject,
      src: "stemez",
      question_id_src: id + 1000,
    };
  });

/** INCLUDE's rows of a language. */
export const includeRows = (language: string, all: readonly Question[]): Record_[] =>
  all.map((one) => ({
    language,
    country: "Somewhere",
    domain: "STEM",
    subject: one.subject,
    regional_feature: "agnostic",
    level: "academic",
    question: asked(one, language),
    ...Object.fromEntries(
      ["a", "b", "c", "d"].map((letter, place) => [`option_${letter}`, choice(one, place, language)]),
    ),
    answer: one.answer,
  }));

/** MMLU's rows. */
export const mmluRows = (all: readonly Question[]): Record_[] =>
  all.map((one) => ({
    question: asked(one, "en"),
    subject: one.subject,
    choices: [0, 1, 2, 3].map((place) => choice(one, place, "en")),
    answer: one.answer,
  }));

/** MMMLU's file of a language. */
export const mmmluFile = (language: string, all: readonly Question[]): string =>
  [
    ",Question,A,B,C,D,Answer,Subject",
    ...all.map((one) =>
      [
        one.index,
        asked(one, language),
        ...[0, 1, 2, 3].map((place) => choice(one, place, language)),
        "ABCD"[one.answer],
        one.subject,
      ].join(","),
    ),
    "",
  ].join("\n");
