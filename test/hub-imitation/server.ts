import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the imitation treats the next requests for bytes: once each. */
export type HubTrouble = "ok" | 429 | 503 | "cut" | "wrong bytes" | "too long" | "another part";

export interface HubLies {
  /** Instead of a file's ETag, also as its storage's. */
  etag?: string;
  /** Instead of a file's size. */
  size?: string;
  /** Instead of the commit of a revision. */
  sha?: unknown;
  /** Instead of the whole answer about a revision, or of a list of files: sent as it is. */
  info?: string;
  tree?: string;
  /** The `link` header of a list of files. */
  link?: string;
  /** Headers of every answer. */
  headers?: Record<string, string>;
}

export interface HubImitation {
  readonly url: string;
  /** `GET /path`, with ` range=…` and ` token` behind it where they came along. */
  readonly requests: string[];
  trouble: HubTrouble[];
  /** Paths that begin so are redirected, what follows kept: a repository that was renamed, or lies elsewhere. */
  redirects: Record<string, string>;
  /** Answers every request so. */
  always: 401 | 404 | 429 | 503 | undefined;
  /** What a hostile hub says instead of the truth. */
  lies: HubLies;
  close(): Promise<void>;
}

export interface HubRepository {
  readonly type: "dataset" | "model";
  readonly name: string;
  readonly commit: string;
  readonly branches?: readonly string[];
  /** Needs a token. */
  readonly gated?: boolean;
  readonly files: Readonly<Record<string, Buffer | string>>;
  /** Paths that are served as large files: by a redirect to another host. */
  readonly large?: readonly string[];
}

const sha1 = (bytes: Buffer): string => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The hub's routes that downloading uses, on 127.0.0.1; large files come from a second port, as from its storage. */
export async function hubImitation(repositories: readonly HubRepository[], token = "hf_test"): Promise<HubImitation> {
  const state: HubImitation = {
    url: "",
    requests: [],
    trouble: [],
    redirects: {},
    always: undefined,
    lies: {},
    close: async () => {},
  };
  const note = (where: string, request: IncomingMessage): void => {
    const extras = `${request.headers.range ? ` range=${request.headers.range}` : ""}${request.headers.authorization ? " token" : ""}`;
    state.requests.push(`${request.method} ${where}${request.url}${extras}`);
  };
  const bytesOf = (repository: HubRepository, path: string): Buffer | undefined => {
    const content = repository.files[path];
    return content === undefined ? undefined : Buffer.from(content);
  };

  function sendBytes(
    request: IncomingMessage,
    response: ServerResponse,
    bytes: Buffer,
    headers: Record<string, string>,
  ): void {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    // Trouble is for the body.
    const trouble = request.method === "GET" && !(range && end - start <= 1) ? (state.trouble.shift() ?? "ok") : "ok";
    if (typeof trouble === "number") {
      response.writeHead(trouble, trouble === 429 ? { "retry-after": "0.05" } : {});
      return void response.end();
    }
    const body = trouble === "wrong bytes" ? Buffer.alloc(end - start, 120) : bytes.subarray(start, end);
    if (trouble === "too long") {
      response.writeHead(200, headers);
      for (let i = 0; i < 64; i++) response.write(Buffer.alloc(65_536, 120));
      return void response.end();
    }
    if (trouble === "another part") {
      response.writeHead(206, { ...headers, "content-range": `bytes 1-${bytes.length - 1}/${bytes.length}` });
      return void response.end(bytes.subarray(1));
    }
    response.writeHead(range ? 206 : 200, {
      ...headers,
      "accept-ranges": "bytes",
      "content-length": String(end - start),
      ...(range ? { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` } : {}),
    });
    if (request.method === "HEAD") return void response.end();
    if (trouble === "cut") {
      response.write(body.subarray(0, Math.floor(body.length / 2)), () =>
        setTimeout(() => request.socket.destroy(), 20),
      );
      return;
    }
    response.end(body);
  }

  const storage = createServer((request, response) => {
    note("storage:", request);
    const [, name, path] = /^\/([^?]+)\?path=(.*)$/.exec(request.url ?? "") ?? [];
    const repository = repositories.find((one) => one.name === decodeURIComponent(name ?? ""));
    const bytes = repository && bytesOf(repository, decodeURIComponent(path ?? ""));
    if (!bytes) return void response.writeHead(404).end();
    sendBytes(request, response, bytes, { etag: '"storage"' });
  });
  await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
  // Another name for this machine: another origin.
  const storageUrl = `http://localhost:${(storage.address() as AddressInfo).port}`;

  const hub = createServer((request, response) => {
    note("", request);
    const fail = (status: number, message: string, code?: string): void => {
      response.writeHead(status, {
        "content-type": "application/json",
        ...(code ? { "x-error-code": code, "x-error-message": message } : {}),
        ...(status === 429 ? { "retry-after": "0.05" } : {}),
      });
      response.end(JSON.stringify({ error: message }));
    };
    if (state.always) return fail(state.always, "as told");
    for (const [name, value] of Object.entries(state.lies.headers ?? {})) response.setHeader(name, value);
    const url = new URL(request.url ?? "/", "http://hub");
    const path = decodeURIComponent(url.pathname);
    const from = Object.keys(state.redirects).find((prefix) => path.startsWith(prefix));
    if (from)
      return void response
        .writeHead(307, { location: `${state.redirects[from]}${url.pathname.slice(from.length)}` })
        .end();
    for (const repository of repositories) {
      const allowed = !repository.gated || request.headers.authorization === `Bearer ${token}`;
      const revision = (text: string): boolean =>
        text === repository.commit || (repository.branches ?? ["main"]).includes(text);
      const api = `/api/${repository.type}s/${repository.name}`;
      const resolve = `${repository.type === "dataset" ? "/datasets" : ""}/${repository.name}/resolve/`;
      if (path.startsWith(`${api}/revision/`) || path === api) {
        const asked = path === api ? "main" : path.slice(`${api}/revision/`.length);
        if (!revision(asked)) return fail(404, "Revision not found", "RevisionNotFound");
        response.writeHead(200, { "content-type": "application/json" });
        if (state.lies.info !== undefined) return void response.end(state.lies.info);
        return void response.end(
          JSON.stringify({
            _id: "1",
            id: repository.name,
            sha: "sha" in state.lies ? state.lies.sha : repository.commit,
            private: false,
            gated: repository.gated ? "auto" : false,
            downloads: 0,
            likes: 0,
            tags: [],
            lastModified: "2024-01-01T00:00:00.000Z",
            createdAt: "2024-01-01T00:00:00.000Z",
          }),
        );
      }
      if (path.startsWith(`${api}/tree/`)) {
        response.writeHead(200, {
          "content-type": "application/json",
          ...(state.lies.link === undefined ? {} : { link: state.lies.link }),
        });
        if (state.lies.tree !== undefined) return void response.end(state.lies.tree);
        return void response.end(
          JSON.stringify(
            Object.keys(repository.files).map((name) => ({
              type: "file",
              path: name,
              size: bytesOf(repository, name)?.length,
              oid: sha1(bytesOf(repository, name) as Buffer),
            })),
          ),
        );
      }
      if (path.startsWith(resolve)) {
        const [asked, ...rest] = path.slice(resolve.length).split("/");
        if (!allowed) return fail(401, "Access to this repository is restricted", "GatedRepo");
        if (!revision(asked ?? "")) return fail(404, "Revision not found", "RevisionNotFound");
        const name = rest.join("/");
        const bytes = bytesOf(repository, name);
        if (!bytes) return fail(404, "Entry not found", "EntryNotFound");
        if (!repository.large?.includes(name))
          return sendBytes(request, response, bytes, {
            etag: state.lies.etag ?? `"${sha1(bytes)}"`,
            "x-repo-commit": repository.commit,
            ...(state.lies.size === undefined ? {} : { "x-linked-size": state.lies.size }),
          });
        response.writeHead(302, {
          location: `${storageUrl}/${encodeURIComponent(repository.name)}?path=${encodeURIComponent(name)}`,
          "x-repo-commit": repository.commit,
          "x-linked-etag": state.lies.etag ?? `"${sha256(bytes)}"`,
          "x-linked-size": state.lies.size ?? String(bytes.length),
          etag: `"${sha256(bytes)}"`,
        });
        return void response.end();
      }
    }
    fail(404, "Repository not found", "RepoNotFound");
  });
  await new Promise<void>((resolve) => hub.listen(0, "127.0.0.1", resolve));
  Object.assign(state, {
    url: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
    close: async () => {
      for (const server of [hub, storage]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
  return state;
}
