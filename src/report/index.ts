/**
 * Reports, figures, leaderboards and the viewer; runs loaded for them.
 *
 * ```ts
 * import { page, percent, table, html } from "mmmlu-lab/report";
 *
 * const body = table(["model", "accuracy"], [["random", percent(0.25)]]);
 * console.log(page("Two models", html`<h1>Two models</h1>`, [{ id: "all", title: "All", body }]).length);
 * ```
 *
 * @module
 */

export { loadResult as loadComparedRun, loadResults as loadComparedRuns } from "../exchange/index.js";
export { csvOf } from "./csv.js";
export type { StageResult } from "./evaluation-parts.js";
export { type Figure, percent, points, spoken, standalone } from "./figures/figure.js";
export type { Histogram } from "./figures/index.js";
export { escapeHtml, type Html, html, raw } from "./html.js";
export * from "./leaderboard/index.js";
export { lensFiles } from "./lens-files.js";
export { page, type Section } from "./page.js";
export { type Tile, table, tiles } from "./parts.js";
export { byGroup, groupInWords, type ReproducedExperiment, type ShownFigure, written } from "./published-figures.js";
export type { LeakAudit, ReportHead, RunReport } from "./run-report.js";
export { titleOfStage } from "./stages.js";
export type { TrainingCurves } from "./training-curves.js";
export type { PromptOf, QuestionsOf, WrittenPrompt } from "./viewer/exchange.js";
export {
  askedApart,
  type FoundRun,
  findRuns,
  NOT_ALIKE,
} from "./viewer/runs.js";
export { serveRuns, type Viewer } from "./viewer/server.js";

/**
 * What makes whole reports and figures. It is loaded when it is asked for: the plotting library takes longer to load
 * than most commands take to run.
 */
export const loadReports = (): Promise<typeof import("./reports.js")> => import("./reports.js");
