import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Archive } from "../src/exchange/importers/inspect-archive.js";
import { loadResult } from "../src/exchange/index.js";
import { serveRuns } from "../src/report/index.js";
import { type ChatImitation, type ImitatedRequest, letterFor, startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

/** Written by the real tools: reference/results/make.ts. */
const fixtures = fileURLToPath(new URL("fixtures/results/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-results-"));
const at = (...names: string[]): string => join(folder, ...names);
const lines = (...names: string[]) =>
  readFileSync(at(...names), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
let server: ChatImitation;

/** An answer that hangs on the question, and for some on the system's words too: what a prompt can change. */
const reply = ({ messages }: ImitatedRequest): string => {
  const question = messages.at(-1)!.content.replace(/^Q1: Question: |\nAnswer:$/g, "");
  const system = messages.length > 1 ? messages[0]!.content : "";
  const lot = letterFor(`lot ${question}`);
  return letterFor(lot === "A" ? `${system}${question}` : question);
};
const run = (out: string, ...more: string[]) =>
  mmmlu(
    [
      ...["run", "gemma-3-27b-baseline", "--sample", "--set", "data.rowsPerLanguage=100", "--out", at(out)],
      ...["--set", "split=null", "--set", "answerer.questionsPerRequest=1", ...more],
    ],
    { environment: { LMSTUDIO_ENDPOINT: server.url } },
  );

beforeAll(async () => {
  const reasoning = (request: ImitatedRequest) => (reply(request) === "B" ? "It cannot be A." : undefined);
  server = await startChatImitation({ reply, reasoning });
  expect((await run("english")).code).toBe(0);
  expect((await run("native", "--set", "answerer.instruction=native")).code).toBe(0);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("results of other tools are taken like runs", () => {
  it("by compare, which matches them by what they ask and says what has no match", async () => {
    const { code, out } = await mmmlu([
      ...["compare", join(fixtures, "lm-eval"), join(fixtures, "inspect-eval"), "--out", at("compared.html")],
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/10 rows of 5 questions that all 2 runs answered/);
    expect(out).toMatch(/10 rows were found by their text/);
    expect(readFileSync(at("compared.html"), "utf8")).toContain("openai-api/tiny/tiny");
    // Ours is found by the text of its rows, which are read anew.
    const ours = await mmmlu([
      ...["compare", at("english"), join(fixtures, "inspect-eval"), "--json", "--out", at("ours.html")],
    ]);
    const { rows, askedApart } = JSON.parse(ours.out);
    const own = lines("english", "predictions.jsonl").filter(({ id }) => /anatomy\/[0-4]$/.test(id));
    expect(rows).toBe(own.length);
    expect(askedApart.join("\n")).toMatch(/rows are not in all the others, such as/);
  });

  it("by score, which reads kept replies again, and by view", async () => {
    const { out } = await mmmlu(["score", join(fixtures, "lm-eval-generated")]);
    expect(out).toMatch(/^tiny:strict, read by robust: accuracy .* as lm-evaluation-harness 0\.4\.13 read it 0\.0 %/m);
    mkdirSync(at("all"));
    cpSync(join(fixtures, "lm-eval"), at("all", "lm"), { recursive: true });
    cpSync(join(fixtures, "inspect-eval"), at("all", "logs"), { recursive: true });
    const viewer = await serveRuns(at("all"), { port: 0 });
    const text = async (path: string): Promise<string> => (await fetch(`${viewer.url}${path}`)).text();
    const list = await text("");
    expect(list).toContain("lm-evaluation-harness 0.4.13");
    expect(list).toContain("Inspect 0.3.285");
    expect(await text("run/lm")).toMatch(/Written by lm-evaluation-harness[^]*Predictions/);
    expect(await text("compare?run=lm&run=logs")).toContain("openai-api/tiny/tiny against tiny");
    await viewer.close();
    const board = await mmmlu(["leaderboard", at("all"), "--no-published"]);
    expect(board).toMatchObject({ code: 0, error: "" });
    expect(board.out).toMatch(/\| tiny +\| as lm-evaluation-harness took them \| +10 \| 20\.0 /);
    expect(board.out).toMatch(/\| openai-api\/tiny\/tiny \| as Inspect took them \| +10 \| /);
  });

  it("and what cannot be read is said", async () => {
    expect(await mmmlu(["compare", at("english"), at("compared.html")])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/is no result that is read here[^]*lm-evaluation-harness/),
    });
    expect(await mmmlu(["explain", at("english"), at("nothing")])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/there is no folder/),
    });
  });
});

describe("mmmlu explain", () => {
  it("says what differs, adds up, and draws it", async () => {
    const { code, out } = await mmmlu(["explain", at("english"), at("native"), "--out", at("why"), "--json"]);
    expect(code).toBe(0);
    const { parts, difference, factors, deciding } = JSON.parse(out);
    expect(parts.reduce((sum: number, { value }: { value: number }) => sum + value, 0)).toBeCloseTo(difference, 12);
    expect(factors).toEqual([{ factor: "prompt", what: "instruction: english, and native" }]);
    expect(parts.at(-1)).toMatchObject({ title: "prompt" });
    expect(deciding.length).toBeGreaterThan(5);
    const page = readFileSync(at("why", "explained.html"), "utf8");
    expect(page).toMatch(/From \S+english to \S+native/);
    expect(page).toContain("Each step changes one thing");
    expect(existsSync(at("why", "waterfall.svg"))).toBe(true);
  });

  it("asks the deciding rows again under exchanged settings, and finds the cause that was planted", async () => {
    const { out, error } = await mmmlu(
      ["explain", at("english"), at("native"), "--ask", "30", "--out", at("why"), "--json"],
      { environment: { LMSTUDIO_ENDPOINT: server.url } },
    );
    expect(error).not.toMatch(/^mmmlu:/m);
    const { asked, parts } = JSON.parse(out);
    const [prompt, who, noise] = asked.parts;
    expect(asked.rows).toBeGreaterThan(5);
    // The server is one and the same: all is due to the prompt, nothing to who was asked, and nothing is noise.
    expect(who.value).toBe(0);
    expect(noise.value).toBe(0);
    expect(prompt.interval[0]).toBeLessThanOrEqual(parts.at(-1).value);
    expect(prompt.interval[1]).toBeGreaterThanOrEqual(parts.at(-1).value);
  });

  it("asks ours with the prompts that another tool's file tells", async () => {
    expect((await mmmlu(["export", "inspect", at("native"), "--out", at("native-logs")])).code).toBe(0);
    const ask = async (first: string, second: string) => {
      const { out, error } = await mmmlu(["explain", first, second, "--ask", "30", "--out", at("why"), "--json"], {
        environment: { LMSTUDIO_ENDPOINT: server.url },
      });
      expect(error).not.toMatch(/^mmmlu:/m);
      return JSON.parse(out);
    };
    const both = await ask(at("english"), at("native"));
    const { asked } = await ask(at("english"), at("native-logs"));
    const [prompt, who, noise] = asked.parts;
    expect(asked.rows).toBe(both.asked.rows);
    // The server is the one that the other tool would have asked: all is due to the prompt.
    expect(prompt.value).toBeCloseTo(both.asked.parts[0].value, 12);
    expect([who.value, noise.value]).toEqual([0, 0]);
    const turned = await ask(at("native-logs"), at("english"));
    expect(turned.asked.parts[0].value).toBeCloseTo(-prompt.value, 12);
  });

  it("lays our prompts, written anew, beside another tool's", async () => {
    const prompts = async (run: string, other: string) =>
      JSON.parse((await mmmlu(["explain", at(run), other, "--offline", "--out", at("why"), "--json"])).out);
    const asks = ["--model", "baseline:longest", "--set", "answerer.prompt=mmlu"];
    expect((await run("two", ...asks, "--set", "answerer.shots=2", "--set", "answerer.shotSource=first_n")).code).toBe(
      0,
    );
    // The same examples as the harness; its task of then did not name the language.
    const found = await prompts("two", join(fixtures, "lm-eval-2-shot"));
    expect(found.prompts).toEqual({
      compared: 5,
      same: [],
      apart: [
        {
          aspect: "instruction",
          rows: 5,
          example: {
            id: "DE_DE/anatomy/0",
            first: expect.stringMatching(/about anatomy \(German\)\.$/),
            second: expect.stringMatching(/about anatomy\.$/),
          },
        },
      ],
    });
    expect(found.notes.join("\n")).toMatch(
      /5 prompts of .* written anew .*; 5 of them are the very ones that were sent/,
    );
    const none = await prompts("two", join(fixtures, "lm-eval"));
    expect(none.factors.filter(({ factor }: { factor: string }) => factor === "prompt")).toMatchObject([
      { what: expect.stringMatching(/^instruction: in 10 of 10 rows/) },
      { what: 'number of examples: in 10 of 10 rows, such as DE_DE/anatomy/0: "2", and "0"' },
    ]);
    const chat = await prompts("english", join(fixtures, "inspect-eval"));
    expect(chat.prompts.apart.map(({ aspect }: { aspect: string }) => aspect)).toEqual([
      ...["system message", "instruction", "how options are written", "text behind the options"],
    ]);
  });

  it("of another tool's result against ours", async () => {
    const { out } = await mmmlu(["explain", at("english"), join(fixtures, "inspect-eval"), "--out", at("why")]);
    expect(out).toMatch(/^ {2}truncation .*in \d+ rows a reply was cut/m);
    expect(out).toMatch(/model: gemma-3-27b-it, and tiny|model: model: gemma-3-27b-it, and tiny/);
    expect(await mmmlu(["explain", join(fixtures, "lm-eval"), join(fixtures, "inspect-eval"), "--ask"])).toMatchObject({
      code: 2,
      error: expect.stringMatching(
        /was written by lm-evaluation-harness [^]*cannot be asked again[^]*mmmlu run mmmlu-lm-eval --model/,
      ),
    });
  });
});

describe("a run is written for others", () => {
  it("as Parquet beside the JSON lines", async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const read = await connection.runAndReadAll(
      `select id, answer, prediction, cut, logProbabilities from '${at("english", "predictions.parquet")}'`,
    );
    const rows = lines("english", "predictions.jsonl");
    expect(read.getRows()).toEqual(rows.map(({ id, answer, prediction }) => [id, answer, prediction, null, null]));
    connection.closeSync();
  });

  it.each(["inspect", "lm-eval"])("for %s, and is read back as it was", async (name) => {
    const { code, out } = await mmmlu(["export", name, at("english"), "--out", at(name)]);
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toContain(at(name));
    const back = await loadResult(at(name));
    const [own] = await Promise.all([loadResult(at("english"))]);
    const brief = (all: typeof own.predictions) =>
      all
        .map(({ id, answer, prediction, reply }) => ({ id, answer, prediction, reply }))
        .sort((x, y) => (x.id < y.id ? -1 : 1));
    expect(brief(back.predictions)).toEqual(brief(own.predictions));
    expect(back.texts.get(own.predictions[0]!.id)!.choices).toHaveLength(4);
    // With the prompts that were sent.
    const explained = await mmmlu(["explain", at("english"), at(name), "--offline", "--out", at("why"), "--json"]);
    const { prompts, factors, told } = JSON.parse(explained.out);
    expect([prompts.apart, prompts.same.length]).toEqual([[], 200]);
    expect(factors.map(({ factor }: { factor: string }) => factor)).not.toContain("prompt");
    expect(told[0]).toMatch(/the same in all 200 rows that were laid side by side: the prompt carries nothing$/);
  });

  it("with the tokens, the time and the reasoning of each reply", async () => {
    const replies = new Map(lines("english", "replies.jsonl").map((line) => [line.ids[0], line]));
    const name = at("with-usage");
    expect((await mmmlu(["export", "inspect", at("english"), "--out", name])).code).toBe(0);
    let samples = 0;
    for (const file of readdirSync(name)) {
      const archive = await Archive.open(join(name, file));
      const read = async (entry: string) => JSON.parse((await archive.text(entry))!);
      const sum = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
      for (const summary of await read("summaries.json")) {
        const kept = replies.get(summary.id);
        const sample = await read(`samples/${summary.id}_epoch_1.json`);
        const usage = {
          input_tokens: kept.tokens.prompt,
          output_tokens: kept.tokens.completion,
          total_tokens: kept.tokens.prompt + kept.tokens.completion,
        };
        for (const one of [summary, sample])
          expect(one).toMatchObject({
            model_usage: { "gemma-3-27b-it": usage },
            total_time: kept.milliseconds / 1000,
          });
        expect(sample.output.usage).toEqual(usage);
        const { content } = sample.output.choices[0].message;
        const text = { type: "text", text: kept.text };
        expect(content).toEqual(
          kept.reasoning ? [{ type: "reasoning", reasoning: "It cannot be A." }, text] : kept.text,
        );
        for (const part of ["input_tokens", "output_tokens", "total_tokens"] as const) sum[part] += usage[part];
        samples++;
      }
      expect((await read("header.json")).stats.model_usage).toEqual({ "gemma-3-27b-it": sum });
      archive.close();
    }
    expect(samples).toBe(200);
    const brief = async (path: string) =>
      (await loadResult(path)).predictions.map(({ id, reply }) => `${id} ${reply}`).sort();
    expect(await brief(name)).toEqual(await brief(at("english")));
  });

  it("without tokens and time of a question where a request asked several", async () => {
    expect((await run("three", "--set", "answerer.questionsPerRequest=3")).code).toBe(0);
    const requests = lines("three", "replies.jsonl");
    const tokens = requests.reduce((sum, line) => sum + line.tokens.completion, 0);
    await mmmlu(["export", "inspect", at("three"), "--out", at("three-inspect")]);
    let told = 0;
    for (const file of readdirSync(at("three-inspect"))) {
      const archive = await Archive.open(at("three-inspect", file));
      const [first] = JSON.parse((await archive.text("summaries.json"))!);
      if (requests.find(({ ids }) => ids.includes(first.id)).ids.length > 1)
        expect([first.model_usage, first.total_time]).toEqual([{}, undefined]);
      told += JSON.parse((await archive.text("header.json"))!).stats.model_usage["gemma-3-27b-it"].output_tokens;
      archive.close();
    }
    // A request that asked in two languages stands in both.
    expect(told).toBeGreaterThanOrEqual(tokens);
    await mmmlu(["export", "every-eval-ever", at("three"), "--out", at("three-eee")]);
    const samples = readdirSync(at("three-eee"), { recursive: true, encoding: "utf8" }).find((name) =>
      name.endsWith("_samples.jsonl"),
    )!;
    const counted = lines("three-eee", samples).filter((line) => line.token_usage);
    expect(counted.length).toBe(requests.filter(({ ids }) => ids.length === 1).length);
  });

  it("for Every Eval Ever, the same each time", async () => {
    const write = async (out: string) =>
      (await mmmlu(["export", "every-eval-ever", at("english"), "--out", at(out)])).out;
    const [first, second] = [await write("eee"), await write("eee-2")];
    const place = first.split("\n")[0]!.slice(at("eee").length);
    expect(second).toContain(place);
    expect(readFileSync(at("eee-2", place), "utf8")).toBe(readFileSync(at("eee", place), "utf8"));
    const record = JSON.parse(readFileSync(at("eee", place), "utf8"));
    expect(record.evaluation_results.map((one: { evaluation_name: string }) => one.evaluation_name)).toEqual([
      "mmmlu",
      "mmmlu DE_DE",
      "mmmlu FR_FR",
    ]);
    expect(record.detailed_evaluation_results.total_rows).toBe(200);
    const replies = new Map(lines("english", "replies.jsonl").map((line) => [line.ids[0], line]));
    for (const sample of lines("eee", record.detailed_evaluation_results.file_path)) {
      const kept = replies.get(sample.sample_id);
      expect(sample).toMatchObject({
        token_usage: { input_tokens: kept.tokens.prompt, output_tokens: kept.tokens.completion },
        performance: { latency_ms: kept.milliseconds },
      });
      expect(sample.output.reasoning_trace).toEqual(kept.reasoning && [kept.reasoning]);
    }
    expect(readdirSync(at("eee", "data", "mmmlu", "unknown"))).toEqual(["gemma-3-27b-it"]);
  });

  it("but not another tool's", async () => {
    expect(await mmmlu(["export", "inspect", join(fixtures, "lm-eval")])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/only runs of our own are written anew/),
    });
  });
});

describe("mmmlu lens", () => {
  it("looks at a run by its translations, with the texts that the run read", async () => {
    const { code, out } = await mmmlu(["lens", at("english"), at("native"), "--reference", "de"]);
    expect(code).toBe(0);
    expect(out).toMatch(/100 questions in 2 languages; gaps are to DE_DE \(as asked for\)/);
    expect(out).toMatch(/suspect translations need three languages/);
    const files = readdirSync(at("english", "lens"));
    expect(files.sort()).toEqual(["agreement.csv", "figures", "gaps.csv", "keys.csv", "lens.html", "suspects.csv"]);
    expect(readFileSync(at("english", "lens", "gaps.csv"), "utf8")).toMatch(/,length,/);
    expect(readFileSync(at("english", "lens", "lens.html"), "utf8")).toContain("Agreement of the languages");
  });
});
