/*
 * npm runs this before the install scripts of dependencies. On Linux x64 onnxruntime-node's fetches files for CUDA from
 * a host outside the npm registry, and the whole install ends with its stack trace where that host is closed: what to
 * do is said here first. Anything that is not understood is left to that script. In a checkout nothing is looked at:
 * there the lock file lets no dependency run an install script.
 */
import { existsSync } from "node:fs";
import { request } from "node:https";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const { env } = process;
const decided = ["ONNXRUNTIME_NODE_INSTALL", "ONNXRUNTIME_NODE_INSTALL_CUDA"].some(
  (name) => env[name] || env[`npm_config_${name.toLowerCase()}`],
);
const isDependency = dirname(fileURLToPath(import.meta.url))
  .split(sep)
  .includes("node_modules");
const feed =
  !isDependency || decided || env.GLOBAL_AGENT_HTTPS_PROXY || env.GLOBAL_AGENT_HTTP_PROXY ? undefined : feedOfCuda();
const why = feed && (await whyClosed(feed));
// npm tells of a tarball as the user named it.
const named = env.npm_package_resolved?.startsWith("file:") ? env.npm_package_resolved.slice(5) : "mmmlu-lab";
if (why) {
  process.stderr.write(
    `mmmlu-lab: onnxruntime-node's install script fetches CUDA's files from ${new URL(feed).host}, which cannot be
reached from here (${why}). Only --device cuda needs them. Install without:

    ONNXRUNTIME_NODE_INSTALL=skip npm install ${named}

or, for good, write ignore-scripts=true into the project's .npmrc: nothing of mmmlu-lab needs an install script.
`,
  );
  process.exitCode = 1;
}

/** The address that onnxruntime-node will ask; undefined where it will ask nobody. */
function feedOfCuda() {
  try {
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve("onnxruntime-node/package.json"));
    const { requirements, manifests, feeds } = require(join(folder, "script/install-metadata.js"));
    const platform = `${process.platform}/${process.arch}`;
    const missing = (requirements[platform] ?? [])
      .flatMap((name) => Object.keys(manifests[`${platform}:${name}`]))
      .some((file) => !existsSync(join(folder, "bin/napi-v6", platform, file)));
    return missing ? feeds.nuget.index : undefined;
  } catch {
    return undefined;
  }
}

/** Why an address cannot be reached; undefined where it can. */
function whyClosed(address) {
  return new Promise((resolve) => {
    const asked = request(address, { method: "HEAD", timeout: 10_000 }, (reply) => {
      reply.resume();
      resolve(undefined);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
    asked.on("error", (error) => resolve(error.message || error.code));
    asked.end();
  });
}
