import { expect, it } from "vitest";
import { collect } from "./options.js";
import { program } from "./program.js";

it.each([40, 60, 200])("help fits a terminal of %i columns", async (columns) => {
  const root = await program([]);
  const [command] = root.commands;
  command!.option("--subject <name>", "only rows of this subject; may be given several times", collect, []);
  for (const one of [root, command!]) {
    one.configureOutput({ getOutHelpWidth: () => columns });
    const help = one.helpInformation();
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(help).not.toContain("(default:");
  }
});
