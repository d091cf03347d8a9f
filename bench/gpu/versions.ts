import { readFileSync } from "node:fs";

const packageOf = (path: string): { version: string } =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version: string };

/** What a figure depends on besides the card and its driver. */
export const versions = (): Readonly<Record<string, string>> => ({
  "mmmlu-lab": packageOf("../../package.json").version,
  "onnxruntime-node": packageOf("../../node_modules/onnxruntime-node/package.json").version,
  node: process.version,
});
