import { messageOf, UserError } from "../../base/errors.js";
import { cache } from "./cache.js";
import type { Check, CheckContext, Finding } from "./check.js";
import { devices } from "./devices.js";
import { disk } from "./disk.js";
import { endpoint } from "./endpoint.js";
import { hub } from "./hub.js";
import { memory } from "./memory.js";
import { node } from "./node.js";
import { python } from "./python.js";
import { runtime } from "./runtime.js";
import { wandb } from "./wandb.js";

/** What is looked at, in the order in which it is told. */
export const checks: readonly Check[] = [node, runtime, devices, memory, disk, cache, hub, endpoint, wandb, python];

/** Looks at everything, one after the other; a check that throws has found what is the matter. */
export async function examine(context: CheckContext, told: (finding: Finding) => void = () => {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const found = await check.look(context).catch((error: unknown): Finding[] => [
      {
        name: check.name,
        state: "broken",
        what: messageOf(error),
        mend: error instanceof UserError ? error.hint : undefined,
      },
    ]);
    findings.push(...found);
    found.forEach(told);
  }
  return findings;
}
