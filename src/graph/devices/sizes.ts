import { type Dimension, factorsOf, type Shape } from "../shape.js";

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
export function fits(dimension: string, size: number, sizes: Sizes): boolean {
  const known = sizeIn(dimension, sizes);
  if (known !== undefined) return known === size;
  const { factor, names } = factorsOf(dimension);
  if (names.length === 1 && size % factor === 0) sizes.set(names[0]!, size / factor);
  return size % factor === 0;
}
