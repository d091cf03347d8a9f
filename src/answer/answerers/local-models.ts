import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256OfFile } from "../../base/files.js";
import { printableName } from "../../base/printable.js";
import { silent } from "../../base/progress.js";
import { isGguf } from "../../gguf/index.js";
import { DEVICE_NAMES } from "../../graph/index.js";
import { describeModel, isFolder } from "../../models/index.js";
import { engineAnswerer } from "../engine-answerer.js";
import { requireChatTemplate } from "../server/chat-template.js";
import { workerEngine } from "../server/worker-engine.js";
import type { AnswererKind } from "./kind.js";

const PREFIX = "local:";

/** Files of which one tells that a folder is a model's, an adapter's or a run's. */
const MARKS = ["config.json", "adapter_config.json", "run.json"];

/** Whether a name is the path of a model that is here. */
function isHere(name: string): boolean {
  const found = statSync(name, { throwIfNoEntry: false });
  return found?.isDirectory()
    ? MARKS.some((mark) => existsSync(join(name, mark)))
    : (found?.isFile() ?? false) && isGguf(name);
}

const sourceOf = (model: string): string => (model.startsWith(PREFIX) ? model.slice(PREFIX.length) : model);

/** Models that this program's own engine runs, in a thread of its own. */
export const localModels: AnswererKind = {
  prefix: PREFIX,
  names:
    "`local:` and a folder, run, adapter, `.gguf` file or hub id, which our own engine runs (`local:` may be " +
    "left out before a path that is there)",
  takes: (model) => model.startsWith(PREFIX) || /^\.{1,2}[\\/]/.test(model) || isHere(model),
  runsHere: true,
  problem({ model }) {
    const source = sourceOf(model);
    if (source === "") return { option: "model", why: "local: needs a folder, a .gguf file or a hub id behind it" };
    const names = isGguf(source) && source.includes(":") ? false : isFolder(source);
    return names && !existsSync(source)
      ? { option: "model", why: `there is no ${isGguf(source) ? "file" : "folder"} ${printableName(source)}` }
      : undefined;
  },
  async create(options) {
    const { model, revision, quantization, doubleQuantization, chatTemplate, concurrency = 4 } = options;
    const device = options.device ?? DEVICE_NAMES[0];
    if (device === "auto") throw new Error("the device was not chosen");
    const source = (options.savedModelOf ?? ((given) => given))(sourceOf(model));
    const described = await describeModel(source, {
      revision,
      offline: options.offline,
      progress: options.progress,
      signal: options.signal,
      quantization: quantization ? { kind: quantization, doubleQuantization } : undefined,
    });
    if (options.prompts !== "text") await requireChatTemplate(described.folder, source, chatTemplate);
    const { kind, doubleQuantization: twice } = described.quantization;
    const held = kind === "none" ? "" : `, linear layers in ${kind}${twice ? " with double quantization" : ""}`;
    return engineAnswerer({
      name: model,
      description: `${printableName(source)} on this machine (${device}${held})`,
      identity: {
        kind: "local-model",
        ...described.identity,
        device,
        ...(chatTemplate ? { chatTemplate: await sha256OfFile(chatTemplate) } : {}),
      },
      tokenizerFolder: described.folder,
      concurrency: 2 * concurrency,
      temperature: options.temperature,
      logProbabilities: options.logProbabilities,
      measures: options.measures,
      seed: options.seed,
      open: (signal) =>
        workerEngine({
          id: model,
          source,
          revision,
          offline: options.offline,
          device,
          quantization: quantization ?? undefined,
          doubleQuantization,
          chatTemplate,
          requestsAtOnce: concurrency,
          // The bar is that of the questions.
          progress: options.progress && { ...silent, say: options.progress.say },
          signal,
        }),
    });
  },
};
