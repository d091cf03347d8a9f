import { chatServer } from "../src/answer/chat-server.js";
import { gemma3Plan } from "../src/answer/requests.js";
import { evaluate } from "../src/evaluate/run.js";
import { mmmlu, type Row } from "../src/tasks/index.js";

const LETTERS = mmmlu.letters;

/* An evaluation in a process of its own, to be killed: `tsx test/evaluation-child.ts URL REPLIES.jsonl ROWS`. */
const [endpoint, repliesPath, count] = process.argv.slice(2) as [string, string, string];
const abort = new AbortController();
process.once("SIGINT", () => abort.abort());
const rows: Row[] = Array.from({ length: Number(count) }, (_, index) => ({
  id: `DE_DE/anatomy/${index}`,
  language: "DE_DE",
  subject: "anatomy",
  index,
  question: `Frage ${index}?`,
  choices: ["w", "x", "y", "z"],
  answer: LETTERS[index % 4] as Row["answer"],
}));
const answerer = chatServer({
  model: "gemma-3-27b-it",
  endpoint,
  temperature: 0,
  logProbabilities: false,
  timeoutSeconds: 5,
  retries: 1,
  seed: 1,
});
try {
  const { asked, cached, metrics } = await evaluate({
    rows,
    total: rows.length,
    answerer,
    plan: gemma3Plan({
      questionsPerRequest: 1,
      instruction: "english",
      maximumTokensPerQuestion: 2,
      maximumTokensExtra: 10,
    }),
    reading: "lines",
    stage: "zero-shot",
    repliesPath,
    concurrency: 4,
    signal: abort.signal,
  });
  process.stdout.write(`${JSON.stringify({ asked, cached, metrics })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  process.exitCode = 1;
} finally {
  await answerer.close();
}
