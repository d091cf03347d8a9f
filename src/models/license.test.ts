import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { licenseOf } from "./license.js";

const folder = mkdtempSync(join(tmpdir(), "license-"));
afterAll(() => rmSync(folder, { recursive: true }));

const licenceWith = (card: string | undefined, modelType = "qwen2") => {
  rmSync(join(folder, "README.md"), { force: true });
  if (card !== undefined) writeFileSync(join(folder, "README.md"), card);
  return licenseOf({ folder, config: { path: "config.json", modelType, json: {}, floatKeys: new Set() } });
};

it("reads the licence of a model's card", async () => {
  expect(await licenceWith("---\nlanguage: en\nlicense: apache-2.0\ntags: [a]\n---\n# A model\n")).toEqual({
    license: "apache-2.0",
  });
  expect(
    await licenceWith(
      "---\r\nlicense: other\r\nlicense_name: qwen-research\r\nlicense_link: https://a.example/LICENSE\r\n---\r\n",
    ),
  ).toEqual({ license: "other", license_name: "qwen-research", license_link: "https://a.example/LICENSE" });
  expect(await licenceWith("---\nlicense:\n- mit\n- gpl-3.0\n---\n")).toEqual({ license: "mit" });
});

it("knows that of an architecture whose models are all under one, where no card tells", async () => {
  expect(await licenceWith(undefined, "gemma2")).toEqual({ license: "gemma" });
  expect(await licenceWith("---\nlanguage: en\n---\n", "gemma3_text")).toEqual({ license: "gemma" });
  expect(await licenceWith("---\nlicense: mit\n---\n", "gemma2")).toEqual({ license: "mit" });
});

it("says nothing where nothing can be read", async () => {
  const bomb = Array.from({ length: 40 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(i ? 9 : 0)}x]`).join("\n");
  for (const card of [
    undefined,
    "",
    "# A model",
    "---\nlicense: mit\n",
    "text\n---\nlicense: mit\n---\n",
    "---\n[\n---\n",
  ])
    expect(await licenceWith(card), card).toBeUndefined();
  expect(await licenceWith(`---\n${bomb}\nlicense: mit\n---\n`)).toBeUndefined();
});
