import { examineEndpoint, type Finding } from "../answer/index.js";
import { progressOn } from "../base/progress.js";
import { print } from "./print.js";

export interface EndpointFlags {
  readonly model?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

const MARKS: Readonly<Record<Finding["verdict"], string>> = { good: "ok", note: "note", bad: "BAD", unknown: "?" };

/** What `mmmlu doctor ENDPOINT` does: says what a server really does, before it is measured by. Exit code 1 where something is bad. */
export async function examine(endpoint: string, flags: EndpointFlags): Promise<void> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  try {
    const found = await examineEndpoint(endpoint, {
      model: flags.model,
      timeoutSeconds: flags.timeout,
      progress: progressOn(),
      signal: abort.signal,
    });
    if (found.findings.some(({ verdict }) => verdict === "bad")) process.exitCode = 1;
    if (flags.json) {
      process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
      return;
    }
    print(`${found.model} on ${found.endpoint}`);
    const width = Math.max(...found.findings.map(({ about }) => about.length));
    for (const { about, verdict, said, hint } of found.findings) {
      print(`${MARKS[verdict].padEnd(4)}  ${about.padEnd(width)}  ${said}`);
      if (hint && verdict !== "good") print(`${" ".repeat(width + 8)}${hint}`);
    }
  } finally {
    process.off("SIGINT", interrupt);
  }
}
