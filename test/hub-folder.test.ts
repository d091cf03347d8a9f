import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { UserError } from "../src/base/errors.js";
import { exportHub } from "../src/experiments/index.js";
import { mmmlu } from "./command.js";
import { stepped } from "./faults/common.js";

/** A Python with the packages of reference/requirements.txt: see reference/check_model_card.py. */
const python = process.env["MMMLU_TEST_PYTHON"];
if (!python)
  console.warn(
    "skipped: model cards read by huggingface_hub (set MMMLU_TEST_PYTHON to a Python with reference/requirements.txt)",
  );

const folder = mkdtempSync(join(tmpdir(), "mmmlu-hub-folder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const text = (...names: string[]): string => readFileSync(at(...names), "utf8");
const metadata = (...names: string[]): any => parse(text(...names).split(/^---$/m)[1]!);

const train = async (experiment: string, out: string): Promise<void> => {
  const settings = ["training.epochs=1", "data.rowsPerLanguage=60", "training.loggingSteps=5"];
  const { code, error } = await mmmlu([
    ...["run", experiment, "--sample", "--out", at(out)],
    ...[...settings, ...(experiment.startsWith("flan") ? ["modelLink=null"] : [])].flatMap((one) => ["--set", one]),
  ]);
  expect(code, error).toBe(0);
};
const exported = (...given: string[]) => mmmlu(["export", "hub", ...given], { folder });

beforeAll(async () => {
  await train("flan-t5-finetune", "t5");
  await train("gemma-2-2b-finetune", "gemma");
});

describe("the saved model of a fine-tuning run", () => {
  it("has a card beside it", () => {
    const { final } = JSON.parse(text("t5", "metrics.json"));
    const card = text("t5", "model", "README.md");
    expect(metadata("t5", "model", "README.md")).toEqual({
      license: "unknown",
      language: ["de", "fr"],
      library_name: "transformers",
      pipeline_tag: "text-generation",
      tags: ["mmmlu-lab", "multiple-choice", "mmmlu", "text2text-generation"],
    });
    expect(card).toContain("its figures mean nothing");
    expect(card).toContain(`| after training | ${final.n} | ${(100 * final.accuracy).toFixed(1)} % |`);
    expect(card).toContain("| test | ");
    expect(metadata("gemma", "model", "README.md")).toMatchObject({ license: "unknown", library_name: "peft" });
  });

  it("is exported as a folder to upload", async () => {
    const { code, out, error } = await exported("t5", "--out", "t5-hub");
    expect({ code, out }).toEqual({ code: 0, out: "t5-hub\n" });
    expect(error).toContain("licence of the base is not known");
    expect(readdirSync(at("t5-hub")).sort()).toEqual(readdirSync(at("t5", "model")).sort());
    for (const name of readdirSync(at("t5-hub")))
      expect(readFileSync(at("t5-hub", name)).equals(readFileSync(at("t5", "model", name))), name).toBe(true);
    const again = await exported("t5", "--out", "t5-hub");
    expect([again.code, again.error]).toEqual([1, expect.stringMatching(/t5-hub is there already[^]*--out/)]);
  });

  it("is exported with its base's name on the hub, where it is an adapter", async () => {
    const refused = await exported("gemma");
    expect([refused.code, refused.error]).toEqual([
      1,
      expect.stringMatching(/not on the hub[^]*--base[^]*mmmlu merge/),
    ]);
    expect(existsSync(at("gemma-hub"))).toBe(false);
    expect((await exported("gemma", "--base", "../base")).code).toBe(2);
    expect(await exported("gemma", "--base", "someone/tiny-gemma")).toMatchObject({ code: 0, out: "gemma-hub\n" });
    for (const name of readdirSync(at("gemma-hub")))
      if (/json$|md$/.test(name)) expect(text("gemma-hub", name), name).not.toContain(folder);
    expect(JSON.parse(text("gemma-hub", "adapter_config.json"))).toMatchObject({
      base_model_name_or_path: "someone/tiny-gemma",
      revision: null,
    });
    expect(metadata("gemma-hub", "README.md")).toMatchObject({
      base_model: "someone/tiny-gemma",
      base_model_relation: "adapter",
      library_name: "peft",
    });
  });
});

/** A copy of a run as if it had been trained on the hub's rows and weights. */
function onTheHub(run: string, out: string): void {
  cpSync(at(run), at(out), { recursive: true });
  const manifest = JSON.parse(text(run, "manifest.json"));
  const data = {
    ...manifest.data,
    source: "openai/MMMLU",
    kind: "hub",
    revision: "325a01dc3e173cac1578df94120499aaca2e2504",
  };
  const model = {
    ...manifest.model,
    source: "google/flan-t5-base",
    commit: "7bcac572ce56db69c1ea7c8af255c5d7c9672fc2",
  };
  const license = { license: "apache-2.0" };
  writeFileSync(
    at(out, "manifest.json"),
    JSON.stringify({ ...manifest, sample: false, data, model: { ...model, license } }),
  );
}

it("names data, base, licence and results as the hub reads them", async () => {
  onTheHub("t5", "real");
  await exportHub(at("real"), at("real-hub"));
  const { final } = JSON.parse(text("t5", "metrics.json"));
  const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;
  const found = metadata("real-hub", "README.md");
  expect(found).toMatchObject({
    license: "apache-2.0",
    base_model: "google/flan-t5-base",
    base_model_relation: "finetune",
    datasets: ["openai/MMMLU"],
    language: ["de", "fr"],
    "model-index": [{ name: "flan-t5-finetune" }],
  });
  const results = found["model-index"][0].results;
  expect(results.map((one: any) => [one.dataset.config, one.metrics[0].value])).toEqual([
    [undefined, rounded(final.accuracy)],
    ...["DE_DE", "FR_FR"].map((language) => [language, rounded(final.languages[language].accuracy)]),
  ]);
  // What the hub shows on the model's page: not of all languages, which were not asked.
  const entries = parse(text("real-hub", ".eval_results", "mmmlu.yaml"));
  expect(entries.map((one: any) => [one.dataset.id, one.dataset.task_id, one.value])).toEqual(
    ["DE_DE", "FR_FR"].map((language) => [
      "openai/MMMLU",
      language,
      Math.round(1e4 * final.languages[language].accuracy) / 100,
    ]),
  );
  expect(entries[0].dataset.revision).toBe("325a01dc3e173cac1578df94120499aaca2e2504");
  expect(entries[0].notes).toMatch(/^accuracy in percent of \d+ rows; 95 % interval .* split; .*mmmlu-lab/);
  // The same by a command of its own, from the answers themselves.
  const { code, out } = await mmmlu(["export", "eval-results", at("real"), "--out", at("results")]);
  expect([code, out.trim()]).toEqual([0, at("results", ".eval_results", "mmmlu.yaml")]);
  expect(text("results", ".eval_results", "mmmlu.yaml")).toBe(text("real-hub", ".eval_results", "mmmlu.yaml"));
  expect(await mmmlu(["export", "eval-results", at("t5")])).toMatchObject({
    code: 1,
    error: expect.stringMatching(/asked the embedded sample[^]*openai\/MMMLU/),
  });
});

describe("what cannot be exported", () => {
  const refused = async (run: string): Promise<string> => {
    const error = await exportHub(at(run), at("no")).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect(existsSync(at("no"))).toBe(false);
    return (error as UserError).message;
  };

  it("is told", async () => {
    expect(await refused("nowhere")).toMatch(/there is no folder .*nowhere/);
    expect(await refused("t5/model")).toMatch(/holds no run/);
    cpSync(at("t5"), at("stopped"), { recursive: true });
    rmSync(at("stopped", "manifest.json"));
    expect(await refused("stopped")).toMatch(/not complete/);
    cpSync(at("t5"), at("damaged"), { recursive: true });
    truncateSync(at("damaged", "model", "model.safetensors"), 1000);
    expect(await refused("damaged")).toMatch(/model\.safetensors/);
    rmSync(at("damaged", "model"), { recursive: true });
    expect(await refused("damaged")).toMatch(/saved no model/);
    cpSync(fileURLToPath(new URL("fixtures/runs-0.1/evaluated", import.meta.url)), at("evaluated"), {
      recursive: true,
    });
    expect(await refused("evaluated")).toMatch(/saved no model|trained no model/);
  });

  it.each([1, 3, 6])("leaves nothing where the disk is full at step %i", async (step) => {
    const { code, error } = await stepped(["export", "hub", at("t5"), "--out", at("full", "out")], {
      under: at("full"),
      kind: "full",
      at: step,
    });
    expect([code, error]).toEqual([1, expect.stringMatching(/ENOSPC[^]*free some space/)]);
    expect(existsSync(at("full")) ? readdirSync(at("full")) : []).toEqual([]);
  });
});

it.skipIf(!python)(
  "its cards are read by huggingface_hub, and their Python runs in transformers and PEFT",
  () => {
    const script = fileURLToPath(new URL("../reference/check_model_card.py", import.meta.url));
    const places = [at("t5", "model"), at("gemma", "model"), at("real-hub")];
    const environment = { ...process.env, HF_HUB_OFFLINE: "1" };
    const lines = execFileSync(python!, [script, ...places], { env: environment, stdio: ["ignore", "pipe", "inherit"] })
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ data }) => data.library_name)).toEqual(["transformers", "peft", "transformers"]);
    expect(lines.map(({ results }) => results.length)).toEqual([0, 0, 3]);
    expect(lines[2].results[1]).toMatchObject({ type: "openai/MMMLU", config: "DE_DE", metric: "accuracy" });
    expect(lines.map(({ evaluations }) => evaluations.map((one: any) => one.task_id))).toEqual([
      [],
      [],
      ["DE_DE", "FR_FR"],
    ]);
    for (const { printed } of lines) expect(printed.trim()).not.toBe("");
  },
  300_000,
);
