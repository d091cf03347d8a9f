import * as Plot from "@observablehq/plot";
import type { Calibration, EvaluationStatistics, LetterBias, SubjectAccuracy } from "../../evaluate/index.js";
import { FEW_QUESTIONS } from "../../evaluate/index.js";
import { lettersOf } from "../../tasks/index.js";
import { COLOURS, type Figure, HALF, NARROW, percent, spoken, WIDE } from "./figure.js";
import { draw } from "./plot.js";
import { ASCENT, DESCENT } from "./text-boxes.js";
import { sizeToFit, widestWidth } from "./text-width.js";
import { endsOf, some } from "./ties.js";

/** Where answers drawn by lot would be: one rule, or a mark each where groups differ in it. */
const chanceMark = (groups: readonly { readonly chance: number }[], y: string): Plot.Markish => {
  const look = { stroke: COLOURS.grey, strokeWidth: 1.6, strokeDasharray: "4 3" };
  const chances = new Set(groups.map(({ chance }) => chance));
  return chances.size === 1 ? Plot.ruleX([...chances], look) : Plot.tickX(groups, { x: "chance", y, ...look });
};

/** The highest and the lowest estimate, with all that share it. */
function endsInWords(rows: readonly (SubjectAccuracy & { readonly label: string })[]): string {
  const ends = endsOf(rows);
  if (!ends) return "None";
  const [highest, lowest] = ends.map((tied) => some(tied.map(({ label }) => label)));
  const [high, low] = ends.map(([first]) => percent(first!.shrunken));
  return ends[0].length === rows.length
    ? `All are estimated alike, at ${high}`
    : `Highest estimate ${high}: ${highest}; lowest ${low}: ${lowest}`;
}

/**
 * A bar per subject with its n and its 95 % interval clustered by question, best first; subjects of few questions are
 * faint.
 */
export function subjectFigure(
  subjects: readonly SubjectAccuracy[],
  overall: number,
  name = "accuracy-by-subject",
): Figure {
  const rows = subjects.map((one) => ({
    ...one,
    label: `${spoken(one.subject)} (${one.n.toLocaleString("en")})`,
    low: one.clusteredInterval[0],
    high: one.clusteredInterval[1],
  }));
  const few = rows.filter((row) => row.fewQuestions);
  const insets = { insetTop: 2, insetBottom: 2 };
  return draw(
    name,
    "Accuracy by subject",
    `${rows.length} subjects, sorted by an estimate that is drawn towards the mean the more so the fewer its ` +
      `questions. ${endsInWords(rows)}; overall ${percent(overall)}.`,
    {
      height: 70 + 19 * rows.length,
      rows: rows.map((row) => row.label),
      marginRight: 30,
      key: [
        ...(few.length < rows.length ? [{ look: "bar", colour: COLOURS.blue, text: "accuracy" } as const] : []),
        ...(few.length
          ? [{ look: "faint-bar", colour: COLOURS.blue, text: `accuracy of under ${FEW_QUESTIONS} questions` } as const]
          : []),
        { look: "interval", colour: "currentColor", text: "95 % interval, by question" },
        { look: "diamond", colour: COLOURS.orange, text: "shrunken estimate" },
        { look: "dashed", colour: COLOURS.red, text: "all rows" },
        { look: "dashed", colour: COLOURS.grey, text: "chance" },
      ],
      x: {
        domain: [0, 1],
        label: "accuracy (number of rows in brackets)",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: "%",
        grid: true,
      },
      marks: [
        Plot.barX(
          rows.filter((row) => !row.fewQuestions),
          { x: "accuracy", y: "label", fill: COLOURS.blue, fillOpacity: 0.75, ...insets },
        ),
        Plot.barX(few, {
          x: "accuracy",
          y: "label",
          fill: COLOURS.blue,
          fillOpacity: 0.15,
          stroke: COLOURS.blue,
          ...insets,
        }),
        Plot.ruleX([overall], { stroke: COLOURS.red, strokeWidth: 1.6, strokeDasharray: "4 3" }),
        chanceMark(rows, "label"),
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "label", stroke: "currentColor", strokeWidth: 1.3 }),
        Plot.dot(rows, {
          x: "shrunken",
          y: "label",
          symbol: "diamond",
          r: 4,
          fill: COLOURS.orange,
          stroke: "currentColor",
          strokeWidth: 0.8,
        }),
        Plot.ruleX([0]),
      ],
    },
  );
}

/** Counts of true against predicted letters; the last column is the unreadable replies. */
export function confusionFigure(confusion: readonly (readonly number[])[], name = "confusion"): Figure {
  const letters = lettersOf(confusion.length);
  const columns = [...letters, UNREADABLE];
  const cells = confusion.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, j) => ({
      truth: letters[i] as string,
      predicted: columns[j] as string,
      count,
      share: total ? count / total : 0,
    }));
  });
  const ink = (cell: { share: number }): string => (cell.share > 0.5 ? "white" : "#123");
  const most = Math.max(1, ...cells.map(({ count }) => count)).toLocaleString("en");
  return draw(
    name,
    "Confusion matrix: rows, and their share of the true letter",
    cells
      .filter((cell) => cell.count > 0)
      .map((cell) => `true ${cell.truth}, predicted ${cell.predicted}: ${cell.count}`)
      .join("; "),
    (narrow) => {
      const cell = ((narrow ? NARROW : HALF) - 70) / columns.length;
      const spelled = widestWidth(UNREADABLE) < 1.5 * cell;
      return {
        width: HALF,
        height: Math.max(300, 50 + 36 * letters.length),
        marginLeft: 50,
        marginTop: 40,
        marginBottom: 10,
        padding: 0.04,
        x: {
          domain: columns,
          label: spelled ? "predicted" : `predicted (? ${UNREADABLE})`,
          axis: "top",
          tickFormat: (column: string) => (column === UNREADABLE && !spelled ? "?" : column),
        },
        y: { domain: [...letters], label: "true" },
        color: { type: "linear", domain: [0, 1], range: ["#eaf2f8", "#0072B2"] },
        marks: [
          Plot.cell(cells, { x: "predicted", y: "truth", fill: "share" }),
          Plot.text(cells, {
            x: "predicted",
            y: "truth",
            text: (cell: { count: number }) => cell.count.toLocaleString("en"),
            dy: -7,
            fontWeight: 600,
            fontSize: sizeToFit(most, 0.95 * cell, 13, true),
            fill: ink,
          }),
          Plot.text(cells, {
            x: "predicted",
            y: "truth",
            text: (cell: { share: number }) => percent(cell.share, 0),
            dy: 9,
            fontSize: sizeToFit("100 %", 0.95 * cell, 11),
            fill: ink,
          }),
        ],
      };
    },
  );
}

const UNREADABLE = "unreadable";

/** How often each letter is predicted beside how often it is right. */
export function letterFigure(letters: readonly LetterBias[], name = "letters"): Figure {
  const rows = letters.flatMap((one) => [
    { letter: one.letter, which: "true", count: one.truth },
    { letter: one.letter, which: "predicted", count: one.predicted },
  ]);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const widest = most.toLocaleString("en");
  return draw(
    name,
    "Predicted against true letters",
    letters.map((one) => `${one.letter}: true ${one.truth}, predicted ${one.predicted}`).join("; "),
    (narrow) => {
      // Of what the margins leave, each pair has 85 hundredths and each bar nine tenths of its half.
      const bar = (((narrow ? NARROW : HALF) - 80) / letters.length) * 0.85 * 0.45;
      const fit = sizeToFit(widest, bar, 12);
      const upright = fit < 9;
      return {
        width: HALF,
        height: 270,
        marginBottom: 34,
        key: [
          { look: "bar", colour: COLOURS.grey, text: "true" },
          { look: "bar", colour: COLOURS.blue, text: "predicted" },
        ],
        x: { axis: null, domain: ["true", "predicted"] },
        fx: { label: null, domain: letters.map(({ letter }) => letter), axis: "bottom", padding: 0.15 },
        y: { grid: true, label: "rows", domain: [0, 1.08 * most], ticks: 5 },
        marks: [
          Plot.barY(rows, {
            fx: "letter",
            x: "which",
            y: "count",
            fill: (row: { which: string }) => (row.which === "true" ? COLOURS.grey : COLOURS.blue),
          }),
          Plot.text(rows, {
            fx: "letter",
            x: "which",
            y: "count",
            text: (row: { count: number }) => row.count.toLocaleString("en"),
            ...(upright
              ? { rotate: -90, textAnchor: "start", dy: -4, fontSize: Math.min(12, bar / (ASCENT + DESCENT)) }
              : { dy: -8, fontSize: fit }),
          }),
          Plot.ruleY([0]),
        ],
      };
    },
  );
}

/** An accuracy of a group of rows, to be drawn with its interval and, where there is one, the published figure. */
export interface GroupMark {
  readonly label: string;
  readonly n: number;
  readonly accuracy: number;
  /** Of answers drawn by lot. */
  readonly chance: number;
  readonly clusteredInterval: readonly [number, number];
  readonly published?: number;
}

/** Accuracies of groups (languages, categories, stages, runs) with intervals clustered by question. */
export function groupFigure(name: string, title: string, groups: readonly GroupMark[], { width = HALF } = {}): Figure {
  const rows = groups.map((group) => ({
    ...group,
    text: `${group.label} (${group.n.toLocaleString("en")})`,
    low: group.clusteredInterval[0],
    high: group.clusteredInterval[1],
  }));
  const published = rows.filter((row) => row.published !== undefined);
  return draw(
    name,
    title,
    rows
      .map(
        (row) =>
          `${row.text} ${percent(row.accuracy)}, 95 % interval ${percent(row.low)} to ` +
          `${percent(row.high)}${row.published === undefined ? "" : `, published ${percent(row.published)}`}`,
      )
      .join("; "),
    {
      width,
      height: 76 + 28 * rows.length,
      rows: rows.map((row) => row.text),
      marginRight: 66,
      key: [
        { look: "dot", colour: COLOURS.blue, text: "accuracy" },
        { look: "interval", colour: "currentColor", text: "95 % interval, by question" },
        ...(published.length ? [{ look: "diamond", colour: COLOURS.orange, text: "published" } as const] : []),
        { look: "dashed", colour: COLOURS.grey, text: "chance" },
      ],
      x: {
        domain: [0, 1],
        tickFormat: "%",
        label: "accuracy (number of rows in brackets)",
        labelAnchor: "center",
        labelArrow: "none",
        grid: true,
      },
      marks: [
        chanceMark(rows, "text"),
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "text", strokeWidth: 1.6 }),
        Plot.tickX(rows, { x: "low", y: "text", insetTop: 8, insetBottom: 8 }),
        Plot.tickX(rows, { x: "high", y: "text", insetTop: 8, insetBottom: 8 }),
        Plot.dot(rows, { x: "accuracy", y: "text", fill: COLOURS.blue, r: 5 }),
        Plot.dot(published, {
          x: "published",
          y: "text",
          symbol: "diamond",
          fill: COLOURS.orange,
          stroke: "currentColor",
          strokeWidth: 0.8,
          r: 5,
        }),
        Plot.text(rows, {
          x: "high",
          y: "text",
          text: (row: { accuracy: number }) => percent(row.accuracy),
          dx: 8,
          textAnchor: "start",
          fontWeight: 600,
          // The rule of chance stays clear of it.
          stroke: "var(--card, white)",
          strokeWidth: 4,
          fill: "currentColor",
        }),
      ],
    },
  );
}

/** Accuracy against confidence; the diagonal is a model whose confidence can be believed. */
export function calibrationFigure(calibration: Calibration, name = "calibration"): Figure {
  const bins = calibration.bins.filter((bin) => bin.n > 0);
  return draw(
    name,
    "Calibration",
    `Expected calibration error ${percent(calibration.expectedCalibrationError)}. ` +
      `${bins
        .map(
          (bin) =>
            `confidence ${percent(bin.confidence ?? 0, 0)}: accuracy ${percent(bin.accuracy ?? 0, 0)} ` + `of ${bin.n}`,
        )
        .join("; ")}`,
    {
      width: HALF,
      height: 330,
      key: [
        { look: "dot", colour: COLOURS.blue, text: "rows; larger for more" },
        { look: "dashed", colour: COLOURS.grey, text: "confidence to be believed" },
      ],
      x: {
        domain: [0, 1],
        label: "confidence: probability of the letter given",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: "%",
      },
      y: { domain: [0, 1], label: "accuracy", tickFormat: "%", grid: true },
      r: { range: [2, 14] },
      marks: [
        Plot.line(
          [
            [0, 0],
            [1, 1],
          ],
          { stroke: COLOURS.grey, strokeDasharray: "4 3" },
        ),
        Plot.line(bins, { x: "confidence", y: "accuracy", stroke: COLOURS.blue }),
        Plot.dot(bins, { x: "confidence", y: "accuracy", r: "n", fill: COLOURS.blue, fillOpacity: 0.7 }),
      ],
    },
  );
}

/** Every figure of one set of answers; `prefix` keeps the stages of a run apart. */
export function evaluationFigures(
  statistics: EvaluationStatistics,
  confusion: readonly (readonly number[])[],
  prefix = "",
): Figure[] {
  const named = (name: string): string => (prefix ? `${prefix}-${name}` : name);
  return [
    subjectFigure(statistics.subjects, statistics.overall.accuracy, named("accuracy-by-subject")),
    confusionFigure(confusion, named("confusion")),
    letterFigure(statistics.letters, named("letters")),
    groupFigure(
      named("accuracy-by-category"),
      "Accuracy by category",
      statistics.categories.map((one) => ({ label: one.category, ...one })),
    ),
    ...(statistics.calibration ? [calibrationFigure(statistics.calibration, named("calibration"))] : []),
    groupFigure(
      named("accuracy-by-language"),
      "Accuracy by language",
      statistics.languages.map((one) => ({ label: one.language, ...one })),
      { width: statistics.languages.length > 4 ? WIDE : HALF },
    ),
  ];
}
