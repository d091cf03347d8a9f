import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { hashOf } from "../../base/canonical.js";
import { experiments, presets } from "../presets/index.js";
import { configure } from "./configure.js";
import { defineExperiment } from "./define-experiment.js";
import { protocolDifferences } from "./differences.js";
import { identityOf } from "./identity.js";
import { configurationJsonSchema } from "./json-schema.js";
import { keysOf } from "./key.js";
import { configurationPage } from "./page.js";
import { byFormerNames, migrated, RENAMED } from "./renames.js";
import { experimentSchema, schemas } from "./schema.js";

const folder = mkdtempSync(join(tmpdir(), "configuration-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Configurations and their identities, as version 0.1 printed them. */
const former: { configurationHash: string; configuration: Record<string, unknown> }[] = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/runs-0.1/presets.json", import.meta.url), "utf8"),
);

async function fromFile(content: unknown): Promise<{ configuration: any; notices: string[] }> {
  const file = join(folder, "experiment.json");
  writeFileSync(file, JSON.stringify(content));
  const notices: string[] = [];
  const configuration = await configure(file, [], { notice: (line) => notices.push(line) });
  return { configuration, notices };
}

describe("identity", () => {
  it.each(former)(
    "of a configuration of version 0.1 is the one it had: $configuration.name",
    ({ configuration, configurationHash }) => {
      const read = experimentSchema.parse(migrated(configuration).configuration);
      expect(hashOf(identityOf(read))).toBe(configurationHash);
    },
  );

  it("is the same where only what changes no number differs, and another for every other key", async () => {
    for (const preset of presets) {
      const own = hashOf(identityOf(preset));
      for (const { path, facts } of keysOf(schemas[preset.kind])) {
        const changed = structuredClone(preset) as any;
        const names = path.split(".");
        const holder = names.slice(0, -1).reduce((inner, name) => inner?.[name], changed);
        if (!holder || path === "kind") continue;
        holder[names.at(-1)!] = "another value";
        expect([path, hashOf(identityOf(changed)) === own]).toEqual([path, facts.identity === false]);
      }
    }
  });
});

describe("names that every object has", () => {
  it.each(["constructor", "__proto__", "answerer.constructor", "answerer.__proto__"])(
    "are no keys: %s",
    async (key) => {
      await expect(configure("gemma-3-27b-baseline", [`${key}=1`])).rejects.toThrow(`${key}: there is no such key`);
      await expect(configure("gemma-3-27b-baseline", [`${key}.temperature=1`])).rejects.toThrow(/holds further keys/);
      const [first, second] = key.split(".");
      const file = join(folder, "named.json");
      const inner = second === undefined ? "1" : `{"${second}":1}`;
      writeFileSync(file, `{"extends":"gemma-3-27b-baseline","${first}":${inner}}`);
      await expect(configure(file, [])).rejects.toThrow(`${key}: there is no such key`);
    },
  );
});

describe("no examples", () => {
  it("need no word about the preset's source of them, by a setting and in a file", async () => {
    const sourceOf = async (...settings: string[]) =>
      ((await configure("mmmlu-lm-eval", settings)) as { answerer: { shotSource: unknown } }).answerer.shotSource;
    expect(await sourceOf("answerer.shots=0")).toBeNull();
    expect(await sourceOf("answerer.shots=2")).toBe("first_n");
    expect(await sourceOf("answerer.protocol=letters")).toBe("first_n");
    await expect(sourceOf("answerer.shots=0", "answerer.shotSource=disjoint")).rejects.toThrow(/without examples/);
    const { configuration } = await fromFile({ extends: "mmmlu-lm-eval", answerer: { shots: 0 } });
    expect(configuration.answerer.shotSource).toBeNull();
  });
});

describe("keys of version 0.1", () => {
  it("are read from files and settings, with a hint that names the new one", async () => {
    const { configuration, notices } = await fromFile({
      extends: "flan-t5-finetune",
      maximumTokens: 100,
      lora: { rank: 4, alpha: 8, dropout: 0, modules: ["q"] },
      training: { accumulation: 3 },
    });
    expect(configuration).toMatchObject({
      maxLength: 100,
      lora: { r: 4, targetModules: ["q"] },
      training: { gradientAccumulationSteps: 3 },
    });
    expect(notices).toHaveLength(4);
    expect(notices).toContainEqual(
      expect.stringMatching(/experiment\.json: lora\.rank is now called lora\.r; the old name is still read/),
    );
    const told: string[] = [];
    const set = await configure(
      "gemma-2-2b-finetune",
      ["training.logEvery=7", 'lora={"rank":2,"alpha":1,"dropout":0,"modules":["q_proj"]}'],
      {
        notice: (line) => told.push(line),
      },
    );
    expect(set).toMatchObject({ training: { loggingSteps: 7 }, lora: { r: 2 } });
    expect(told[0]).toBe(
      "--set training.logEvery=7: training.logEvery is now called training.loggingSteps; the old name is still read",
    );
  });

  it("are refused beside their new names", async () => {
    await expect(fromFile({ extends: "flan-t5-finetune", training: { logEvery: 1, loggingSteps: 2 } })).rejects.toThrow(
      /training\.logEvery is the old name of training\.loggingSteps, and both are there/,
    );
  });

  it("have new names that are keys, and each its own", () => {
    const paths = Object.values(schemas).flatMap((schema) => keysOf(schema).map(({ path }) => path));
    for (const [old, since] of Object.entries(RENAMED)) {
      expect(paths).toContain(since);
      expect(paths).not.toContain(old);
    }
    for (const preset of presets) expect(migrated(byFormerNames(preset)).configuration).toEqual(preset);
  });
});

describe("defineExperiment", () => {
  it("takes a part of the preset's kind; a misspelt key, a wrong value or another kind's key does not compile", async () => {
    defineExperiment({ extends: "flan-t5-finetune", name: "lower", training: { learningRate: 1e-5, epochs: 3 } });
    defineExperiment({ extends: "gemma-2-2b-finetune", lora: null });
    defineExperiment({ extends: "eda", subjectsDrawn: 3 });
    const { extends: _parent, ...whole } = experiments.eda.preset;
    defineExperiment({ ...whole, name: "whole" });
    const wrong = [
      // @ts-expect-error a misspelt key
      defineExperiment({ extends: "flan-t5-finetune", trainning: { epochs: 3 } }),
      // @ts-expect-error a misspelt key inside another
      defineExperiment({ extends: "flan-t5-finetune", training: { epoch: 3 } }),
      // @ts-expect-error a text for a number
      defineExperiment({ extends: "flan-t5-finetune", training: { epochs: "3" } }),
      // @ts-expect-error a key of another kind
      defineExperiment({ extends: "eda", training: { epochs: 3 } }),
      // @ts-expect-error no preset
      defineExperiment({ extends: "flan-t5" }),
      // @ts-expect-error a whole experiment that is not whole
      defineExperiment({ kind: "explore", name: "part" }),
    ];
    for (const one of wrong) await expect(fromFile(one)).rejects.toThrow();
  });
});

describe("the JSON schema of files", () => {
  const { schema: _none, ...jsonSchema } = configurationJsonSchema() as any;
  const reads = z.fromJSONSchema(jsonSchema);

  it.each([
    [true, { extends: "flan-t5-finetune", $schema: "./schema.json", training: { epochs: 3 }, lora: null }],
    [true, { extends: "eda" }],
    [true, presets[3]],
    [false, { extends: "eda", training: { epochs: 3 } }],
    [false, { extends: "flan-t5-finetune", training: { epoch: 3 } }],
    [false, { extends: "flan-t5-finetune", training: { epochs: 0 } }],
    [false, { extends: "flan-t5" }],
    [false, { kind: "explore" }],
  ])("says %j of %j, as reading the file does", async (valid, content) => {
    expect(reads.safeParse(content).success).toBe(valid);
    const read = fromFile(content);
    await (valid ? expect(read).resolves.toBeDefined() : expect(read).rejects.toThrow());
  });

  it("says what each key means", () => {
    const [part] = jsonSchema.anyOf.filter((one: any) => one.properties.training);
    expect(part.properties.training.properties.warmupRatio).toMatchObject({
      type: "number",
      minimum: 0,
      maximum: 1,
      description: "Share of all steps that warm up.",
    });
  });
});

it("the page of the configuration is as npm run docs:configuration makes it", () => {
  const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  expect(configurationPage(page)).toBe(page);
});

it("each key has a sentence", () => {
  for (const schema of Object.values(schemas))
    for (const { path, facts } of keysOf(schema))
      expect([path, facts.sentence]).toEqual([path, expect.stringMatching(/\S/)]);
});

it("a deviation is told by key, with what was published", async () => {
  const changed = await configure("flan-t5-finetune", [
    "training.epochs=3",
    "name=other",
    "tracking.tensorboard=true",
    "modelLink=null",
  ]);
  expect(protocolDifferences(changed)).toContain("training.epochs: 3, published 2");
  expect(
    protocolDifferences(changed).filter(
      (line) => line.includes(", published ") || /^(name|tracking|modelLink)/.test(line),
    ),
  ).toHaveLength(1);
});
