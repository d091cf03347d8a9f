import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chatServer } from "../../src/answer/chat-server.js";
import { gemma3Plan } from "../../src/answer/requests.js";
import { UserError } from "../../src/base/errors.js";
import { type Evaluation, evaluate } from "../../src/evaluate/run.js";
import { mmmlu, type Row } from "../../src/tasks/index.js";
import { startChatImitation, type Trouble } from "../chat-imitation/server.js";
import { FINAL, PASSING, SHAPES } from "../chat-imitation/troubles.js";
import { counted, type FaultOptions, type Outcome, seeded, temporaryFolder } from "./common.js";

/** Questions that get no reply until the server is mended. */
const HOPELESS_EACH = 400;
/** What a damaged disk or another program leaves in a log. */
const DAMAGE = [
  '{"key":"torn',
  "\0\0\0\0\n",
  "null\n",
  "{}\n",
  "\ufffd\n",
  '{"key":"k","stage":"zero-shot","text":7}\n',
  "\n",
];

const LETTERS = mmmlu.letters;

/**
 * Asks questions of a server that makes every trouble there is, each pair of them one after the other and longer chains
 * by chance, ends the run with every error that ends one, and spoils the log between runs. In the end every reply is
 * right and kept once.
 */
export async function hostileServer(options: FaultOptions): Promise<Outcome[]> {
  const questions = counted(20_000, options, 200);
  const random = seeded(options.seed);
  const folder = temporaryFolder("server");
  const repliesPath = join(folder, "replies.jsonl");
  const faults: string[] = [];
  const pairs = PASSING.length ** 2;
  /** What comes before a question's good reply. */
  const troublesOf = Array.from({ length: questions }, (_, index): Trouble[] => {
    // Every pair in turn; where there are fewer questions, pairs by chance.
    const pair = questions > 2 * pairs ? index : random.below(pairs);
    if (index % 2 === 0 && pair < 2 * pairs) {
      const [first, second] = [Math.floor(pair / 2) % PASSING.length, Math.floor(pair / 2 / PASSING.length)];
      return [PASSING[first]?.[1], PASSING[second % PASSING.length]?.[1]] as Trouble[];
    }
    return Array.from({ length: random.below(4) }, () => random.of(PASSING)[1]);
  });
  const letters = Array.from({ length: questions }, () => random.of(LETTERS));
  const finals = FINAL.map(([name, trouble], index) => ({
    name,
    trouble,
    question: Math.floor(((index + 0.5) * questions) / FINAL.length),
  }));
  const ending = new Map(finals.map((one) => [one.question, one]));
  const hopeless = new Map(
    Array.from({ length: Math.floor(questions / HOPELESS_EACH) }, (_, index) => [
      index * HOPELESS_EACH + 7,
      // Of those that say nothing of the server: it is there and answers others.
      random.of(PASSING.slice(0, 20))[1],
    ]),
  );
  let [troubles, mended] = [0, false];
  const server = await startChatImitation({
    trouble: (request) => {
      const index = Number(/Frage (\d+)\?/.exec(request.messages.at(-1)?.content ?? "")?.[1]);
      const end = ending.get(index);
      const trouble =
        end?.trouble ?? (mended ? undefined : hopeless.get(index)) ?? (troublesOf[index] as Trouble[]).shift();
      if (end) ending.delete(index);
      if (trouble) troubles++;
      return trouble ?? (SHAPES[index % SHAPES.length] as (typeof SHAPES)[number])(letters[index] as string);
    },
  });
  const rows = Array.from(
    { length: questions },
    (_, index): Row => ({
      id: `DE_DE/anatomy/${index}`,
      language: "DE_DE",
      subject: "anatomy",
      index,
      question: `Frage ${index}?`,
      choices: ["w", "x", "y", "z"],
      answer: letters[index] as Row["answer"],
    }),
  );
  const run = async (): Promise<Evaluation> => {
    const answerer = chatServer({
      model: "gemma-3-27b-it",
      endpoint: server.url,
      temperature: 0,
      logProbabilities: false,
      timeoutSeconds: 3,
      retries: 8,
      seed: options.seed,
      firstWaitMilliseconds: 1,
      environment: {},
    });
    try {
      return await evaluate({
        rows,
        total: rows.length,
        answerer,
        plan: gemma3Plan({
          questionsPerRequest: 1,
          instruction: "english",
          maximumTokensPerQuestion: 2,
          maximumTokensExtra: 10,
        }),
        reading: "robust",
        stage: "zero-shot",
        repliesPath,
        retriesPath: join(folder, "retries.jsonl"),
        concurrency: 32,
      });
    } finally {
      await answerer.close();
    }
  };
  let last = "";
  let runs = 0;
  let done: Evaluation | undefined;
  try {
    while (!done && runs < FINAL.length + 20) {
      runs++;
      try {
        done = await run();
      } catch (error) {
        if (!(error instanceof UserError) || !error.hint) {
          faults.push(`run ${runs} ended with no word for its user: ${(error as Error).stack}`);
          break;
        }
        last = error.message.slice(0, 200);
        const aside = /^([\d,]+) of [\d,]+ questions got no reply/.exec(error.message)?.[1]?.replaceAll(",", "");
        if (aside !== undefined) {
          if (Number(aside) !== hopeless.size) faults.push(`${aside} questions set aside of ${hopeless.size}`);
          mended = true;
        }
        appendFileSync(repliesPath, random.of(DAMAGE));
      }
      options.say(`hostile server: run ${runs}: ${last}`);
    }
    if (hopeless.size > 0 && !mended) faults.push("no question was set aside");
    if (!done) faults.push(`${runs} runs, and no end; the last said: ${last}`);
    else {
      let wrong = 0;
      for (const { id, prediction } of done.predictions)
        if (prediction !== letters[Number(id.split("/")[2])] && wrong++ < 5)
          faults.push(`${id} was read as ${prediction}`);
      if (done.metrics.n !== questions) faults.push(`${done.metrics.n} of ${questions} measured`);
      const kept = readFileSync(repliesPath, "utf8").match(/^\{"key":"[0-9a-f]+","stage":"zero-shot","ids"/gm)?.length;
      if (kept !== questions) faults.push(`${kept} replies kept of ${questions}`);
    }
    const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
    return [
      {
        part: "server",
        what:
          `questions to a hostile server: ${PASSING.length} troubles, their pairs and chains, ${FINAL.length} ` +
          `that end a run`,
        count: questions,
        faults,
        seen:
          `${troubles.toLocaleString("en")} troubles in ${runs} runs, ${hopeless.size} questions set aside with ` +
          `a word and answered later, ${memory} MiB at the end`,
      },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
