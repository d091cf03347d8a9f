import * as block8 from "../block8/index.js";
import * as bnb4 from "../bnb4/index.js";
import type { Value } from "../builder.js";
import * as nn from "../nn/index.js";
import { type Case, type Cases, isOperation, type Operation, type Sample } from "../operation.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import * as ops from "../ops/index.js";
import { recompute } from "../recompute.js";
import { samples, uniform } from "./samples.js";

/** An operation by the name that it is exported under. */
export interface NamedOperation {
  readonly name: string;
  readonly operation: Operation<unknown[], unknown>;
}

const operationsIn = (module: object): NamedOperation[] =>
  Object.entries(module)
    .flatMap(([name, operation]) => (isOperation(operation) ? [{ name, operation }] : []))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Every operation and composed function of the engine and of its add-ons. */
export const operations: readonly NamedOperation[] = [ops, nn, bnb4, block8].flatMap(operationsIn);

/** Pieces of graph within pieces of graph. */
const nested: Cases = ({ normal }) => ({
  "a region in a region": {
    samples: { x: normal(3, 4), w: normal(4, 4) },
    build: ({ x, w }) => recompute([x!, w!], ([x, w]) => [nn.geluTanh(ops.matmul(x!, w!)), ops.tanh(x!)]),
  },
  "a block computed again, twice": {
    samples: { x: normal(3, 4), v: normal(4, 4), w: normal(4, 4) },
    build: ({ x, v, w }) => {
      const block = ([x, w]: readonly Value[]): Value[] => [add(x!, ops.tanh(ops.matmul(x!, w!)))];
      return recompute([...recompute([x!, v!], block), w!], block);
    },
  },
  "maximum and minimum of equal elements": {
    samples: { x: { ...normal(3, 4), checked: true }, y: normal(3, 4) },
    build: ({ x, y }) => sub(mul(ops.maximum(x!, x!), 2), ops.minimum(y!, y!)),
  },
});

export const random = uniform(20260101);
const make = samples(random);

/** The cases of each operation by its name, and those of several together. */
export const casesOf: ReadonlyMap<string, Readonly<Record<string, Case>>> = new Map([
  ...operations.map(({ name, operation }) => [name, operation.definition.cases?.(make) ?? {}] as const),
  ["nested", nested(make)],
]);

/** All cases: what the gradient rules and the devices are tested with. */
export const cases: Readonly<Record<string, Case>> = Object.assign({}, ...casesOf.values());

/** The samples with float32 in place of float64. */
export function inFloat32(samples: Readonly<Record<string, Sample>>): Record<string, Sample> {
  return Object.fromEntries(
    Object.entries(samples).map(([name, sample]) => [
      name,
      (sample.type ?? "float64") === "float64" ? { ...sample, type: "float32" as const } : sample,
    ]),
  );
}
