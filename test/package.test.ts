import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Locked {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * A registry that lacks other platforms' packages makes a lock file without them, which `npm ci` then refuses
 * everywhere.
 */
it("the lock file names the packages of every platform", () => {
  const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const wanted = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ at, name })),
  );
  expect(wanted.length).toBeGreaterThan(10);
  expect(
    wanted.filter(({ at, name }) => !packages[`node_modules/${name}`] && !packages[`${at}/node_modules/${name}`]),
  ).toEqual([]);
});

/** Nothing here needs an install script: every binary is a package. onnxruntime-node's would fetch files for CUDA. */
it("the lock file lets no dependency run an install script", () => {
  const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
  expect(Object.keys(packages).filter((at) => packages[at].hasInstallScript && at !== "")).toEqual([]);
});
