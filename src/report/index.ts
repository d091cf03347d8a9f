export { comparisonReport } from "./comparison-report.js";
export type { StageResult } from "./evaluation-parts.js";
export { type Figure, standalone } from "./figures/index.js";
export { escapeHtml, type Html, html, raw } from "./html.js";
export { page, type Section } from "./page.js";
export { percent, spoken } from "./figures/index.js";
export { type QuestionText, table, type Tile, tiles } from "./parts.js";
export { answersReport, explorationReport, type LeakAudit, type ReportHead, type RunReport, type TrainingCurves } from "./run-report.js";
