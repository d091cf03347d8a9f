import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../../base/errors.js";

/*
 * node-llama-cpp, llama.cpp as a library, where the user has installed it: with all its binaries it takes 700 MB, so
 * that it is no dependency of ours. What of it is used stands here.
 */

/** The version that all this was tried with. */
const TRIED = "3.21.1";
const NAME = "node-llama-cpp";

export interface LlamaLibrary {
  readonly getLlama: (options: {
    readonly build: "never";
    readonly gpu: "auto";
    readonly skipDownload: true;
    readonly progressLogs: false;
    readonly logLevel: "error";
    readonly logger: (level: string, message: string) => void;
  }) => Promise<Llama>;
}

export interface Llama {
  /** `metal`, `cuda`, `vulkan`; false on the CPU. */
  readonly gpu: string | false;
  getVramState(): Promise<{ readonly free: number; readonly unifiedSize: number }>;
  loadModel(options: {
    readonly modelPath: string;
    readonly loadSignal?: AbortSignal;
    readonly onLoadProgress?: (share: number) => void;
  }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

export interface LlamaModel {
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: 1;
    readonly createSignal?: AbortSignal;
  }): Promise<{ getSequence(): LlamaSequence }>;
}

export interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluateWithMetadata(
    tokens: readonly number[],
    metadata: { readonly probabilities: boolean },
    options: {
      readonly temperature: number;
      readonly topK: number;
      readonly topP: number;
      readonly minP: number;
      readonly seed: number;
    },
  ): AsyncGenerator<{ readonly token: number; readonly probabilities?: ReadonlyMap<number, number> }>;
}

export interface FoundLibrary {
  readonly version: string;
  load(): Promise<LlamaLibrary>;
}

/**
 * Finds the library from the folder where the command runs, then from this package's own.
 * @throws {UserError} where it is not installed, or of another major version; the hint has the command that installs it
 */
export function findLlamaLibrary(folder = process.cwd()): FoundLibrary {
  const hint = `Install it where you run this command: npm install ${NAME}@${TRIED} (700 MB; no compiler is needed).`;
  const own = createRequire(import.meta.url).resolve.paths(NAME) ?? [];
  for (const modules of [...above(folder), ...own]) {
    const path = join(modules, NAME, "package.json");
    if (!existsSync(path)) continue;
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
    if (version.split(".")[0] !== TRIED.split(".")[0])
      throw new UserError(`${dirname(path)} is version ${version}, and ${TRIED} is what works here`, { hint });
    const entry = pathToFileURL(join(dirname(path), "dist/index.js")).href;
    return {
      version,
      load: async () => {
        try {
          return (await import(entry)) as LlamaLibrary;
        } catch (error) {
          throw new UserError(`${dirname(path)} cannot be loaded: ${(error as Error).message}`, { hint, cause: error });
        }
      },
    };
  }
  throw new UserError(`${NAME} is not installed: llama: answers through it`, { hint });
}

/** `node_modules` of a folder and of those above it. */
function above(folder: string): string[] {
  const parent = dirname(folder);
  return [join(folder, "node_modules"), ...(parent === folder ? [] : above(parent))];
}
