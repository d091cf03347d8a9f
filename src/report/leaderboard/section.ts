import { type Interval, pairedGroupMeanDifference, unpairedDifferenceInterval } from "../../evaluate/index.js";
import type { RowTable } from "./answers.js";
import type { BoardEntry } from "./entries.js";
import { languagesOf, type Measured, meanOn, rowOf, type Wanted } from "./measure.js";
import { type BoardProtocol, settingDifferences } from "./protocol.js";
import type { BoardRow, BoardSection } from "./types.js";

/** Chance that all pairs of a section are told right. */
const LEVEL = 0.95;

/** Ranks those that can be held against each other. */
export function sectionOf(all: readonly Measured[], table: RowTable, wanted: Wanted): BoardSection {
  const group = all.filter(({ row }) => row.n > 0);
  const { entry } = group[0] ?? all[0]!;
  const reference = referenceOf(group.map((one) => one.entry));
  const pairs = (group.length * (group.length - 1)) / 2;
  const level = 1 - (1 - LEVEL) / Math.max(1, pairs);
  const better = group.map(() => 0);
  const compared = group.map(() => 0);
  const ties = group.map((): string[] => []);
  const partly = group.map(() => false);
  for (let a = 0; a < group.length; a++)
    for (let b = a + 1; b < group.length; b++) {
      const found = difference(group[a]!, group[b]!, table, wanted, level);
      if (!found) continue;
      compared[a]!++;
      compared[b]!++;
      if (found.partly) partly[a] = partly[b] = true;
      if (found.interval[0] > 0) better[a]!++;
      else if (found.interval[1] < 0) better[b]!++;
      else {
        ties[a]!.push(nameOf(group[b]!.row));
        ties[b]!.push(nameOf(group[a]!.row));
      }
    }
  const most = Math.max(0, ...group.map(({ row }) => row.n));
  return {
    task: entry.task,
    sample: entry.sample,
    protocol: entry.protocol.name,
    shots: entry.protocol.shots,
    settings: reference,
    level,
    rows: group.map(({ entry: one, row }, place) => {
      const differences = settingDifferences(one.protocol.settings, reference);
      return {
        ...row,
        ...(compared[place]! > 0 ? { rank: better[place]! + 1 } : {}),
        ties: ties[place]!,
        cautions: [
          ...(differences.length ? [{ sign: "≠" as const, why: differences.join("; ") }] : []),
          ...(partly[place] && row.n < most
            ? [
                {
                  sign: "†" as const,
                  why: partlyInWords(row.n, most),
                },
              ]
            : []),
        ],
      };
    }),
  };
}

const partlyInWords = (own: number, most: number): string =>
  `${own.toLocaleString("en")} of ${most.toLocaleString("en")} rows: held against the others on shared rows, where ` +
  "there are any";

/** How a row is told from others of the same model. */
export const nameOf = ({ model, source, runs }: Pick<BoardRow, "model" | "source" | "runs">): string =>
  source === "published" ? `${model} (published)` : `${model} (${runs.join(", ")})`;

/** The settings of published entries, else those that most have. */
function referenceOf(entries: readonly BoardEntry[]): BoardProtocol["settings"] {
  const published = entries.find(({ source }) => source === "published");
  if (published) return published.protocol.settings;
  const counts = new Map<string, { count: number; settings: BoardProtocol["settings"] }>();
  for (const { protocol } of entries) {
    const key = JSON.stringify(protocol.settings);
    counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, settings: protocol.settings });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.settings ?? {};
}

/**
 * The second's mean of languages minus the first's: paired on the rows that both answered, else from their own
 * intervals over the languages that both have; undefined where they have none in common.
 */
function difference(
  first: Measured,
  second: Measured,
  table: RowTable,
  wanted: Wanted,
  level: number,
): { readonly interval: Interval; readonly partly: boolean } | undefined {
  const [a, b] = [first.entry.answers, second.entry.answers];
  if (a && b) {
    const shared = [...a.rows()].filter((row) => b.has(row) && wanted(row));
    if (shared.length > 0) {
      const { interval } = pairedGroupMeanDifference(
        shared.map((row) => ({ ...rowOf(row, table, a), first: a.right(row), second: b.right(row) })),
        level,
      );
      return { interval, partly: shared.length < Math.max(first.row.n, second.row.n) };
    }
  }
  const languages = new Set(languagesOf(first, table, wanted));
  const common = languagesOf(second, table, wanted).filter((name) => languages.has(name));
  if (common.length === 0) return undefined;
  const [one, other] = [first, second].map((each) => meanOn(each, common, table, wanted, level));
  const partly = Math.min(first.row.n, second.row.n) < Math.max(first.row.n, second.row.n);
  return { interval: unpairedDifferenceInterval(one!, other!), partly };
}
