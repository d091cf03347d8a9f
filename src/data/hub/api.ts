import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { joinInside } from "../../base/inside.js";
import { checkedAs, parseJson } from "../../base/json.js";
import { didYouMeanBeside } from "../../base/nearest.js";
import { cachedCommit, isCommit, type Repository, rememberCommit, repositoryFolder } from "./cache.js";
import { hubError, offlineError } from "./errors.js";
import { causeOf, patientFetch } from "./patient-fetch.js";
import { authorized, boundedText, HubRefusal } from "./requests.js";
import type { HubSettings } from "./settings.js";

/** Bytes of an answer, pages of a list and files of a repository at most: far more than any that there is. */
const [MOST_BYTES, MOST_PAGES, MOST_FILES] = [32 << 20, 500, 100_000];

/** What to do where an answer is none of a hub's. */
const NO_HUB = "Is HF_ENDPOINT a hub or a mirror of it?";

const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/, "is no commit") });
const treeSchema = z.array(z.object({ type: z.string().max(100), path: z.string().max(4096) })).max(MOST_FILES);

/**
 * The commit of a branch or tag; a commit is given back without asking, and so is the cache's where nothing (null) is
 * asked for or there is to be no network. What was asked for by name is asked anew.
 * @throws {UserError} where there is no such repository or revision, or it is refused
 */
export async function resolveCommit(
  repository: Repository,
  asked: string | null | undefined,
  settings: HubSettings,
): Promise<string> {
  const revision = asked ?? "main";
  const folder = repositoryFolder(settings.cache, repository);
  if (isCommit(revision)) return revision;
  if (settings.offline || asked == null) {
    const cached = cachedCommit(folder, revision);
    if (cached) return cached;
    sayNoFolder(repository.name, settings);
    if (settings.offline) throw offlineError(repository, `revision ${revision}`, settings);
  }
  // A name that could not be kept is not asked for.
  joinInside(folder, "refs", revision);
  try {
    const url = `${apiUrl(repository, settings)}/revision/${encodeURIComponent(revision)}`;
    const { sha } = checkedAs(
      await askJson(url, settings),
      infoSchema,
      `the hub's answer about ${repository.name}`,
      NO_HUB,
    );
    rememberCommit(folder, revision, sha);
    return sha;
  } catch (error) {
    // Without a network the cache's word is better than none; a refusal is a refusal.
    const cached =
      error instanceof HubRefusal || error instanceof UserError ? undefined : cachedCommit(folder, revision);
    if (!cached) throw hubError(error, repository, `revision ${revision}`, settings);
    settings.progress.say(
      `cannot reach the hub (${causeOf(error)}): going on with the cached revision ${cached.slice(0, 12)} of ` +
        `${repository.name}`,
    );
    return cached;
  }
}

/** Says where a name looks like a path of this machine that is not there: the hub may take long to refuse it. */
function sayNoFolder(name: string, { progress }: HubSettings): void {
  if (name.includes("/") && existsSync(dirname(name)) && !existsSync(name))
    progress.say(`there is no folder ${name} here${didYouMeanBeside(name)}`);
}

/**
 * The paths of a repository's files at a commit.
 * @throws {UserError} where the list cannot be had, has no end, or names a path that leaves the repository
 */
export async function listRepository(repository: Repository, commit: string, settings: HubSettings): Promise<string[]> {
  if (settings.offline) throw offlineError(repository, "the list of files", settings);
  const folder = repositoryFolder(settings.cache, repository);
  const paths: string[] = [];
  try {
    const asked = new Set<string>();
    let next: string | undefined = `${apiUrl(repository, settings)}/tree/${commit}?recursive=true`;
    while (next !== undefined) {
      if (asked.has(next) || asked.size >= MOST_PAGES || paths.length > MOST_FILES)
        throw new UserError(`the hub's list of the files of ${repository.name} has no end`, {
          hint: NO_HUB,
        });
      asked.add(next);
      let following: string | undefined;
      const page = await askJson(next, settings, (response) => {
        following = nextPage(response.headers.get("link"), settings);
      });
      for (const { type, path } of checkedAs(
        page,
        treeSchema,
        `the hub's list of the files of ${repository.name}`,
        NO_HUB,
      )) {
        if (type !== "file") continue;
        joinInside(folder, path);
        paths.push(path);
      }
      next = following;
    }
  } catch (error) {
    throw hubError(error, repository, "the list of files", settings);
  }
  return paths;
}

const apiUrl = ({ type, name }: Repository, settings: HubSettings): string =>
  `${settings.endpoint}/api/${type}s/${name}`;

/** The address of the next page as a `link` header names it; only where it is the hub's own. */
function nextPage(header: string | null, settings: HubSettings): string | undefined {
  const next = /<([^<>]{1,4000})>;\s{0,9}rel="next"/.exec(header?.slice(0, 10_000) ?? "")?.[1];
  if (next === undefined) return undefined;
  const url = new URL(next, settings.endpoint);
  if (url.origin !== new URL(settings.endpoint).origin)
    throw new UserError(`the hub's list of files goes on at another server, ${url.origin}`, {
      hint: "Is HF_ENDPOINT a hub or a mirror of it? Its key is not sent elsewhere.",
    });
  return url.href;
}

async function askJson(url: string, settings: HubSettings, look?: (response: Response) => void): Promise<unknown> {
  const response = await patientFetch(settings)(url, {
    headers: { accept: "application/json", ...authorized(url, settings) },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw HubRefusal.of(response);
  }
  look?.(response);
  return parseJson(await boundedText(response, MOST_BYTES), "the hub's answer", NO_HUB);
}
