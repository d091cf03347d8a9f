/** Optimizers and gradient clipping. */

export { AdamW, type AdamWOptions, type Moments, type OptimizedParameter } from "./adamw.js";
export { clipCoefficient, GradientNorm } from "./clip.js";
