import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { HttpBench, Measured } from "../http.js";
import type { Part, TableRow } from "../table.js";
import { median } from "../table.js";

const PEERS = {
  "lm-eval": "lm-evaluation-harness",
  inspect: "Inspect",
} as const;

const root = fileURLToPath(new URL("../..", import.meta.url));

export const http: Part = {
  about: "5,000 questions over HTTP at 4, 32 and 256 at once, beside lm-evaluation-harness and Inspect",
  async rows(options) {
    const printed = execFileSync(
      "npm",
      [
        ...["run", "--silent", "bench:http", "--", "--json", "--rounds", String(options.rounds)],
        ...Object.keys(PEERS).flatMap((flag) => {
          const python = options[flag as keyof typeof PEERS];
          return python ? [`--${flag}`, python] : [];
        }),
      ],
      { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] },
    );
    const found = JSON.parse(printed.trim().split("\n").at(-1)!) as HttpBench;
    const atOnce = [...new Set(found.results.map(({ concurrency }) => concurrency))];
    const figure = (tool: string, concurrency: number, of: keyof Measured): number | undefined => {
      const runs = found.results.filter((one) => one.tool === tool && one.concurrency === concurrency);
      return runs.length ? median(runs.map((one) => one[of] as number)) : undefined;
    };
    return atOnce.flatMap((concurrency) =>
      (["lm-eval", "inspect"] as const).flatMap((flag): TableRow[] => {
        const tool = PEERS[flag];
        const python = options[flag];
        const line = (what: string, unit: TableRow["unit"], of: keyof Measured, scale = 1): TableRow => {
          const theirs = figure(tool, concurrency, of);
          return {
            what: `${found.questions.toLocaleString("en")} questions, ${concurrency} at once${what}`,
            unit,
            ours: figure("mmmlu-lab", concurrency, of)! / scale,
            ...(theirs === undefined ? {} : { theirs: theirs / scale }),
            ...(python
              ? { beside: `${tool} ${versionOf(python, flag)}`, same: `accuracy ${found.expected.toFixed(4)}` }
              : {
                  beside: tool,
                  missing: `--${flag} names no Python that has it (bench/python/http-requirements.txt)`,
                }),
          };
        };
        return [line("", "s", "seconds"), line(", peak memory", "GiB", "peakMiB", 1024)];
      }),
    );
  },
};

/** The version of a package as that Python has it. */
function versionOf(python: string, flag: keyof typeof PEERS): string {
  const name = flag === "inspect" ? "inspect-ai" : "lm-eval";
  const script = `import importlib.metadata as m; print(m.version(${JSON.stringify(name)}))`;
  return execFileSync(python, ["-c", script], { encoding: "utf8" }).trim();
}
