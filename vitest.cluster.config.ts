import { defineConfig } from "vitest/config";

/** `npm run test:cluster`: the training engines for real, on a Python that it makes; see test/cluster/environment.ts. */
export default defineConfig({
  test: {
    include: ["test/cluster/**/*.cluster.ts"],
    setupFiles: ["test/environment.ts"],
    globalSetup: ["test/cluster/environment.ts"],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
