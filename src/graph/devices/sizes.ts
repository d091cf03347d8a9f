import type { Value } from "../builder.js";
import type { DeviceArray } from "../device.js";
import { GraphError } from "../errors.js";
import type { LoweredGraph } from "../lower.js";
import { type Dimension, factorsOf, type Shape, showShape } from "../shape.js";

/** How large each name of a dimension is in one run. */
export type Sizes = Map<string, number>;

/** The numbers of a shape; undefined where a name's size shows only when the graph has run. */
export function shapeIn(shape: Shape, sizes: Sizes): number[] | undefined {
  const numbers: number[] = [];
  for (const dimension of shape) {
    const size = sizeIn(dimension, sizes);
    if (size === undefined) return undefined;
    numbers.push(size);
  }
  return numbers;
}

function sizeIn(dimension: Dimension, sizes: Sizes): number | undefined {
  if (typeof dimension === "number") return dimension;
  const known = sizes.get(dimension);
  if (known !== undefined) return known;
  const { factor, names } = factorsOf(dimension);
  let product = factor;
  for (const name of names) {
    const size = sizes.get(name);
    if (size === undefined) return undefined;
    product *= size;
  }
  return product;
}

/** Whether a dimension may be of this size in a run; a name of its own that is new gets it. */
function fits(dimension: string, size: number, sizes: Sizes): boolean {
  const known = sizeIn(dimension, sizes);
  if (known !== undefined) return known === size;
  const { factor, names } = factorsOf(dimension);
  if (names.length === 1 && size % factor === 0) sizes.set(names[0]!, size / factor);
  return size % factor === 0;
}

/**
 * The sizes of names in a run of a program with these inputs.
 * @throws {GraphError} where an input is missing, unknown, or of another type or shape, or one name stands for two
 * sizes
 */
export function sizesOf(
  program: string,
  { inputs, declared }: LoweredGraph,
  given: Readonly<Record<string, DeviceArray>>,
): Sizes {
  const sizes: Sizes = new Map();
  let used = 0;
  for (const [name, value] of inputs) {
    const array = given[name];
    if (!array)
      throw new GraphError(`The program ${program} needs an input ${name}: ${value.type} ${showShape(value.shape)}`);
    used++;
    if (array.type !== value.type || array.shape.length !== value.shape.length) refuse(program, name, value, array);
    for (let axis = 0; axis < value.shape.length; axis++) {
      const dimension = value.shape[axis]!;
      const size = array.shape[axis]!;
      if (typeof dimension === "number" ? dimension !== size : !fits(dimension, size, sizes))
        refuse(program, name, value, array, sizes);
    }
  }
  const names = Object.keys(given);
  if (names.length !== used) {
    const unknown = names.find((name) => !declared.has(name));
    if (unknown)
      throw new GraphError(`The program ${program} has no input ${unknown}; it has ${[...declared].join(", ")}`);
  }
  return sizes;
}

function refuse(program: string, name: string, value: Value, array: DeviceArray, sizes: Sizes = new Map()): never {
  const known = [...sizes].filter(([symbol]) =>
    value.shape.some((d) => typeof d === "string" && factorsOf(d).names.includes(symbol)),
  );
  const where = known.length > 0 ? ` with ${known.map(([symbol, size]) => `${symbol} = ${size}`).join(", ")}` : "";
  throw new GraphError(
    `Input ${name} of the program ${program} is ${array.type} ${showShape(array.shape)}; it should be ` +
      `${value.type} ${showShape(value.shape)}${where}`,
  );
}
