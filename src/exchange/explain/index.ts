export type { Alike } from "./alike.js";
export { type ExplainedPart, type Explanation, explainDifference, PARTS, type PartName } from "./explain.js";
export { FACTORS, type Factor, type FactorDifference, factorsApart } from "./factors.js";
export { ASPECTS, type Aspect } from "./prompt-aspects.js";
export { comparePrompts, type PromptsCompared, spread } from "./prompts-apart.js";
