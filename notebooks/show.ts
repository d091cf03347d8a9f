/**
 * How the notebooks show what they found: tables, figures, and texts as they stand. Every code cell ends in one of these.
 */
import { type evaluate, report } from "../dist/index.js";

/** The kernel's own display takes a bundle of one value by MIME type. */
declare const Deno: {
  readTextFile(path: string): Promise<string>;
  jupyter: { display(bundle: Record<string, string>, options: { raw: true }): Promise<void> };
};

// The kernel may call a cell done before what it shows has left, and who runs it then lets it go: hence the pause.
const show = (type: string, text: string): Promise<void> =>
  Deno.jupyter.display({ [type]: text }, { raw: true }).then(() => new Promise((resolve) => setTimeout(resolve, 100)));

/** Columns of numbers stand to the right, texts to the left. */
export const showTable = (...[head, rows, caption]: Parameters<typeof report.table>): Promise<void> =>
  show(
    "text/html",
    report
      .table(head, rows, caption)
      .text.replaceAll('class="number"', 'style="text-align: right"')
      .replaceAll(/(<t[dh][^>]*) class=""/g, '$1 style="text-align: left"')
      .replaceAll(/<(td|th scope="row")>/g, '<$1 style="text-align: left">')
      .replaceAll(/ data-head="[^"]*"/g, ""),
  );

/** A figure of a run's folder, by its path, or one that was just drawn. */
export async function showFigure(figure: string | report.Figure): Promise<void> {
  const svg = typeof figure === "string" ? await Deno.readTextFile(figure) : report.standalone(figure);
  // nbconvert takes no figure that says its encoding.
  await show("image/svg+xml", svg.replace(/^<\?xml[^>]*>\s*/, ""));
}

export const showText = (text: string): Promise<void> => show("text/plain", text);

/** 23.1 % to 31.6 % */
export const between = ([low, high]: evaluate.Interval): string => `${report.percent(low)} to ${report.percent(high)}`;

/** A row for each stage of a run and each language: rows, accuracy, 95 % interval. */
export const accuracies = (stages: readonly { stage: string; statistics: evaluate.EvaluationStatistics }[]) =>
  stages.flatMap(({ stage, statistics: { overall, languages } }) =>
    [{ language: "all", ...overall }, ...languages].map((one) => [
      report.titleOfStage(stage),
      one.language,
      one.n,
      report.percent(one.accuracy),
      between(one.clusteredInterval),
    ]),
  );

/** The best and the worst subjects by plain accuracy, as the published runs named them, and what is left of it. */
export function bestAndWorst({ subjects }: evaluate.EvaluationStatistics, many = 3) {
  const ranked = [...subjects].sort((a, b) => b.accuracy - a.accuracy);
  return [...ranked.slice(0, many), ...ranked.slice(-many)].map((one) => [
    report.spoken(one.subject),
    one.n,
    one.questions,
    report.percent(one.accuracy),
    between(one.clusteredInterval),
    report.percent(one.shrunken),
  ]);
}

/** What `bestAndWorst` has in its columns. */
export const SUBJECT_COLUMNS = ["subject", "rows", "questions", "accuracy", "95 %", "drawn towards the mean"];
