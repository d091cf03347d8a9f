import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type HubImitation, hubImitation } from "../../../test/hub-imitation/server.js";
import { HttpClient } from "../../base/http.js";
import { openCheckpoint } from "../../models/index.js";
import { loadTokenizer } from "../../tokens/index.js";
import { downloadFile, hubSettings, listRepository, resolveCommit } from "./index.js";
import { isHopeless, patientFetch } from "./patient-fetch.js";

const noLinks = vi.hoisted(() => ({ on: false }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const symlink = (...given: Parameters<typeof real.symlinkSync>): void => {
    if (noLinks.on)
      throw Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM", syscall: "symlink" });
    real.symlinkSync(...given);
  };
  return { ...real, default: real, symlinkSync: symlink };
});

const commit = "c".repeat(40);
const index = (shard: string): string => JSON.stringify({ weight_map: { "shared.weight": shard } });
const OUT = [
  "../../../../outside",
  "/tmp/outside",
  "..",
  "a/../../../../../outside",
  "..\\..\\outside",
  "C:\\outside",
  "NUL",
  "x\0y",
  "x".repeat(300),
  "",
];
const t5 = '{"model_type": "t5"}';
const repository = (name: string, files: Record<string, string>, large: string[] = []) => ({
  type: "model" as const,
  name,
  commit,
  files,
  large,
});
const good = repository("org/good", { "config.json": t5, "data.csv": "some bytes" }, ["data.csv"]);

let hub: HubImitation;
let root: string;
let home: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "hostile-hub-"));
  home = join(root, "deep", "deeper", "home");
  hub = await hubImitation([
    good,
    ...OUT.map((shard, i) =>
      repository(`org/shard${i}`, { "config.json": t5, "model.safetensors.index.json": index(shard) }),
    ),
    repository("org/bin", { "config.json": t5, "pytorch_model.bin": "x" }),
    repository("org/spiece", { "spiece.model": "x" }),
  ]);
});
afterEach(async () => {
  noLinks.on = false;
  vi.unstubAllGlobals();
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});
const settings = (more: NodeJS.ProcessEnv = {}) =>
  hubSettings({
    environment: { HF_ENDPOINT: hub.url, HF_HOME: home, HOME: join(root, "user"), ...more },
    retrySeconds: 0.01,
    retries: 2,
  });
/** All that lies beneath the test's own folder, but not in the cache of one repository. */
const outside = (): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /outside|passwd/.test(name));

describe("a hostile hub", () => {
  it.each(OUT.map((shard, i) => [shard, i] as const))("cannot name a shard %j", async (_shard, i) => {
    await expect(openCheckpoint(`org/shard${i}`, { hub: settings() })).rejects.toThrow(/not a file beside it/);
    expect(hub.requests.filter((line) => /outside|safetensors(?!\.index)/.test(line))).toEqual(
      hub.requests.filter((line) => /model\.safetensors( |$)/.test(line)),
    );
    expect(outside()).toEqual([]);
  });

  it.each(["../../../outside", "..", "a/b", "..\\x", "x".repeat(300), "x.incomplete", ".hidden", "a b"])(
    "cannot give the ETag %j",
    async (etag) => {
      hub.lies = { etag: `"${etag}"` };
      for (const path of ["config.json", "data.csv"])
        await expect(downloadFile(good, commit, path, settings())).rejects.toThrow(/no ETag and size that can be used/);
      expect(outside()).toEqual([]);
      expect(hub.requests.some((line) => line.startsWith("GET"))).toBe(false);
    },
  );

  it.each(["-1", "1e400", "NaN", "many", "1.5"])("cannot give the size %j", async (size) => {
    hub.lies = { size };
    await expect(downloadFile(good, commit, "config.json", settings())).rejects.toThrow(
      /no ETag and size that can be used/,
    );
  });

  it("cannot fill the disk, by what it says or by what it sends", async () => {
    hub.lies = { size: "5000000000" };
    await expect(downloadFile(good, commit, "config.json", settings())).rejects.toThrow(/5000000000 bytes, more than/);
    hub.lies = { size: "9999999999999" };
    await expect(downloadFile(good, commit, "data.bin", settings())).rejects.toThrow(/404/);
    hub.lies = { size: "15999999999999" };
    await expect(downloadFile(good, commit, "data.csv", settings())).rejects.toThrow(/more than the/);
    hub.lies = {};
    hub.trouble = ["too long"];
    await expect(downloadFile(good, commit, "data.csv", settings())).rejects.toThrow(/more than the 10 bytes came/);
    expect(readdirSync(join(home, "hub", "models--org--good", "blobs"))).toEqual([]);
    hub.trouble = ["another part"];
    await expect(downloadFile(good, commit, "data.csv", settings())).rejects.toThrow(/gives those from 1 on/);
    expect(readFileSync(await downloadFile(good, commit, "data.csv", settings()), "utf8")).toBe("some bytes");
  });

  it.each([
    [{ sha: "../../outside" }],
    [{ sha: null }],
    [{ sha: {} }],
    [{ info: "null" }],
    [{ info: "<html>" }],
    [{ info: "[" }],
  ])("cannot say of a revision: %j", async (lies) => {
    hub.lies = lies;
    await expect(resolveCommit(good, "main", settings())).rejects.toThrow(/the hub's answer/);
    expect(existsSync(join(home, "hub", "models--org--good", "refs", "main"))).toBe(false);
  });

  it("cannot list what leaves the repository, nor without an end, nor elsewhere", async () => {
    const list = (lies: HubImitation["lies"]) => {
      hub.lies = lies;
      return listRepository(good, commit, settings());
    };
    expect(await list({})).toEqual(["config.json", "data.csv"]);
    await expect(list({ tree: JSON.stringify([{ type: "file", path: "../x" }]) })).rejects.toThrow(/leads out/);
    await expect(list({ tree: "{}" })).rejects.toThrow(/list of the files .*expected a list/);
    await expect(list({ tree: '[{"type": "file", "path": 1}]' })).rejects.toThrow(/0\.path/);
    await expect(
      list({ link: `<${hub.url}/api/models/org/good/tree/${commit}?recursive=true>; rel="next"` }),
    ).rejects.toThrow(/has no end/);
    await expect(list({ link: '<http://localhost:1/x>; rel="next"' })).rejects.toThrow(/another server/);
    await expect(list({ tree: `[${" ".repeat(34 << 20)}]` })).rejects.toThrow(/more than 33554432 bytes/);
  });

  it.each(["../../../outside", "/etc/passwd", "a/../../..", "..\\x", "x\ny"])(
    "is not asked for the revision %j, which an adapter may name",
    async (revision) => {
      await expect(resolveCommit(good, revision, settings())).rejects.toThrow(/is no name for a file/);
      expect(hub.requests).toEqual([]);
    },
  );

  it.each(["../x", "a/..", "org/na me", "-org/x", "a/b/c", "org/x--y", "org/\u202ex"])(
    "is not asked for the repository %j",
    async (name) => {
      await expect(resolveCommit({ type: "model", name }, commit, settings())).rejects.toThrow(
        /no name of a repository/,
      );
      expect(hub.requests).toEqual([]);
    },
  );

  it("writes through no link that leads out of the cache", async () => {
    const folder = join(home, "hub", "models--org--good");
    mkdirSync(join(root, "target"), { recursive: true });
    mkdirSync(join(folder, "snapshots"), { recursive: true });
    symlinkSync(join(root, "target"), join(folder, "snapshots", commit));
    await expect(downloadFile(good, commit, "config.json", settings())).rejects.toThrow(/leads out/);
    expect(readdirSync(join(root, "target"))).toEqual([]);
  });
});

describe("the hub as its users know it", () => {
  it.each([
    [
      403,
      "GatedRepo: ask at org/x",
      /refuses model org\/x, revision main \(403\): GatedRepo: ask/,
      /Accept its licence/,
    ],
    [401, "Invalid credentials hf_secret", /\(401\): Invalid credentials …$/, /Check that the token .* still valid/],
    [451, "Unavailable for\tlegal reasons", /does not give .* \(451\): Unavailable for legal reasons$/, /Look at http/],
  ])("tells why it refuses (%i), in its words and without the token", async (status, said, message, hint) => {
    const refusing = createServer((_, reply) => reply.writeHead(status, { "x-error-message": said }).end());
    await new Promise<void>((listening) => refusing.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const asked = resolveCommit(
      { type: "model", name: "org/x" },
      "main",
      settings({ HF_ENDPOINT: url, HF_TOKEN: "hf_secret" }),
    );
    await expect(asked).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    refusing.close();
  });

  it("copies where the file system has no symbolic links", async () => {
    noLinks.on = true;
    const path = await downloadFile(good, commit, "data.csv", settings());
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("some bytes");
    const asked = hub.requests.length;
    expect(await downloadFile(good, commit, "data.csv", settings())).toBe(path);
    expect(hub.requests.length).toBe(asked);
  });

  it("says what a repository has instead of what is read", async () => {
    await expect(openCheckpoint("org/bin", { hub: settings() })).rejects.toMatchObject({
      hint: expect.stringMatching(/It has pytorch_model\.bin/),
    });
    const environment = { HF_ENDPOINT: hub.url, HF_HOME: home };
    await expect(loadTokenizer({ source: "org/spiece", environment })).rejects.toMatchObject({
      hint: expect.stringMatching(/SentencePiece/),
    });
  });

  it("takes the token of hf auth login, and the places that the environment names", () => {
    const user = join(root, "user");
    mkdirSync(join(user, "hf"), { recursive: true });
    writeFileSync(join(user, "hf", "token"), "\ufeffhf_kept\n");
    writeFileSync(join(user, "elsewhere"), "hf_elsewhere");
    const read = (environment: NodeJS.ProcessEnv) => hubSettings({ environment: { HOME: user, ...environment } });
    expect(read({})).toMatchObject({
      authorization: undefined,
      offline: false,
      cache: join(user, ".cache/huggingface/hub"),
    });
    expect(read({ HF_HOME: "~/hf" })).toMatchObject({ authorization: "Bearer hf_kept", cache: join(user, "hf/hub") });
    expect(read({ HF_HOME: "$HOME/hf", HF_TOKEN_PATH: "~/elsewhere" }).authorization).toBe("Bearer hf_elsewhere");
    expect(read({ HF_HOME: "~/hf", HF_TOKEN: "hf_set" }).authorization).toBe("Bearer hf_set");
    expect(read({ HF_HOME: "~/hf", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }).authorization).toBeUndefined();
    expect(read({ HF_HUB_CACHE: "$DATA/hub", DATA: "/data" }).cache).toBe("/data/hub");
    expect(read({ XDG_CACHE_HOME: "~/c" }).cache).toBe(join(user, "c/huggingface/hub"));
    expect(read({ TRANSFORMERS_OFFLINE: "1" }).offline).toBe(true);
    expect(read({ TRANSFORMERS_OFFLINE: "1", HF_HUB_OFFLINE: "0" }).offline).toBe(false);
    expect(read({ HF_ENDPOINT: "hf-mirror.com/" }).endpoint).toBe("https://hf-mirror.com");
    const planted = (): unknown => read({ HF_TOKEN: "hf_planted\nhf_secret" });
    expect(planted).toThrow(/HF_TOKEN holds no token/);
    expect(planted).not.toThrow(/planted|secret/);
  });

  it("sends the endpoint's user and password, and shows them nowhere", async () => {
    const said: string[] = [];
    const secret = settings({ HF_ENDPOINT: hub.url.replace("://", "://me:planted@"), HF_TOKEN: "hf_planted" });
    const watched = {
      ...secret,
      progress: {
        begin: (line: string) => said.push(line),
        update() {},
        end() {},
        say: (line: string) => said.push(line),
      },
    };
    expect(secret.endpoint).toBe(hub.url);
    await downloadFile(good, commit, "config.json", watched as never);
    expect(hub.requests.every((line) => line.endsWith(" token"))).toBe(true);
    hub.always = 503;
    const error = await resolveCommit(good, "main", watched as never).catch(
      (thrown: unknown) => thrown as Error & { hint?: string },
    );
    await hub.close();
    const gone = await resolveCommit(good, "main", watched as never).catch(
      (thrown: unknown) => thrown as Error & { hint?: string },
    );
    const told = JSON.stringify([
      said,
      [error, gone].map((one) => (typeof one === "string" ? one : [one.message, one.hint])),
    ]);
    expect(told).toMatch(/503/);
    expect(told).not.toMatch(/planted|me:/);
  });

  it("asks once for a name that does not resolve, and again where that may pass", async () => {
    const failing = (code: string) => {
      const cause = Object.assign(new Error(code), { code });
      return vi.spyOn(HttpClient.prototype, "fetch").mockRejectedValue(new TypeError("fetch failed", { cause }));
    };
    for (const [code, times] of [
      ["ENOTFOUND", 1],
      ["CERT_HAS_EXPIRED", 1],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", 1],
      ["EAI_AGAIN", 3],
      ["ECONNRESET", 3],
    ] as const) {
      const asked = failing(code);
      await expect(patientFetch(settings())("http://hub.invalid/")).rejects.toThrow("fetch failed");
      expect(asked, code).toHaveBeenCalledTimes(times);
      asked.mockRestore();
    }
    expect(isHopeless(new Error("x"))).toBe(false);
  });
});
