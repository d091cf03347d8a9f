import { messageOf } from "../../base/errors.js";
import { GraphBuilder, mul, openDevice } from "../../graph/index.js";
import type { Check, Finding } from "./check.js";

/** The native packages, each by something that it does. */
const PACKAGES: Readonly<Record<string, { neededFor: string; does(): Promise<void> }>> = {
  "onnxruntime-node": {
    neededFor: "fine-tuning, local models, serve",
    async does() {
      const device = await openDevice("cpu", { threads: 1 });
      const graph = new GraphBuilder("doctor");
      graph.output("y", mul(graph.input("x", "float32", [1]), 2));
      const program = await device.compile(graph);
      const { y } = await program.run({ x: device.array(Float32Array.of(21), [1]) });
      const answer = Number(y && (await device.read(y))[0]);
      await program.dispose();
      await device.close();
      if (answer !== 42) throw new Error(`it makes ${answer} of 2 · 21`);
    },
  },
  tokenizers: {
    neededFor: "every experiment",
    async does() {
      await import("tokenizers");
    },
  },
  "@duckdb/node-api": {
    neededFor: "Parquet files",
    async does() {
      await import("@duckdb/node-api");
    },
  },
};

export const runtime: Check = {
  name: "native packages",
  look: () =>
    Promise.all(
      Object.entries(PACKAGES).map(async ([name, { neededFor, does }]): Promise<Finding> => {
        try {
          await does();
          return { name, state: "ok", what: "loads" };
        } catch (error) {
          const what = messageOf(error).split("\n")[0] as string;
          const mend = "npm ci (or npm install, in a project of your own), with this Node and on this platform";
          return { name, state: "broken", what, neededFor, mend };
        }
      }),
    ),
};
