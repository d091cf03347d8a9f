import { GraphError } from "./errors.js";

/**
 * A dimension: a number, or a name for one known only when the graph runs. Products of names are written
 * `8*B*T` (names sorted, the number first), so that equal products are equal strings.
 */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

interface Product {
  readonly factor: number;
  readonly names: readonly string[];
}

function parse(dimension: Dimension): Product {
  if (typeof dimension === "number") return { factor: dimension, names: [] };
  let factor = 1;
  const names: string[] = [];
  for (const part of dimension.split("*")) {
    if (/^\d+$/.test(part)) factor *= Number(part);
    else names.push(part);
  }
  return { factor, names: names.sort() };
}

function format({ factor, names }: Product): Dimension {
  if (names.length === 0 || factor === 0) return factor;
  return factor === 1 ? names.join("*") : `${factor}*${names.join("*")}`;
}

/** The names in a dimension, each as often as it occurs, and its numeric factor. */
export function factorsOf(dimension: Dimension): Product {
  return parse(dimension);
}

/** The product of dimensions: the number of elements of a shape. */
export function productOf(dimensions: Shape): Dimension {
  let factor = 1;
  const names: string[] = [];
  for (const dimension of dimensions) {
    const product = parse(dimension);
    factor *= product.factor;
    names.push(...product.names);
  }
  return format({ factor, names: names.sort() });
}

/** The number of elements of a shape whose dimensions are all known. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}

/** a / b where b divides a for every value of the names; undefined where it cannot be known to. */
export function quotientOf(a: Dimension, b: Dimension): Dimension | undefined {
  const top = parse(a);
  const bottom = parse(b);
  if (bottom.factor === 0 || top.factor % bottom.factor !== 0) return undefined;
  const names = [...top.names];
  for (const name of bottom.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  return format({ factor: top.factor / bottom.factor, names });
}

/** The canonical form of a dimension, so that equal dimensions are `===`. */
export function canonical(dimension: Dimension): Dimension {
  if (typeof dimension === "number") {
    if (!Number.isInteger(dimension) || dimension < 0) throw new GraphError(`${dimension} is no dimension`);
    return dimension;
  }
  if (dimension === "") throw new GraphError("A dimension's name is empty");
  return dimension.includes("*") ? format(parse(dimension)) : dimension;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The shape that two shapes broadcast to, or undefined. A name broadcasts with itself and with 1. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dimension[] = new Array<Dimension>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x === y || y === 1) out[rank - i] = x;
    else if (x === 1) out[rank - i] = y;
    else return undefined;
  }
  return out;
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number, what: string): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank)
    throw new GraphError(`${what}: axis ${axis} of a tensor of rank ${rank}`);
  return at;
}
