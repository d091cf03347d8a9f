import { expect, it } from "vitest";
import { textTable } from "./text-table.js";

const columns = [{ head: "run" }, { head: "accuracy", right: true }];

it("aligns, and cuts the first column alone where a terminal is narrow", () => {
  const rows = [
    ["a", "5.0 %"],
    ["a name that is rather long", "100.0 %"],
  ];
  expect(textTable(columns, rows)).toEqual([
    "run                         accuracy",
    "a                              5.0 %",
    "a name that is rather long   100.0 %",
  ]);
  expect(textTable(columns, rows, 24)).toEqual([
    "run             accuracy",
    "a                  5.0 %",
    "a name that i…   100.0 %",
  ]);
  for (const line of textTable(columns, rows, 1)) expect(line.length).toBeLessThanOrEqual(18);
});

it("has a heading where it has no rows", () => {
  expect(textTable(columns, [])).toEqual(["run       accuracy"]);
});
