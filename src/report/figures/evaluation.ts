import * as Plot from "@observablehq/plot";
import { LETTERS } from "../../data/index.js";
import type { Calibration, EvaluationStatistics, LetterBias, SubjectAccuracy } from "../../evaluate/index.js";
import { COLOURS, draw, type Figure, percent, spoken } from "./plot.js";

/** A bar per subject with its n and its 95 % interval, best first; subjects with few rows are hollow. */
export function subjectFigure(subjects: readonly SubjectAccuracy[], overall: number, name = "accuracy-by-subject"): Figure {
  const rows = subjects.map((one) => ({ ...one, label: `${spoken(one.subject)} (${one.n})`, low: one.interval[0], high: one.interval[1] }));
  const [best, worst] = [rows[0], rows[rows.length - 1]];
  return draw(
    name,
    "Accuracy by subject",
    `${rows.length} subjects, sorted by an estimate that is drawn towards the mean the more so the fewer its rows. Highest ${best?.label} at ${percent(best?.accuracy ?? 0)}, lowest ${worst?.label} at ${percent(worst?.accuracy ?? 0)}; overall ${percent(overall)}.`,
    {
      height: 60 + 17 * rows.length,
      marginLeft: 250,
      marginRight: 30,
      x: { domain: [0, 1], label: "line: 95 % interval · orange: shrunken · red: all rows · grey: chance", labelAnchor: "center", labelArrow: "none", tickFormat: "%", grid: true },
      y: { label: null, domain: rows.map((row) => row.label) },
      marks: [
        Plot.barX(rows.filter((row) => !row.fewRows), { x: "accuracy", y: "label", fill: COLOURS.blue, fillOpacity: 0.75 }),
        Plot.barX(rows.filter((row) => row.fewRows), { x: "accuracy", y: "label", fill: COLOURS.blue, fillOpacity: 0.2, stroke: COLOURS.blue, strokeOpacity: 0.6 }),
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "label", stroke: "currentColor", strokeWidth: 1.2 }),
        Plot.tickX(rows, { x: "shrunken", y: "label", stroke: COLOURS.orange, strokeWidth: 2.5 }),
        Plot.ruleX([overall], { stroke: COLOURS.red, strokeDasharray: "4 3" }),
        Plot.ruleX([0.25], { stroke: COLOURS.grey, strokeDasharray: "2 3" }),
        Plot.ruleX([0]),
      ],
    },
  );
}

/** Counts of true against predicted letters; the last column is the unreadable replies. */
export function confusionFigure(confusion: readonly (readonly number[])[], name = "confusion"): Figure {
  const columns = [...LETTERS, "unreadable"];
  const cells = confusion.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, j) => ({ truth: LETTERS[i] as string, predicted: columns[j] as string, count, share: total ? count / total : 0 }));
  });
  return draw(
    name,
    "Confusion matrix",
    cells.filter((cell) => cell.count > 0).map((cell) => `true ${cell.truth}, predicted ${cell.predicted}: ${cell.count}`).join("; "),
    {
      width: 440,
      height: 300,
      marginLeft: 50,
      marginTop: 40,
      padding: 0.04,
      x: { domain: columns, label: "predicted", axis: "top" },
      y: { domain: [...LETTERS], label: "true" },
      color: { type: "linear", domain: [0, 1], range: ["#eaf2f8", COLOURS.blue] },
      marks: [
        Plot.cell(cells, { x: "predicted", y: "truth", fill: "share" }),
        Plot.text(cells, { x: "predicted", y: "truth", text: (cell: { count: number }) => String(cell.count), fill: (cell: { share: number }) => (cell.share > 0.5 ? "white" : "#123") }),
      ],
    },
  );
}

/** How often each letter is predicted beside how often it is right. */
export function letterFigure(letters: readonly LetterBias[], name = "letters"): Figure {
  const rows = letters.flatMap((one) => [
    { letter: one.letter, which: "true", count: one.truth },
    { letter: one.letter, which: "predicted", count: one.predicted },
  ]);
  return draw(
    name,
    "Predicted against true letters",
    letters.map((one) => `${one.letter}: true ${one.truth}, predicted ${one.predicted}`).join("; "),
    {
      width: 440,
      height: 260,
      x: { axis: null, domain: ["true", "predicted"] },
      fx: { label: null, domain: [...LETTERS], axis: "top" },
      y: { grid: true, label: "rows" },
      color: { domain: ["true", "predicted"], range: [COLOURS.grey, COLOURS.blue] },
      marks: [
        Plot.barY(rows, { fx: "letter", x: "which", y: "count", fill: "which" }),
        Plot.text(rows, { fx: "letter", x: "which", y: "count", text: (row: { count: number }) => String(row.count), dy: -7 }),
        Plot.text(rows, { fx: "letter", x: "which", y: 0, text: (row: { which: string }) => (row.which === "true" ? "true" : "pred."), dy: 10 }),
        Plot.ruleY([0]),
      ],
    },
  );
}

/** Accuracy of groups (languages, categories) with intervals. */
export function groupFigure(name: string, title: string, groups: readonly { label: string; n: number; accuracy: number; interval: readonly [number, number] }[]): Figure {
  const rows = groups.map((group) => ({ ...group, text: `${group.label} (${group.n})`, low: group.interval[0], high: group.interval[1] }));
  return draw(name, title, rows.map((row) => `${row.text} ${percent(row.accuracy)}`).join("; "), {
    width: 440,
    height: 70 + 26 * rows.length,
    marginLeft: 170,
    x: { domain: [0, 1], tickFormat: "%", label: "accuracy, with its 95 % interval", labelAnchor: "center", labelArrow: "none", grid: true },
    y: { label: null, domain: rows.map((row) => row.text) },
    marks: [
      Plot.ruleY(rows, { x1: "low", x2: "high", y: "text", strokeWidth: 1.5 }),
      Plot.dot(rows, { x: "accuracy", y: "text", fill: COLOURS.blue, r: 5 }),
      Plot.ruleX([0.25], { stroke: COLOURS.grey, strokeDasharray: "2 3" }),
    ],
  });
}

/** Accuracy against confidence; the diagonal is a model whose confidence can be believed. */
export function calibrationFigure(calibration: Calibration, name = "calibration"): Figure {
  const bins = calibration.bins.filter((bin) => bin.n > 0);
  return draw(
    name,
    "Calibration",
    `Expected calibration error ${percent(calibration.expectedCalibrationError)}. ${bins.map((bin) => `confidence ${percent(bin.confidence ?? 0, 0)}: accuracy ${percent(bin.accuracy ?? 0, 0)} of ${bin.n}`).join("; ")}`,
    {
      width: 440,
      height: 320,
      x: { domain: [0, 1], label: "confidence", tickFormat: "%" },
      y: { domain: [0, 1], label: "accuracy", tickFormat: "%", grid: true },
      r: { range: [2, 14] },
      marks: [
        Plot.line([[0, 0], [1, 1]], { stroke: COLOURS.grey, strokeDasharray: "4 3" }),
        Plot.line(bins, { x: "confidence", y: "accuracy", stroke: COLOURS.blue }),
        Plot.dot(bins, { x: "confidence", y: "accuracy", r: "n", fill: COLOURS.blue, fillOpacity: 0.7 }),
      ],
    },
  );
}

/** Every figure of one set of answers; `prefix` keeps the stages of a run apart. */
export function evaluationFigures(statistics: EvaluationStatistics, confusion: readonly (readonly number[])[], prefix = ""): Figure[] {
  const named = (name: string): string => (prefix ? `${prefix}-${name}` : name);
  return [
    subjectFigure(statistics.subjects, statistics.overall.accuracy, named("accuracy-by-subject")),
    confusionFigure(confusion, named("confusion")),
    letterFigure(statistics.letters, named("letters")),
    groupFigure(named("accuracy-by-language"), "Accuracy by language", statistics.languages.map((one) => ({ label: one.language, ...one }))),
    groupFigure(named("accuracy-by-category"), "Accuracy by category", statistics.categories.map((one) => ({ label: one.category, ...one }))),
    ...(statistics.calibration ? [calibrationFigure(statistics.calibration, named("calibration"))] : []),
  ];
}
