import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HttpClient } from "./http.js";
import type { HttpFailure } from "./http-failure.js";

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function serve(listener: RequestListener): Promise<{ url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push(() => new Promise((resolve) => void server.close(resolve).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf(environment: NodeJS.ProcessEnv = {}): HttpClient {
  const client = new HttpClient(environment);
  running.unshift(() => client.close());
  return client;
}

const ask = (client: HttpClient, url: string, more: { method?: "GET" | "POST"; headers?: string[] } = {}) =>
  client.ask({ method: "GET", url, timeoutMilliseconds: 5000, maximumBytes: 1000, ...more });

describe("the HTTP client", () => {
  it("asks through the environment's proxy, but never this machine, and not what NO_PROXY names", async () => {
    const seen: string[] = [];
    const proxy = await serve((request, response) => {
      seen.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
      response.end("by proxy");
    });
    const direct = await serve((_, response) => void response.end("direct"));
    const HTTP_PROXY = proxy.url.replace("://", "://user:pass@");
    const client = clientOf({ HTTP_PROXY, NO_PROXY: "near.invalid" });
    expect((await ask(client, "http://far.invalid/v1/models?x=1")).body.toString()).toBe("by proxy");
    expect((await ask(client, direct.url)).body.toString()).toBe("direct");
    await expect(ask(client, "http://near.invalid/")).rejects.toMatchObject({ kind: "unresolved" });
    expect(seen).toEqual([`http://far.invalid/v1/models?x=1 Basic ${Buffer.from("user:pass").toString("base64")}`]);
    expect(await (await client.fetch("http://far.invalid/file")).text()).toBe("by proxy");
    expect((await ask(clientOf({ http_proxy: proxy.url.slice(7) }), "http://far.invalid/")).status).toBe(200);
  });

  it("tells a proxy that refuses, and one that is no address, without its password", async () => {
    const proxy = await serve((_, response) => void response.writeHead(407).end());
    await expect(ask(clientOf({ HTTP_PROXY: proxy.url }), "http://far.invalid/")).rejects.toMatchObject({
      kind: "proxy",
    });
    await expect(clientOf({ HTTPS_PROXY: "socks5://user:secret@x:1" }).fetch("https://far.invalid/")).rejects.toThrow(
      /^(?!.*secret).*HTTPS_PROXY is no address of an http proxy/,
    );
  });

  it("follows a redirect within the server, and sends nothing to another", async () => {
    const elsewhere: unknown[] = [];
    const other = await serve((request, response) => {
      elsewhere.push(request.headers);
      response.end();
    });
    const server = await serve((request, response) => {
      if (request.url === "/v1/models") response.writeHead(307, { location: "/v1/models/" }).end();
      else if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
      else if (request.url === "/out") response.writeHead(302, { location: other.url }).end();
      else response.end(request.headers.authorization);
    });
    const headers = ["authorization", "Bearer key"];
    const client = clientOf();
    expect((await ask(client, `${server.url}/v1/models`, { headers })).body.toString()).toBe("Bearer key");
    for (const path of ["/loop", "/out"])
      await expect(ask(client, server.url + path, { headers })).rejects.toMatchObject({ kind: "redirect" });
    await expect(ask(client, `${server.url}/out`, { method: "POST", headers })).rejects.toMatchObject({
      kind: "redirect",
    });
    expect(elsewhere).toEqual([]);
  });

  it("refuses what is no address of http, and drops all when told to", async () => {
    const client = clientOf();
    for (const url of ["", "nonsense", "ftp://x/", "file:///etc/passwd"])
      await expect(ask(client, url)).rejects.toMatchObject({ kind: "address" });
    await expect(ask(client, "http://127.0.0.1:1/", { headers: ["a", "b\r\nc: d"] })).rejects.toMatchObject({
      kind: "address",
    });
    const server = await serve(() => {});
    const asked = ask(client, server.url).catch((error: HttpFailure) => error.kind);
    setTimeout(() => client.abortAll(), 20);
    expect(await asked).toBe("aborted");
  });
});
