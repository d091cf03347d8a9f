import { canonicalJson } from "../../base/canonical.js";
import { presets } from "../presets/index.js";
import { asJsonSchema, type JsonSchema } from "./json-schema.js";
import { type ConfigurationKey, keysOf, objectOf } from "./key.js";
import { RENAMED } from "./renames.js";
import { type ExperimentConfiguration, type ExperimentKind, schemas } from "./schema.js";

const BEGIN = "<!-- Made by npm run docs:configuration from here on. -->";

/** The page of the configuration with its tables made anew; what stands before them is written by hand and stays. */
export function configurationPage(page: string): string {
  const at = page.indexOf(BEGIN);
  const prose = (at < 0 ? page : page.slice(0, at)).trimEnd();
  return `${[prose, BEGIN, tables()].join("\n\n")}\n`;
}

function tables(): string {
  const kinds = Object.keys(schemas) as ExperimentKind[];
  const all = Object.fromEntries(kinds.map((kind) => [kind, keysOf(schemas[kind])])) as Record<
    ExperimentKind,
    ConfigurationKey[]
  >;
  const [first, ...others] = kinds;
  const shared = all[first!].filter(({ path, schema }) =>
    others.every((kind) => all[kind].some((one) => one.path === path && one.schema === schema)),
  );
  const sharedPaths = new Set(shared.map(({ path }) => path));
  return [
    "## Every key",
    "Values are those of the presets; where a run is published, as it was published. A key with ○ changes no " +
      "number: runs that differ in it alone are the same run. " +
      "All other keys decide which run it is, so that a folder goes on only with what it began with.",
    "### Every experiment",
    table(shared, presets),
    ...kinds.flatMap((kind) => [
      `### \`kind: "${kind}"\``,
      table(
        all[kind].filter(({ path }) => !sharedPaths.has(path)),
        presets.filter((preset) => preset.kind === kind),
      ),
    ]),
    "## Names of version 0.1",
    "Still read, with a hint that names the new one:",
    Object.entries(RENAMED)
      .map(([old, since]) => `\`${old}\` → \`${since}\``)
      .join(", "),
  ].join("\n\n");
}

function table(keys: readonly ConfigurationKey[], of: readonly ExperimentConfiguration[]): string {
  const rows = keys.map(({ path, schema, facts }) => [
    `\`${path}\`${facts.identity === false ? " ○" : ""}`,
    facts.sentence,
    objectOf(schema) ? (schema.safeParse(null).success ? "or null" : "") : valuesOf(asJsonSchema(schema)),
    ...(objectOf(schema) ? of.map(() => "") : published(of.map((preset) => valueAt(preset, path)))),
  ]);
  const head = ["key", "", "values", ...of.map(({ name }) => name)];
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => lengthOf(row[column]!))));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell + " ".repeat(widths[column]! - lengthOf(cell))).join(" | ")} |`;
  const [top, ...body] = cells.map(line);
  return [top, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

const lengthOf = (text: string): number => [...text].length;

const published = (values: readonly unknown[]): string[] =>
  values.map((value) => (value === undefined ? "" : `\`${short(canonicalJson(value))}\``));

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

const valueAt = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);

/** The values that a key takes, in words. */
function valuesOf(schema: JsonSchema): string {
  const options = schema.anyOf as JsonSchema[] | undefined;
  if (Array.isArray(schema.type)) return schema.type.map((type) => valuesOf({ ...schema, type })).join(" or ");
  if (options) return options.map(valuesOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.type === "array") return listOf(schema);
  if (schema.type === "integer" || schema.type === "number") return numbersOf(schema);
  return { string: "text", boolean: "`true`, `false`", null: "null", object: "an object" }[schema.type as string] ?? "";
}

function listOf(schema: JsonSchema): string {
  const fixed = schema.prefixItems as JsonSchema[] | undefined;
  return fixed ? `[${fixed.map(valuesOf).join(", ")}]` : `list of ${valuesOf(schema.items as JsonSchema)}`;
}

function numbersOf({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const largest = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  const bounds = [
    ...(minimum !== undefined ? [`from ${minimum}`] : []),
    ...(exclusiveMinimum !== undefined ? [`above ${exclusiveMinimum}`] : []),
    ...(largest !== undefined ? [`to ${largest}`] : []),
    ...(exclusiveMaximum !== undefined ? [`below ${exclusiveMaximum}`] : []),
  ];
  return [type === "integer" ? "whole number" : "number", ...bounds].join(" ");
}
