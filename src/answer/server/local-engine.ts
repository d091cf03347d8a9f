import { UserError } from "../../base/errors.js";
import { type LocalModel, largest, Random, type Turn } from "../../models/index.js";
import type { Tokenizer } from "../../tokens/index.js";
import type { ChatMessage } from "../prompts.js";
import type { ChatTemplate } from "./chat-template.js";
import type { TextEnd, TextEngine, TextRequest, TextToken } from "./engine.js";
import { chooseToken } from "./sampling.js";
import { TextStream } from "./text-stream.js";

export interface LocalEngineOptions {
  readonly id: string;
  readonly model: LocalModel;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** Requests generated in one batch. */
  readonly requestsAtOnce?: number;
}

/** Scores of attention of a batch whose prompts are read in one pass: rows × the longest prompt's square. Eight heads of them take 512 MiB. */
const LARGEST_BATCH = 4096 ** 2;

interface Waiting {
  readonly request: TextRequest;
  readonly onToken: (token: TextToken) => void;
  readonly signal: AbortSignal;
  readonly resolve: (end: TextEnd) => void;
  readonly reject: (error: unknown) => void;
}

/** Tokens after which a batch no longer keeps those who wait from beginning. */
const PATIENCE = 32;

/** Requests that are generated together. */
interface Batch {
  readonly rows: number;
  /** Passes over the model so far. */
  passes: number;
}

/**
 * A local model as an engine: requests that come while others are being generated wait for them, and are then generated in one
 * batch, since a token of many rows costs little more than one of a few. Behind a long reply nobody waits for long: from a batch's
 * 32nd token on others begin beside it, and batches take turns token by token. What a request gets does not depend
 * on the others.
 */
export function localEngine({
  id,
  model,
  tokenizer,
  chatTemplate,
  requestsAtOnce = 8,
}: LocalEngineOptions): TextEngine {
  const waiting: Waiting[] = [];
  const running = new Set<Batch>();
  let lastPass: Promise<unknown> = Promise.resolve();

  /** Begins a batch of those waiting, where those running let it. */
  function begin(): void {
    if ([...running].some(({ passes }) => passes < PATIENCE)) return;
    const requests = waiting.splice(0, batchLength());
    const going = requests.filter(({ signal, reject }) => {
      if (signal.aborted) reject(signal.reason);
      return !signal.aborted;
    });
    if (requests.length === 0) return;
    if (going.length === 0) return begin();
    const batch: Batch = { rows: going.length, passes: 0 };
    running.add(batch);
    void generateBatch(going, batch).finally(() => {
      running.delete(batch);
      begin();
    });
  }

  /** How many of those waiting may begin together, beside those running: as many as the memory lets, one in any case where there is room. */
  function batchLength(): number {
    const free = requestsAtOnce - [...running].reduce((sum, batch) => sum + batch.rows, 0);
    let [rows, longest] = [0, 0];
    for (const { request } of waiting.slice(0, Math.max(0, free))) {
      longest = Math.max(longest, request.prompt.length);
      if (rows > 0 && (rows + 1) * longest ** 2 > LARGEST_BATCH) break;
      rows++;
    }
    return rows;
  }

  async function generateBatch(going: readonly Waiting[], batch: Batch): Promise<void> {
    const streams = going.map(() => new TextStream(tokenizer));
    const randoms = going.map(({ request }) => new Random(request.seed));
    const top = Math.max(
      0,
      ...going.map(({ request }) =>
        request.topLogProbabilities === undefined ? 0 : Math.max(1, request.topLogProbabilities),
      ),
    );
    const turn: Turn = (pass) => {
      if (++batch.passes === PATIENCE) begin();
      const mine = lastPass.then(pass);
      lastPass = mine.catch(() => undefined);
      return mine;
    };
    try {
      await model.generate(
        going.map(({ request }) => request.prompt),
        {
          maximumNewTokens: Math.max(...going.map(({ request }) => request.maximumTokens)),
          topLogProbabilities: top,
          turn,
          stop: (row, tokens) => tokens.length >= going[row]!.request.maximumTokens || going[row]!.signal.aborted,
          choose: (row, logits) =>
            going[row]!.request.temperature === 0
              ? largest(logits)
              : chooseToken(logits, going[row]!.request, randoms[row]!),
          onToken: async (row, { token, logProbability, top: likeliest = [] }) => {
            const { request, onToken, signal } = going[row]!;
            if (signal.aborted) return;
            const text = await streams[row]!.push(token);
            const wanted = request.topLogProbabilities;
            onToken({
              text,
              token: writtenToken(tokenizer, token),
              ...(wanted === undefined
                ? {}
                : {
                    logProbability,
                    top: likeliest.slice(0, wanted).map((one) => ({
                      token: writtenToken(tokenizer, one.token),
                      logProbability: one.logProbability,
                    })),
                  }),
            });
            // A run on the CPU blocks the event loop: a client that went away is heard between tokens.
            await new Promise((resolve) => setImmediate(resolve));
          },
          onEnd: (row, { ended, tokens }) => {
            const { request, resolve, onToken } = going[row]!;
            const rest = streams[row]!.rest();
            if (rest) onToken({ text: rest });
            resolve(
              ended === "end" || (ended === "stopped" && tokens.length < request.maximumTokens) ? "stop" : "length",
            );
          },
        },
      );
    } catch (error) {
      for (const { reject } of going) reject(error);
    }
  }

  return {
    id,
    longestSequence: model.longestSequence,
    // Twice as many, so that the next batch is whole when one ends.
    requestsAtOnce: 2 * requestsAtOnce,
    async tokenize(prompt: string | readonly ChatMessage[]) {
      const ids =
        typeof prompt === "string"
          ? await tokenizer.encode(prompt, true)
          : await tokenizer.encode(chatTemplate.render(prompt), !chatTemplate.hasSpecialTokens);
      // Who writes `<bos>` into the text means the one that the tokenizer puts there anyway; with two of them Gemma collapses.
      const begin = tokenizer.tokenId("<bos>");
      return begin !== undefined && ids[0] === begin && ids[1] === begin ? ids.slice(1) : ids;
    },
    async generate(request, onToken, signal) {
      const outside = request.prompt.find((token) => token >= model.vocabularySize);
      if (outside !== undefined)
        throw new UserError(`the prompt has the token ${outside}, and the model only ${model.vocabularySize}`);
      return new Promise((resolve, reject) => {
        waiting.push({ request, onToken, signal, resolve, reject });
        // Requests of the same moment make one batch.
        setImmediate(begin);
      });
    },
    close: () => model.dispose(),
  };
}

/** A token as text, its leading space kept. */
function writtenToken(tokenizer: Tokenizer, token: number): string {
  const raw = tokenizer.tokenOf(token) ?? "";
  return tokenizer.isSpecial(token) ? raw : raw.replaceAll("▁", " ");
}
