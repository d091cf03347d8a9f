import type { Device } from "../device.js";
import type { Case } from "../operation.js";
import { isDifferentiable } from "../operation.js";
import type { Agreement } from "./agreement.js";
import { casesOf, inFloat32, type NamedOperation, operations } from "./cases.js";
import { compileCase } from "./run-case.js";

/** What a device does with an operation, as the table's cell says it. */
export type Cells = ReadonlyMap<string, string>;

/** The largest error at which a device agrees with the CPU; WGSL promises sine and cosine only to 2⁻¹¹. */
export const tolerance = (name: string): number => (name === "sin" || name === "cos" ? 1e-3 : 1e-4);

/** The element types in which every case of an operation, gradient included, compiles on the device. */
export async function typesOn(device: Device): Promise<Cells> {
  const cells = new Map<string, string>();
  for (const { name } of operations) {
    const own = Object.values(casesOf.get(name)!);
    if (own.length === 0) continue;
    const types = [];
    if (await allCompile(device, own.map(toFloat32))) types.push(typesIn(own));
    if (hasFloats(own) && (await allCompile(device, own))) types.push("float64");
    cells.set(name, types.join(", ") || "no");
  }
  return cells;
}

/** Whether some case takes floating elements of either width. */
const hasFloats = (cases: readonly Case[]): boolean =>
  cases.some(({ samples }) => Object.values(samples).some(({ type = "float64" }) => type === "float64"));

/** The element types of an operation's cases as a GPU runs them. */
function typesIn(cases: readonly Case[]): string {
  if (hasFloats(cases)) return "float32";
  return [...new Set(cases.flatMap(({ samples }) => Object.values(samples).map(({ type }) => type!)))].join(", ");
}

const toFloat32 = (one: Case): Case => ({ ...one, samples: inFloat32(one.samples) });

async function allCompile(device: Device, cases: readonly Case[]): Promise<boolean> {
  for (const one of cases) {
    try {
      const { program } = await compileCase(device, one);
      await program.dispose();
    } catch {
      return false;
    }
  }
  return true;
}

/** The same of a device whose agreement with the CPU was measured: the type, and what was left to the CPU. */
export function agreementCells(results: readonly Agreement[]): Cells {
  const byCase = new Map(results.map((result) => [result.name, result]));
  const cells = new Map<string, string>();
  for (const { name } of operations) {
    const own = Object.keys(casesOf.get(name)!).map((each) => ({ each, result: byCase.get(each) }));
    if (own.length === 0) continue;
    const agree = own.every(({ each, result }) => (result?.error ?? Infinity) <= tolerance(each));
    const types = typesIn(Object.values(casesOf.get(name)!));
    const onCpu = [...new Set(own.flatMap(({ result }) => result?.onCpu ?? []))].sort();
    cells.set(name, agree ? `${types}${onCpu.length > 0 ? `; ${onCpu.join(", ")} on the CPU` : ""}` : "no");
  }
  return cells;
}

function gradientOf({ operation: { definition } }: NamedOperation, cases: readonly Case[]): string {
  if (definition.composed) return cases.some(({ gradient }) => gradient !== false) ? "yes" : "";
  return isDifferentiable(definition) ? "yes" : "";
}

/** The page of operations and devices. */
export function supportPage(cpu: Cells, webgpu: Cells): string {
  const rows = operations
    .filter(({ name }) => cpu.has(name))
    .map((one) => {
      const { name, operation } = one;
      const { definition } = operation;
      const operator = definition.composed ? "composed" : definition.name;
      const gradient = gradientOf(one, Object.values(casesOf.get(name)!));
      return [`\`${name}\``, operator, gradient, cpu.get(name)!, webgpu.get(name) ?? ""];
    });
  return `# Operations and devices

Made by \`npm run operations\`, from runs of every operation's cases with their gradients; the tests hold the page to
what they see. \`cpu\`: the element types in which all cases compile. \`webgpu\`: all cases agree with the CPU to 10⁻⁴
(sine and cosine to 10⁻³), and which operators the runtime left to the CPU there, other than whole-number work on
shapes. \`cuda\` has met no card.

${table([["function", "ONNX operator", "gradient", "cpu", "webgpu"], ...rows])}
`;
}

/** Rows as a Markdown table with aligned columns. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}

/** The cells of a page that `supportPage` made, by function. */
export function pageCells(page: string): ReadonlyMap<string, { readonly cpu: string; readonly webgpu: string }> {
  const lines = page.matchAll(/^\| `(\w+)` *\|[^|]*\|[^|]*\| ([^|]*?) *\| ([^|]*?) *\|$/gm);
  return new Map([...lines].map(([, name, cpu, webgpu]) => [name!, { cpu: cpu!, webgpu: webgpu! }]));
}
