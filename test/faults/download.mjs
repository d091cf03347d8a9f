/* Fetches a repository's files into the cache, in a process of its own: `node download.mjs org/name file…`. */
import { downloadFiles, hubSettings, resolveCommit } from "../../dist/data/index.js";

const [name, ...files] = process.argv.slice(2);
const settings = hubSettings({ environment: process.env });
try {
  const repository = { name, type: "model" };
  const commit = await resolveCommit(repository, "main", settings);
  process.stdout.write(`${(await downloadFiles(repository, commit, files, settings)).join("\n")}\n`);
} catch (error) {
  process.stderr.write(`${error.exitCode === undefined ? error.stack : `mmmlu: ${error.message}`}\n`);
  process.exitCode = 1;
}
