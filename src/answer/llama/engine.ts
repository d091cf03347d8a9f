import { UserError } from "../../base/errors.js";
import { gigabytes, memoryFree } from "../../base/memory.js";
import type { Progress } from "../../base/progress.js";
import { GgufFile } from "../../gguf/index.js";
import { loadTokenizer } from "../../tokens/index.js";
import { chatTemplateOf } from "../server/chat-template.js";
import { continuationTokens } from "../server/continuation-tokens.js";
import type { TextEnd, TextEngine, TextRequest, TextToken } from "../server/engine.js";
import { encodePrompt } from "../server/prompt-tokens.js";
import { TextStream } from "../server/text-stream.js";
import type { FoundLibrary, Llama, LlamaSequence } from "./library.js";
import { bytesNeeded } from "./memory.js";

export interface LlamaEngineOptions {
  readonly id: string;
  readonly library: FoundLibrary;
  /** Path of the file. */
  readonly path: string;
  /** Folder of its tokenizer and chat template, as Hugging Face's files have them. */
  readonly tokenizerFolder: string;
  /** Path of a chat template instead of the one there. */
  readonly chatTemplate?: string | null;
  /** Tokens that a prompt and its reply may have together. */
  readonly context: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * llama.cpp as an engine, one request after the other: prompts are made into tokens by our own code, exactly one
 * `<bos>` in front. Its threads are its own, so that this one stays free.
 * @throws {UserError} where the model cannot fit, or llama.cpp cannot load it
 */
export async function llamaEngine(options: LlamaEngineOptions): Promise<TextEngine> {
  const { id, library, path, context, progress, signal } = options;
  const { getLlama } = await library.load();
  let said = "";
  const llama = await getLlama({
    build: "never",
    gpu: "auto",
    skipDownload: true,
    progressLogs: false,
    logLevel: "error",
    logger: (_level, message) => (said = message.trim()),
  }).catch((error: unknown) => {
    throw new UserError(`llama.cpp cannot be started: ${(error as Error).message}`, {
      hint:
        "Is the prebuilt package for this machine installed (@node-llama-cpp/…)? npm install brings it, " +
        "unless optional packages are left out.",
      cause: error,
    });
  });
  try {
    await checkMemory(options, llama);
    const sequence = await load(llama, options).catch((error: unknown) => {
      if (signal?.aborted) throw signal.reason;
      throw new UserError(`llama.cpp cannot load ${path}: ${said || (error as Error).message}`, {
        hint:
          "It may know no such architecture, or have too little memory: a smaller quantization of the model " +
          "takes less.",
        cause: error,
      });
    });
    progress?.say(`${id}: loaded by llama.cpp (${llama.gpu || "cpu"})`);
    const tokenizer = await loadTokenizer({ source: options.tokenizerFolder, offline: true });
    const chatTemplate = await chatTemplateOf(options.tokenizerFolder, options.chatTemplate);
    let last: Promise<unknown> = Promise.resolve();

    async function generate(
      { prompt, maximumTokens, temperature, topShare, seed, topLogProbabilities: top }: TextRequest,
      onToken: (token: TextToken) => void,
      stopped: AbortSignal,
    ): Promise<TextEnd> {
      stopped.throwIfAborted();
      await sequence.clearHistory();
      const stream = new TextStream(tokenizer);
      const drawing = { temperature, topK: 0, topP: topShare, minP: 0, seed };
      let count = 0;
      for await (const { token, probabilities } of sequence.evaluateWithMetadata(
        prompt,
        { probabilities: top !== undefined },
        drawing,
      )) {
        stopped.throwIfAborted();
        onToken({
          text: await stream.push(token),
          token: tokenizer.writtenToken(token),
          ...(top === undefined || !probabilities
            ? {}
            : {
                logProbability: Math.log(probabilities.get(token) ?? 0),
                top: likeliest(probabilities, top).map(([other, share]) => ({
                  token: tokenizer.writtenToken(other),
                  logProbability: Math.log(share),
                })),
              }),
        });
        if (++count >= maximumTokens) break;
      }
      const rest = stream.rest();
      if (rest) onToken({ text: rest });
      return count >= maximumTokens ? "length" : "stop";
    }

    async function likelihoods(text: string, texts: readonly string[], stopped: AbortSignal): Promise<number[]> {
      stopped.throwIfAborted();
      const oneSequence = { promptLogits: async () => {} };
      const { context: prompt, continuations } = await continuationTokens(
        text,
        texts,
        tokenizer,
        chatTemplate,
        oneSequence,
      );
      if (prompt.length >= context)
        throw new UserError(`the prompt has ${prompt.length} tokens, and ${id} takes ${context - 1}`, {
          hint: "Set answerer.shots or filter.maxTokens lower, or take local: instead of llama:.",
        });
      if (continuations.some((tokens) => tokens.length !== 1))
        throw new UserError(`${id} writes a letter with several tokens, of which llama.cpp measures the first alone`, {
          hint: "Take local: instead of llama:, which measures all of them.",
        });
      await sequence.clearHistory();
      const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
      for await (const { probabilities } of sequence.evaluateWithMetadata(prompt, { probabilities: true }, greedy))
        if (probabilities) return continuations.map(([token]) => Math.log(probabilities.get(token as number) ?? 0));
      throw new UserError(`llama.cpp gave no probabilities behind a prompt of ${prompt.length} tokens`, {
        hint: "Take local: instead of llama:.",
      });
    }

    /** One after the other. */
    function inTurn<T>(work: () => Promise<T>): Promise<T> {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    }

    return {
      id,
      longestSequence: context,
      requestsAtOnce: 1,
      longestToken: tokenizer.longestToken,
      tokenize: (prompt) => encodePrompt(prompt, tokenizer, chatTemplate),
      generate: (request, onToken, stopped) => inTurn(() => generate(request, onToken, stopped)),
      likelihoods: (text, texts, stopped) => inTurn(() => likelihoods(text, texts, stopped)),
      close: () => llama.dispose(),
    };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

async function load(llama: Llama, { path, context, signal }: LlamaEngineOptions): Promise<LlamaSequence> {
  const model = await llama.loadModel({ modelPath: path, loadSignal: signal });
  const made = await model.createContext({ contextSize: context, sequences: 1, createSignal: signal });
  return made.getSequence();
}

/** @throws {UserError} where weights and the context's cache are more than what is free */
async function checkMemory({ id, path, context, progress }: LlamaEngineOptions, llama: Llama): Promise<void> {
  const file = GgufFile.open(path);
  let needed: { weights: number; cache: number };
  try {
    needed = bytesNeeded(file, context);
  } finally {
    file.close();
  }
  const graphics = llama.gpu ? await llama.getVramState() : undefined;
  const free = memoryFree() + (graphics && graphics.unifiedSize === 0 ? graphics.free : 0);
  const words =
    `${id} needs ${gigabytes(needed.weights)} for its weights and ${gigabytes(needed.cache)} for a context of ` +
    `${context} tokens`;
  if (needed.weights + needed.cache > free)
    throw new UserError(`${words}, and ${gigabytes(free)} is free`, {
      hint: "Take a smaller quantization of the model (Q4_K_M, Q4_0), or a machine with more memory.",
    });
  progress?.say(`${words}; ${gigabytes(free)} is free`);
}

/** The first of a map that is sorted from the likeliest. */
function likeliest(probabilities: ReadonlyMap<number, number>, count: number): [number, number][] {
  const found: [number, number][] = [];
  for (const entry of probabilities) {
    if (found.length >= count || entry[1] <= 0) break;
    found.push(entry);
  }
  return found;
}
