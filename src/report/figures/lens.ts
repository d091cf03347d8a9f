import * as Plot from "@observablehq/plot";
import { type Gap, type Lens, REPLY_KINDS, type RunLens } from "../../evaluate/index.js";
import { COLOURS, type Figure, HALF, NARROW, percent, points, SERIES, WIDE } from "./figure.js";
import { draw } from "./plot.js";
import { shortened, sizeToFit, widestWidth } from "./text-width.js";

const LEFT = "#b35806";
const RIGHT = "#0072B2";

/** How two languages agree: above the diagonal the share of the same letters, below it κ of right and wrong. */
export function agreementFigure(lens: Lens, run: RunLens, name = "agreement"): Figure {
  const { languages } = lens;
  const cells = languages.flatMap((row, a) =>
    languages.flatMap((column, b) => {
      if (a === b) return [];
      const pair = run.agreement[a]![b]!;
      if (pair.n === 0) return [];
      const above = a < b;
      const value = above ? pair.sameLetter : (pair.kappa ?? 0);
      return [{ row, column, value, above }];
    }),
  );
  const lowest = Math.min(1, ...cells.map(({ value }) => value));
  const many = languages.length > 6;
  const width = many ? WIDE : HALF;
  const most = [...cells].sort((x, y) => y.value - x.value).filter(({ above }) => !above);
  const named = (cell: (typeof cells)[number] | undefined): string =>
    cell ? `${cell.row} and ${cell.column} (κ ${cell.value.toFixed(2)})` : "none";
  return draw(
    name,
    "Agreement of the languages' answers",
    `Above the diagonal the share of questions with the same letter, below it Cohen's κ of right and wrong: ` +
      `agreement beyond what the accuracies make. Most alike ${named(most[0])}, least ${named(most.at(-1))}.`,
    (narrow) => {
      const crowded = narrow && many;
      const told = ({ value }: { value: number }): string =>
        crowded ? String(Math.round(100 * value)).replace("-", "−") : value.toFixed(2).replace(/^(-?)0\./, "$1.");
      const cell = ((narrow ? NARROW : width) - 90) / languages.length;
      const widest = Math.max(1, ...cells.map((one) => widestWidth(told(one), 12)));
      return {
        width,
        height: 60 + (crowded ? 26 : 34) * languages.length,
        marginTop: 36,
        marginBottom: 8,
        padding: 0.03,
        marginLeft: 64,
        x: {
          domain: [...languages],
          label: null,
          axis: "top",
          tickSize: 0,
          tickRotate: crowded ? -90 : 0,
          tickFormat: (one: string) => short(one, many),
        },
        y: {
          domain: [...languages],
          label: null,
          tickSize: 0,
          tickFormat: (one: string) => shortened(one, narrow ? 60 : HALF / 2),
        },
        color: { type: "linear", domain: [Math.min(0, lowest), 1], range: ["#f4f7fb", "#08468b"], interpolate: "hcl" },
        key: [
          { look: "bar", colour: "#5b8fc7", text: "above the diagonal: the same letter" },
          { look: "bar", colour: "#5b8fc7", text: "below it: κ of right and wrong (0 as by lot, 1 always alike)" },
          ...(crowded ? [{ look: "bar", colour: "none", text: "in hundredths" } as const] : []),
        ],
        marks: [
          Plot.cell(cells, { x: "column", y: "row", fill: "value" }),
          Plot.text(cells, {
            x: "column",
            y: "row",
            text: told,
            fontSize: Math.min(12, (12 * cell) / widest),
            fill: (cell: { value: number }) => (cell.value > 0.55 ? "white" : "#123"),
          }),
          Plot.cell(
            languages.map((language) => ({ language })),
            { x: "language", y: "language", fill: COLOURS.grey, fillOpacity: 0.25 },
          ),
        ],
      };
    },
  );
}

const short = (language: string, many: boolean): string => (many ? language.slice(0, 5) : language);

/** In how many languages questions are right, beside what independent languages of the same accuracies would make. */
export function rightInFigure(run: RunLens, name = "right-in"): Figure {
  const { counts, independent, n } = run.rightIn;
  const rows = counts.map((count, k) => ({
    k,
    share: count / Math.max(1, n),
    independent: independent[k]! / Math.max(1, n),
  }));
  const last = counts.length - 1;
  return draw(
    name,
    "In how many languages a question is right",
    `Of ${n.toLocaleString("en")} questions that were asked in all ${last} languages, ` +
      `${counts[last]!.toLocaleString("en")} are right in all, ${counts[0]!.toLocaleString("en")} in none, ` +
      `${counts[1]!.toLocaleString("en")} in one only. Were languages independent it would be ` +
      `${Math.round(independent[last]!).toLocaleString("en")}, ` +
      `${Math.round(independent[0]!).toLocaleString("en")} and ${Math.round(independent[1]!).toLocaleString("en")}.`,
    {
      width: HALF,
      height: 290,
      key: [
        { look: "bar", colour: COLOURS.blue, text: "questions" },
        { look: "line", colour: COLOURS.orange, text: "were languages independent" },
      ],
      x: { label: "languages in which it is right", labelAnchor: "center", labelArrow: "none", tickSize: 0 },
      y: { label: "share of questions", tickFormat: "%", grid: true },
      marks: [
        Plot.barY(rows, { x: "k", y: "share", fill: COLOURS.blue, fillOpacity: 0.8 }),
        Plot.line(rows, { x: "k", y: "independent", stroke: COLOURS.orange, strokeWidth: 2 }),
        Plot.dot(rows, { x: "k", y: "independent", fill: COLOURS.orange, r: 3 }),
        Plot.ruleY([0]),
      ],
    },
  );
}

/** Each language's gap to the reference, with its interval; filled where it stays after Holm's correction. */
export function gapFigure(lens: Lens, run: RunLens, name = "gaps"): Figure {
  const rows = [...run.gaps]
    .sort((a, b) => b.difference - a.difference)
    .map((gap) => ({ ...gap, low: gap.interval[0], high: gap.interval[1], sure: gap.adjustedPValue < 0.05 }));
  const sure = rows.filter((row) => row.sure).length;
  return draw(
    name,
    `Gap to ${lens.reference}`,
    `${sure} of ${rows.length} languages differ from ${lens.reference} after Holm's correction: ` +
      rows.map((row) => `${row.language} ${points(row.difference)}`).join(", "),
    {
      width: rows.length > 6 ? WIDE : HALF,
      height: 84 + 26 * rows.length,
      rows: rows.map((row) => row.language),
      marginRight: 70,
      key: [
        { look: "dot", colour: COLOURS.blue, text: "beyond chance (Holm)" },
        { look: "ring", colour: COLOURS.blue, text: "may be chance" },
        { look: "interval", colour: "currentColor", text: "95 %, paired by question" },
      ],
      x: {
        label: `points: accuracy minus ${lens.reference}'s, same questions`,
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: signedPoints,
        grid: true,
      },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "language", strokeWidth: 1.5 }),
        Plot.dot(rows, {
          x: "difference",
          y: "language",
          r: 5,
          stroke: COLOURS.blue,
          strokeWidth: 1.6,
          fill: (row: { sure: boolean }) => (row.sure ? COLOURS.blue : "var(--card, white)"),
        }),
        Plot.text(rows, {
          x: "high",
          y: "language",
          text: (row: Gap) => points(row.difference, false),
          dx: 8,
          textAnchor: "start",
          fontWeight: 600,
        }),
      ],
    },
  );
}

const signedPoints = (share: number): string =>
  `${share < 0 ? "−" : share > 0 ? "+" : ""}${Math.round(Math.abs(100 * share))}`;

/** Gaps of languages in groups of questions, as a table in colours; those beyond chance are bold. */
export function gapsByFigure(lens: Lens, all: readonly Gap[], by: string, name: string): Figure {
  const groups = [...new Set(all.map(({ group }) => group!))].sort();
  const languages = lens.languages.filter((language) => language !== lens.reference);
  const most = Math.max(0.02, ...all.map(({ difference }) => Math.abs(difference)));
  const sure = all.filter(({ adjustedPValue }) => adjustedPValue < 0.05);
  const text = { x: "group", y: "language", text: (gap: Gap) => points(gap.difference, false), fontSize: 12 } as const;
  const ink = (gap: Gap): string => (Math.abs(gap.difference) > 0.55 * most ? "white" : "#222");
  return draw(
    name,
    `Gap to ${lens.reference} by ${by}`,
    `${sure.length} of ${all.length} are beyond chance after Holm's correction over all of them: ` +
      all.map((gap) => `${gap.language}, ${gap.group}: ${points(gap.difference)}`).join("; "),
    (narrow) => {
      const column = ((narrow ? NARROW : HALF) - 90) / groups.length;
      // On several lines where one is not enough, and smaller where a word alone is wider.
      const fits = groups.every((group) => widestWidth(group) < column);
      const inLines = (group: string): string => (fits ? group : group.replaceAll(" ", "\n"));
      const fontSize = Math.min(
        ...groups
          .flatMap(inLines)
          .flatMap((one) => one.split("\n"))
          .map((word) => sizeToFit(word, column)),
      );
      return {
        width: HALF,
        height: 76 + 25 * languages.length,
        marginTop: 34,
        marginBottom: 8,
        marginLeft: 64,
        padding: 0.03,
        x: { domain: groups, label: null, axis: null },
        y: { domain: languages, label: null, tickSize: 0 },
        color: { type: "diverging", domain: [-most, most], pivot: 0, range: [LEFT, "#f6f6f6", RIGHT] },
        key: [
          { look: "bar", colour: LEFT, text: `worse than ${lens.reference}` },
          { look: "bar", colour: RIGHT, text: "better" },
        ],
        marks: [
          Plot.axisX({ anchor: "top", tickSize: 0, label: null, tickFormat: inLines, fontSize }),
          Plot.cell(all, { x: "group", y: "language", fill: "difference" }),
          Plot.text(
            all.filter((gap) => gap.adjustedPValue < 0.05),
            { ...text, fontWeight: 700, fill: ink },
          ),
          Plot.text(
            all.filter((gap) => gap.adjustedPValue >= 0.05),
            { ...text, fill: ink },
          ),
        ],
      };
    },
  );
}

/** What came of the rows of each language: right, wrong letters, and each way of giving none. */
export function repliesFigure(run: RunLens, name = "replies-by-language"): Figure {
  const there = REPLY_KINDS.filter((kind) => run.replies.some(({ kinds }) => kinds[kind] > 0));
  const rows = run.replies.flatMap(({ language, n, kinds }) =>
    there.map((kind) => ({ language, kind, share: kinds[kind] / Math.max(1, n) })),
  );
  const colours = [
    COLOURS.blue,
    "#c9ced6",
    COLOURS.orange,
    COLOURS.red,
    COLOURS.purple,
    COLOURS.green,
    COLOURS.grey,
    "#332288",
  ];
  const unreadable = (kinds: Readonly<Record<string, number>>, n: number): number =>
    (n - kinds.right! - kinds["wrong letter"]!) / Math.max(1, n);
  return draw(
    name,
    "What came of the rows of each language",
    run.replies
      .map(({ language, n, kinds }) => `${language}: ${percent(unreadable(kinds, n))} without a letter`)
      .join("; "),
    {
      width: run.replies.length > 6 ? WIDE : HALF,
      height: 84 + 24 * run.replies.length,
      rows: run.replies.map(({ language }) => language),
      marginRight: 30,
      key: there.map((kind) => ({ look: "bar", colour: colours[REPLY_KINDS.indexOf(kind)]!, text: kind }) as const),
      x: {
        label: "share of rows",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: "%",
        domain: [0, 1],
        grid: true,
      },
      marks: [
        Plot.barX(rows, {
          x: "share",
          y: "language",
          fill: (row: { kind: (typeof REPLY_KINDS)[number] }) => colours[REPLY_KINDS.indexOf(row.kind)]!,
          order: [...there],
          z: "kind",
          insetTop: 2,
          insetBottom: 2,
        }),
        Plot.ruleX([0]),
      ],
    },
  );
}

/** How many rows of each language are flagged as suspect. */
export function suspectsFigure(lens: Lens, name = "suspects-by-language"): Figure {
  const rows = lens.languages.map((language) => ({
    language,
    count: lens.suspects?.list.filter((one) => one.flagged && one.language === language).length ?? 0,
  }));
  const most = Math.max(1, ...rows.map(({ count }) => count));
  return draw(name, "Suspect rows by language", rows.map(({ language, count }) => `${language}: ${count}`).join("; "), {
    width: HALF,
    height: 84 + 22 * rows.length,
    rows: rows.map(({ language }) => language),
    marginRight: 56,
    x: {
      label: "rows flagged",
      labelAnchor: "center",
      labelArrow: "none",
      domain: [0, most],
      ticks: Math.min(5, most),
    },
    marks: [
      Plot.barX(rows, { x: "count", y: "language", fill: SERIES[4], fillOpacity: 0.85, insetTop: 2, insetBottom: 2 }),
      Plot.text(rows, {
        x: "count",
        y: "language",
        text: ({ count }: { count: number }) => count.toLocaleString("en"),
        dx: 6,
        textAnchor: "start",
      }),
      Plot.ruleX([0]),
    ],
  });
}

/** Accuracy by language on all rows and on the clean ones. */
export function cleanFigure(run: RunLens, name = "accuracy-clean"): Figure {
  const rows = run.accuracies.map((one, index) => ({
    language: one.language,
    all: one.accuracy,
    clean: run.clean.accuracies[index]!.accuracy,
    low: run.clean.accuracies[index]!.clusteredInterval[0],
    high: run.clean.accuracies[index]!.clusteredInterval[1],
  }));
  return draw(
    name,
    "Accuracy on all rows and on the clean ones",
    rows.map(({ language, all, clean }) => `${language}: ${percent(all)}, clean ${percent(clean)}`).join("; "),
    {
      width: HALF,
      height: 84 + 22 * rows.length,
      rows: rows.map(({ language }) => language),
      marginRight: 30,
      key: [
        { look: "ring", colour: COLOURS.grey, text: "all rows" },
        { look: "dot", colour: COLOURS.green, text: "clean rows, 95 %" },
      ],
      x: { label: "accuracy", labelAnchor: "center", labelArrow: "none", tickFormat: "%", grid: true },
      marks: [
        Plot.ruleY(rows, { x1: "low", x2: "high", y: "language", stroke: COLOURS.green, strokeWidth: 1.5 }),
        Plot.dot(rows, { x: "all", y: "language", stroke: COLOURS.grey, strokeWidth: 1.8, r: 5 }),
        Plot.dot(rows, { x: "clean", y: "language", fill: COLOURS.green, r: 4 }),
      ],
    },
  );
}
