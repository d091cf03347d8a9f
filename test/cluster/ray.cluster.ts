import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finished } from "../command.js";
import { largestDifference, logOf, short } from "../training.js";

/*
 * A real Ray cluster, a head and a worker, that asks for a token. It listens on every interface whatever it is told, so
 * it runs in a network namespace of its own, which needs root and iproute2.
 */

const python = process.env["MMMLU_TEST_RAY"]!;
const [namespace, token] = [`mmmlu-${process.pid}`, "a-token-that-is-written-nowhere-4711"];
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-ray-"));
const at = (...names: string[]): string => join(folder, ...names);

const ip = (...given: string[]): string => execFileSync("ip", given, { encoding: "utf8" });
const mayHave = ((): boolean => {
  try {
    ip("netns", "add", namespace);
    ip("netns", "exec", namespace, "ip", "link", "set", "lo", "up");
    return true;
  } catch {
    console.warn("skipped: training on Ray (a network namespace needs root and iproute2)");
    return false;
  }
})();

/** A program in the namespace. */
function inside(given: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  return spawn("ip", ["netns", "exec", namespace, ...given], {
    env: { ...process.env, PATH: `${dirname(python)}:${process.env["PATH"]}`, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function mmmlu(
  given: readonly string[],
  environment: Record<string, string> = { RAY_AUTH_TOKEN: token },
  told?: (error: string, child: ChildProcess) => void,
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = inside([process.execPath, cli, ...given], environment);
    let [out, error] = ["", ""];
    child.stdout!.on("data", (piece: Buffer) => (out += piece.toString()));
    child.stderr!.on("data", (piece: Buffer) => {
      error += piece.toString();
      told?.(error, child);
    });
    child.on("close", (code) => resolve({ code, out, error }));
  });
}

/** Processes of the namespace, by what their command line holds. */
const processes = (holds: string): number[] =>
  ip("netns", "pids", namespace)
    .split("\n")
    .filter(Boolean)
    .map(Number)
    .filter((pid) => {
      const path = `/proc/${pid}/cmdline`;
      return existsSync(path) && readFileSync(path, "utf8").includes(holds);
    });

const cluster = "http://127.0.0.1:8265";
const settings = ["--set", "training.epochs=12", "--set", "evaluation.baseline=false"];
const ray = (out: string, ...more: string[]): string[] => [
  ...["finetune", ...short(...settings), "--engine", "ray", "--cluster", cluster, "--workers", "2"],
  ...["--engine-device", "cpu", "--shared", at(out, "shared"), "--out", at(out, "run"), ...more],
];

/** Waits until the cluster's preflight says so. */
async function told(what: RegExp): Promise<void> {
  let last = "";
  for (const until = Date.now() + 300_000; Date.now() < until; await sleep(2000)) {
    last = (await mmmlu(ray("preflight", "--workers", "99"))).error;
    if (what.test(last)) return;
  }
  throw new Error(
    `${what} was not told; last: ${last}${existsSync(at("ray.log")) ? readFileSync(at("ray.log"), "utf8") : ""}`,
  );
}

describe.skipIf(!mayHave)("Ray", () => {
  beforeAll(async () => {
    const auth = { RAY_AUTH_MODE: "token", RAY_AUTH_TOKEN: token, RAY_worker_niceness: "0" };
    const start = [join(dirname(python), "ray"), "start", "--block", "--disable-usage-stats"];
    const small = ["--object-store-memory", "100000000", "--num-cpus", "2"];
    mkdirSync(at("ray"));
    const log = (child: ChildProcess): void => {
      for (const stream of [child.stdout!, child.stderr!])
        stream.on("data", (piece: Buffer) => writeFileSync(at("ray.log"), piece, { flag: "a" }));
    };
    log(
      inside(
        [...start, "--head", "--node-ip-address", "127.0.0.1", "--port", "6379", "--temp-dir", at("ray"), ...small],
        auth,
      ),
    );
    await told(/--workers asks for 99/);
    const ports = ["--dashboard-agent-listen-port", "52366", "--dashboard-agent-grpc-port", "52367"];
    log(inside([...start, "--address", "127.0.0.1:6379", ...ports, ...small], auth));
    await told(/2 live nodes, 4 CPUs/);
  });

  afterAll(async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      for (const pid of processes("")) {
        try {
          process.kill(pid, signal);
        } catch {
          // It has ended meanwhile.
        }
      }
      await sleep(3000);
    }
    ip("netns", "delete", namespace);
    rmSync(folder, { recursive: true, force: true });
  });

  it("looks first: nobody there, no Ray, no token, a wrong one, too few GPUs", async () => {
    const refused = async (message: RegExp, given: string[], environment?: Record<string, string>) => {
      const { code, error } = await mmmlu(given, environment);
      expect([code, error]).toEqual([1, expect.stringMatching(message)]);
      expect(existsSync(at("first", "shared"))).toBe(false);
    };
    const home = { HOME: folder };
    await refused(/127\.0\.0\.1:1 does not answer: connection refused/, ray("first", "--cluster", "127.0.0.1:1"));
    await refused(/lets nobody in without a token \(status 401\)/, ray("first"), home);
    await refused(/refused the token \(status 403\)/, ray("first"), { ...home, RAY_AUTH_TOKEN: "wrong" });
    await refused(
      /asks for 2 GPUs, and the cluster has 0[^]*--engine-device cpu/,
      ray("first", "--engine-device", "cuda"),
    );
    const page = `require("http").createServer((q, r) => r.end("hello")).listen(8080)`;
    const server = inside([process.execPath, "-e", page]);
    await sleep(1000);
    await refused(/is no dashboard of a Ray cluster/, ray("first", "--cluster", "http://127.0.0.1:8080"));
    server.kill();
  });

  it("trains our steps, a worker killed in their midst; writes the token nowhere", async () => {
    let killed = 0;
    const shared = at("killed", "shared");
    const running = mmmlu(ray("killed"));
    const watch = setInterval(() => {
      if (!existsSync(join(shared, "train-log.jsonl")) || logOf(shared).length < 10) return;
      const [victim] = processes("RayTrainWorker").slice(-1);
      if (victim === undefined || killed > 0) return;
      process.kill(victim, "SIGKILL");
      killed = victim;
      clearInterval(watch);
    }, 20);
    const { code, error, out } = await running.finally(() => clearInterval(watch));
    expect([code, code === 0 ? "" : error, killed > 0]).toEqual([0, "", true]);
    expect(out).toMatch(/accuracy after training/);
    expect(error).toMatch(/training: 72 steps/);
    expect((await mmmlu(["run", ...short(...settings), "--out", at("own")])).code).toBe(0);
    expect(largestDifference(logOf(shared), logOf(at("own")))).toBeLessThan(1e-5);
    // grep ends with 1 where it finds nothing.
    expect(() => execFileSync("grep", ["-rlF", token, at("killed")])).toThrow();
  });

  it("leaves the job at Ctrl-C, finds it again, stops it, and takes it up", async () => {
    const more = ["--set", "training.epochs=60"];
    /** Ctrl-C as soon as it has said something and steps are logged. */
    const interrupted = (onInterrupt: string, said: string) => {
      let sent = false;
      return mmmlu(ray("left", "--on-interrupt", onInterrupt, ...more), undefined, (error, child) => {
        const watch = setInterval(() => {
          if (!existsSync(at("left", "shared", "train-log.jsonl"))) return;
          clearInterval(watch);
          child.kill("SIGINT");
        }, 20);
        if (sent || !error.includes(said)) clearInterval(watch);
        else sent = true;
      });
    };
    const left = await interrupted("leave", "submitted the job");
    expect([left.code, left.error]).toEqual([1, expect.stringMatching(/left the job mmmlu-\S+ running/)]);
    const stopped = await interrupted("stop", "is there already");
    expect(stopped.error).toMatch(/the job mmmlu-\S+-1 is there already/);
    expect([stopped.code, stopped.error]).toEqual([
      1,
      expect.stringMatching(/stopped the job mmmlu-\S+-1 at step \d+/),
    ]);
    const again = await mmmlu(ray("left", ...more));
    expect([again.code, again.error]).toEqual([0, expect.stringMatching(/submitted the job mmmlu-\S+-2/)]);
  });

  it("tells the end of a failed job's log", async () => {
    const { code, error } = await mmmlu(ray("failing", "--python", "no-such-python"));
    expect([code, error]).toEqual([1, expect.stringMatching(/ended before its end \(code 127\)[^]*no-such-python/)]);
  });
});
