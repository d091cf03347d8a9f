import { createReadStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Agent } from "undici";

/*
 * The rows of bench/http.ts in a bare loop of undici, so many at once, and nothing but that: what a server allows on
 * this machine. Each request is of the same form and length as the evaluation's; replies are read, and forgotten.
 *
 * node bare-loop.js ROWS.jsonl URL MODEL CONCURRENCY OUT
 */
const [path, url, model, concurrency, out] = process.argv.slice(2) as [string, string, string, string, string];
const SYSTEM =
  "You are a multiple-choice question solver. For each question, provide only the single capital letter (A, B, C, or " +
  "D) corresponding to the correct answer. If there are multiple questions, list the letters one per line, or as a " +
  "single string without spaces or punctuation (e.g., ABCD).";

interface Asked {
  readonly question: string;
  readonly choices: readonly string[];
  readonly answer: string;
}

const agent = new Agent();
const target = new URL("chat/completions", url);
const rows = createInterface({ input: createReadStream(path) })[Symbol.asyncIterator]();
const headers = { "content-type": "application/json", authorization: "Bearer -" };
let [asked, right] = [0, 0];
const started = performance.now();

async function worker(): Promise<void> {
  for (let next = await rows.next(); !next.done; next = await rows.next()) {
    const { question, choices, answer } = JSON.parse(next.value) as Asked;
    const options = choices.map((text, at) => `${"ABCD"[at]}: ${text}`).join("\n");
    const content = `Q1: Question: ${question}\nChoices:\n${options}\nAnswer:`;
    const body = JSON.stringify({
      model,
      messages: [
        { role: "system", content: SYSTEM },
        { role: "user", content },
      ],
      temperature: 0,
      max_tokens: 12,
    });
    const reply = await agent.request({
      ...{ origin: target.origin, path: target.pathname, method: "POST", headers, body },
    });
    const { choices: replies } = (await reply.body.json()) as { choices: { message: { content: string } }[] };
    asked++;
    if (replies[0]!.message.content === answer) right++;
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, worker));
await agent.close();
mkdirSync(out, { recursive: true });
const seconds = (performance.now() - started) / 1000;
writeFileSync(join(out, "accuracy.json"), JSON.stringify({ accuracy: right / asked, seconds }));
