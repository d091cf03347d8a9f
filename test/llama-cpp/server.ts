import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A llama.cpp server that is running. */
export interface LlamaCppServer {
  /** Its address for clients of OpenAI's API. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves a GGUF file by the real llama.cpp.
 * @param python that has xllamacpp
 * @param name as it calls the model
 */
export async function serveByLlamaCpp(
  python: string,
  gguf: string,
  name: string,
  threads = 1,
): Promise<LlamaCppServer> {
  const script = fileURLToPath(new URL("serve.py", import.meta.url));
  const child = spawn(python, [script, gguf, name, String(threads)], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const address = await Promise.race([
    new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve)),
    ended.then(() => Promise.reject(new Error(`${script} ended before it served ${gguf}`))),
  ]);
  return {
    url: `${address}/v1/`,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
