import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openDevice } from "./index.js";
import { pageCells, supportPage, typesOn } from "./testing/support-table.js";

it("docs/operations.md lists every operation, with its gradient and the types in which it runs on the CPU", async () => {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const device = await openDevice("cpu", { threads: 1 });
  const cpu = await typesOn(device);
  await device.close();
  // What another device does is measured by a test of its own.
  const webgpu = new Map([...pageCells(page)].map(([name, cells]) => [name, cells.webgpu]));
  expect(page).toBe(supportPage(cpu, webgpu));
});
