import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the example in examples/train-a-small-network.ts learns what it says", () => {
  const script = fileURLToPath(new URL("../../examples/train-a-small-network.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const losses = [...output.matchAll(/loss (\d\.\d+)/g)].map((match) => Number(match[1]));
  expect(losses).toHaveLength(5);
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  expect(Number(/accuracy on 1000 new points: (\d\.\d+)/.exec(output)?.[1])).toBeGreaterThan(0.98);
});
