export { comparisonReport } from "./comparison-report.js";
export type { StageResult } from "./evaluation-parts.js";
export {
  type Figure,
  type Histogram,
  histogramFigure,
  histogramFigures,
  percent,
  points,
  spoken,
  standalone,
} from "./figures/index.js";
export { escapeHtml, type Html, html, raw } from "./html.js";
export { page, type Section } from "./page.js";
export { type QuestionText, type Tile, table, tiles } from "./parts.js";
export {
  byGroup,
  groupInWords,
  type ReproducedExperiment,
  reproductionReport,
  type ShownFigure,
  written,
} from "./reproduction-report.js";
export {
  answersReport,
  explorationReport,
  type LeakAudit,
  type ReportHead,
  type RunReport,
} from "./run-report.js";
export type { TrainingCurves } from "./training-curves.js";
export { type FoundRun, findRuns, loadComparedRun, loadComparedRuns } from "./viewer/runs.js";
export { serveRuns, type Viewer } from "./viewer/server.js";
