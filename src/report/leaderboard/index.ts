export { RowTable } from "./answers.js";
export { leaderboard } from "./board.js";
export { CachedAnswers } from "./cached-answers.js";
export { type BoardEntries, type BoardEntry, boardEntries, publishedEntries } from "./entries.js";
export { type BoardQuery, boardOf, boardQuery, leaderboardPage } from "./page.js";
export { type PublishedModel, publishedModels } from "./published.js";
export {
  type BoardCell,
  type BoardOptions,
  type BoardRow,
  type BoardSection,
  type ColumnKind,
  columnKinds,
  type Leaderboard,
} from "./types.js";
export { type BoardFormat, boardFormats, type WriteBoardOptions, writeLeaderboard } from "./write.js";
