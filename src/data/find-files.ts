import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../base/errors.js";
import { joinInside } from "../base/inside.js";
import { didYouMean } from "../base/nearest.js";
import { languagesAmong, mmmlu, type Task } from "../tasks/index.js";
import type { Corpus, CorpusOptions } from "./corpus.js";
import {
  cachedPaths,
  downloadFileIfThere,
  downloadFiles,
  type HubSettings,
  hubSettings,
  isRepositoryName,
  listRepository,
  type Repository,
  resolveCommit,
} from "./hub/index.js";
import { sampleFolder } from "./sample/index.js";

/** A file of rows of one language. */
export interface FoundFile {
  readonly language: string;
  readonly path: string;
}

interface Found {
  readonly kind: Corpus["kind"];
  readonly revision: string | undefined;
  readonly files: readonly FoundFile[];
}

export const noLanguage = (where: string, language: string, there: readonly string[], file?: string): UserError =>
  new UserError(`${where} has no language ${language}${file ? ` (no ${file})` : ""}${didYouMean(language, there)}`, {
    hint: `It has: ${there.join(", ")}.`,
  });

/** Whether a path is a part of a file: `de/test-*.parquet` has `de/test-00000-of-00002.parquet`. */
function isPart(pattern: string, path: string): boolean {
  const [before, after] = pattern.split("*") as [string, string?];
  if (after === undefined) return path === pattern;
  const middle = path.slice(before.length, path.length - after.length);
  return path.startsWith(before) && path.endsWith(after) && /^\d{5}-of-\d{5}$/.test(middle);
}

/**
 * The files of a task's rows, in the order of the languages asked for; those of the hub are fetched.
 * @throws {UserError} saying what is not there, and what is
 */
export async function findFiles(task: Task, options: CorpusOptions): Promise<Found> {
  const { source } = options;
  if (source === "sample") {
    if (task.name !== mmmlu.name)
      throw new UserError(`the embedded sample is of ${mmmlu.name}, not of ${task.name}`, {
        hint: "Leave --sample out, or set data.task=mmmlu.",
      });
    return { kind: "sample", revision: undefined, files: inFolder(task, sampleFolder(), options) };
  }
  if (statSync(source, { throwIfNoEntry: false })?.isFile())
    throw new UserError(`${source} is a file that rows are not read from`, {
      hint:
        "Files of own rows end in .csv, .jsonl, .ndjson or .parquet: a spreadsheet is saved as CSV UTF-8, a table " +
        "separated by tabs is read under a name in .csv, a JSON list needs one object a line.",
    });
  if (existsSync(source)) return { kind: "folder", revision: undefined, files: inFolder(task, source, options) };
  if (!source.includes("/") || !isRepositoryName(source))
    throw new UserError(`there is no folder ${source}, and it is not a hub id`, {
      hint: "Give a folder, a hub id such as openai/MMMLU, a file of own rows (.csv, .jsonl, .parquet), or sample.",
    });
  return onHub(task, options);
}

function inFolder(task: Task, folder: string, options: CorpusOptions): FoundFile[] {
  const partsOf = (language: string): string[] => filesIn(folder, dirname(task.file(language)), task.file(language));
  const there = task.languageOfFile
    ? filesIn(folder, dirname(task.file("")))
        .map((path) => task.languageOfFile!(path))
        .filter((language) => language !== undefined)
    : Object.keys(task.languages).filter((language) => partsOf(language).length > 0);
  if (there.length === 0)
    throw new UserError(`${folder} holds no ${task.file("XX_YY").replace("*", "00000-of-00001")}`, {
      hint: `Give a folder in the layout of ${task.hub?.repository}, a hub id, or sample.`,
    });
  const asked = options.languages ?? there;
  return languagesAmong(asked, there).flatMap((language, index) => {
    if (language === undefined) throw noLanguage(folder, asked[index]!, there, task.file(asked[index]!));
    return partsOf(language).map((path) => ({ language, path: joinInside(folder, path) }));
  });
}

/** The files of a folder's folder, sorted, as paths in the outer one; of a file that has parts, the parts. */
function filesIn(folder: string, inner: string, pattern?: string): string[] {
  if (!existsSync(join(folder, inner))) return [];
  return readdirSync(join(folder, inner))
    .map((name) => `${inner}/${name}`)
    .filter((path) => pattern === undefined || isPart(pattern, path))
    .sort();
}

async function onHub(task: Task, options: CorpusOptions): Promise<Found> {
  const known = Object.keys(task.languages);
  const asked = options.languages ?? known;
  const languages = languagesAmong(asked, known).map((language, index) => {
    if (language === undefined) throw noLanguage(task.description.split(":")[0]!, asked[index]!, known);
    return language;
  });
  const settings = hubSettings({
    offline: options.offline,
    environment: options.environment,
    progress: options.progress,
    signal: options.signal,
  });
  const pinned = options.source === task.hub?.repository ? task.hub.revision : null;
  const repository: Repository = { name: options.source, type: "dataset" };
  const commit = await resolveCommit(repository, options.revision ?? pinned, settings);
  const files: FoundFile[] = [];
  for (const language of languages)
    for (const path of await fetchParts(repository, commit, task.file(language), settings))
      files.push({ language, path });
  return { kind: "hub", revision: commit, files };
}

/** A file's parts, fetched: most have one; of others the repository is asked, or without a network the cache. */
async function fetchParts(
  repository: Repository,
  commit: string,
  pattern: string,
  settings: HubSettings,
): Promise<string[]> {
  if (!pattern.includes("*")) return downloadFiles(repository, commit, [pattern], settings);
  const single = pattern.replace("*", "00000-of-00001");
  const file = await downloadFileIfThere(repository, commit, single, settings);
  if (file !== undefined) return [file];
  const all = settings.offline
    ? cachedPaths(repository, commit, dirname(pattern), settings)
    : await listRepository(repository, commit, settings);
  const parts = all.filter((path) => isPart(pattern, path)).sort();
  if (parts.length === 0 && !settings.offline)
    throw new UserError(`${repository.name} has no file ${pattern} at ${commit.slice(0, 12)}`, {
      hint: `It has: ${all.slice(0, 10).join(", ")}${all.length > 10 ? ", …" : ""}.`,
    });
  return downloadFiles(repository, commit, parts.length > 0 ? parts : [single], settings);
}
