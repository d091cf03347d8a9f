import type { Command } from "commander";
import { UsageError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import type { EndpointFlags } from "./doctor-endpoint.js";
import type { MachineFlags } from "./doctor-machine.js";
import { numberOption } from "./numbers.js";

export function doctorCommand(command: Command): Command {
  return command
    .argument("[endpoint]", "a server instead of this machine: its base URL, such as http://localhost:1234/v1")
    .option("--model <model>", "as the server's list names it (default: the first)")
    .option(
      "--timeout <seconds>",
      "for each request",
      numberOption((value) => value > 0 && value <= 86_400, "seconds are above 0"),
      120,
    )
    .option("--offline", "without an endpoint: ask neither the hub nor anyone else over a network")
    .option("--json", "print what was found as JSON")
    .action(async (endpoint: string | undefined, flags: EndpointFlags & MachineFlags) => {
      if (endpoint === undefined) return (await import("./doctor-machine.js")).examineMachine(flags);
      if (flags.offline)
        throw new UsageError(`--offline asks nobody, and ${printableName(endpoint)} would be asked`, {
          hint: "Leave one of them out.",
        });
      const { examine } = await import("./doctor-endpoint.js");
      await examine(endpoint, flags);
    });
}
