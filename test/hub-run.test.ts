import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCorpus } from "../src/data/index.js";
import { sampleFolder } from "../src/data/sample/index.js";
import { mmmlu as task } from "../src/tasks/index.js";
import { makeTokenizer } from "../src/tokens/index.js";
import { mmmlu } from "./command.js";
import { type HubImitation, hubImitation } from "./hub-imitation/server.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-hub-run-"));
let hub: HubImitation;
beforeAll(async () => {
  const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE"] });
  makeTokenizer(
    rows.map((row) => [row.question, ...row.choices].join(" ")),
    join(folder, "tokenizer"),
    { kind: "t5", size: 500 },
  );
  const file = "test/mmlu_DE-DE.csv";
  hub = await hubImitation([
    {
      type: "dataset",
      name: task.hub.repository,
      commit: task.hub.revision,
      files: { [file]: readFileSync(join(sampleFolder(), file)) },
      large: [file],
      gated: true,
    },
    {
      type: "model",
      name: "FacebookAI/roberta-base",
      commit: "b".repeat(40),
      files: { "tokenizer.json": readFileSync(join(folder, "tokenizer", "tokenizer.json")) },
    },
  ]);
  // As a user would keep them.
  writeFileSync(join(folder, ".env"), `HF_ENDPOINT=${hub.url}\nHF_TOKEN=hf_test\nHF_HOME=${join(folder, "home")}\n`);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});
const eda = (...more: string[]) => mmmlu(["run", "eda", "--languages", "DE_DE", ...more], { folder });

describe("a run on the hub's data, its settings in .env", () => {
  it("fetches what it needs, through a broken connection, and says from where", async () => {
    hub.trouble = ["cut"];
    const { code, out, error } = await eda();
    expect(code).toBe(0);
    expect(out).toMatch(/2,280 rows, 1 language, 57 subjects/);
    expect(error).toMatch(
      /the connection broke .*going on where it stopped\nfetching openai\/MMMLU test\/mmlu_DE-DE\.csv: 0\.2 MB/,
    );
    const manifest = JSON.parse(readFileSync(join(folder, "outputs", "eda", "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({
      data: { source: "openai/MMMLU", kind: "hub", revision: task.hub.revision },
      tokenizer: { source: "FacebookAI/roberta-base", revision: "b".repeat(40) },
      sample: false,
    });
  });

  it("asks nobody once all is in the cache", async () => {
    const asked = hub.requests.length;
    expect((await eda("--fresh")).code).toBe(0);
    expect((await eda("--fresh", "--offline")).code).toBe(0);
    expect(hub.requests.length).toBe(asked);
    const elsewhere = await mmmlu(["run", "eda", "--languages", "DE_DE", "--offline", "--fresh"], {
      folder,
      environment: { HF_HOME: join(folder, "empty") },
    });
    expect(elsewhere).toMatchObject({ code: 1, error: expect.stringMatching(/not in the cache[^]*--offline/) });
    expect(hub.requests.length).toBe(asked);
  });

  it("says that a damaged file is to be removed from the cache, and fetches it anew then", async () => {
    const snapshot = join(folder, "home", "hub", "models--FacebookAI--roberta-base", "snapshots", "b".repeat(40));
    const file = join(snapshot, "tokenizer.json");
    writeFileSync(realpathSync(file), "{");
    const damaged = await eda("--fresh");
    expect(damaged).toMatchObject({ code: 1, error: expect.stringContaining(file) });
    expect(damaged.error).toMatch(/ownload.* It lies in the hub's cache: remove it there, and the same command/);
    rmSync(file);
    expect((await eda("--fresh")).code).toBe(0);
  });
});
