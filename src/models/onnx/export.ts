import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors.js";
import { writeWhole, writeWholeWith } from "../../base/files.js";
import { refuseOccupied, writeFolderWhole } from "../../base/folders.js";
import { type Progress, silent } from "../../base/progress.js";
import { type Device, modelFiles, openDevice } from "../../graph/index.js";
import { ARCHITECTURES, architectureOf } from "../architectures/index.js";
import { configText } from "../config-file.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import { adapterChanges, isAdapterFolder, openBase, readAdapterSettings } from "../lora/index.js";
import type { OnnxPlan } from "./plan.js";
import { type OnnxType, onnxWeights } from "./stored.js";
import { javaScriptTokenizer } from "./tokenizer.js";

export interface ExportOnnxOptions extends OpenCheckpointOptions {
  /** What matrices are stored as; a folder may hold several. */
  readonly types: readonly OnnxType[];
  /** Hub id, folder or GGUF file of an adapter's base instead of the one that it names. */
  readonly base?: string;
  readonly progress?: Progress;
  /** Bytes of weights in a model's own file at most, and in each file beside it. */
  readonly fileBytes?: number;
}

/** What was exported. */
export interface ExportedOnnx {
  readonly architecture: string;
  /** The files in the folder. */
  readonly files: readonly string[];
}

/** What transformers.js puts behind a model's name for each type. */
const SUFFIX: Readonly<Record<OnnxType, string>> = { fp32: "", q8: "_quantized" };

/**
 * Writes a model as a folder that transformers.js loads, an adapter merged into its base: configuration, tokenizer and
 * ONNX graphs made here. Memory: the tokenizer's, the adapter's matrices, and an eighth of a byte for each element of
 * the largest matrix.
 * @param source a folder, hub id or GGUF file of a model, or an adapter's folder
 * @throws {UserError} where the folder is there already, or transformers.js could not load the model or its tokenizer;
 * nothing is written then
 */
export async function exportOnnx(source: string, out: string, options: ExportOnnxOptions): Promise<ExportedOnnx> {
  refuseOccupied(out);
  const settings = isAdapterFolder(source) ? await readAdapterSettings(source) : undefined;
  if (!settings && options.base !== undefined)
    throw new UserError(`${source} is no adapter: it has no base`, { hint: "Leave the base out." });
  const checkpoint = await (settings ? openBase(source, settings, options) : openCheckpoint(source, options));
  let device: Device | undefined;
  try {
    const plan = await planOf(checkpoint);
    const tokenizer = settings && existsSync(join(source, "tokenizer.json")) ? source : checkpoint.folder;
    const texts: Record<string, string> = {
      ...(await javaScriptTokenizer(tokenizer)),
      "generation_config.json": configText(plan.generationConfig),
    };
    const changes = settings ? await adapterChanges(source, settings, checkpoint) : new Map();
    device = await openDevice("cpu");
    const written = await write(out, plan, texts, { checkpoint, changes, device }, options);
    return { architecture: architectureOf(checkpoint.config).title, files: written };
  } finally {
    await device?.close();
    await checkpoint.close();
  }
}

async function planOf(checkpoint: Checkpoint): Promise<OnnxPlan> {
  const { planOnnx, title } = architectureOf(checkpoint.config);
  if (planOnnx) return planOnnx(checkpoint);
  const known = ARCHITECTURES.filter((one) => one.planOnnx).map((one) => one.title);
  throw new UserError(`${checkpoint.source} is ${title}, which transformers.js has no model for`, {
    hint: `It loads ${known.join(", ")}.`,
  });
}

interface Sources {
  readonly checkpoint: Checkpoint;
  readonly changes: Awaited<ReturnType<typeof adapterChanges>>;
  readonly device: Device;
}

async function write(
  out: string,
  plan: OnnxPlan,
  texts: Readonly<Record<string, string>>,
  { checkpoint, changes, device }: Sources,
  { types, fileBytes, progress = silent }: ExportOnnxOptions,
): Promise<string[]> {
  const written: string[] = [];
  /** How many files lie beside each model. */
  const beside: Record<string, number> = {};
  await writeFolderWhole(out, (folder) => {
    const text = (name: string, content: string): void => {
      writeWhole(join(folder, name), content);
      written.push(name);
    };
    for (const type of types) {
      let done = 0;
      progress.begin(`writing ${type}`, plan.shapes.size);
      const source = { weights: checkpoint.weights, place: plan.place, changes };
      const { weights, stored } = onnxWeights(device, plan.shapes, source, type, (name) =>
        progress.update(Math.min(++done, plan.shapes.size), name),
      );
      for (const [graph, builder] of plan.graphs(weights)) {
        const name = `${graph}${SUFFIX[type]}.onnx`;
        const { dimensions } = plan;
        const files = modelFiles(builder, { name, stored, dimensions, mostInside: fileBytes, mostBeside: fileBytes });
        for (const file of files) {
          writeWholeWith(join(folder, "onnx", file.name), (piece) => {
            for (const one of file.pieces()) piece(one);
          });
          written.push(`onnx/${file.name}`);
        }
        if (files.length > 1) beside[name] = files.length - 1;
      }
      progress.end();
    }
    for (const [name, content] of Object.entries(texts)) text(name, content);
    text("config.json", configText({ ...plan.config, ...forTransformersJs(types, beside) }, plan.floatKeys));
  });
  return written;
}

/** What transformers.js must be told: what it loads where nobody says, and how many files lie beside a model. */
function forTransformersJs(
  types: readonly OnnxType[],
  beside: Readonly<Record<string, number>>,
): Readonly<Record<string, unknown>> {
  return {
    "transformers.js_config": {
      dtype: types[0],
      ...(Object.keys(beside).length > 0 ? { use_external_data_format: beside } : {}),
    },
  };
}
