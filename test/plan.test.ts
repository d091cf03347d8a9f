import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ImitatedRequest, letterByQuestion, startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-plan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]) => JSON.parse(readFileSync(at(...names), "utf8"));
const lines = (...names: string[]) =>
  readFileSync(at(...names), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const sample = (command: string, out: string, ...more: string[]): string[] => [
  command,
  "gemma-3-27b-baseline",
  "--sample",
  ...["--set", "split=null", "--out", at(out)],
  ...more,
];

describe("mmmlu plan", () => {
  it("counts what the run asks, and a probe's replies are those of the run", async () => {
    const server = await startChatImitation({ delayMilliseconds: 5 });
    const environment = { LMSTUDIO_ENDPOINT: server.url };
    const limit = ["--limit", "60", "--set", "answerer.questionsPerRequest=2"];
    const prices = ["--probe", "20", "--price-input", "1", "--price-output", "2", "--difference", "0.1", "--json"];
    const planned = await mmmlu(sample("plan", "probed", ...limit, ...prices), { environment });
    expect(planned.error).not.toMatch(/^mmmlu:/m);
    const plan = JSON.parse(planned.out);
    expect(plan).toMatchObject({
      rows: 120,
      questions: 60,
      languages: ["DE_DE", "FR_FR"],
      requests: 60,
      promptTokens: { whole: true },
      replyTokensAtMost: 60 * (2 * 2 + 10),
      drawn: { questions: 60 },
      probe: { requests: 10, rows: 20, cut: 0 },
    });
    expect(server.seen.completions).toBe(10);
    // The imitation counts 100 tokens a prompt, and a token a character.
    expect(plan.probe.promptTokens.interval[0]).toBeLessThanOrEqual(6000);
    expect(plan.probe.promptTokens.interval[1]).toBeGreaterThanOrEqual(6000);
    expect(plan.probe.completionTokens).toEqual({ value: 180, interval: [180, 180] });
    expect(plan.probe.cost.value).toBeCloseTo((plan.probe.promptTokens.value + 2 * 180) / 1e6, 12);
    expect(plan.detectable.map(({ discordance }: { discordance: number }) => discordance)).toEqual([
      0.05, 0.1, 0.2, 0.3,
    ]);
    expect(plan.detectable[0].wanted).toBeUndefined();
    expect(plan.detectable[2].wanted.rows).toBe(2 * plan.detectable[2].wanted.questions);

    const again = await mmmlu(sample("plan", "probed", ...limit, "--probe"), { environment });
    expect(again.out).toMatch(/^time of the whole run .* \(95 %: /m);
    expect(again.out).toMatch(/McNemar by question at 0\.05/);
    expect(server.seen.completions).toBe(10);
    const run = await mmmlu(sample("run", "probed", ...limit), { environment });
    expect(run.code).toBe(0);
    expect(server.seen.completions).toBe(60);
    expect(json("probed", "metrics.json")).toMatchObject({ n: 120, asked: 100, cached: 20 });
    await server.stop();
  });

  it("says what is wrong", async () => {
    expect(await mmmlu(["plan", "eda"])).toMatchObject({ code: 2, error: expect.stringMatching(/splits nothing/) });
    expect(await mmmlu(sample("plan", "x", "--like", at("probed")))).toMatchObject({
      code: 2,
      error: expect.stringMatching(/--like is given once: it takes two runs/),
    });
    expect(await mmmlu(sample("plan", "x", "--limit", "none"))).toMatchObject({ code: 2 });
    expect(await mmmlu(sample("plan", "x", "--power", "2"))).toMatchObject({ code: 2 });
    expect(await mmmlu(["plan", "flan-t5-finetune", "--sample", "--probe"])).toMatchObject({ code: 2 });
  });

  it("plans a fine-tuning, and takes from two runs how they differ", async () => {
    const { out } = await mmmlu(["plan", "flan-t5-finetune", "--sample", "--limit", "30", "--json"]);
    const plan = JSON.parse(out);
    expect(plan.questions).toBe(30);
    expect(plan.training.steps).toBeGreaterThan(0);
    for (const model of ["longest", "random"])
      await mmmlu(sample("run", model, "--model", `baseline:${model}`, "--limit", "80"));
    const like = await mmmlu(sample("plan", "x", "--like", at("longest"), "--like", at("random"), "--json"));
    const [only, ...others] = JSON.parse(like.out).detectable;
    expect(others).toEqual([]);
    expect(only.discordance).toBeGreaterThan(0.1);
    expect(only.difference).toBeGreaterThan(0);
  });
});

describe("--limit", () => {
  it("asks the same questions in every language and of every model, and says what they tell of all", async () => {
    const ids = ["longest", "random"].map((name) =>
      lines(name, "predictions.jsonl").map(({ id }: { id: string }) => id),
    );
    expect(ids[0]).toEqual(ids[1]);
    const questions = (language: string): string[] =>
      ids[0]!
        .filter((id: string) => id.startsWith(language))
        .map((id: string) => id.slice(6))
        .sort();
    expect(questions("DE_DE")).toHaveLength(80);
    expect(questions("DE_DE")).toEqual(questions("FR_FR"));
    const { n, accuracy, ofTheWhole, drawn, statistics } = json("longest", "metrics.json");
    expect([n, drawn.questions, drawn.rows]).toEqual([160, 80, 160]);
    expect(drawn.ofRows).toBe(2 * drawn.ofQuestions);
    expect(ofTheWhole[0]).toBeLessThan(accuracy);
    expect(ofTheWhole[1] - ofTheWhole[0]).toBeLessThan(
      statistics.clustered.interval[1] - statistics.clustered.interval[0],
    );
    expect(readFileSync(at("longest", "report.html"), "utf8")).toContain("finite population correction");
  });

  it("leaves the split of a published protocol as it is", async () => {
    const prepared = async (out: string, ...more: string[]) => {
      await mmmlu(["prepare", "flan-t5-finetune", "--sample", "--out", at(out), ...more]);
      return json(out, "splits.json");
    };
    const [whole, drawn] = [await prepared("whole"), await prepared("drawn", "--limit", "20")];
    expect(drawn.train).toEqual(whole.train);
    expect(drawn.validation).toEqual(whole.validation);
    expect(drawn.test.length).toBeLessThan(whole.test.length);
    expect(whole.test).toEqual(expect.arrayContaining(drawn.test));
  });
});

describe("run --again cut", () => {
  it("asks only those again that were cut, with more room, and keeps what came", async () => {
    const rooms: number[] = [];
    const isLong = (request: ImitatedRequest): boolean =>
      /^Q1: Question: .*[aeiou]/m.test(request.messages.at(-1)!.content) && request.number % 3 === 0;
    const long = new Set<string>();
    const server = await startChatImitation({
      reply: (request) => {
        const text = request.messages.at(-1)!.content;
        const room = Number(request.body.max_tokens);
        if (room <= 26 && isLong(request)) long.add(text);
        rooms.push(room);
        return long.has(text) && room <= 26 ? "Let me think about" : letterByQuestion(request);
      },
      trouble: (request) =>
        Number(request.body.max_tokens) <= 26 && isLong(request)
          ? { choice: { message: { role: "assistant", content: "Let me think about" }, finish_reason: "length" } }
          : undefined,
    });
    const environment = { LMSTUDIO_ENDPOINT: server.url };
    const limit = ["--limit", "60", "--set", "answerer.questionsPerRequest=4"];
    const first = await mmmlu(sample("run", "cut", ...limit), { environment });
    expect(first.out).toMatch(/cut at the limit of tokens \d.*run --again cut/);
    expect(first.out).toMatch(/were the unreadable drawn by lot/);
    const before = json("cut", "metrics.json");
    const asked = server.seen.completions;
    expect(asked).toBe(30);
    const cut = Math.round((before.statistics.cutShare * before.n) / 4);
    expect(cut).toBeGreaterThan(3);
    const { bounds } = before.statistics;
    expect(bounds.unreadableWrong).toBe(before.accuracy);
    expect(bounds.unreadableRight).toBeCloseTo(before.accuracy + before.unreadable / before.n, 12);

    const second = await mmmlu(sample("run", "cut", ...limit, "--again", "cut", "--room", "3"), { environment });
    expect(second.out).toMatch(/before those were asked again the accuracy was/);
    expect(server.seen.completions).toBe(asked + cut);
    expect(rooms.at(-1)).toBe(3 * (4 * 2 + 10));
    const after = json("cut", "metrics.json");
    expect(after).toMatchObject({ n: before.n, unreadable: 0, again: [{ reason: "cut", room: 3, rows: 4 * cut }] });
    expect(json("cut", "manifest.json").notes.join(" ")).toMatch(/were asked again with 3 times the room/);

    // The same command without the flag keeps what it has, and asks nobody.
    await mmmlu(sample("run", "cut", ...limit), { environment });
    expect(json("cut", "metrics.json")).toMatchObject({ accuracy: after.accuracy, unreadable: 0 });
    const third = await mmmlu(sample("run", "cut", ...limit, "--again", "cut"), { environment });
    expect(third.error).toMatch(/no reply was cut at the limit/);
    expect(server.seen.completions).toBe(asked + cut);
    await server.stop();
  });

  it("is of runs that ask", async () => {
    expect(await mmmlu(["run", "flan-t5-finetune", "--sample", "--again", "cut"])).toMatchObject({ code: 2 });
    expect(await mmmlu(["run", "gemma-3-27b-baseline", "--sample", "--again", "wrong"])).toMatchObject({ code: 2 });
  });
});
