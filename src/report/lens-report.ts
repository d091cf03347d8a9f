import type { Accuracy, Gap, Lens, RunLens } from "../evaluate/index.js";
import { pValue } from "./comparison-report.js";
import { type Figure, percent, points, spoken } from "./figures/figure.js";
import {
  agreementFigure,
  cleanFigure,
  gapFigure,
  gapsByFigure,
  repliesFigure,
  rightInFigure,
  suspectsFigure,
} from "./figures/lens.js";
import { type Html, html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures, range, table, tiles } from "./parts.js";

/** Suspect rows that the page shows; the CSV file has all. */
const SHOWN = 60;

/** The report of `mmmlu lens`. */
export function lensReport(lens: Lens): { html: string; figures: readonly Figure[] } {
  const several = lens.runs.length > 1;
  const drawn = lens.runs.map((run, index) => runFigures(lens, run, several ? `${index + 1}-` : ""));
  const suspects = suspectsFigure(lens);
  const sections: Section[] = [
    ...lens.runs.map((run, index) => runSection(lens, run, drawn[index]!, several)),
    suspectSection(lens, suspects),
    keySection(lens),
    cleanSection(lens, several),
  ];
  const title = `Parallel lens: ${lens.runs.map(({ name }) => name).join(", ")}`;
  return {
    figures: [...drawn.flat(), suspects],
    html: page(
      title,
      html`<h1>${title}</h1><p class="soft">${lens.questions.toLocaleString("en")} questions in ${lens.languages.length} languages; gaps are to ${lens.reference} (${lens.referenceWhy}).</p>`,
      sections,
    ),
  };
}

function runFigures(lens: Lens, run: RunLens, prefix: string): Figure[] {
  return [
    gapFigure(lens, run, `${prefix}gaps`),
    agreementFigure(lens, run, `${prefix}agreement`),
    rightInFigure(run, `${prefix}right-in`),
    gapsByFigure(lens, run.gapsByCategory, "category", `${prefix}gaps-by-category`),
    ...(run.gapsByLength ? [gapsByFigure(lens, run.gapsByLength, "length", `${prefix}gaps-by-length`)] : []),
    ...(run.gapsByUnknown
      ? [gapsByFigure(lens, run.gapsByUnknown, lens.unknownBy ?? "unknown tokens", `${prefix}gaps-by-unknown`)]
      : []),
    ...(run.gapsByCulture
      ? [gapsByFigure(lens, run.gapsByCulture, "cultural sensitivity", `${prefix}gaps-by-culture`)]
      : []),
    repliesFigure(run, `${prefix}replies-by-language`),
    cleanFigure(run, `${prefix}accuracy-clean`),
  ];
}

function runSection(lens: Lens, run: RunLens, drawn: readonly Figure[], several: boolean): Section {
  const { rightIn } = run;
  const last = rightIn.counts.length - 1;
  const share = (count: number): string => percent(count / Math.max(1, rightIn.n));
  const widest = [...run.gaps].sort((a, b) => a.difference - b.difference)[0];
  const sure = run.gaps.filter(({ adjustedPValue }) => adjustedPValue < 0.05).length;
  return {
    id: several ? `run-${lens.runs.indexOf(run) + 1}` : "languages",
    title: several ? run.name : "The languages side by side",
    body: html`${tiles([
      {
        name: "Accuracy",
        value: percent(run.all.accuracy),
        under: [`95 %: ${range(run.all.clusteredInterval)}`, `${run.all.n.toLocaleString("en")} rows`],
      },
      {
        name: "Right in all languages",
        value: share(rightIn.counts[last]!),
        under: `in none ${share(rightIn.counts[0]!)}, in one only ${share(rightIn.counts[1]!)}`,
      },
      ...(widest
        ? [
            {
              name: `Widest gap to ${lens.reference}`,
              value: points(widest.difference),
              under: [
                widest.language,
                `95 %: ${points(widest.interval[0], false)} to ${points(widest.interval[1], false)}`,
              ],
            },
          ]
        : []),
      {
        name: "Languages that differ",
        value: `${sure} of ${run.gaps.length}`,
        under: `from ${lens.reference}, after Holm's correction`,
      },
    ])}
${figures(drawn)}
${
  lens.unknownBy
    ? html`<p class="soft">Length and ${lens.unknownBy} by the tokenizer ${lens.tokenizer}, in quarters of each language's own rows.</p>`
    : html`<p class="soft">By length and unknown tokens nothing is shown: the rows' texts were not at hand.</p>`
}
<details><summary>Gaps as a table</summary>${gapTable(run.gaps, lens.reference)}</details>
<details><summary>Replies by language as a table</summary>${repliesTable(run)}</details>`,
  };
}

const gapTable = (all: readonly Gap[], reference: string): Html =>
  table(
    [
      "language",
      "questions",
      "accuracy",
      `accuracy of ${reference}`,
      "difference",
      "95 %, in points",
      "only it : only the reference",
      "p",
      "p (Holm)",
    ],
    all.map((gap) => [
      gap.language,
      gap.n,
      percent(gap.accuracy),
      percent(gap.referenceAccuracy),
      points(gap.difference),
      `${points(gap.interval[0], false)} to ${points(gap.interval[1], false)}`,
      `${gap.onlyLanguage.toLocaleString("en")} : ${gap.onlyReference.toLocaleString("en")}`,
      pValue(gap.pValue),
      pValue(gap.adjustedPValue),
    ]),
  );

function repliesTable(run: RunLens): Html {
  const kinds = Object.keys(run.replies[0]?.kinds ?? {}) as (keyof (typeof run.replies)[number]["kinds"])[];
  return table(
    ["language", "rows", ...kinds, "ended at the limit"],
    run.replies.map(({ language, n, kinds: counts, cut }) => [language, n, ...kinds.map((kind) => counts[kind]), cut]),
  );
}

function suspectSection(lens: Lens, drawn: Figure): Section {
  const { suspects } = lens;
  const body = suspects
    ? html`<p><b>${suspects.flagged.toLocaleString("en")}</b> of ${suspects.rows.toLocaleString("en")} rows fail in one language more than question, language and run explain. Of the flagged at most ${percent(suspects.falseAlarms, 0)} are expected to be false alarms. A flag says that something about the row in this language is odd: its translation, its key, or what only its speakers know.${lens.runs.length === 1 ? " One run alone can hardly flag a row: give several runs of different models." : ""}</p>
${figures([drawn])}
${table(
  ["row", "subject", "failed", "expected", "right elsewhere", "key", "answered instead", "q"],
  suspects.list
    .slice(0, SHOWN)
    .map((one) => [
      one.flagged ? html`<b>${one.id}</b>` : one.id,
      spoken(one.subject),
      `${one.failed} of ${one.runs}`,
      one.expected.toFixed(2),
      percent(one.rightElsewhere, 0),
      one.key,
      one.wrongLetter ? `${one.wrongLetter} (${one.wrongLetterRuns})` : "–",
      pValue(one.qValue),
    ]),
  "Flagged rows in bold, then the next likeliest",
)}`
    : html`<p>With two languages nobody can say which of them is the odd one: three are needed.</p>`;
  return { id: "suspects", title: "Suspect translations", body };
}

function keySection({ keyDifferences, doubtfulKeys }: Lens): Section {
  return {
    id: "keys",
    title: "Suspect keys",
    body: html`<p>${keyDifferences.length.toLocaleString("en")} questions have different keys in different languages; on ${doubtfulKeys.length.toLocaleString("en")} nearly all answers agree on another letter than the key.</p>
${
  keyDifferences.length
    ? table(
        ["question", "subject", "usual key", "other keys"],
        keyDifferences
          .slice(0, SHOWN)
          .map(({ question, subject, usual, keys, odd }) => [
            question,
            spoken(subject),
            usual ?? "none",
            odd.map((language) => `${language} ${keys[language]}`).join(", "),
          ]),
        "Keys that differ between languages",
      )
    : ""
}
${
  doubtfulKeys.length
    ? table(
        ["question", "subject", "key", "answered", "share", "answers"],
        doubtfulKeys
          .slice(0, SHOWN)
          .map((one) => [one.question, spoken(one.subject), one.key, one.answered, percent(one.share, 0), one.answers]),
        "Keys on which nearly all answers disagree",
      )
    : ""
}`,
  };
}

function cleanSection(lens: Lens, several: boolean): Section {
  const reasons = Object.entries(lens.unclean);
  const cell = ({ n, accuracy, clusteredInterval }: Accuracy): string =>
    n ? `${percent(accuracy)} (${range(clusteredInterval)})` : "–";
  return {
    id: "clean",
    title: "On the clean rows alone",
    body: html`<p>${reasons.length ? `Left out: ${reasons.map(([why, count]) => `${count.toLocaleString("en")} rows, ${why}`).join("; ")}.` : "No row is left out."}</p>
${lens.runs.map(
  (run) =>
    html`${several ? html`<h3>${run.name}</h3>` : ""}${table(
      ["rows of", "all", "clean", "rows left out", "gap", "gap on clean rows"],
      [
        ["all languages", cell(run.all), cell(run.clean.all), run.all.n - run.clean.all.n, "", ""],
        ...run.accuracies.map((one, index) => {
          const clean = run.clean.accuracies[index]!;
          const gapIn = (all: readonly Gap[]): string => {
            const gap = all.find(({ language }) => language === one.language);
            return gap ? points(gap.difference) : "–";
          };
          return [one.language, cell(one), cell(clean), one.n - clean.n, gapIn(run.gaps), gapIn(run.clean.gaps)];
        }),
      ],
    )}`,
)}`,
  };
}
