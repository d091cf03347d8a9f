import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mmmlu } from "../command.js";
import { largestDifference, logOf, short } from "../training.js";
import { SlurmCluster, whyNoSlurm } from "./slurm.js";

/* The job file of docs/beyond-one-machine.md, under a real Slurm; only its numbers and paths are others. */

const python = process.env["MMMLU_TEST_TORCH"]!;
const why = whyNoSlurm();
if (why) console.warn(`skipped: training under Slurm (${why})`);

const page = readFileSync(fileURLToPath(new URL("../../docs/beyond-one-machine.md", import.meta.url)), "utf8");
const jobFile = /```text\n(#!\/bin\/bash\n#SBATCH[^]*?)```/.exec(page)![1]!;

interface Changed {
  readonly tasksPerNode?: number;
  readonly processes?: number;
  readonly bundle?: string;
}

describe.skipIf(why !== undefined)("Slurm", () => {
  const cluster = new SlurmCluster();
  const at = (...names: string[]): string => cluster.at(...names);

  /** The page's job file for a run's folder. */
  function jobInto(out: string, changed: Changed = {}): string {
    const tasks = changed.tasksPerNode ?? 1;
    const changes: [string, string][] = [
      ["--ntasks-per-node=4", `--ntasks-per-node=${tasks}`],
      ["--gpus-per-node=4", "--gpus-per-node=2"],
      ["bundle/train.py", at(changed.bundle ?? "bundle", "train.py")],
      ["/shared/run", at(out)],
      ["--processes 8", `--processes ${changed.processes ?? 2 * tasks} --device cpu`],
    ];
    return changes.reduce((text, [from, to]) => {
      expect(text.split(from)).toHaveLength(2);
      return text.replace(from, to);
    }, jobFile);
  }

  /** Whole lines of a run's log, which may be at being written. */
  const logged = (out: string): number => {
    const log = at(out, "train-log.jsonl");
    return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
  };

  /** A run's own, not `srun`. */
  const processes = (out: string): number[] => cluster.processes(python, `--out\0${at(out)}\0`);

  /** Waits until a run has logged so many steps, and holds all its processes there. */
  async function heldAt(out: string, steps: number): Promise<number[]> {
    for (const until = Date.now() + 300_000; logged(out) < steps; await sleep(5))
      if (Date.now() > until) throw new Error(`no ${steps} steps in ${at(out)}`);
    const pids = processes(out);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    return pids;
  }

  const long = short("--set", "training.epochs=12", "--set", "evaluation.baseline=false");

  beforeAll(async () => {
    mkdirSync(at("bin"));
    // The page's `python`, which tells what Slurm has given it.
    writeFileSync(
      at("bin", "python"),
      `#!/bin/sh\nexport PYTHONPATH=${at("slow")}\necho "task $SLURM_PROCID on $SLURMD_NODENAME: GPUs $CUDA_VISIBLE_DEVICES"\nexec ${python} "$@"\n`,
      { mode: 0o755 },
    );
    // A disk on which a file takes longer than Slurm waits for what it ends (KillWait), once there is a file "slowly".
    mkdirSync(at("slow"));
    writeFileSync(
      at("slow", "sitecustomize.py"),
      [
        "import os, time",
        "fsync = os.fsync",
        `os.fsync = lambda file: (time.sleep(12 * os.path.exists("${at("slowly")}")), fsync(file))`,
      ].join("\n"),
    );
    await cluster.start();
    for (const [bundle, experiment] of [
      ["bundle", short()],
      ["long", long],
    ] as const)
      expect(await mmmlu(["export", "training", ...experiment, "--out", at(bundle)])).toMatchObject({ code: 0 });
    expect(await mmmlu(["run", ...long, "--out", at("own-long")])).toMatchObject({ code: 0 });
  });
  afterAll(() => cluster.stop());

  it("trains our steps with four processes on two nodes, each with the GPUs that were asked for", async () => {
    const number = cluster.submit("four", jobInto("four", { tasksPerNode: 2 }));
    expect(await mmmlu(["run", ...short(), "--out", at("own")])).toMatchObject({ code: 0 });
    const job = await cluster.reached(number, "COMPLETED", "FAILED");
    expect([job, cluster.output("four")]).toEqual([
      expect.objectContaining({ state: "COMPLETED", code: "0:0", restarts: 0 }),
      expect.stringMatching(/begin step 0 of 12, 4 processes/),
    ]);
    const given = [0, 1, 2, 3].map((task) => `task ${task} on node${task < 2 ? 1 : 2}: GPUs 0,1`);
    expect(
      cluster
        .output("four")
        .match(/^task .*$/gm)!
        .sort(),
    ).toEqual(given);
    expect(largestDifference(logOf(at("four")), logOf(at("own")))).toBeLessThan(1e-5);
    const imported = ["import", "training", short()[0]!, at("four"), ...short().slice(1), "--out", at("imported")];
    expect(await mmmlu(imported)).toMatchObject({ code: 0 });
  });

  it("near the end of its time writes a checkpoint and requeues itself, and goes on from there", async () => {
    const number = cluster.submit("limit", jobInto("limit", { bundle: "long" }));
    const pids = await heldAt("limit", 6);
    expect(pids).toHaveLength(2);
    writeFileSync(at("slowly"), "");
    // Its time now ends in one to two minutes. Slurm's signal has the processes go on.
    const minutes = Math.floor(cluster.job(number).seconds / 60);
    cluster.inside(["scontrol", "update", `JobId=${number}`, `TimeLimit=${minutes + 2}`]);
    expect(await cluster.reached(number, "PENDING", "COMPLETED", "FAILED", "TIMEOUT")).toMatchObject({
      state: "PENDING",
      restarts: 1,
    });
    rmSync(at("slowly"));
    const stopped = Number(/stopped at step (\d+)/.exec(cluster.output("limit"))![1]);
    expect(existsSync(at("limit", "result.json"))).toBe(false);
    // Once is enough. Slurm waits for two minutes, since its nodes would take the job for the one that was ended.
    cluster.inside(["scontrol", "update", `JobId=${number}`, "TimeLimit=240"]);
    expect(await cluster.reached(number, "COMPLETED", "FAILED")).toMatchObject({ state: "COMPLETED", restarts: 1 });
    expect(cluster.output("limit")).toContain(`begin step ${stopped} of 72`);
    expect(largestDifference(logOf(at("limit")), logOf(at("own-long")))).toBeLessThan(1e-5);
  });

  it("all end where one is killed, which starts nothing again; two jobs into one folder; submitted again it goes on", async () => {
    const file = jobInto("killed", { bundle: "long" });
    const number = cluster.submit("killed", file);
    const pids = await heldAt("killed", 6);
    const second = cluster.submit("second", file);
    expect(await cluster.reached(second, "FAILED", "COMPLETED")).toMatchObject({ state: "FAILED", restarts: 0 });
    expect(cluster.output("second").match(/train\.py: .*/g)).toEqual([
      expect.stringMatching(/is in use by another run/),
    ]);
    process.kill(pids[1]!, "SIGKILL");
    process.kill(pids[0]!, "SIGCONT");
    expect(await cluster.reached(number, "FAILED", "COMPLETED")).toMatchObject({ state: "FAILED", restarts: 0 });
    expect(processes("killed")).toEqual([]);
    const again = cluster.submit("again", file);
    expect(await cluster.reached(again, "FAILED", "COMPLETED")).toMatchObject({ state: "COMPLETED", code: "0:0" });
    expect(cluster.output("again")).toMatch(/begin step [4-9]\d* of 72/);
    expect(largestDifference(logOf(at("killed")), logOf(at("own-long")))).toBeLessThan(1e-5);
  });

  it("another number of processes is refused, once; a cancelled job stays so", async () => {
    const wrong = cluster.submit("wrong", jobInto("wrong", { tasksPerNode: 2, processes: 8 }));
    expect(await cluster.reached(wrong, "FAILED", "COMPLETED")).toMatchObject({ state: "FAILED", code: "2:0" });
    expect(cluster.output("wrong").match(/train\.py: .*/g)).toEqual([
      expect.stringMatching(/--processes says 8, and 4 run here/),
    ]);
    const cancelled = cluster.submit("cancelled", jobInto("cancelled", { bundle: "long" }));
    await heldAt("cancelled", 6);
    cluster.inside(["scancel", cancelled]);
    while (processes("cancelled").length > 0) await sleep(200);
    await sleep(3000);
    expect(cluster.job(cancelled)).toMatchObject({ state: "CANCELLED", restarts: 0 });
    expect(existsSync(at("cancelled", "checkpoint.safetensors"))).toBe(true);
  });

  it("a process that is bound to one GPU takes that one", async () => {
    const place = `python -c 'import sys; sys.path.insert(0, "${at("bundle")}"); import train; print(train.place(4))'`;
    const bound = jobFile.replace("--ntasks-per-node=4", "--ntasks-per-node=2").replace(/^srun [^]*$/m, "");
    const number = cluster.submit("bound", `${bound}srun --gpus-per-task=1 ${place}\nsrun ${place}\n`);
    expect(await cluster.reached(number, "FAILED", "COMPLETED")).toMatchObject({ state: "COMPLETED" });
    const places = cluster.output("bound").match(/^\(.*\)$/gm)!;
    expect([places.slice(0, 4).sort(), places.slice(4).sort()]).toEqual([
      ["(0, 4, 0)", "(1, 4, 0)", "(2, 4, 0)", "(3, 4, 0)"],
      ["(0, 4, 0)", "(1, 4, 1)", "(2, 4, 0)", "(3, 4, 1)"],
    ]);
  });
});
