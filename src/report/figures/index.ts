export { changeFigure, runsFigure } from "./comparison.js";
export { evaluationFigures, groupFigure, type GroupMark, subjectFigure } from "./evaluation.js";
export { type ExplorationFigures, explorationFigures, type Histogram, histogramFigure, histogramFigures } from "./exploration.js";
export { type Figure, HALF, percent, points, spoken, standalone, WIDE } from "./plot.js";
export { learningRateFigure, lossFigure, type LossPoint, type ValidationPoint } from "./training.js";
