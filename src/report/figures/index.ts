export { changeFigure, runsFigure } from "./comparison.js";
export { evaluationFigures, type GroupMark, groupFigure, subjectFigure } from "./evaluation.js";
export {
  type ExplorationFigures,
  explorationFigures,
  type Histogram,
  histogramFigure,
  histogramFigures,
} from "./exploration.js";
export { type Figure, HALF, percent, points, spoken, standalone, WIDE } from "./figure.js";
export { curvesFigure, type LossPoint, learningRateFigure, lossFigure, type ValidationPoint } from "./training.js";
