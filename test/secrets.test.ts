import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChatImitation, type ImitationOptions, startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

/** Values that stand in the environment, in addresses and in flags, and may be written nowhere and said nowhere. */
const PLANTED = {
  key: "sk-planted-key-4711",
  password: "planted-pass-word",
  user: "planted-user",
  hub: "hf_plantedHubToken",
  tracker: `${"f".repeat(28)}planted12345`,
  query: "planted-query-value",
};
const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString("base64");

let folder = "";
const running: ChatImitation[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mmmlu-"))));
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  rmSync(folder, { recursive: true });
});

async function run(options: ImitationOptions, flags: (address: string) => readonly string[] = () => []) {
  const keys: (string | undefined)[] = [];
  const server = await startChatImitation({
    ...options,
    trouble: (request) => {
      keys.push(String(request.headers.authorization));
      return options.trouble?.(request);
    },
  });
  running.push(server);
  const address = server.url.replace("://", `://${PLANTED.user}:${PLANTED.password}@`);
  const finished = await mmmlu(
    ["run", "gemma-3-27b-baseline", "--sample", "--out", join(folder, "run"), "--wandb", "offline", ...flags(address)],
    {
      environment: {
        LMSTUDIO_ENDPOINT: `${address}?key=${PLANTED.query}`,
        LMSTUDIO_API_KEY: PLANTED.key,
        HF_TOKEN: PLANTED.hub,
        HF_ENDPOINT: `http://${PLANTED.user}:${PLANTED.password}@127.0.0.1:9/`,
        WANDB_API_KEY: PLANTED.tracker,
        WANDB_DIR: folder,
        WANDB_BASE_URL: `http://${PLANTED.user}:${PLANTED.password}@127.0.0.1:9`,
      },
    },
  );
  return { ...finished, keys, server };
}

/** Where planted values stand, as they are or as a header has them. */
function found(said: string): string[] {
  const needles = [...Object.values(PLANTED), basic(PLANTED.user, PLANTED.password), basic("api", PLANTED.tracker)];
  const places: string[] = needles.filter((needle) => said.includes(needle)).map((needle) => `said: ${needle}`);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    for (const needle of needles) if (bytes.includes(needle)) places.push(`${name}: ${needle}`);
  }
  return places;
}

const EVIL = "evil\u001b[2J\u001b]0;title\u0007\u009b31m\u202e\rname";

describe("secrets", () => {
  it("of a run that goes well stand nowhere", async () => {
    const { code, out, error, keys } = await run({});
    expect([code, error]).toEqual([0, expect.anything()]);
    expect(new Set(keys)).toEqual(new Set([`Bearer ${PLANTED.key}`]));
    expect(found(out + error)).toEqual([]);
    expect(readFileSync(join(folder, "run", "manifest.json"), "utf8")).toContain("on http://127.0.0.1");
  });

  it("in flags stand nowhere, and a user in the address gets in where no key is set", async () => {
    const { code, out, error, keys } = await run({}, (address) => [
      "--set",
      `answerer.endpoint=${JSON.stringify(address)}`,
      "--debug",
    ]);
    expect([code, error]).toEqual([0, expect.anything()]);
    expect(keys[0]).toBe(`Bearer ${PLANTED.key}`);
    expect(found(out + error)).toEqual([]);
  });

  it.each<[string, ImitationOptions]>([
    ["that lets nobody in", { apiKey: "another" }],
    ["that repeats the key", { trouble: () => ({ status: 401, body: { error: `Bearer ${PLANTED.key} is wrong` } }) }],
    [
      "that repeats it in an error",
      {
        trouble: ({ number }) => ({ status: number < 9 ? 500 : 422, body: { detail: `key ${PLANTED.key}\u001b[2J` } }),
      },
    ],
    [
      "that redirects",
      { trouble: () => ({ status: 308, headers: { location: `http://127.0.0.1:9/?key=${PLANTED.query}` } }) },
    ],
    ["that has other models", { models: [EVIL, "x".repeat(400)] }],
    ["that ends replies in its own words", { trouble: () => ({ choice: { finish_reason: `error ${EVIL}` } }) }],
  ])("of a server %s stand nowhere, and no terminal obeys it", async (_, options) => {
    const { code, out, error } = await run(options, () => ["--debug", "--set", "answerer.retries=1"]);
    expect(code).toBe(1);
    expect(error).toMatch(/mmmlu: /);
    expect(found(out + error)).toEqual([]);
    expect(out + error).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});
