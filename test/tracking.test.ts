import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startChatImitation } from "./chat-imitation/server.js";
import { FINAL } from "./chat-imitation/troubles.js";
import { mmmlu } from "./command.js";
import { wandbImitation } from "./wandb-imitation/server.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-tracking-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = ["--set", "training.epochs=1", "--set", "data.rowsPerLanguage=684", "--set", "modelLink=null"];

/** The text of a run's transaction log: its keys and values stand in it as they are. */
const logOf = (wandb: string): string => {
  const run = readdirSync(wandb)[0]!;
  return readFileSync(
    join(wandb, run, readdirSync(join(wandb, run)).find((name) => name.endsWith(".wandb"))!),
    "latin1",
  );
};

describe("runs that are tracked", () => {
  it.each([
    ["flan-t5-finetune", SHORT, ["mmmlu_flan_t5_de_fr", "train/loss", "baseline_test_accuracy", "final_test_accuracy"]],
    [
      "gemma-2-2b-finetune",
      SHORT,
      [
        "gemma-nlp_lab2_mmmlu_ft_corrected",
        "train/loss",
        "eval/loss",
        "baseline_test_accuracy",
        "post_ft_test_accuracy",
        "final_val_loss",
        "final_val_ppl",
        "final_test_loss",
        "final_test_ppl",
      ],
    ],
    ["gemma-3-27b-baseline", ["--model", "baseline:longest"], ["test_accuracy", "unreadable"]],
    ["eda", ["--languages", "DE_DE,FR_FR"], ["share_at_most_256", "mean_question_tokens"]],
  ])("%s, offline, under the published keys", async (experiment, flags, keys) => {
    const out = join(folder, experiment);
    const { code, error } = await mmmlu(
      [
        "run",
        experiment,
        "--sample",
        ...flags,
        "--out",
        out,
        "--wandb",
        "offline",
        "--set",
        "tracking.tensorboard=true",
      ],
      { environment: { WANDB_DIR: `${out}-w`, WANDB_TAGS: "first,second", WANDB_RUN_GROUP: "a-group" } },
    );
    expect([code, error]).toEqual([0, expect.any(String)]);
    const log = logOf(join(`${out}-w`, "wandb"));
    for (const text of [...keys, "first", "second", "a-group", "proc.memory.rssMB"]) expect(log).toContain(text);
    // What the run said last is in its output.
    expect(log).toMatch(experiment === "eda" ? /at most 256 tokens/ : /accuracy .*of \d+/);
    expect(readdirSync(join(out, "tensorboard")).length).toBe(1);
  });

  it("online: the server that WANDB_BASE_URL names has the run, its exit code too where it fails", async () => {
    const server = await wandbImitation();
    const environment = {
      WANDB_DIR: join(folder, "online"),
      WANDB_BASE_URL: server.url,
      WANDB_API_KEY: "k".repeat(40),
      WANDB_PROJECT: "of-mine",
    };
    try {
      expect(
        (
          await mmmlu(
            [
              "run",
              "gemma-3-27b-baseline",
              "--sample",
              "--model",
              "baseline:random",
              "--out",
              join(folder, "random"),
              "--wandb",
              "online",
            ],
            { environment },
          )
        ).code,
      ).toBe(0);
      expect(server.runs[0]).toMatchObject({ project: "of-mine", displayName: "gemma-3-27b-baseline" });
      expect([server.exitCode, JSON.parse(server.files["wandb-summary.json"]![0]!)]).toEqual([
        0,
        expect.objectContaining({ test_accuracy: expect.any(Number) }),
      ]);
      // That server's context is too small: the run fails while it asks, and the tracker says so.
      const chat = await startChatImitation({ trouble: () => FINAL[0]![1] });
      const failed = await mmmlu(
        [
          "run",
          "gemma-3-27b-baseline",
          "--sample",
          "--set",
          `answerer.endpoint="${chat.url}"`,
          "--set",
          "answerer.retries=0",
          "--out",
          join(folder, "failed"),
          "--wandb",
          "online",
        ],
        { environment },
      );
      await chat.stop();
      expect([failed.code, server.exitCode]).toEqual([1, 1]);
    } finally {
      await server.close();
    }
  });
});
