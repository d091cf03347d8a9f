import { messageOf, UserError } from "../../base/errors.js";
import { type Progress, silent } from "../../base/progress.js";
import { startWorker } from "../../base/worker.js";
import { DeviceFailure, GraphError } from "../../graph/index.js";
import type { ChatMessage } from "../prompts.js";
import type { ScoredPrompt, TextEnd, TextEngine, TextRequest, TextToken } from "./engine.js";
import type { EngineSource, FromEngine, PlainError, ToEngine } from "./engine-messages.js";
import { ApiError } from "./errors.js";

export interface WorkerEngineOptions extends EngineSource {
  /** As the server names the model. */
  readonly id: string;
  /** Told how far fetching and loading are. */
  readonly progress?: Progress;
  /** Aborting ends loading. */
  readonly signal?: AbortSignal;
}

/** An engine in a thread of its own. */
export interface WorkerEngine extends TextEngine {
  /** What was loaded, on what device. */
  readonly description: string;
  /** Resolves with the reason when the thread ends by itself: nothing can be generated any more. */
  readonly ended: Promise<Error>;
}

type Call =
  | {
      readonly kind: "score";
      readonly resolve: (scored: ScoredPrompt) => void;
      readonly reject: (error: Error) => void;
    }
  | {
      readonly kind: "tokenize" | "likelihoods";
      readonly resolve: (numbers: number[]) => void;
      readonly reject: (error: Error) => void;
    }
  | {
      readonly kind: "generate";
      readonly onToken: (token: TextToken) => void;
      readonly resolve: (end: TextEnd) => void;
      readonly reject: (error: Error) => void;
    };

const revived = ({ message, hint, user, failure }: PlainError): Error => {
  if (failure) return new DeviceFailure(message, failure, { hint });
  if (user) return new UserError(message, { hint });
  return hint === undefined ? new Error(message) : new GraphError(message, { hint });
};

/**
 * Loads a model in a worker thread: generating keeps a core busy and blocks its thread's event loop.
 * @throws {UserError} where the model cannot be loaded
 */
export async function workerEngine({
  id,
  progress = silent,
  signal,
  ...source
}: WorkerEngineOptions): Promise<WorkerEngine> {
  const worker = startWorker(new URL("./engine-worker.js", import.meta.url), source);
  const calls = new Map<number, Call>();
  let last = 0;
  let over: ApiError | undefined;
  let tellEnd!: (error: Error) => void;
  const ended = new Promise<Error>((resolve) => (tellEnd = resolve));
  const end = (error: Error): void => {
    over ??= new ApiError(503, messageOf(error), { code: "engine_ended" });
    for (const call of calls.values()) call.reject(over);
    calls.clear();
    tellEnd(error);
  };
  const ready = new Promise<Extract<FromEngine, { kind: "ready" }>>((resolve, reject) => {
    worker.on("message", (message: FromEngine) => {
      if (message.kind === "ready") return resolve(message);
      if (message.kind === "failed") return reject(revived(message.error));
      if (message.kind === "progress")
        return (progress[message.told.name] as (...given: unknown[]) => void)(...message.told.given);
      const call = calls.get(message.call);
      if (!call) return;
      if (message.kind === "token") {
        if (call.kind === "generate") call.onToken(message.token);
        return;
      }
      calls.delete(message.call);
      if (message.kind === "error") call.reject(revived(message.error));
      else if (message.kind === "tokens" && call.kind === "tokenize") call.resolve([...message.tokens]);
      else if (message.kind === "likelihoods" && call.kind === "likelihoods") call.resolve([...message.values]);
      else if (message.kind === "scored" && call.kind === "score") call.resolve(message.scored);
      else if (message.kind === "end" && call.kind === "generate") call.resolve(message.end);
    });
    worker.on("error", (error) => {
      const known = new UserError(`the thread that holds the model has ended: ${messageOf(error)}`, {
        hint: "Memory may have run out: start it again, with a smaller model or quantized weights.",
        cause: error,
      });
      end(known);
      reject(known);
    });
    worker.on("exit", () => {
      const error = new UserError("the thread that holds the model has ended", {
        hint: "Memory may have run out: start it again, with a smaller model or quantized weights.",
      });
      end(error);
      reject(error);
    });
  });
  const leave = (): void => void worker.terminate();
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  const send = (message: ToEngine): void => worker.postMessage(message);
  const { longestSequence, requestsAtOnce, longestToken, scores, description } = await ready.finally(() =>
    signal?.removeEventListener("abort", leave),
  );
  /** Sends a call, and its abort when the signal says so. */
  const call = (make: (call: number) => ToEngine, entry: Call, signal?: AbortSignal): void => {
    if (over) return entry.reject(over);
    const number = ++last;
    const abort = (): void => send({ kind: "abort", call: number });
    // A signal outlives its calls: of a run's there may be many thousands.
    const settling =
      <T>(settle: (value: T) => void) =>
      (value: T): void => {
        signal?.removeEventListener("abort", abort);
        settle(value);
      };
    const { resolve, reject } = entry as { resolve: (value: unknown) => void; reject: (error: unknown) => void };
    calls.set(number, { ...entry, resolve: settling(resolve), reject: settling(reject) } as Call);
    signal?.addEventListener("abort", abort, { once: true });
    send(make(number));
  };
  return {
    id,
    longestSequence,
    requestsAtOnce,
    description,
    ended,
    longestToken,
    tokenize: (prompt: string | readonly ChatMessage[]) =>
      new Promise((resolve, reject) =>
        call((call) => ({ kind: "tokenize", call, prompt }), { kind: "tokenize", resolve, reject }),
      ),
    generate: (request: TextRequest, onToken: (token: TextToken) => void, signal: AbortSignal) =>
      new Promise((resolve, reject) =>
        call((call) => ({ kind: "generate", call, request }), { kind: "generate", onToken, resolve, reject }, signal),
      ),
    likelihoods: (context: string, continuations: readonly string[], signal: AbortSignal) =>
      new Promise<number[]>((resolve, reject) =>
        call(
          (call) => ({ kind: "likelihoods", call, context, continuations }),
          { kind: "likelihoods", resolve, reject },
          signal,
        ),
      ),
    ...(scores && {
      score: (request: TextRequest, signal: AbortSignal) =>
        new Promise<ScoredPrompt>((resolve, reject) =>
          call((call) => ({ kind: "score", call, request }), { kind: "score", resolve, reject }, signal),
        ),
    }),
    async close() {
      send({ kind: "close" });
      await new Promise<void>((resolve) => {
        const patience = setTimeout(() => void worker.terminate().then(() => resolve()), 2000);
        worker.once("exit", () => {
          clearTimeout(patience);
          resolve();
        });
      });
    },
  };
}
