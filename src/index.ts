/**
 * mmmlu-lab as a library: a namespace for each room. A room can also be imported by itself, as `mmmlu-lab/split`.
 * @packageDocumentation
 */

export * as answer from "./answer/index.js";
export { UsageError, UserError } from "./base/errors.js";
export { type Progress, progressOn, silent } from "./base/progress.js";
export * as data from "./data/index.js";
export * as evaluate from "./evaluate/index.js";
export * as exchange from "./exchange/index.js";
export * as experiments from "./experiments/index.js";
export * as explore from "./explore/index.js";
export * as gguf from "./gguf/index.js";
export * as graph from "./graph/index.js";
export * as models from "./models/index.js";
export * as record from "./record/index.js";
export * as report from "./report/index.js";
export * as split from "./split/index.js";
export * as tasks from "./tasks/index.js";
export * as tokens from "./tokens/index.js";
export * as train from "./train/index.js";
