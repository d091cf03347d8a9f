export { changeFigure } from "./comparison.js";
export { evaluationFigures, subjectFigure } from "./evaluation.js";
export { type ExplorationFigures, explorationFigures, histogramFigure } from "./exploration.js";
export { type Figure, percent, points, spoken, standalone } from "./plot.js";
export { learningRateFigure, lossFigure, type LossPoint, type ValidationPoint } from "./training.js";
