import { existsSync, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { UsageError, UserError } from "../base/errors.js";
import { didYouMean, didYouMeanBeside } from "../base/nearest.js";
import {
  type BoardFormat,
  boardEntries,
  boardFormats,
  type ColumnKind,
  columnKinds,
  leaderboard,
  publishedEntries,
  writeLeaderboard,
} from "../report/index.js";
import { collect, notice } from "./options.js";

interface LeaderboardFlags {
  readonly format: BoardFormat;
  readonly columns: ColumnKind;
  readonly sort: string;
  readonly languages?: string;
  readonly category: string[];
  readonly subject: string[];
  readonly intervals?: boolean;
  readonly published: boolean;
}

export function leaderboardCommand(command: Command): Command {
  return command
    .argument("[folder]", "the folder that holds runs", "outputs")
    .addOption(new Option("--format <format>", "how it is written").choices([...boardFormats]).default("markdown"))
    .addOption(new Option("--columns <what>", "what the columns are").choices([...columnKinds]).default("languages"))
    .option("--sort <column>", "best first by mean (of languages), all (rows) or a column's name; or model", "mean")
    .option("--languages <list>", "only rows in these, such as DE_DE,FR_FR")
    .option("--category <name>", "only rows of this category; may be given several times", collect, [])
    .option("--subject <name>", "only rows of this subject; may be given several times", collect, [])
    .option("--intervals", "each cell with its 95 % interval")
    .option("--no-published", "without the figures that MMMLU's authors publish")
    .action(printLeaderboard);
}

async function printLeaderboard(folder: string, flags: LeaderboardFlags): Promise<void> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(
      `${existsSync(folder) ? `${folder} is no folder` : `there is no folder ${folder}${didYouMeanBeside(folder)}`}`,
      {
        hint: "Give the folder that holds runs, such as outputs.",
      },
    );
  const { table, entries, leftOut } = await boardEntries(folder);
  for (const { run, why } of leftOut) notice(`${run} is left out: ${why}`);
  const all = [...entries, ...(flags.published ? publishedEntries() : [])];
  if (all.length === 0)
    throw new UserError(`${folder} holds no finished run with answers`, {
      hint: "mmmlu run makes one; mmmlu leaderboard without --no-published shows the published figures alone.",
    });
  const listed = (names: readonly string[]): readonly string[] | undefined => (names.length ? names : undefined);
  const languages = listed(
    (flags.languages ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
  );
  const published = flags.published ? [...publishedEntries()[0]!.accuracies!.keys()] : [];
  requireKnown("--languages", languages, [...table.languages.all, ...published]);
  requireKnown("--category", flags.category, table.categories.all);
  requireKnown("--subject", flags.subject, table.subjects.all);
  const board = leaderboard(all, table, {
    columns: flags.columns,
    sort: flags.sort,
    languages,
    categories: listed(flags.category),
    subjects: listed(flags.subject),
  });
  requireKnown("--sort", [flags.sort], ["mean", "all", "model", ...board.columns.names]);
  process.stdout.write(writeLeaderboard(board, flags.format, flags));
}

/** @throws {UsageError} naming a value that none of the rows has */
function requireKnown(flag: string, given: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = given?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const there = [...new Set(known)];
  throw new UsageError(`${flag} ${unknown}: there is no such${didYouMean(unknown, there)}`, {
    hint: there.length ? `There are ${there.slice(0, 60).join(", ")}.` : "No run is there that has any.",
  });
}
