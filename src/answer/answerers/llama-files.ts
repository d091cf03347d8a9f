import { UserError } from "../../base/errors.js";
import { sha256OfFile } from "../../base/files.js";
import { printableName } from "../../base/printable.js";
import { hubSettings } from "../../data/hub/index.js";
import { fetchGguf, GgufFile, isGguf, tokenizerFolder } from "../../gguf/index.js";
import { engineAnswerer } from "../engine-answerer.js";
import { llamaEngine } from "../llama/engine.js";
import { findLlamaLibrary } from "../llama/library.js";
import { requireChatTemplate } from "../server/chat-template.js";
import type { AnswererKind } from "./kind.js";

const PREFIX = "llama:";
/**
 * Tokens of a prompt and its reply together: those of eight questions twice over, and no more than the model was
 * trained with.
 */
const CONTEXT = 4096;

/** GGUF files that llama.cpp runs, through node-llama-cpp where the user has installed it. */
export const llamaFiles: AnswererKind = {
  prefix: PREFIX,
  names: "`llama:` and a `.gguf` file, here or on the hub (`owner/repository:file.gguf`), which llama.cpp runs",
  problem: ({ model, device, quantization, doubleQuantization }) => {
    if (!isGguf(model)) return { option: "model", why: `${model} is no .gguf file, which llama: takes` };
    const choice = { device, quantization, doubleQuantization };
    const [option] = (Object.keys(choice) as (keyof typeof choice)[]).filter((name) => choice[name]);
    return (
      option && { option, why: "llama.cpp chooses where it runs, and the file how its weights are held: leave it out" }
    );
  },
  runsHere: true,
  async create(options) {
    const { model, revision, offline, progress, signal, temperature, logProbabilities, measures, seed } = options;
    const { chatTemplate } = options;
    if (logProbabilities && temperature > 0)
      throw new UserError("llama.cpp gives log-probabilities after the temperature", {
        hint: "Set answerer.temperature=0, or answerer.logprobs=false.",
      });
    const library = findLlamaLibrary();
    const hub = hubSettings({ offline, progress, signal });
    const { path } = await fetchGguf(model.slice(PREFIX.length), { revision, hub });
    const file = GgufFile.open(path);
    try {
      const folder = tokenizerFolder(file.metadata);
      if (options.prompts !== "text") await requireChatTemplate(folder, model, chatTemplate);
      const architecture = file.metadata.text("general.architecture");
      const context = Math.min(CONTEXT, file.metadata.optionalNumber(`${architecture}.context_length`) ?? CONTEXT);
      return engineAnswerer({
        name: model,
        description:
          `${printableName(model.slice(PREFIX.length))} on this machine (llama.cpp, node-llama-cpp ` +
          `${library.version})`,
        identity: {
          kind: "llama.cpp",
          file: await file.sha256(),
          "node-llama-cpp": library.version,
          gpu: "auto",
          context,
          keyValueType: "F16",
          ...(chatTemplate ? { chatTemplate: await sha256OfFile(chatTemplate) } : {}),
        },
        tokenizerFolder: folder,
        concurrency: 2,
        temperature,
        logProbabilities,
        measures,
        seed,
        open: (opening) =>
          llamaEngine({
            ...{ id: model, library, path, tokenizerFolder: folder, chatTemplate, context, progress },
            signal: opening,
          }),
      });
    } finally {
      file.close();
    }
  },
};
