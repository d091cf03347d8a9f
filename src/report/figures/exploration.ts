import * as Plot from "@observablehq/plot";
import { COLOURS, type Figure, NARROW, SERIES, spoken, WIDE } from "./figure.js";
import { draw } from "./plot.js";
import { widestWidth } from "./text-width.js";

/** Counts of lengths by bin, and perhaps a close-up of the shorter ones. */
export interface Histogram {
  readonly name: string;
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** Rows beyond the last bin. */
  readonly beyond?: number;
  /** Bounds in tokens; 256 and 512 unless given. */
  readonly rules?: readonly number[];
  readonly closeUp?: { readonly edges: readonly number[]; readonly counts: readonly number[] };
}

/** What the figures of an exploration are drawn from: parts of its metrics. */
export interface ExplorationFigures {
  readonly languages: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly subjects: Readonly<Record<string, number>>;
  readonly answersBySubject: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly histograms: readonly Histogram[];
  readonly tokensByLanguage: readonly {
    readonly language: string;
    readonly low: number;
    readonly middle: number;
    readonly high: number;
  }[];
  readonly tokensPerCharacter: readonly { readonly language: string; readonly share: number }[];
}

export function explorationFigures(from: ExplorationFigures, subjectsDrawn = 40): Figure[] {
  return [
    countFigure("rows-by-language", "Rows by language", Object.entries(from.languages)),
    countFigure("answers", "Answer distribution", Object.entries(from.answers)),
    countFigure(
      "subjects",
      `The ${Math.min(subjectsDrawn, Object.keys(from.subjects).length)} largest subjects`,
      Object.entries(from.subjects)
        .sort((a, b) => b[1] - a[1])
        .slice(0, subjectsDrawn)
        .map(([subject, count]) => [spoken(subject), count]),
    ),
    balanceFigure(from.answersBySubject),
    ...from.histograms.flatMap(histogramFigures),
    spreadFigure(from.tokensByLanguage),
    countFigure(
      "tokens-per-character",
      "Tokens per character by language",
      from.tokensPerCharacter.map((one) => [one.language, one.share]),
      ".2f",
    ),
  ];
}

function countFigure(
  name: string,
  title: string,
  entries: readonly (readonly [string, number])[],
  format = ",d",
): Figure {
  const rows = entries.map(([label, count]) => ({ label, count }));
  return draw(
    name,
    title,
    rows.map((row) => `${row.label}: ${format === ",d" ? row.count : row.count.toFixed(2)}`).join("; "),
    {
      height: 64 + 20 * rows.length,
      rows: rows.map((row) => row.label),
      marginRight: 60,
      x: { grid: true, label: null },
      marks: [
        Plot.barX(rows, { x: "count", y: "label", fill: COLOURS.blue, fillOpacity: 0.8 }),
        Plot.text(rows, {
          x: "count",
          y: "label",
          text: (row: { count: number }) => (format === ",d" ? row.count.toLocaleString("en") : row.count.toFixed(2)),
          textAnchor: "start",
          dx: 4,
        }),
        Plot.ruleX([0]),
      ],
    },
  );
}

function balanceFigure(answersBySubject: ExplorationFigures["answersBySubject"]): Figure {
  const letters = [...new Set(Object.values(answersBySubject).flatMap((counts) => Object.keys(counts)))].sort();
  const rows = Object.entries(answersBySubject).flatMap(([subject, counts]) =>
    letters.map((letter) => ({ subject: spoken(subject), letter, count: counts[letter] ?? 0 })),
  );
  const subjects = Object.keys(answersBySubject).map(spoken).sort();
  return draw(
    "answers-by-subject",
    "Answer balance by subject",
    `Shares of the ${letters.length} answers within each of ${subjects.length} subjects; 1/${letters.length} ` +
      `each would be even.`,
    {
      height: 80 + 18 * subjects.length,
      rows: subjects,
      key: letters.map((letter, index) => ({ look: "bar", colour: SERIES[index] as string, text: letter }) as const),
      x: { label: "share of the subject's rows", labelAnchor: "center", labelArrow: "none", tickFormat: "%" },
      color: { domain: letters, range: SERIES.slice(0, letters.length) },
      marks: [
        Plot.barX(rows, Plot.stackX({ x: "count", y: "subject", fill: "letter", offset: "normalize", order: letters })),
        Plot.ruleX(
          letters.slice(1).map((_, index) => (index + 1) / letters.length),
          { stroke: "white", strokeDasharray: "3 3" },
        ),
      ],
    },
  );
}

/** A histogram of lengths with the rules at 256 and 512 tokens, and its close-up where it has one. */
export function histogramFigures(histogram: Histogram): Figure[] {
  const title = `Token lengths: ${spoken(histogram.name.replaceAll("-", " "))}`;
  const name = `tokens-${histogram.name}`;
  const longest = histogram.edges[histogram.edges.length - 1] ?? 0;
  return [
    lengthFigure(name, title, histogram),
    ...(histogram.closeUp
      ? [
          lengthFigure(
            `${name}-close-up`,
            `${title}, the rows of at most ${Math.ceil(histogram.closeUp.edges.at(-1) ?? 0)} of up to ` +
              `${Math.round(longest).toLocaleString("en")} tokens`,
            histogram.closeUp,
          ),
        ]
      : []),
  ];
}

/** The histogram alone. */
export const histogramFigure = (histogram: Histogram): Figure => histogramFigures(histogram)[0] as Figure;

const RULES = [256, 512];

function lengthFigure(
  name: string,
  title: string,
  { edges, counts, beyond: longer = 0, rules: wanted = RULES }: Omit<Histogram, "name" | "closeUp">,
): Figure {
  const bins = counts.map((count, index) => ({ low: edges[index] as number, high: edges[index + 1] as number, count }));
  const total = counts.reduce((a, b) => a + b, 0) + longer;
  const under = (limit: number): number =>
    bins.filter((bin) => bin.high <= limit).reduce((sum, bin) => sum + bin.count, 0) / Math.max(1, total);
  const last = edges[edges.length - 1] ?? 0;
  // A rule far to the right of all rows would press them to the edge: it is told instead.
  const rules = wanted.filter((rule) => rule <= 1.5 * last);
  const beyond = wanted.filter((rule) => !rules.includes(rule));
  const notes = [
    ...(longer ? [`${longer.toLocaleString("en")} rows lie to the right`] : []),
    ...(beyond.length
      ? [
          `the ${beyond.length > 1 ? "rules" : "rule"} at ${beyond.join(" and ")} tokens ` +
            `${beyond.length > 1 ? "lie" : "lies"} to the right of all rows`,
        ]
      : []),
  ];
  return draw(
    name,
    title,
    `${total} rows in ${bins.length} bins up to ${Math.round(last)} ` +
      `tokens${longer ? `, ${longer} of them beyond` : ""}; at least ${(100 * under(256)).toFixed(0)} % lie ` +
      `under 256 and ${(100 * under(512)).toFixed(0)} % under 512.`,
    (narrow) => {
      // Where the rows go far beyond both rules, their names would be printed over each other.
      const crowded =
        rules.length > 1 &&
        ((rules[1] as number) - (rules[0] as number)) * (0.85 * (narrow ? NARROW : WIDE)) <
          1.5 * widestWidth("512") * last;
      return {
        height: 280,
        marginRight: 40,
        x: { label: "tokens", labelAnchor: "center", labelArrow: "none" },
        y: { label: "rows", grid: true },
        marks: [
          Plot.rectY(bins, { x1: "low", x2: "high", y: "count", fill: COLOURS.blue, fillOpacity: 0.8, inset: 0 }),
          Plot.ruleX(rules, { stroke: COLOURS.red, strokeWidth: 1.6, strokeDasharray: "4 3" }),
          ...rules.map((rule, index) =>
            Plot.text([rule], {
              x: [rule],
              text: [String(rule)],
              frameAnchor: "top",
              dx: 4,
              dy: crowded ? 16 * index : 0,
              textAnchor: "start",
              fill: COLOURS.red,
              fontWeight: 600,
              stroke: "var(--card, white)",
              strokeWidth: 4,
            }),
          ),
          Plot.text(
            notes.length ? [narrow ? notes.join(";\n").replace(" tokens lie", " tokens\nlie") : notes.join("; ")] : [],
            {
              frameAnchor: "top-right",
              lineAnchor: "bottom",
              dy: -6,
              fontStyle: "italic",
              fontSize: narrow ? 11 : 13,
            },
          ),
          Plot.ruleY([0]),
        ],
      };
    },
  );
}

function spreadFigure(rows: ExplorationFigures["tokensByLanguage"]): Figure {
  return draw(
    "tokens-by-language",
    "Tokens of question and choices by language",
    rows
      .map(
        (row) =>
          `${row.language}: median ${Math.round(row.middle)}, middle half ${Math.round(row.low)} to ` +
          `${Math.round(row.high)}`,
      )
      .join("; "),
    {
      height: 60 + 20 * rows.length,
      rows: rows.map((row) => row.language),
      key: [
        { look: "dot", colour: COLOURS.blue, text: "median" },
        { look: "bar", colour: COLOURS.sky, text: "the middle half of the rows" },
      ],
      x: { label: "tokens", labelAnchor: "center", labelArrow: "none", grid: true },
      marks: [
        Plot.ruleY(rows, {
          x1: "low",
          x2: "high",
          y: "language",
          stroke: COLOURS.sky,
          strokeWidth: 8,
          strokeOpacity: 0.8,
        }),
        Plot.dot(rows, { x: "middle", y: "language", fill: COLOURS.blue, r: 4.5 }),
        ...(Math.max(...rows.map(({ high }) => high)) * 1.5 >= 256
          ? [Plot.ruleX([256], { stroke: COLOURS.red, strokeDasharray: "4 3" })]
          : []),
      ],
    },
  );
}
