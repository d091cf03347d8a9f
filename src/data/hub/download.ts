import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { datasetInfo, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { checkStopped, messageOf, UserError } from "../../base/errors.js";
import { lockFolderIfFree } from "../../base/lock.js";
import {
  cachedCommit,
  isCommit,
  isKnownAbsent,
  linkBlob,
  type Repository,
  rememberAbsence,
  rememberCommit,
  repositoryFolder,
  snapshotFile,
} from "./cache.js";
import { hubError, offlineError } from "./errors.js";
import { causeOf, patientFetch, pauseFor } from "./patient-fetch.js";
import type { HubSettings } from "./settings.js";

/*
 * `@huggingface/hub` answers what there is; fetching a file's bytes is done here, because its own download to the cache
 * starts an interrupted file again from nothing and tells no progress.
 */

const credentials = (settings: HubSettings) => (settings.token ? { accessToken: settings.token } : {});

/**
 * The commit of a branch or tag; a commit is given back without asking, and so is the cache's where nothing (null) is asked for
 * or there is to be no network. What was asked for by name is asked anew.
 * @throws {UserError} where there is no such repository or revision, or it is refused
 */
export async function resolveCommit(
  repository: Repository,
  asked: string | null | undefined,
  settings: HubSettings,
): Promise<string> {
  const revision = asked ?? "main";
  if (isCommit(revision)) return revision;
  const folder = repositoryFolder(settings.cache, repository);
  if (settings.offline || asked == null) {
    const cached = cachedCommit(folder, revision);
    if (cached) return cached;
    if (settings.offline) throw offlineError(repository, `revision ${revision}`, settings);
  }
  try {
    const question = {
      name: repository.name,
      revision,
      additionalFields: ["sha" as const],
      hubUrl: settings.endpoint,
      fetch: patientFetch(settings),
      ...credentials(settings),
    };
    const info: { sha?: string } =
      repository.type === "dataset" ? await datasetInfo(question) : await modelInfo(question);
    if (!info.sha || !isCommit(info.sha)) throw new Error("the hub's answer names no commit");
    rememberCommit(folder, revision, info.sha);
    return info.sha;
  } catch (error) {
    // Without a network the cache's word is better than none; a refusal is a refusal.
    const cached =
      error instanceof HubApiError || error instanceof UserError ? undefined : cachedCommit(folder, revision);
    if (!cached) throw hubError(error, repository, `revision ${revision}`, settings);
    settings.progress.say(
      `cannot reach the hub (${causeOf(error)}): going on with the cached revision ${cached.slice(0, 12)} of ${repository.name}`,
    );
    return cached;
  }
}

/** The paths of a repository's files at a commit. */
export async function listRepository(repository: Repository, commit: string, settings: HubSettings): Promise<string[]> {
  if (settings.offline) throw offlineError(repository, "the list of files", settings);
  const paths: string[] = [];
  try {
    for await (const file of listFiles({
      repo: repository,
      revision: commit,
      recursive: true,
      hubUrl: settings.endpoint,
      fetch: patientFetch(settings),
      ...credentials(settings),
    })) {
      if (file.type === "file") paths.push(file.path);
    }
  } catch (error) {
    throw hubError(error, repository, "the list of files", settings);
  }
  return paths;
}

/**
 * Files of a repository at a commit, fetched into the standard cache where they are not there yet.
 * @returns their paths on disk, in the order asked for
 */
export async function downloadFiles(
  repository: Repository,
  commit: string,
  paths: readonly string[],
  settings: HubSettings,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(await downloadFile(repository, commit, path, settings));
  return found;
}

/**
 * One file of a repository at a commit: from the cache without asking the network, else fetched. An interrupted file goes
 * on where it stopped, in this run or a later one.
 * @throws {UserError} saying what to do
 */
export async function downloadFile(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<string> {
  const file = await downloadFileIfThere(repository, commit, path, settings);
  if (file === undefined && settings.offline) throw offlineError(repository, `file ${path}`, settings);
  if (file === undefined)
    throw hubError(new HubApiError("", 404), repository, `file ${path} at ${commit.slice(0, 12)}`, settings);
  return file;
}

/** As {@link downloadFile}; undefined where the repository has no such file, or offline none is in the cache. */
export async function downloadFileIfThere(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<string | undefined> {
  const folder = repositoryFolder(settings.cache, repository);
  const there = snapshotFile(folder, commit, path);
  if (existsSync(there)) return there;
  if (settings.offline || isKnownAbsent(folder, commit, path)) return undefined;
  let info: FileInfo | undefined;
  try {
    info = await fileInfo(repository, commit, path, settings);
  } catch (error) {
    throw hubError(error, repository, `file ${path}`, settings);
  }
  if (!info) {
    rememberAbsence(folder, commit, path);
    return undefined;
  }
  const blob = join(folder, "blobs", info.etag);
  if (!existsSync(blob)) {
    mkdirSync(join(folder, "blobs"), { recursive: true });
    const release = await turnToFetch(join(settings.cache, ".locks", basename(folder), info.etag), path, settings);
    try {
      if (!existsSync(blob)) await fetchBlob(repository, commit, path, blob, info, settings);
    } finally {
      release();
    }
  }
  return linkBlob(folder, commit, path, info.etag);
}

interface FileInfo {
  readonly etag: string;
  readonly size: number;
}

const resolveUrl = (repository: Repository, commit: string, path: string, settings: HubSettings): string =>
  `${settings.endpoint}/${repository.type === "dataset" ? "datasets/" : ""}${repository.name}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;

const authorization = (settings: HubSettings): Record<string, string> =>
  settings.token ? { authorization: `Bearer ${settings.token}` } : {};

/**
 * A file's name in the cache and its size, as Python asks for them: from the hub's own answer, before the redirect to its
 * storage, whose ETag is another (the one that `@huggingface/hub` 2.17 takes).
 */
async function fileInfo(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<FileInfo | undefined> {
  let url = resolveUrl(repository, commit, path, settings);
  const { origin } = new URL(url);
  for (let hops = 0; hops < 5; hops++) {
    // The token is for the hub alone.
    const response = await patientFetch(settings)(url, {
      method: "HEAD",
      redirect: "manual",
      headers: { ...(new URL(url).origin === origin ? authorization(settings) : {}), "accept-encoding": "identity" },
    });
    const etag = (response.headers.get("x-linked-etag") ?? response.headers.get("etag"))
      ?.replace(/^W\//, "")
      .replaceAll('"', "");
    const size = Number(response.headers.get("x-linked-size") ?? response.headers.get("content-length") ?? Number.NaN);
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location && !response.headers.get("x-linked-etag")) {
      // A repository that was renamed.
      url = new URL(location, url).href;
      continue;
    }
    if (response.status === 404 && response.headers.get("x-error-code") === "EntryNotFound") return undefined;
    if (response.status >= 400)
      throw new HubApiError(
        url,
        response.status,
        undefined,
        response.headers.get("x-error-message") ?? String(response.status),
      );
    if (!etag || !/^[\w.-]+$/.test(etag) || !Number.isFinite(size))
      throw new Error(`the hub's answer for ${path} has no usable ETag and size`);
    return { etag, size };
  }
  throw new Error(`too many redirects for ${path}`);
}

/** Two that write into one unfinished file spoil it: the second waits until the first has it, or has given up. */
async function turnToFetch(lock: string, path: string, settings: HubSettings): Promise<() => void> {
  for (let told = false; ; ) {
    const release = lockFolderIfFree(lock);
    if (release) return release;
    if (!told) settings.progress.say(`another run is fetching ${path}: waiting for it`);
    told = true;
    await pauseFor(0.2, settings.signal);
  }
}

async function fetchBlob(
  repository: Repository,
  commit: string,
  path: string,
  blob: string,
  expected: FileInfo,
  settings: HubSettings,
): Promise<void> {
  const partial = `${blob}.incomplete`;
  const url = resolveUrl(repository, commit, path, settings);
  const request = patientFetch(settings);
  settings.progress.begin(`fetching ${repository.name} ${path}`, expected.size);
  for (let attempt = 0; ; attempt++) {
    const have = existsSync(partial) ? statSync(partial).size : 0;
    if (have === expected.size && have > 0) break;
    try {
      // A redirect to another host drops the authorization: fetch's own rule.
      const response = await request(url, {
        headers: {
          ...authorization(settings),
          ...(have > 0 && have < expected.size ? { range: `bytes=${have}-` } : {}),
        },
      });
      if (!response.ok || !response.body) throw new HubApiError(url, response.status, undefined, `${response.status}`);
      await append(partial, response, response.status === 206 ? have : 0, expected.size, settings);
    } catch (error) {
      if (error instanceof HubApiError || error instanceof UserError)
        throw hubError(error, repository, `file ${path}`, settings);
      checkStopped(settings.signal);
      if (attempt >= settings.retries) throw hubError(error, repository, `file ${path}`, settings);
      settings.progress.say(`the connection broke (${causeOf(error)}); going on where it stopped`);
      await pauseFor(settings.retrySeconds, settings.signal);
      continue;
    }
    break;
  }
  await verify(partial, path, expected);
  renameSync(partial, blob);
  settings.progress.end(`${(expected.size / 1e6).toFixed(1)} MB`);
}

async function append(
  partial: string,
  response: Response,
  from: number,
  size: number,
  settings: HubSettings,
): Promise<void> {
  const file = openSync(partial, from > 0 ? "r+" : "w");
  let at = from;
  try {
    if (from > 0) ftruncateSync(file, from);
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      try {
        for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done, piece.length - done, at + done);
      } catch (error) {
        throw new UserError(`cannot write ${partial}: ${messageOf(error)}`, {
          hint: "Free some space and run the same command again: it goes on where it stopped.",
          cause: error,
        });
      }
      at += piece.length;
      settings.progress.update(at);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (at < size) throw new Error(`${at} of ${size} bytes came`);
}

/** Large files are named by their SHA-256, small ones by git's SHA-1 of the blob. */
async function verify(partial: string, path: string, expected: FileInfo): Promise<void> {
  const size = statSync(partial).size;
  const fail = (what: string): never => {
    rmSync(partial, { force: true });
    throw new UserError(`${path}: ${what}; what was fetched is thrown away`, { hint: "Run the same command again." });
  };
  if (size !== expected.size) fail(`${size} bytes came, expected ${expected.size}`);
  const algorithm = /^[0-9a-f]{64}$/.test(expected.etag)
    ? "sha256"
    : /^[0-9a-f]{40}$/.test(expected.etag)
      ? "sha1"
      : undefined;
  if (!algorithm) return;
  const hash = createHash(algorithm);
  if (algorithm === "sha1") hash.update(`blob ${size}\0`);
  for await (const piece of createReadStream(partial)) hash.update(piece as Buffer);
  const digest = hash.digest("hex");
  if (digest !== expected.etag) fail(`its ${algorithm.toUpperCase()} is ${digest}, the hub says ${expected.etag}`);
}
