import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/*
 * A Slurm cluster of this machine's own slurmctld and two slurmd, in a network namespace: two nodes of 32 CPUs and four
 * GPUs, as their configuration says whatever the machine has. It needs root, iproute2, and Debian's slurm-wlm and munge.
 */

const DEVICES = [0, 1, 2, 3];

/** Why no such cluster can be here; undefined where it can. */
export function whyNoSlurm(): string | undefined {
  const missing = ["slurmctld", "slurmd", "munged", "ip"].filter((name) => !found(name));
  if (missing.length > 0) return `no ${missing.join(", ")}: apt-get install slurm-wlm munge iproute2`;
  return process.getuid?.() === 0 ? undefined : "a network namespace needs root";
}

function found(program: string): boolean {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  return path.split(":").some((folder) => existsSync(join(folder, program)));
}

export interface Job {
  readonly state: string;
  readonly code: string;
  readonly restarts: number;
  /** That it has run. */
  readonly seconds: number;
}

export class SlurmCluster {
  readonly folder = mkdtempSync(join(tmpdir(), "mmmlu-slurm-"));
  private readonly namespace = `mmmlu-slurm-${process.pid}`;
  private readonly daemons: ChildProcess[] = [];

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async start(): Promise<void> {
    const hosts = ["controller", "node1", "node2"].map((name, i) => ({ name, address: `10.77.0.${i + 1}` }));
    execFileSync("ip", ["netns", "add", this.namespace]);
    this.inside(["ip", "link", "set", "lo", "up"]);
    // Slurm looks names up only for families that have an address beside 127.0.0.1.
    for (const { address } of hosts) this.inside(["ip", "address", "add", `${address}/32`, "dev", "lo"]);
    mkdirSync(`/etc/netns/${this.namespace}`, { recursive: true });
    const lines = hosts.map(({ name, address }) => `${address} ${name}\n`);
    writeFileSync(
      `/etc/netns/${this.namespace}/hosts`,
      `127.0.0.1 localhost\n${lines.join("")}10.77.0.1 ${hostname()}\n`,
    );
    chmodSync(this.folder, 0o755);
    for (const name of ["state", "spool-node1", "spool-node2"]) mkdirSync(this.at(name));
    // As good as any character device: none is opened.
    for (const i of DEVICES) execFileSync("mknod", [this.at(`gpu${i}`), "c", "1", "3"]);
    writeFileSync(this.at("munge.key-file"), "mmmlu".repeat(100), { mode: 0o600 });
    writeFileSync(this.at("slurm.conf"), this.configuration());
    writeFileSync(this.at("gres.conf"), `NodeName=node[1-2] Name=gpu File=${this.at("gpu[0-3]")}\n`);
    // A cgroup's hierarchy is looked for where it is not said, and a namespace has none; nothing of it is used.
    writeFileSync(this.at("cgroup.conf"), "CgroupPlugin=cgroup/v1\n");
    const files = ["key-file", "socket", "pid-file", "log-file", "seed-file"];
    this.daemon("munged", ["--foreground", ...files.flatMap((file) => [`--${file}`, this.at(`munge.${file}`)])]);
    for (let tries = 0; !existsSync(this.at("munge.socket")) && tries < 100; tries++) await sleep(100);
    this.daemon("slurmctld", ["-D"]);
    for (const node of ["node1", "node2"]) this.daemon("slurmd", ["-D", "-N", node]);
    for (let tries = 0; tries < 60; tries++, await sleep(1000))
      if (this.tried(["sinfo", "--noheader", "--states=idle", "--format=%D"]).trim() === "2") return;
    throw new Error(`the cluster did not come up:\n${readFileSync(this.at("daemons.log"), "utf8")}`);
  }

  private configuration(): string {
    const node = (i: number): string =>
      `NodeName=node${i} NodeAddr=10.77.0.${i + 1} NodeHostname=${hostname()} Port=1700${i} CPUs=32 Gres=gpu:4`;
    return `${[
      ...["ClusterName=mmmlu", `SlurmctldHost=${hostname()}(10.77.0.1)`, "SlurmUser=root", "SlurmdUser=root"],
      ...[`AuthInfo=socket=${this.at("munge.socket")}`, `StateSaveLocation=${this.at("state")}`],
      ...[`SlurmdSpoolDir=${this.at("spool-%n")}`, `SlurmctldPidFile=${this.at("slurmctld.pid")}`],
      ...[`SlurmdPidFile=${this.at("slurmd-%n.pid")}`, "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none"],
      ...["JobAcctGatherType=jobacct_gather/none", "AccountingStorageType=accounting_storage/none"],
      ...["SelectType=select/cons_tres", "SelectTypeParameters=CR_Core", "GresTypes=gpu", "MpiDefault=none"],
      ...["SlurmdParameters=config_overrides", "KillWait=5", node(1), node(2)],
      "PartitionName=main Nodes=ALL Default=YES State=UP",
    ].join("\n")}\n`;
  }

  private environment(): NodeJS.ProcessEnv {
    const path = `${this.at("bin")}:${process.env["PATH"]}:/usr/sbin:/sbin`;
    return { ...process.env, PATH: path, SLURM_CONF: this.at("slurm.conf"), OMP_NUM_THREADS: "1" };
  }

  private daemon(program: string, given: readonly string[]): void {
    const child = spawn("ip", ["netns", "exec", this.namespace, program, ...given], {
      env: this.environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (piece: Buffer) => writeFileSync(this.at("daemons.log"), piece, { flag: "a" }));
    this.daemons.push(child);
  }

  /** What a command of the cluster says. Throws where it fails. */
  inside(given: readonly string[]): string {
    const all = ["netns", "exec", this.namespace, ...given];
    return execFileSync("ip", all, { encoding: "utf8", env: this.environment(), cwd: this.folder });
  }

  private tried(given: readonly string[]): string {
    try {
      return this.inside(given);
    } catch {
      return "";
    }
  }

  /** Submits a job file; its output goes to `<name>.out`. Returns its number. */
  submit(name: string, text: string): string {
    writeFileSync(this.at(`${name}.sh`), text);
    return this.inside(["sbatch", "--parsable", "--output", this.at(`${name}.out`), this.at(`${name}.sh`)]).trim();
  }

  output(name: string): string {
    return existsSync(this.at(`${name}.out`)) ? readFileSync(this.at(`${name}.out`), "utf8") : "";
  }

  job(number: string): Job {
    const said = this.inside(["scontrol", "show", "job", number]);
    const value = (key: string): string => new RegExp(`\\b${key}=(\\S+)`).exec(said)![1]!;
    const [hours, minutes, seconds] = value("RunTime").slice(-8).split(":").map(Number) as [number, number, number];
    return {
      state: value("JobState"),
      code: value("ExitCode"),
      restarts: Number(value("Restarts")),
      seconds: (hours * 60 + minutes) * 60 + seconds,
    };
  }

  /** Waits until a job has one of these states. */
  async reached(number: string, ...states: string[]): Promise<Job> {
    for (const until = Date.now() + 600_000; Date.now() < until; await sleep(500)) {
      const job = this.job(number);
      if (states.includes(job.state)) return job;
    }
    throw new Error(`job ${number} is ${this.job(number).state}, not ${states.join(" or ")}`);
  }

  /** Processes of the cluster, by the program and another part of their command line. */
  processes(program = "", part = ""): number[] {
    return execFileSync("ip", ["netns", "pids", this.namespace], { encoding: "utf8" })
      .split("\n")
      .filter(Boolean)
      .map(Number)
      .filter((pid) => {
        const path = `/proc/${pid}/cmdline`;
        const line = existsSync(path) ? readFileSync(path, "utf8") : "";
        return line.startsWith(program) && line.includes(part);
      });
  }

  async stop(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      for (const pid of this.processes()) {
        try {
          process.kill(pid, signal);
        } catch {
          // It has ended meanwhile.
        }
      }
      await sleep(2000);
    }
    for (const child of this.daemons) child.kill("SIGKILL");
    execFileSync("ip", ["netns", "delete", this.namespace]);
    rmSync(`/etc/netns/${this.namespace}`, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
