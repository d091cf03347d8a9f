import type { GroupMean, Interval } from "../../evaluate/index.js";
import type { BoardEntry } from "./entries.js";
import type { BoardProtocol } from "./protocol.js";

export const columnKinds = ["languages", "categories", "subjects"] as const;
export type ColumnKind = (typeof columnKinds)[number];

export interface BoardOptions {
  /** What the columns are. */
  readonly columns?: ColumnKind;
  /** Only rows of these; undefined for all. */
  readonly languages?: readonly string[];
  readonly categories?: readonly string[];
  readonly subjects?: readonly string[];
  /** `mean`, `all`, `model`, or a column's name: best first. */
  readonly sort?: string;
}

/** An accuracy of a leaderboard's cell. */
export interface BoardCell {
  readonly accuracy: number;
  readonly n: number;
  /** 95 %, clustered by question. */
  readonly interval: Interval;
}

export interface BoardRow extends Pick<BoardEntry, "model" | "source" | "runs" | "split"> {
  readonly n: number;
  /** The plain mean of its languages' accuracies; undefined where no row is left. */
  readonly mean?: GroupMean;
  /** Over rows. */
  readonly all?: BoardCell;
  /** By column; undefined where it has none. */
  readonly cells: readonly (BoardCell | undefined)[];
  /**
   * One more than there are others of its section that are better beyond noise; undefined where it can be held against
   * none of them.
   */
  readonly rank?: number;
  /** Names of those of its section that it does not differ from beyond noise. */
  readonly ties: readonly string[];
  /** Why it may not be compared with the others without a thought; each has a sign in tables. */
  readonly cautions: readonly BoardCaution[];
}

export interface BoardCaution {
  /** `≠`: asked or read in another way; `†`: other rows, held against others on the rows that both answered. */
  readonly sign: "≠" | "†";
  readonly why: string;
}

/** Entries of one data set, protocol and number of shots: what is ranked together. */
export interface BoardSection {
  readonly task: string;
  readonly sample: boolean;
  readonly protocol: string;
  readonly shots: number;
  /** The settings that its entries have, where they have no caution. */
  readonly settings: BoardProtocol["settings"];
  readonly rows: readonly BoardRow[];
  /** At which each pair is compared, so that all of a section's hold together (Bonferroni). */
  readonly level: number;
}

export interface Leaderboard {
  readonly columns: { readonly kind: ColumnKind; readonly names: readonly string[] };
  readonly sort: string;
  readonly sections: readonly BoardSection[];
}
