import { messageOf } from "../base/errors.js";
import { type DeviceName, openDevice } from "../graph/index.js";

/** Opens the device that is named, in a process of its own, and tells as JSON why it does not open: see `problemOf`. */
const [name = ""] = process.argv.slice(2);
let problem = {};
try {
  await (await openDevice(name as DeviceName)).close();
} catch (error) {
  const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
  problem = { message: messageOf(error), hint };
}
process.stdout.write(`\n${JSON.stringify(problem)}`, () => process.exit());
