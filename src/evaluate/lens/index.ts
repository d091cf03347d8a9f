export type { PairAgreement, RightIn } from "./agreement.js";
export { type Gap, QUARTERS } from "./gaps.js";
export type { DoubtfulKey, KeyDifference } from "./keys.js";
export { type LanguageReplies, type Lens, type LensLabels, lensOf, type RunLens } from "./lens.js";
export { REPLY_KINDS, type ReplyKind, replyKind } from "./reply-kinds.js";
export { benjaminiHochberg, LEAST_LANGUAGES, type SuspectRow, type Suspects, suspectRows } from "./suspects.js";
export { type ParallelTable, parallelTable } from "./table.js";
