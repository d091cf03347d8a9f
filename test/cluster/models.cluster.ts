import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { openDevice } from "../../src/graph/index.js";
import { createTinyDecoder, gemma2, gemma3, qwen2 } from "../../src/models/index.js";
import { mmmlu } from "../command.js";
import { largestDifference, logOf, short } from "../training.js";

/*
 * Every step's loss beside this program's own, to 1e-5: T5, Gemma 2, Gemma 3 and Qwen 2.5, full weights, adapters, FP4
 * and NF4, by one to three processes. What npm test does of it: test/torch.test.ts.
 */

const folder = mkdtempSync(join(tmpdir(), "mmmlu-cluster-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const python = process.env["MMMLU_TEST_TORCH"]!;

const T5 = "flan-t5-finetune";
const DECODER = "gemma-2-2b-finetune";
const lora = (...modules: string[]): string =>
  `lora=${JSON.stringify({ r: 4, alpha: 8, dropout: 0, targetModules: modules })}`;
const attention = lora("q_proj", "v_proj", "down_proj");

/** A decoder of another architecture than the sample's, with the sample's tokenizer beside it. */
async function decoder(name: "gemma2" | "gemma3" | "qwen2"): Promise<string[]> {
  const { tokenizer, size, end } = await sampleTokenizer();
  const device = await openDevice("cpu");
  const model = await createTinyDecoder(
    device,
    { gemma2, gemma3, qwen2 }[name],
    { vocabSize: size, eosTokenIds: [end] },
    5,
    { tokenizer },
  );
  await model.save(at(name));
  await model.dispose();
  await device.close();
  return [`model.source=${at(name)}`];
}

async function sampleTokenizer(): Promise<{ tokenizer: string[]; size: number; end: number }> {
  const { sampleTokenizerFolder } = await import("../../src/experiments/index.js");
  const { loadTokenizer } = await import("../../src/tokens/index.js");
  const source = await sampleTokenizerFolder("gemma");
  const loaded = await loadTokenizer({ source });
  const [size, end] = [loaded.vocabularySize, loaded.tokenId(loaded.eosToken!)!];
  return { size, end, tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((file) => join(source, file)) };
}

const cases: [name: string, experiment: string, processes: number, settings: () => Promise<string[]>][] = [
  ["T5, full weights", T5, 2, async () => []],
  ["T5, adapters on FP4", T5, 1, async () => [lora("q", "v", "wi_0", "wo"), "model.quantization=fp4"]],
  ["Gemma 2, full weights", DECODER, 3, async () => ["lora=null", "model.quantization=none"]],
  ["Gemma 2, adapters", DECODER, 2, async () => [attention, "model.quantization=none"]],
  ["Gemma 2, NF4", DECODER, 2, async () => [attention, "model.quantization=nf4"]],
  [
    "Gemma 2, FP4, scales quantized too, of float16",
    DECODER,
    1,
    async () => [
      ...[attention, "model.quantization=fp4", "model.doubleQuantization=true", "model.torchDtype=float16"],
      ...(await decoder("gemma2")),
    ],
  ],
  ["Gemma 3, NF4", DECODER, 1, async () => [attention, "model.quantization=nf4", ...(await decoder("gemma3"))]],
  [
    "Gemma 3, full weights",
    DECODER,
    1,
    async () => ["lora=null", "model.quantization=none", ...(await decoder("gemma3"))],
  ],
  ["Qwen 2.5, FP4", DECODER, 1, async () => [attention, "model.quantization=fp4", ...(await decoder("qwen2"))]],
  [
    "Qwen 2.5, full weights",
    DECODER,
    2,
    async () => ["lora=null", "model.quantization=none", ...(await decoder("qwen2"))],
  ],
];

it.each(cases)("%s", async (name, experiment, processes, settings) => {
  const more = [...(await settings()), "evaluation.baseline=false", "training.gradientAccumulationSteps=2"];
  const given = [experiment, ...short().slice(1), ...more.flatMap((one) => ["--set", one])];
  const [own, bundle, out] = ["own", "bundle", "out"].map((part) => at(`${name} ${part}`));
  expect(await mmmlu(["run", ...given, "--out", own!])).toMatchObject({ code: 0 });
  expect(await mmmlu(["export", "training", ...given, "--out", bundle!])).toMatchObject({ code: 0 });
  const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)];
  const program = [join(bundle!, "train.py"), "--out", out!, "--processes", String(processes), "--device", "cpu"];
  await promisify(execFile)(python, [...torchrun, ...program], { env: { ...process.env, OMP_NUM_THREADS: "1" } });
  expect(largestDifference(logOf(out!), logOf(own!))).toBeLessThan(1e-5);
});
