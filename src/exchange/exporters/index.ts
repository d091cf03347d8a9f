/** For which tools runs are written: one more is a file here and a line in this one. */
import { evalResultsExporter } from "./eval-results.js";
import { everyEvalEverExporter } from "./every-eval-ever.js";
import type { Exporter } from "./exporter.js";
import { inspectExporter } from "./inspect.js";
import { lmEvalExporter } from "./lm-eval.js";

export { EVAL_RESULTS, evalResults } from "./eval-results.js";
export type { ExportedRun, Exporter } from "./exporter.js";

export const exporters: readonly Exporter[] = [
  inspectExporter,
  lmEvalExporter,
  everyEvalEverExporter,
  evalResultsExporter,
];
