import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../base/errors.js";
import { openDevice } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import { ARCHITECTURES } from "../architectures/index.js";
import { createTinyDecoder, decoderOnly, llama, Random } from "../index.js";
import { exportOnnx } from "./export.js";
import { quantizeBlock8 } from "./stored.js";

const folder = mkdtempSync(join(tmpdir(), "onnx-export-"));
const at = (...names: string[]): string => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  mkdirSync(at("files"));
  const golden = fileURLToPath(new URL("../../../reference/golden/gguf/tokenizer-llama-bpe.json", import.meta.url));
  copyFileSync(golden, at("files", "tokenizer.json"));
  writeFileSync(at("files", "tokenizer_config.json"), JSON.stringify({ eos_token: { content: "<|end|>" } }));
  writeFileSync(at("files", "chat_template.jinja"), "{{ messages[0].content }}");
  const files = { tokenizer: readdirSync(at("files")).map((name) => at("files", name)) };
  const device = await openDevice("cpu", { threads: 1 });
  const model = await createTinyDecoder(device, llama, { vocabSize: 512 }, 5, files);
  await model.save(at("model"));
  await model.dispose();
  await device.close();
});

const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));

describe("a folder for transformers.js", () => {
  it("has what it reads, and says what is loaded where nobody asks", async () => {
    const { files } = await exportOnnx(at("model"), at("both"), { types: ["fp32", "q8"] });
    expect([...files].sort()).toEqual([
      "config.json",
      "generation_config.json",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(readdirSync(at("both", "onnx")).sort()).toEqual(["model.onnx", "model_quantized.onnx"]);
    expect(json("both", "config.json")).toMatchObject({
      model_type: "llama",
      "transformers.js_config": { dtype: "fp32" },
    });
    // It takes tokens by their text, and looks for the template here alone.
    expect(json("both", "tokenizer_config.json")).toMatchObject({
      eos_token: "<|end|>",
      chat_template: "{{ messages[0].content }}",
    });
  });

  it("has 8-bit weights in nine bits each", async () => {
    await exportOnnx(at("model"), at("q8"), { types: ["q8"] });
    const bytes = (name: string): number => readFileSync(at(name)).length;
    expect(bytes("q8/onnx/model_quantized.onnx") / bytes("both/onnx/model.onnx")).toBeLessThan(0.4);
    expect(json("q8", "config.json")["transformers.js_config"]).toEqual({ dtype: "q8" });
  });

  it("has weights beside the graph where they are too many for one file", async () => {
    await exportOnnx(at("model"), at("beside"), { types: ["fp32"], fileBytes: 100_000 });
    const files = readdirSync(at("beside", "onnx")).sort();
    expect(files.length).toBeGreaterThan(3);
    expect(files.slice(0, 3)).toEqual(["model.onnx", "model.onnx_data", "model.onnx_data_1"]);
    expect(json("beside", "config.json")["transformers.js_config"].use_external_data_format).toEqual({
      "model.onnx": files.length - 1,
    });
    for (const name of files)
      if (name.includes("_data")) expect(readFileSync(at("beside", "onnx", name)).length).toBeLessThan(140_000);
    const session = await InferenceSession.create(at("beside", "onnx", "model.onnx"));
    expect(session.inputNames.slice(0, 2)).toEqual(["input_ids", "attention_mask"]);
    await session.release();
  });
});

describe("what transformers.js could not load", () => {
  const refused = async (source: string, message: RegExp): Promise<void> => {
    const error = await exportOnnx(source, at("no"), { types: ["fp32"] }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).hint).toBeTruthy();
    expect(readdirSync(folder).filter((name) => /^no(\.|$)/.test(name))).toEqual([]);
  };
  const changed = (name: string, change: (folder: string) => void): string => {
    cpSync(at("model"), at(name), { recursive: true });
    change(at(name));
    return at(name);
  };
  const edit = (path: string, edited: (json: any) => void): void => {
    const content = JSON.parse(readFileSync(path, "utf8"));
    edited(content);
    writeFileSync(path, JSON.stringify(content));
  };

  it("is refused before anything is written", async () => {
    await refused(
      changed("scripts", (place) =>
        edit(join(place, "tokenizer.json"), (json) => (json.pre_tokenizer = { type: "UnicodeScripts" })),
      ),
      /cannot be carried over to transformers\.js: .*UnicodeScripts/,
    );
    await refused(
      changed("none", (place) => rmSync(join(place, "tokenizer.json"))),
      /has no tokenizer\.json, which transformers\.js reads/,
    );
    (ARCHITECTURES as Architecture[]).push(
      decoderOnly({ ...llama, modelType: "unheard", title: "Unheard", transformersJs: false }),
    );
    try {
      const place = changed("unheard", (one) =>
        edit(join(one, "config.json"), (json) => (json.model_type = "unheard")),
      );
      await refused(place, /unheard is Unheard, which transformers\.js has no model for/);
    } finally {
      (ARCHITECTURES as Architecture[]).pop();
    }
    mkdirSync(at("there"));
    writeFileSync(at("there", "mine.txt"), "mine");
    await expect(exportOnnx(at("model"), at("there"), { types: ["q8"] })).rejects.toThrow(/there is there already/);
  });

  it("leaves nothing where the weights are damaged, or end early", async () => {
    const at255 = (place: string): void => {
      const file = join(place, "model.safetensors");
      const bytes = readFileSync(file);
      // The last weight's last element.
      bytes.writeFloatLE(Number.NaN, bytes.length - 4);
      writeFileSync(file, bytes);
    };
    await refused(changed("nan", at255), /is not finite/);
    await refused(
      changed("short", (place) => {
        const file = join(place, "model.safetensors");
        writeFileSync(file, readFileSync(file).subarray(0, 20_000));
      }),
      /model\.safetensors/,
    );
    expect(existsSync(at("no"))).toBe(false);
  });
});

it("8 bits in blocks are within half a step of the largest in each block; rows are filled up with zeros", () => {
  const random = new Random(2);
  const [rows, columns] = [3, 40];
  const values = random.fillNormal(new Float32Array(rows * columns), 1);
  values.fill(0, 32, 40);
  const scales = new Float32Array(rows * 2);
  const codes = quantizeBlock8(values, columns, scales);
  expect(codes).toHaveLength(rows * 64);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < 64; i++) {
      const block = 2 * row + (i >> 5);
      const value = (codes[row * 64 + i]! - 128) * scales[block]!;
      const wanted = i < columns ? values[row * columns + i]! : 0;
      expect(Math.abs(value - wanted)).toBeLessThanOrEqual(scales[block]! * 0.5001);
    }
  expect(scales[1]).toBe(0);
  expect(Math.max(...codes)).toBeLessThanOrEqual(255);
});
