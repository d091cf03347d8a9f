import type { Command } from "commander";
import { UsageError } from "../base/errors.js";
import type { EndpointFlags } from "./doctor-endpoint.js";
import { numberOption } from "./numbers.js";

export function doctorCommand(command: Command): Command {
  return command
    .argument("[endpoint]", "an OpenAI-compatible server's base URL, such as http://localhost:1234/v1")
    .option("--model <model>", "as the server's list names it (default: the first)")
    .option(
      "--timeout <seconds>",
      "for each request",
      numberOption((value) => value > 0 && value <= 86_400, "seconds are above 0"),
      120,
    )
    .option("--json", "print what was found as JSON")
    .action(async (endpoint: string | undefined, flags: EndpointFlags) => {
      if (endpoint === undefined)
        throw new UsageError("mmmlu doctor needs the address of a server", {
          hint: "Such as mmmlu doctor http://localhost:1234/v1.",
        });
      const { examine } = await import("./doctor-endpoint.js");
      await examine(endpoint, flags);
    });
}
