import { parentPort, workerData } from "node:worker_threads";
import { messageOf, UserError } from "../../base/errors.js";
import type { Progress } from "../../base/progress.js";
import { DeviceFailure, elementCount, GraphError, openDevice } from "../../graph/index.js";
import { openModel } from "../../models/index.js";
import { loadTokenizer } from "../../tokens/index.js";
import { chatTemplateOf } from "./chat-template.js";
import type { TextEngine } from "./engine.js";
import type { EngineSource, FromEngine, PlainError, ToEngine } from "./engine-messages.js";
import { localEngine } from "./local-engine.js";

/* The thread that holds a model and generates, so that the server's own thread can always answer. */

// Deno's port cannot be closed, so both places that end the thread let go of it instead.
const port = parentPort!;
const tell = (message: FromEngine): void => port.postMessage(message);
const plain = (error: unknown): PlainError => ({
  message: messageOf(error),
  hint: error instanceof UserError || error instanceof GraphError ? error.hint : undefined,
  user: error instanceof UserError,
  ...(error instanceof DeviceFailure ? { failure: error.kind } : {}),
});

/** Tells the other thread how far loading is, at most every fifth of a second. */
function progressTo(told: (message: FromEngine) => void): Progress {
  let last = 0;
  return {
    begin: (...given) => told({ kind: "progress", told: { name: "begin", given } }),
    update(...given) {
      if (performance.now() - last < 200) return;
      last = performance.now();
      told({ kind: "progress", told: { name: "update", given } });
    },
    say: (...given) => told({ kind: "progress", told: { name: "say", given } }),
    end: (...given) => told({ kind: "progress", told: { name: "end", given } }),
  };
}

async function load({
  source,
  revision,
  offline,
  device: name,
  quantization,
  doubleQuantization,
  base,
  requestsAtOnce,
  chatTemplate,
}: EngineSource): Promise<{ engine: TextEngine; description: string }> {
  const device = await openDevice(name);
  const opened = await openModel(source, device, {
    revision,
    offline,
    base,
    quantization: quantization && { kind: quantization, doubleQuantization },
    progress: progressTo(tell),
  });
  const tokenizer = await loadTokenizer({ source: opened.folder, offline });
  if (tokenizer.vocabularySize > opened.model.vocabularySize)
    throw new UserError(
      `the tokenizer in ${opened.folder} has ${tokenizer.vocabularySize} tokens, and the model only ` +
        `${opened.model.vocabularySize}: they do not belong together`,
      { hint: "Copy the tokenizer's files that belong to the model into its folder." },
    );
  const engine = localEngine({
    id: source,
    model: opened.model,
    tokenizer,
    chatTemplate: await chatTemplateOf(opened.folder, chatTemplate),
    requestsAtOnce,
  });
  const parameters =
    opened.model.stored.count + opened.model.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const { kind, doubleQuantization: twice } = opened.quantization;
  const { lora } = opened.model.weights;
  const parts = [
    `${parameters.toLocaleString("en")} parameters`,
    ...(lora ? [`with an adapter of rank ${lora.rank}`] : []),
    kind === "none" ? "unquantized" : `linear layers in ${kind}${twice ? " with double quantization" : ""}`,
    device.describe(),
  ];
  return { engine, description: parts.join(", ") };
}

try {
  const { engine, description } = await load(workerData as EngineSource);
  const aborts = new Map<number, AbortController>();
  // One after the other: what the library takes for a long text is taken once.
  let lastTokenized: Promise<unknown> = Promise.resolve();
  /** Whatever goes wrong with one request is an answer to it: an error that nobody takes would end the thread. */
  function work(call: number, does: (signal: AbortSignal) => Promise<FromEngine>): void {
    const abort = new AbortController();
    aborts.set(call, abort);
    void Promise.resolve()
      .then(() => does(abort.signal))
      .catch((error: unknown): FromEngine => ({ kind: "error", call, error: plain(error) }))
      .then(tell)
      .finally(() => aborts.delete(call));
  }
  port.on("message", (message: ToEngine) => {
    switch (message.kind) {
      case "tokenize": {
        const { call, prompt } = message;
        work(call, async (signal) => {
          const tokens = lastTokenized.then(() => (signal.aborted ? [] : engine.tokenize(prompt)));
          lastTokenized = tokens.catch(() => undefined);
          return { kind: "tokens", call, tokens: await tokens };
        });
        break;
      }
      case "generate": {
        const { call, request } = message;
        work(call, async (signal) => ({
          kind: "end",
          call,
          end: await engine.generate(request, (token) => tell({ kind: "token", call, token }), signal),
        }));
        break;
      }
      case "score": {
        const { call, request } = message;
        work(call, async (signal) => ({ kind: "scored", call, scored: await engine.score!(request, signal) }));
        break;
      }
      case "likelihoods": {
        const { call, context, continuations } = message;
        work(call, async (signal) => ({
          kind: "likelihoods",
          call,
          values: await engine.likelihoods!(context, continuations, signal),
        }));
        break;
      }
      case "abort":
        aborts.get(message.call)?.abort();
        break;
      case "close":
        void engine.close().finally(() => port.unref());
    }
  });
  const { longestSequence, requestsAtOnce, longestToken } = engine;
  const scores = engine.score !== undefined;
  tell({ kind: "ready", longestSequence, requestsAtOnce, longestToken, scores, description });
} catch (error) {
  tell({ kind: "failed", error: plain(error) });
  port.unref();
}
