import * as Plot from "@observablehq/plot";
import { LETTERS } from "../../data/index.js";
import { COLOURS, draw, type Figure, SERIES, spoken } from "./plot.js";

/** What the figures of an exploration are drawn from: parts of its metrics. */
export interface ExplorationFigures {
  readonly languages: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly subjects: Readonly<Record<string, number>>;
  readonly answersBySubject: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly histograms: readonly { readonly name: string; readonly edges: readonly number[]; readonly counts: readonly number[] }[];
  readonly tokensByLanguage: readonly { readonly language: string; readonly low: number; readonly middle: number; readonly high: number }[];
  readonly tokensPerCharacter: readonly { readonly language: string; readonly share: number }[];
}

export function explorationFigures(from: ExplorationFigures, subjectsDrawn = 40): Figure[] {
  return [
    countFigure("rows-by-language", "Rows by language", Object.entries(from.languages)),
    countFigure("answers", "Answer distribution", Object.entries(from.answers)),
    countFigure(
      "subjects",
      `The ${Math.min(subjectsDrawn, Object.keys(from.subjects).length)} largest subjects`,
      Object.entries(from.subjects).sort((a, b) => b[1] - a[1]).slice(0, subjectsDrawn).map(([subject, count]) => [spoken(subject), count]),
    ),
    balanceFigure(from.answersBySubject),
    ...from.histograms.map((histogram) => histogramFigure(histogram)),
    spreadFigure(from.tokensByLanguage),
    countFigure("tokens-per-character", "Tokens per character by language", from.tokensPerCharacter.map((one) => [one.language, one.share]), ".2f"),
  ];
}

function countFigure(name: string, title: string, entries: readonly (readonly [string, number])[], format = ",d"): Figure {
  const rows = entries.map(([label, count]) => ({ label, count }));
  return draw(name, title, rows.map((row) => `${row.label}: ${format === ",d" ? row.count : row.count.toFixed(2)}`).join("; "), {
    height: 50 + 18 * rows.length,
    marginLeft: Math.max(60, 7 * Math.max(...rows.map((row) => row.label.length)) + 12),
    marginRight: 60,
    x: { grid: true, label: null },
    y: { label: null, domain: rows.map((row) => row.label) },
    marks: [
      Plot.barX(rows, { x: "count", y: "label", fill: COLOURS.blue, fillOpacity: 0.8 }),
      Plot.text(rows, { x: "count", y: "label", text: (row: { count: number }) => (format === ",d" ? row.count.toLocaleString("en") : row.count.toFixed(2)), textAnchor: "start", dx: 4 }),
      Plot.ruleX([0]),
    ],
  });
}

function balanceFigure(answersBySubject: ExplorationFigures["answersBySubject"]): Figure {
  const rows = Object.entries(answersBySubject).flatMap(([subject, counts]) => LETTERS.map((letter) => ({ subject: spoken(subject), letter, count: counts[letter] ?? 0 })));
  const subjects = Object.keys(answersBySubject).map(spoken).sort();
  return draw("answers-by-subject", "Answer balance by subject", `Shares of the four answers within each of ${subjects.length} subjects; a quarter each would be even.`, {
    height: 70 + 15 * subjects.length,
    marginLeft: 250,
    marginTop: 40,
    x: { label: "share of the subject's rows", tickFormat: "%" },
    y: { label: null, domain: subjects },
    color: { domain: [...LETTERS], range: SERIES.slice(0, 4) },
    marks: [
      Plot.barX(rows, Plot.stackX({ x: "count", y: "subject", fill: "letter", offset: "normalize", order: [...LETTERS] })),
      Plot.ruleX([0.25, 0.5, 0.75], { stroke: "white", strokeDasharray: "3 3" }),
      Plot.text(LETTERS.map((letter, index) => ({ letter, x: 0.125 + index / 4 })), { x: "x", frameAnchor: "top", text: "letter", dy: -14, fontWeight: "bold", fill: (_: unknown, index: number) => SERIES[index] as string }),
    ],
  });
}

export function histogramFigure(histogram: ExplorationFigures["histograms"][number]): Figure {
  const bins = histogram.counts.map((count, index) => ({ low: histogram.edges[index] as number, high: histogram.edges[index + 1] as number, count }));
  const total = histogram.counts.reduce((a, b) => a + b, 0);
  const under = (limit: number): number => bins.filter((bin) => bin.high <= limit).reduce((sum, bin) => sum + bin.count, 0) / Math.max(1, total);
  const last = histogram.edges[histogram.edges.length - 1] ?? 0;
  // A rule far to the right of all rows would press them to the edge; the description tells it all the same.
  const rules = [256, 512].filter((rule) => rule <= 1.5 * last);
  return draw(
    `tokens-${histogram.name}`,
    `Token lengths: ${spoken(histogram.name.replaceAll("-", " "))}`,
    `${total} rows in ${bins.length} bins up to ${Math.round(last)} tokens; at least ${(100 * under(256)).toFixed(0)} % lie under 256 and ${(100 * under(512)).toFixed(0)} % under 512.`,
    {
      height: 280,
      x: { label: "tokens" },
      y: { label: "rows", grid: true },
      marks: [
        Plot.rectY(bins, { x1: "low", x2: "high", y: "count", fill: COLOURS.blue, fillOpacity: 0.8, inset: 0 }),
        Plot.ruleX(rules, { stroke: COLOURS.red, strokeDasharray: "4 3" }),
        Plot.text(rules, { x: (limit: number) => limit, text: (limit: number) => String(limit), frameAnchor: "top", dx: 4, textAnchor: "start", fill: COLOURS.red }),
        Plot.ruleY([0]),
      ],
    },
  );
}

function spreadFigure(rows: ExplorationFigures["tokensByLanguage"]): Figure {
  return draw("tokens-by-language", "Tokens of question and choices by language", rows.map((row) => `${row.language}: median ${Math.round(row.middle)}, middle half ${Math.round(row.low)} to ${Math.round(row.high)}`).join("; "), {
    height: 60 + 20 * rows.length,
    marginLeft: 70,
    x: { label: "tokens: median and middle half", grid: true },
    y: { label: null, domain: rows.map((row) => row.language) },
    marks: [
      Plot.ruleY(rows, { x1: "low", x2: "high", y: "language", stroke: COLOURS.blue, strokeWidth: 6, strokeOpacity: 0.4 }),
      Plot.dot(rows, { x: "middle", y: "language", fill: COLOURS.blue, r: 4.5 }),
      ...(Math.max(...rows.map(({ high }) => high)) * 1.5 >= 256 ? [Plot.ruleX([256], { stroke: COLOURS.red, strokeDasharray: "4 3" })] : []),
    ],
  });
}
