import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDevice } from "../../graph/index.js";
import { createTinyT5 } from "../t5/create.js";
import { readAdapterSettings } from "./adapter-config.js";
import { addLora } from "./add.js";
import { mergeAdapterFolder } from "./merge-folder.js";
import { openBase } from "./open-base.js";

const root = mkdtempSync(join(tmpdir(), "open-base-"));
const adapter = join(root, "elsewhere", "adapter");
const config = join(adapter, "adapter_config.json");
const before = process.cwd();
beforeAll(async () => {
  const device = await openDevice("cpu");
  const model = await createTinyT5(device, { vocabSize: 40 }, 1);
  process.chdir(root);
  await model.save("base");
  await addLora(model.weights, { rank: 2, alpha: 4, dropout: 0, modules: ["q"], base: "base" }, 1);
  await model.save(adapter);
  await model.dispose();
  await device.close();
  process.chdir(before);
});
afterAll(() => rmSync(root, { recursive: true }));

const named = (base: string, revision: string | null = null): void => {
  writeFileSync(
    config,
    JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), base_model_name_or_path: base, revision }),
  );
};
const open = async (options: { base?: string } = {}) => {
  const checkpoint = await openBase(adapter, await readAdapterSettings(adapter), { ...options, offline: true });
  await checkpoint.close();
  return checkpoint.folder;
};

describe("an adapter's base", () => {
  it("is stored so that it is found from any folder", async () => {
    expect(JSON.parse(readFileSync(config, "utf8")).base_model_name_or_path).toBe(join(root, "base"));
    expect(await open()).toBe(join(root, "base"));
  });

  it("goes from the adapter's folder where it is relative", async () => {
    for (const [number, base] of ["../../base", "./../../base/"].entries()) {
      named(base);
      expect((await open()).replace(/\/$/, "")).toBe(join(root, "base"));
      await mergeAdapterFolder(adapter, join(root, `merged-${number}`), { offline: true });
    }
  });

  it("is asked for with --base where it is not there", async () => {
    for (const base of ["../gone", "/gone/base", "org/gone", "no name of a hub/at all"]) {
      named(base);
      await expect(open()).rejects.toMatchObject({
        message: expect.stringContaining(`the base that ${adapter} names cannot be opened`),
        hint: expect.stringContaining("--base"),
      });
      expect(await open({ base: join(root, "base") })).toBe(join(root, "base"));
    }
    named("");
    await expect(open()).rejects.toMatchObject({ hint: expect.stringContaining("--base") });
  });

  it("gives a merged model nothing of its tokenizer where the adapter has a whole one", async () => {
    named(join(root, "base"));
    const files = async (name: string) => {
      await mergeAdapterFolder(adapter, join(root, name), { offline: true });
      return readdirSync(join(root, name)).filter((file) => /token|chat/.test(file));
    };
    writeFileSync(join(root, "base", "chat_template.jinja"), "the base's");
    writeFileSync(join(root, "base", "tokenizer.json"), "{}");
    writeFileSync(join(adapter, "tokenizer_config.json"), '{"chat_template": "of its training"}');
    expect(await files("partly")).toEqual(["chat_template.jinja", "tokenizer.json", "tokenizer_config.json"]);
    // Of two templates transformers takes the file's.
    writeFileSync(join(adapter, "tokenizer.json"), "{}");
    expect(await files("whole")).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  });

  it("leads to no file outside the cache, by its name or its revision", async () => {
    mkdirSync(join(root, "home"), { recursive: true });
    named("org/name", "../../../../outside");
    await expect(open()).rejects.toThrow(/is no name for a file/);
    named("../name");
    await expect(open()).rejects.toThrow(/cannot be opened/);
  });
});
