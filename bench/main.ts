/*
 * One table of what everything takes, here and in what a user would use instead.
 *
 *   npm run bench [-- PART… --python PYTHON --lm-eval PYTHON --inspect PYTHON --llama PYTHON --gguf FILE --rounds 1 --json]
 *
 * Both sides of a row run in one call, in turn, each in a process of its own, and a part fails where they did not do the
 * same. A row whose other side is not on this machine says what is missing. Parts are named in bench/parts/index.ts;
 * without any, all are measured, which takes hours: `train`, `qlora` and `answer` load models of their real size.
 */
import { parseArgs } from "node:util";
import { didYouMean } from "../src/base/nearest.js";
import { PARTS } from "./parts/index.js";
import { machine, NotGiven, type TableRow, written } from "./table.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    "lm-eval": { type: "string" },
    inspect: { type: "string" },
    llama: { type: "string" },
    gguf: { type: "string" },
    rounds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const known = Object.keys(PARTS);
for (const name of positionals)
  if (!known.includes(name)) {
    console.error(`There is no part ${name}${didYouMean(name, known) || "."}`);
    for (const [part, { about }] of Object.entries(PARTS)) console.error(`  ${part.padEnd(12)} ${about}`);
    process.exit(2);
  }
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is a whole number from 1, not ${values.rounds}`);
  process.exit(2);
}
const on = machine();
const rows: TableRow[] = [];
const failed: string[] = [];
const skipped: string[] = [];
for (const name of positionals.length ? positionals : known) {
  console.error(`${name}: ${PARTS[name]!.about}`);
  try {
    const found = await PARTS[name]!.rows({ ...values, rounds });
    rows.push(...found);
    // Of hours nothing is lost where a later part is stopped.
    console.error(`\n${written(found)}\n`);
  } catch (error) {
    const line = `${name}: ${error instanceof Error ? error.message : String(error)}`;
    // Whoever names a part wants it; of all parts one may be left out.
    (error instanceof NotGiven && !positionals.includes(name) ? skipped : failed).push(line);
    console.error(line);
  }
}
if (values.json) console.log(JSON.stringify({ machine: on, rounds, rows, failed, skipped }));
else {
  console.log(`\n${on}; ${rounds} ${rounds === 1 ? "round" : "rounds"}\n`);
  if (rows.length) console.log(written(rows));
  for (const line of skipped) console.log(`not run: ${line}`);
  for (const line of failed) console.log(`failed: ${line}`);
}
if (failed.length) process.exitCode = 1;
