import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What the runtime's profile says of a node that ran. */
export interface ProfiledNode {
  readonly op: string;
  /** The execution provider that ran it, such as `WebGpuExecutionProvider`. */
  readonly provider: string;
  /** Element types of its outputs, in ONNX's words (`float`, `int64`). */
  readonly outputs: readonly string[];
}

/** The nodes of all profiles in a folder, which are removed. */
export function readProfile(folder: string): ProfiledNode[] {
  return readdirSync(folder).flatMap((file) => {
    const path = join(folder, file);
    const events = JSON.parse(readFileSync(path, "utf8")) as readonly {
      readonly cat: string;
      readonly name: string;
      readonly args?: Readonly<Record<string, unknown>>;
    }[];
    rmSync(path);
    return events
      .filter(({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"))
      .map(({ args }) => ({
        op: String(args!["op_name"]),
        provider: String(args!["provider"]),
        outputs: ((args!["output_type_shape"] ?? []) as readonly object[]).flatMap(Object.keys),
      }));
  });
}

/** Operators that the CPU ran for another device, but whole-number work on shapes; in order, each once. */
export function leftToCpu(nodes: readonly ProfiledNode[]): string[] {
  const strays = nodes.filter(
    ({ provider, outputs }) => provider === "CPUExecutionProvider" && outputs.some((type) => type !== "int64"),
  );
  return [...new Set(strays.map(({ op }) => op))].sort();
}

/** {@link leftToCpu}, and copies between the machine's memory and the device's within a run, but of whole numbers. */
export function strays(nodes: readonly ProfiledNode[]): string[] {
  const copies = nodes.filter(({ op, outputs }) => op.startsWith("Memcpy") && outputs.some((type) => type !== "int64"));
  return [...leftToCpu(nodes), ...new Set(copies.map(({ op }) => op))];
}
