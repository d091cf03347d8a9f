import { rowTexts } from "../answer/index.js";
import { writeWhole } from "../base/files.js";
import { lockFolder } from "../base/lock.js";
import { explore } from "../explore/index.js";
import { type RunFolder, type Tracker, writeManifest } from "../record/index.js";
import { html, loadReports, percent, standalone, table } from "../report/index.js";
import { drawQuestions } from "../split/index.js";
import { lettersOfRows } from "../tasks/index.js";
import { findTokenizer, keptTokenCounts } from "../tokens/index.js";
import { protocolDifferences } from "./configuration/differences.js";
import type { ExploreConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { openRun } from "./open-run.js";
import { findExperimentTokenizer, loadRows, manifestOf } from "./prepare.js";
import { experimentOf } from "./presets/index.js";
import { withPublishedFigures } from "./reproduce.js";
import { tracked } from "./tracking.js";

/** Runs an exploration: EDA of all languages, its figures and its report. */
export async function runExplore(configuration: ExploreConfiguration, context: RunContext): Promise<RunOutcome> {
  const folder = await openRun(configuration, context);
  const release = lockFolder(folder.path);
  try {
    context.opened?.(folder);
    return await tracked(configuration, folder.path, context, (tracker, watched) =>
      exploreAndReport(configuration, watched, folder, tracker),
    );
  } finally {
    release();
  }
}

async function exploreAndReport(
  configuration: ExploreConfiguration,
  context: RunContext,
  folder: RunFolder,
  tracker: Tracker,
): Promise<RunOutcome> {
  const { trainFrom: _none, limit, ...data } = configuration.data;
  const whole = await loadRows(data, context);
  const corpus = limit === null ? whole : { ...whole, rows: drawQuestions(whole.rows, limit).rows };
  const files = await findExperimentTokenizer(configuration, context, () => lettersOfRows(corpus.rows));
  const tokenizer = await files.load();
  const furtherFiles = await Promise.all(
    configuration.furtherTokenizers.map((one) =>
      findTokenizer({
        ...one,
        offline: context.offline,
        progress: context.progress,
        signal: context.signal,
        environment: context.environment,
      }),
    ),
  );
  const further = await Promise.all(furtherFiles.map((one) => one.load()));
  const filesOf = new Map([[tokenizer, files], ...further.map((one, at) => [one, furtherFiles[at]!] as const)]);
  const found = await explore(corpus, {
    tokenizer,
    textOf: rowTexts[configuration.text],
    further,
    count: async (by, texts, told) => {
      const { environment } = context;
      const asked = { length: texts.length, at: (index: number) => texts[index]! };
      return (await keptTokenCounts(filesOf.get(by)!, asked, { specialTokens: false, told, environment })).counts;
    },
    progress: context.progress,
    signal: context.signal,
  });
  folder.reopen();
  folder.writeJson("metrics.json", found);
  const manifest = {
    kind: configuration.kind,
    ...manifestOf({ corpus, tokenizer }),
    seeds: {},
    notes: corpus.kind === "sample" ? ["The embedded sample: its figures mean nothing about MMMLU."] : [],
  };
  const number = (value: number): string => value.toLocaleString("en");
  const languages = Object.keys(found.languages);
  const inLanguages = `${languages.length} language${languages.length === 1 ? "" : "s"}`;
  const { explorationReport } = await loadReports();
  const report = explorationReport(
    {
      name: configuration.name,
      description: configuration.description,
      configuration,
      manifest,
      facts: [
        ["Data", `${corpus.source}${corpus.revision ? ` at ${corpus.revision.slice(0, 12)}` : ""}`],
        ["Columns", found.columns.join(", ")],
        [
          "Nulls",
          Object.entries(found.nulls)
            .filter(([, count]) => count > 0)
            .map(([column, count]) => `${column}: ${count}`)
            .join(", ") || "none",
        ],
        [
          "Subjects cleaned of file names",
          Object.entries(found.cleanedSubjects)
            .map(([language, count]) => `${language}: ${count}`)
            .join(", ") || "none",
        ],
        ["Tokenizer", `${tokenizer.source}, ${number(tokenizer.vocabularySize)} tokens`],
      ],
      published: withPublishedFigures(experimentOf(configuration), { metrics: found, manifest }),
      protocolDifferences: protocolDifferences(configuration),
    },
    {
      subjectsDrawn: configuration.subjectsDrawn,
      headline: [
        { name: "Rows", value: number(found.rows), under: inLanguages },
        { name: "Subjects", value: String(Object.keys(found.subjects).length) },
        { name: "At most 256 tokens", value: percent(found.shareAtMost256), under: "question and choices" },
        { name: "Answer keys that differ", value: String(found.keyDifferences.length), under: "between languages" },
        {
          name: "Exact duplicates",
          value: number(found.duplicates.exact),
          under: `${number(found.duplicates.sameQuestion)} rows repeat a question's text`,
        },
      ],
      figures: {
        ...found,
        tokensByLanguage: Object.entries(found.tokensByLanguage).map(([language, summary]) => ({
          language,
          low: summary["25%"],
          middle: summary["50%"],
          high: summary["75%"],
        })),
        tokensPerCharacter: found.tokenizers
          .filter((one) => one.tokenizer === tokenizer.source)
          .map((one) => ({ language: one.language, share: one.tokensPerCharacter })),
      },
      tables: [
        {
          id: "lengths",
          title: "Token lengths",
          body: table(
            ["text", "count", "mean", "std", "min", "25 %", "50 %", "75 %", "max"],
            (
              [
                ["question", found.questionTokens],
                ["question and choices", found.questionAndChoicesTokens],
              ] as const
            ).map(([name, summary]) => [
              name,
              ...Object.values(summary).map((value) => (Number.isInteger(value) ? number(value) : value.toFixed(2))),
            ]),
          ),
        },
        {
          id: "tokenizers",
          title: "What tokenizers make of each language",
          body: table(
            ["tokenizer", "language", "tokens per character", "unknown tokens"],
            found.tokenizers.map((one) => [
              one.tokenizer,
              one.language,
              one.tokensPerCharacter.toFixed(3),
              one.unknownShare === null ? "cannot happen" : percent(one.unknownShare, 2),
            ]),
          ),
        },
        {
          id: "keys",
          title: "Answer keys across languages",
          body: found.keyDifferences.length
            ? table(
                ["question", "answers"],
                found.keyDifferences.map((one) => [
                  one.question,
                  Object.entries(one.answers)
                    .map(([letter, some]) => `${letter}: ${some.join(" ")}`)
                    .join("; "),
                ]),
              )
            : html`<p>Every question has the same true letter in each of ${languages.length} languages.</p>`,
        },
        ...(Object.keys(found.cleanedSubjects).length
          ? [
              {
                id: "subjects-as-stored",
                title: "Subjects as stored",
                body: html`<p>Some files carry a file's name behind a subject. The published exploration counted subjects as they are stored, ${Object.keys(found.subjectsAsStored).length} of them; all else here counts the ${Object.keys(found.subjects).length} cleaned ones.</p><details><summary>Rows of each subject, cleaned and as stored</summary>${table(
                  ["as stored", "rows", "cleaned", "rows of the cleaned subject"],
                  Object.entries(found.subjectsAsStored).map(([stored, count]) => {
                    const cleaned = corpus.task.cleanSubject?.(stored) ?? stored;
                    return [stored, count, cleaned, found.subjects[cleaned] ?? 0];
                  }),
                )}</details>`,
              },
            ]
          : []),
        {
          id: "subjects-by-language",
          title: "Subjects by language",
          body: html`<details><summary>Rows of each subject in each language</summary>${table(
            ["subject", ...languages],
            Object.keys(found.subjects).map((subject) => [
              subject.replaceAll("_", " "),
              ...languages.map((language) => found.subjectsByLanguage[language]?.[subject] ?? 0),
            ]),
          )}</details>`,
        },
        {
          id: "first-rows",
          title: "First rows, after a shuffle with seed 42",
          body: table(
            ["id", "question", ...lettersOfRows(found.firstRows), "answer"],
            found.firstRows.map((row) => [
              row.id,
              row.question.slice(0, 160),
              ...lettersOfRows(found.firstRows).map((_, index) => row.choices[index]?.slice(0, 60) ?? ""),
              row.answer,
            ]),
          ),
        },
      ],
    },
  );
  for (const figure of report.figures) writeWhole(folder.file("figures", `${figure.name}.svg`), standalone(figure));
  writeWhole(folder.file("report.html"), report.html);
  tracker.summary({
    rows: found.rows,
    subjects: Object.keys(found.subjects).length,
    share_at_most_256: found.shareAtMost256,
    mean_question_tokens: found.questionTokens.mean,
    mean_question_and_choices_tokens: found.questionAndChoicesTokens.mean,
    differing_answer_keys: found.keyDifferences.length,
    exact_duplicates: found.duplicates.exact,
  });
  writeManifest(folder, manifest);
  return {
    folder: folder.path,
    report: folder.file("report.html"),
    headline: [
      `${number(found.rows)} rows, ${inLanguages}, ${Object.keys(found.subjects).length} subjects; ` +
        `${percent(found.shareAtMost256)} at most 256 tokens`,
    ],
  };
}
