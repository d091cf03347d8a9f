/** Optimizers and gradient clipping. */

export { AdamW, type AdamWOptions, type GradientScale, type Moments, type OptimizedParameter } from "./adamw.js";
export { clipCoefficient, GradientNorm } from "./clip.js";
export { Scalars } from "./scalars.js";
export { GradientSums, SumPrograms } from "./sums.js";
