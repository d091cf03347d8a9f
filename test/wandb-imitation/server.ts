import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the imitation answers next: once each, then as it should. */
export type Trouble = "ok" | 401 | 429 | 500 | "cut" | "stall" | "stopped" | "garbage";

export interface WandbImitation {
  readonly url: string;
  /** What arrived by file: lines in order, by offset. */
  readonly files: Record<string, string[]>;
  readonly runs: {
    name: string;
    project: string;
    config: Record<string, { value: unknown }>;
    tags: string[];
    displayName: string;
  }[];
  exitCode: number | undefined;
  readonly requests: string[];
  trouble: Trouble[];
  /** From now on every request is answered so. */
  always: Trouble | undefined;
  close(): Promise<void>;
}

/** The routes of W&B's server that a run uses, on 127.0.0.1. */
export async function wandbImitation(apiKey = "k".repeat(40)): Promise<WandbImitation> {
  const state: WandbImitation = {
    url: "",
    files: {},
    runs: [],
    exitCode: undefined,
    requests: [],
    trouble: [],
    always: undefined,
    close: async () => {},
  };
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const piece of request) text += piece;
    state.requests.push(`${request.method} ${request.url}`);
    const trouble = state.always ?? state.trouble.shift() ?? "ok";
    const reply = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (trouble === "stall") return;
    if (trouble === "cut") return void request.socket.destroy();
    if (trouble === "garbage") return reply(200, "<html>gateway</html>");
    if (trouble === 429) return reply(429, { error: "slow down" }, { "retry-after": "1" });
    if (typeof trouble === "number") return reply(trouble, { error: "trouble" });
    if (request.headers.authorization !== `Basic ${Buffer.from(`api:${apiKey}`).toString("base64")}`)
      return reply(401, { error: "who are you" });
    const body = JSON.parse(text) as {
      query?: string;
      variables?: Record<string, unknown>;
      files?: Record<string, { offset: number; content: string[] }>;
      complete?: boolean;
      exitcode?: number;
    };
    if (request.url === "/graphql") {
      if (!body.query?.includes("upsertBucket")) return reply(200, { errors: [{ message: "unknown operation" }] });
      const { name, project, config, tags, displayName } = body.variables as {
        name: string;
        project: string;
        config: string;
        tags: string[];
        displayName: string;
      };
      state.runs.push({
        name,
        project,
        config: JSON.parse(config) as Record<string, { value: unknown }>,
        tags,
        displayName,
      });
      return reply(200, {
        data: {
          upsertBucket: {
            bucket: { id: "1", name, displayName, project: { name: project, entity: { name: "team" } } },
            inserted: true,
          },
        },
      });
    }
    const stream = /^\/files\/team\/[^/]+\/[^/]+\/file_stream$/.exec(request.url ?? "");
    if (!stream) return reply(404, { error: "no such route" });
    for (const [name, { offset, content }] of Object.entries(body.files ?? {})) {
      const lines = (state.files[name] ??= []);
      content.forEach((line, index) => (lines[offset + index] = line));
    }
    if (body.complete) state.exitCode = body.exitcode;
    reply(200, { exitcode: null, limits: {}, stopped: trouble === "stopped" });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return state;
}
