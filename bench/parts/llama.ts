import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { gemma2Prompt, serveModel, workerEngine } from "../../src/answer/index.js";
import { serveByLlamaCpp } from "../../test/llama-cpp/server.js";
import { inTurn, median, NotGiven, type Part } from "../table.js";
import { englishRows } from "../train/examples.js";

const QUESTIONS = 32;
const TOKENS = 5;

interface Answered {
  readonly seconds: number;
  readonly replies: readonly string[];
}

/** Asks one question after another, the first not counted. */
async function ask(url: string, model: string, prompts: readonly string[]): Promise<Answered> {
  const complete = async (prompt: string): Promise<string> => {
    const reply = await fetch(new URL("completions", url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, prompt, max_tokens: TOKENS, temperature: 0 }),
    });
    if (!reply.ok) throw new Error(`${url} answers ${reply.status}: ${(await reply.text()).slice(0, 300)}`);
    return ((await reply.json()) as { choices: [{ text: string }] }).choices[0].text;
  };
  await complete(prompts[0]!);
  const replies: string[] = [];
  const began = performance.now();
  for (const prompt of prompts) replies.push(await complete(prompt));
  return { seconds: (performance.now() - began) / 1000, replies };
}

export const llama: Part = {
  about: "a GGUF file answers one question after another over HTTP, beside llama.cpp (--llama, --gguf)",
  async rows({ llama: python, gguf, rounds }) {
    if (!gguf) throw new NotGiven("--gguf names no file, such as one that `mmmlu export gguf` writes");
    const all = englishRows();
    const prompts = Array.from({ length: QUESTIONS }, (_, at) => gemma2Prompt(all[(at * 211) % all.length]!));
    const threads = availableParallelism();
    const runs = await inTurn<Answered>(rounds, {
      ours: async () => {
        const engine = await workerEngine({ id: "bench", source: gguf, device: "cpu" });
        const server = await serveModel(engine, { port: 0 });
        try {
          return await ask(server.url, "bench", prompts);
        } finally {
          await server.close();
          await engine.close();
        }
      },
      ...(python
        ? {
            theirs: async () => {
              const server = await serveByLlamaCpp(python, gguf, "bench", threads);
              return ask(server.url, "bench", prompts).finally(() => server.stop());
            },
          }
        : {}),
    });
    const rate = (side: readonly Answered[]): number => QUESTIONS / median(side.map(({ seconds }) => seconds));
    const [ours] = runs["ours"]!;
    const theirs = runs["theirs"]?.[0];
    return [
      {
        what: `${basename(gguf)} over HTTP, one at a time, ${TOKENS} tokens`,
        unit: "rows/s",
        ours: rate(runs["ours"]!),
        theirs: theirs && rate(runs["theirs"]!),
        beside: `llama.cpp (xllamacpp), ${threads} threads`,
        ...(theirs
          ? {
              same: `${ours!.replies.filter((reply, at) => reply === theirs.replies[at]).length} of ${QUESTIONS} replies are the same`,
            }
          : { missing: "--llama names no Python that has xllamacpp" }),
      },
    ];
  },
};
