/** What makes whole reports and figures, and the plotting library that they need. */
export { comparisonReport } from "./comparison-report.js";
export { explainReport } from "./explain-report.js";
export { histogramFigure, histogramFigures } from "./figures/index.js";
export { importedReport } from "./imported-report.js";
export { lensReport } from "./lens-report.js";
export { reproductionReport } from "./reproduction-report.js";
export { answersReport, explorationReport } from "./run-report.js";
