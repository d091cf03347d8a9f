import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/**
 * Starts a worker thread on a module of this package, named as it is imported (`new URL("./x.js", import.meta.url)`).
 * Where the package runs from its TypeScript sources (its own tests, the notebooks), the source beside it is loaded.
 */
export function startWorker(module: URL, workerData: unknown, transfer: ArrayBuffer[] = []): Worker {
  if (existsSync(fileURLToPath(module))) return new Worker(module, { workerData, transferList: transfer });
  const source = module.href.replace(/\.js$/, ".ts");
  // Node 20 has no loader for TypeScript in a worker, and passes `--import tsx` on to none.
  const code =
    `import("tsx/esm/api").then(({ tsImport }) => tsImport(${JSON.stringify(source)}, ` +
    `${JSON.stringify(import.meta.url)})).catch((error) => { throw error; })`;
  return new Worker(code, { eval: true, workerData, transferList: transfer });
}
