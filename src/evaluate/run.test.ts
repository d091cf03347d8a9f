import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ChatImitation,
  type ImitationOptions,
  letterFor,
  startChatImitation,
} from "../../test/chat-imitation/server.js";
import { type Answerer, Unanswered } from "../answer/answerer.js";
import { baseline } from "../answer/baseline.js";
import { chatServer } from "../answer/chat-server.js";
import { questionAndChoices } from "../answer/prompts.js";
import { gemma3Plan } from "../answer/requests.js";
import { UsageError, UserError } from "../base/errors.js";
import { silent } from "../base/progress.js";
import { type Letter, mmmlu, type Row } from "../tasks/index.js";
import { evaluationMetrics } from "./metrics.js";
import { type EvaluationOptions, evaluate } from "./run.js";
import { scoreReplies } from "./score.js";

const LETTERS = mmmlu.letters;

let folder = "";
const stops: (() => Promise<void>)[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mmmlu-"))));
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(folder, { recursive: true });
});

const rows: Row[] = Array.from({ length: 90 }, (_, index) => ({
  id: `${index % 3 ? "DE_DE" : "FR_FR"}/${index % 2 ? "anatomy" : "virology"}/${index}`,
  language: index % 3 ? "DE_DE" : "FR_FR",
  subject: index % 2 ? "anatomy" : "virology",
  index,
  question: `Frage ${index}?`,
  choices: ["w", "x", "y", "z"],
  answer: LETTERS[(index * 7) % 4] as Letter,
}));
const truth = rows.map((row) => letterFor(`${questionAndChoices(row)}\nAnswer:`));

async function setUp(
  imitationOptions: ImitationOptions = {},
  options: Partial<EvaluationOptions> & { questionsPerRequest?: number; native?: boolean } = {},
): Promise<{ server: ChatImitation; options: EvaluationOptions }> {
  const server = await startChatImitation(imitationOptions);
  const answerer = chatServer({
    model: "gemma-3-27b-it",
    endpoint: server.url,
    temperature: 0,
    logProbabilities: false,
    timeoutSeconds: 5,
    retries: 3,
    seed: 1,
    firstWaitMilliseconds: 3,
    environment: {},
  });
  stops.push(
    () => answerer.close(),
    () => server.stop(),
  );
  const { questionsPerRequest = 8, native = false, ...rest } = options;
  return {
    server,
    options: {
      rows,
      total: rows.length,
      answerer,
      plan: gemma3Plan({
        questionsPerRequest,
        instruction: native ? "native" : "english",
        maximumTokensPerQuestion: 2,
        maximumTokensExtra: 10,
      }),
      reading: "lines",
      stage: "zero-shot",
      repliesPath: join(folder, "replies.jsonl"),
      retriesPath: join(folder, "retries.jsonl"),
      concurrency: 4,
      ...rest,
    },
  };
}

const log = (): string[] => readFileSync(join(folder, "replies.jsonl"), "utf8").split("\n").filter(Boolean);

describe("evaluate", () => {
  it("asks eight questions a request, four requests at once, and measures over all rows in their order", async () => {
    const { server, options } = await setUp({ delayMilliseconds: 20 });
    const evaluation = await evaluate(options);
    const predictions = [...evaluation.predictions];
    expect(predictions.map((one) => one.id)).toEqual(rows.map((row) => row.id));
    expect(predictions.map((one) => one.prediction)).toEqual(truth);
    expect(predictions[8]).toMatchObject({
      language: "DE_DE",
      subject: "virology",
      answer: rows[8]?.answer,
      stage: "zero-shot",
      reply: truth.slice(8, 16).join("\n"),
    });
    expect(evaluation.metrics).toEqual(evaluationMetrics(predictions));
    expect(evaluation).toMatchObject({ asked: 90, cached: 0, retries: {} });
    expect(server.seen).toMatchObject({ models: 1, completions: 12, mostAtOnce: 4 });
    expect(existsSync(join(folder, "retries.jsonl"))).toBe(false);
  });

  it("never asks more at once than it may, one question a request or many", async () => {
    const { server, options } = await setUp({ delayMilliseconds: 5 }, { questionsPerRequest: 1, concurrency: 7 });
    expect((await evaluate(options)).metrics.n).toBe(90);
    expect(server.seen).toMatchObject({ completions: 90, mostAtOnce: 7 });
  });

  it("reads rows' texts, which may lie on disk, in their order: none again once its reply has come", async () => {
    const read: number[] = [];
    const watched = rows.map(({ question, choices, ...row }, at) => ({
      ...row,
      get question() {
        read.push(at);
        return question;
      },
      get choices() {
        read.push(at);
        return choices;
      },
    }));
    const plan = { questionsPerRequest: 1, rows: watched, concurrency: 32 };
    const { options } = await setUp({ delayMilliseconds: 5 }, plan);
    expect((await evaluate(options)).metrics.n).toBe(90);
    expect(new Set(read).size).toBe(90);
    // Eight are made before the first is sent.
    let latest = 0;
    const back = read.map((at) => (latest = Math.max(latest, at)) - at);
    expect(Math.max(...back)).toBeLessThanOrEqual(8);
  });

  it("with native instructions asks no two languages in one request", async () => {
    const seen = new Set<string>();
    const { options } = await setUp(
      {
        reply: ({ messages }) => {
          seen.add(messages[0]?.content ?? "");
          return "A\nA\nA\nA\nA\nA\nA\nA";
        },
      },
      { native: true },
    );
    const evaluation = await evaluate(options);
    expect([...evaluation.predictions].map((one) => one.id)).toEqual(rows.map((row) => row.id));
    expect(seen.size).toBe(2);
    for (const line of log())
      expect(new Set((JSON.parse(line) as { ids: string[] }).ids.map((id) => id.slice(0, 5))).size).toBe(1);
  });

  it("goes on after troubles, counts, shows and logs them with row and reason, and loses nothing", async () => {
    const notes: (string | undefined)[] = [];
    const { options } = await setUp(
      {
        trouble: ({ number }) =>
          ([{ status: 429, headers: { "retry-after": "0.01" } }, { status: 500 }, "cut", "model unloaded"] as const)[
            number
          ],
      },
      { progress: { ...silent, end: (note) => notes.push(note) } },
    );
    const evaluation = await evaluate(options);
    expect([...evaluation.predictions].map((one) => one.prediction)).toEqual(truth);
    expect(evaluation.retries).toEqual({
      "429 too many requests": 1,
      "status 500": 1,
      "connection cut (ECONNRESET)": 1,
      "model unloaded": 1,
    });
    expect(notes[0]).toMatch(/^90 answered, 4 retries \(.*1 × status 500/);
    const logged = readFileSync(join(folder, "retries.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { ids: string[]; reason: string });
    expect(logged).toHaveLength(4);
    for (const { ids } of logged) expect(ids).toHaveLength(8);
  });

  it("goes on where it stopped, and with everything there needs no server", async () => {
    const { server, options } = await setUp(
      { trouble: ({ number }) => (number === 6 ? { status: 401 } : undefined) },
      { concurrency: 1 },
    );
    await expect(evaluate(options)).rejects.toThrow(/API key/);
    expect(log()).toHaveLength(6);
    // A crash in the middle of a line.
    appendFileSync(options.repliesPath, '{"key":"torn');
    const again = await evaluate(options);
    expect(again).toMatchObject({ asked: 42, cached: 48 });
    expect([...again.predictions].map((one) => one.prediction)).toEqual(truth);
    expect(again.metrics.n).toBe(90);
    expect(server.seen.completions).toBe(13);
    await server.stop();
    const cached = await evaluate(options);
    expect(cached).toMatchObject({ asked: 0, cached: 90 });
    expect(cached.metrics).toEqual(again.metrics);
  });

  it("asks anew where the prompt or the answerer is another", async () => {
    const { server, options } = await setUp();
    await evaluate(options);
    const other = await setUp({}, { native: true });
    await evaluate(other.options);
    expect(other.server.seen.completions).toBeGreaterThan(0);
    expect(server.seen.completions).toBe(12);
  });

  it("holds kept replies against the answers that the data have now, and says so", async () => {
    const { server, options } = await setUp();
    const before = await evaluate(options);
    const asked = server.seen.completions;
    const lines = log().length;
    const other = (letter: Letter): Letter => LETTERS[(LETTERS.indexOf(letter) + 1) % 4]!;
    const mended = rows.map((row, index) => ({
      ...row,
      ...(index % 10 === 3 ? { answer: other(row.answer) } : {}),
      ...(index === 80 ? { key: "key:a key", category: "a category" } : {}),
    }));
    const said: string[] = [];
    const progress = { ...silent, say: (line: string) => void said.push(line) };
    for (const time of [1, 2]) {
      const after = await evaluate({ ...options, rows: mended, progress });
      expect(after).toMatchObject({ asked: 0, cached: 90, renewed: 9, tokens: before.tokens });
      expect([...after.predictions].map(({ id, answer }) => [id, answer])).toEqual(
        mended.map(({ id, answer }) => [id, answer]),
      );
      expect(after.metrics.correct).toBe(mended.filter((row, index) => row.answer === truth[index]).length);
      expect([...after.predictions][80]).toMatchObject({ question: "key:a key", category: "a category" });
      expect(said.join()).toMatch(/answers have changed since the run began: .*: 9$/);
      expect([time, log().length, server.seen.completions]).toEqual([time, lines + 9, asked]);
    }
    // 80 and 83 were asked together. The log alone says the same, and the first answers once they stand there again.
    const [stage] = await scoreReplies(options.repliesPath, "lines");
    expect([...stage!.predictions].find(({ id }) => id === mended[3]!.id)!.answer).toBe(mended[3]!.answer);
    const back = await evaluate(options);
    expect(back.metrics).toEqual(before.metrics);
  });

  it("counts the replies that say that another model gave them, those there before included", async () => {
    const { options } = await setUp({}, { questionsPerRequest: 1 });
    let count = 0;
    const names = [{}, { model: "other" }, { model: "__proto__" }];
    const answerer: Answerer = {
      ...options.answerer,
      answer: async (requests) => requests.map(() => ({ text: "A", ...names[count++ % 3] })),
      prepare: async () => {},
    };
    const answeredAs = { other: 30, ["__proto__"]: 30 };
    for (const asked of [90, 0]) {
      const evaluation = await evaluate({ ...options, answerer });
      expect(evaluation.asked).toBe(asked);
      expect(Object.entries(evaluation.answeredAs)).toEqual(Object.entries(answeredAs));
    }
  });

  it("lets what is under way land when another request ends the run", async () => {
    const { server, options } = await setUp(
      { trouble: ({ number }) => (number === 1 ? { status: 403 } : undefined), delayMilliseconds: 30 },
      { concurrency: 3 },
    );
    await expect(evaluate(options)).rejects.toThrow(UserError);
    expect(log().length).toBeGreaterThanOrEqual(2);
    expect(log()).toHaveLength(server.seen.completions - 1);
  });

  it("stops at an abort, says where, and keeps what has landed", async () => {
    const abort = new AbortController();
    const { options } = await setUp(
      { delayMilliseconds: 15 },
      {
        concurrency: 1,
        signal: abort.signal,
        progress: {
          ...silent,
          update: (done) => {
            if (done >= 24) abort.abort();
          },
        },
      },
    );
    await expect(evaluate(options)).rejects.toThrow("stopped after 24 of 90 questions");
    expect(log()).toHaveLength(3);
    expect(await evaluate({ ...options, signal: undefined })).toMatchObject({ asked: 66, cached: 24 });
  });

  it("refuses a reading that does not fit before it asks anything", async () => {
    const { server, options } = await setUp({}, { reading: "first-match" });
    await expect(evaluate(options)).rejects.toThrow(UsageError);
    expect(server.seen.models).toBe(0);
  });

  it("passes over lines that cannot be read, says how many, and asks again what they answered", async () => {
    const { server, options } = await setUp({}, { concurrency: 1 });
    await evaluate(options);
    const whole = log();
    const damaged = [
      `\ufeff${whole[0]}`,
      `${whole[1]}\r`,
      `\0\0\0\0${whole[2]}`,
      (whole[3] as string).slice(0, 40),
      "null",
      "[]",
      "7",
      "{}",
      (whole[4] as string).replace(/"ids":.*?\],/, ""),
      (whole[5] as string).replace(/"text":"/, '"text":["').replace(/("text":\[".*?")/, "$1]"),
      (whole[6] as string).replace(/"answers":"./, '"answers":"'),
      "",
      whole[7],
      whole[7],
      `${(whole[8] as string).slice(0, -1)},"later":{"than":"this version"}}`,
      whole[9],
      whole[10],
    ].join("\n");
    // The last one is whole but for its line feed.
    writeFileSync(options.repliesPath, `${damaged}\n${whole[11]}`);
    // A text cut in the middle of a character.
    appendFileSync(
      options.repliesPath,
      Buffer.concat([Buffer.from("\n"), Buffer.from("é").subarray(0, 1), Buffer.from("\n")]),
    );
    const said: string[] = [];
    const again = await evaluate({ ...options, progress: { ...silent, say: (line) => said.push(line) } });
    expect(said).toEqual([
      `10 lines of ${options.repliesPath} cannot be read (the first: line 3: not JSON): left where it is, and ` +
        `what it answered is asked again`,
    ]);
    expect([...again.predictions].map((one) => one.prediction)).toEqual(truth);
    expect(again).toMatchObject({ asked: 40, cached: 50 });
    expect(readFileSync(options.repliesPath).toString().startsWith(damaged)).toBe(true);
    const completions = server.seen.completions;
    expect(await evaluate(options)).toMatchObject({ asked: 0, cached: 90 });
    expect(server.seen.completions).toBe(completions);
    const [score] = await scoreReplies(
      options.repliesPath,
      "lines",
      rows.map((row) => row.id),
    );
    expect(score?.metrics.n).toBe(90);
  });

  it("reads its own replies where the log holds another evaluation's of the same rows", async () => {
    const { options } = await setUp({ reply: () => "A\nA\nA\nA\nA\nA\nA\nA" });
    await evaluate(options);
    const other = await setUp({ reply: () => "B\nB\nB\nB\nB\nB\nB\nB" }, { native: true });
    const second = await evaluate(other.options);
    expect(new Set([...second.predictions].map((one) => one.prediction))).toEqual(new Set(["B"]));
    const first = await evaluate(options);
    expect(first.asked).toBe(0);
    expect(new Set([...first.predictions].map((one) => one.prediction))).toEqual(new Set(["A"]));
  });

  it.each(["removed", "renamed"])("stops at once where its folder is %s, and keeps what landed", async (how) => {
    const place = join(folder, "run");
    let done = 0;
    const { server, options } = await setUp(
      { delayMilliseconds: 60 },
      {
        repliesPath: join(place, "replies.jsonl"),
        retriesPath: undefined,
        questionsPerRequest: 1,
        concurrency: 1,
        progress: {
          ...silent,
          update: (count) => {
            done = count;
            if (count !== 10 || !existsSync(place)) return;
            if (how === "removed") rmSync(place, { recursive: true });
            else renameSync(place, join(folder, "elsewhere"));
          },
        },
      },
    );
    await expect(evaluate(options)).rejects.toThrow(
      /replies\.jsonl is gone: it, or its folder, was removed or renamed/,
    );
    expect(server.seen.completions).toBeLessThan(20);
    expect(existsSync(place)).toBe(false);
    if (how === "removed") return;
    renameSync(join(folder, "elsewhere"), place);
    // The one whose landing found it out is kept too.
    expect(await evaluate({ ...options, progress: silent })).toMatchObject({ asked: 89 - done, cached: done + 1 });
  });

  it("never writes what it could not read back", async () => {
    const { options } = await setUp();
    const answerer: Answerer = {
      ...options.answerer,
      prepare: async () => {},
      answer: async (requests) => requests.map(() => ({ text: ["A"] as unknown as string })),
    };
    await expect(evaluate({ ...options, answerer })).rejects.toThrow(
      /the reply to FR_FR\/virology\/0 cannot be kept: text/,
    );
    expect(log()).toEqual([]);
  });

  it("goes on with the others where one question gets no reply that can be kept, and says how many do not", async () => {
    let filters = true;
    const { server, options } = await setUp(
      {
        trouble: ({ messages }) =>
          filters && /Frage (7|40)\?/.test(messages[1]?.content ?? "")
            ? { choice: { finish_reason: "content_filter" } }
            : undefined,
      },
      { questionsPerRequest: 1 },
    );
    const error = (await evaluate(options).catch((thrown: unknown) => thrown)) as UserError;
    expect(error.message).toMatch(
      /^2 of 90 questions got no reply that can be kept; the first: .* did not answer DE_DE\/anatomy\/7 in 4 attempts.*content_filter/,
    );
    expect(error.hint).toMatch(/asks only these/);
    expect(log()).toHaveLength(88);
    filters = false;
    expect(await evaluate(options)).toMatchObject({ asked: 2, cached: 88, metrics: { n: 90 } });
    expect(server.seen.completions).toBe(88 + 2 * 4 + 2);
  });

  it("does not ask on where one question after another gets none", async () => {
    const { server, options } = await setUp(
      { trouble: () => ({ choice: { finish_reason: "error" } }) },
      { concurrency: 1, questionsPerRequest: 1 },
    );
    const error = (await evaluate(options).catch((thrown: unknown) => thrown)) as UserError;
    expect(error.message).toMatch(/^8 of 90 questions got no reply .* did not answer .* in 4 attempts/);
    expect(error.hint).toMatch(/^8 requests in a row got none, so it was not asked on; 0 replies are kept/);
    expect(server.seen.completions).toBe(8 * 4);
    expect(log()).toEqual([]);
  });

  it("asks every one that is left where nearly all are answered, and says how many never get one", async () => {
    const replies: Answerer["answer"] = async (requests) => {
      if (requests[0]!.rows[0]!.index % 100 === 7) throw new Unanswered("none", { hint: "" });
      return requests.map(() => ({ text: "A" }));
    };
    const { options } = await setUp({}, { concurrency: 4, questionsPerRequest: 1 });
    const answerer: Answerer = { ...options.answerer, prepare: async () => {}, answer: replies };
    const many = Array.from(
      { length: 1200 },
      (_, index): Row => ({ ...rows[0]!, index, id: `DE_DE/anatomy/${index}` }),
    );
    const asked = () =>
      evaluate({ ...options, rows: many, total: many.length, answerer }).catch((error: unknown) => error);
    for (const _ of [1, 2]) {
      expect(((await asked()) as UserError).message).toMatch(/^12 of 1,200 questions got no reply/);
      expect(log()).toHaveLength(1188);
    }
  });

  it("bounds the reasons that it counts", async () => {
    const { options } = await setUp(
      { trouble: ({ number }) => (number % 2 ? undefined : { status: 200, body: { error: `number ${number}` } }) },
      { questionsPerRequest: 1, concurrency: 1 },
    );
    const { retries } = await evaluate(options);
    expect(Object.keys(retries)).toHaveLength(31);
    expect(Object.values(retries).reduce((a, b) => a + b)).toBe(90);
  });

  it("runs baselines without a server", async () => {
    const { options } = await setUp(
      {},
      { answerer: baseline("baseline:longest", { seed: 1, majorityOf: { rows, what: "" } }) },
    );
    expect((await evaluate(options)).metrics).toMatchObject({
      n: 90,
      unreadable: 0,
      confusion: [0, 1, 2, 3].map((index) => [rows.filter((row) => row.answer === LETTERS[index]).length, 0, 0, 0, 0]),
    });
  });
});

describe("scoreReplies", () => {
  it("reads the kept replies again, with another reading and any order", async () => {
    const { options } = await setUp({
      reply: ({ messages }) =>
        ((messages[1]?.content ?? "").match(/^Q\d+/gm) ?? []).map((name) => `${name}: **B**`).join("\n"),
    });
    const evaluation = await evaluate(options);
    // §4's reading takes the letters of "Q1: **B**" from the whole reply.
    expect(evaluation.metrics.unreadable).toBe(0);
    const [robust] = await scoreReplies(
      options.repliesPath,
      "robust",
      rows.map((row) => row.id),
    );
    expect(robust?.stage).toBe("zero-shot");
    expect([...(robust?.predictions ?? [])].map((one) => [one.id, one.prediction])).toEqual(
      rows.map((row) => [row.id, "B"]),
    );
    await expect(scoreReplies(options.repliesPath, "robust", ["XX_XX/none/0"])).rejects.toThrow(
      /lacks replies to 1 of 1 rows in the stage "zero-shot" \(the first: XX_XX/,
    );
    await expect(scoreReplies(join(folder, "none.jsonl"), "robust")).rejects.toThrow(/there is no/);
  });
  it("says how many rows have no reply, and how to go on", async () => {
    const { options } = await setUp({}, { concurrency: 1 });
    await evaluate(options);
    writeFileSync(options.repliesPath, `${log().slice(0, 5).join("\n")}\n{"key":"torn`);
    const order = rows.map((row) => row.id);
    const error = (await scoreReplies(options.repliesPath, "lines", order).catch((thrown) => thrown)) as UserError;
    expect(error.message).toMatch(
      /lacks replies to 50 of 90 rows in the stage "zero-shot" \(the first: DE_DE\/virology\/40\); 1 line of .* \(line 6: torn\)/,
    );
    expect(error.hint).toMatch(/asks what is missing/);
    writeFileSync(options.repliesPath, "nonsense\n");
    await expect(scoreReplies(options.repliesPath, "lines", order)).rejects.toThrow(
      /holds no reply to any of 90 rows: 1 line/,
    );
  });
  it("leaves a torn last line out", async () => {
    const { options } = await setUp({}, { concurrency: 1 });
    await evaluate(options);
    truncateSync(options.repliesPath, readFileSync(options.repliesPath).length - 20);
    const [score] = await scoreReplies(options.repliesPath, "lines");
    expect(score?.metrics.n).toBe(88);
  });
});
