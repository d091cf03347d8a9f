import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { LineReader } from "./line-reader.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-lines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Below = (bound: number) => number;

/** The same numbers each time, below `bound`. */
function drawn(seed: number): Below {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % bound;
  };
}

describe("LineReader", () => {
  const bytes = Buffer.from(Uint32Array.from({ length: 1_200_000 }, (_, at) => Math.imul(at, 2654435761)).buffer);
  const path = join(folder, "log");
  writeFileSync(path, bytes);

  it.each([
    ["one after another", (_below: Below, at: number) => at * 997],
    ["some way out of order", (below: Below, at: number) => Math.max(0, at * 997 + below(600_000) - 300_000)],
    ["anywhere", (below: Below) => below(bytes.length)],
  ])("gives what lies there, asked for %s", (_name, place) => {
    const below = drawn(7);
    const reader = new LineReader(path);
    const wrong: number[] = [];
    for (let at = 0; at < 5000; at++) {
      const [offset, length] = [place(below, at) % bytes.length, below(10) === 0 ? 300_000 : below(2000)];
      if (!reader.at(offset, length).equals(bytes.subarray(offset, offset + length))) wrong.push(offset);
    }
    reader.close();
    expect(wrong).toEqual([]);
  });
});
