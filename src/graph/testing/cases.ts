import * as g from "../index.js";
import type { Sample } from "./finite-differences.js";
import { samples as s, uniform } from "./samples.js";

type Inputs = Readonly<Record<string, g.Value>>;
/** A piece of graph with samples for its inputs. */
export interface Case {
  readonly samples: Readonly<Record<string, Sample>>;
  readonly build: (inputs: Inputs) => g.Value | readonly g.Value[];
  /** Checked in float32, where the runtime has no float64 kernel. */
  readonly float32?: boolean;
}

export const random = uniform(20260101);
const { normal, positive, away, integers, named } = s(random);

function unary(op: (x: g.Value) => g.Value, sample: Sample = normal(2, 3, 4), float32 = false): Case {
  return { samples: { x: sample }, build: ({ x }) => op(x!), float32 };
}

function binary(op: (a: g.Value, b: g.Value) => g.Value, a: Sample, b: Sample): Case {
  return { samples: { a, b }, build: ({ a, b }) => op(a!, b!) };
}

const broadcasts: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["equal shapes", [3, 4], [3, 4]],
  ["a row", [2, 3, 4], [4]],
  ["a column", [3, 4], [3, 1]],
  ["both stretched", [3, 1, 2], [4, 1]],
  ["a scalar", [2, 3], []],
  ["a leading one", [1, 3], [3]],
];

/** Every operation with a gradient, on small samples: what the gradient rules and the devices are tested with. */
export const cases: Record<string, Case> = {};
for (const [what, left, right] of broadcasts) {
  cases[`add, ${what}`] = binary(g.add, normal(...left), normal(...right));
  cases[`add, ${what}, swapped`] = binary(g.add, normal(...right), normal(...left));
  cases[`sub, ${what}`] = binary(g.sub, normal(...left), normal(...right));
  cases[`sub, ${what}, swapped`] = binary(g.sub, normal(...right), normal(...left));
  cases[`mul, ${what}`] = binary(g.mul, normal(...left), normal(...right));
  cases[`mul, ${what}, swapped`] = binary(g.mul, normal(...right), normal(...left));
  cases[`div, ${what}`] = binary(g.div, normal(...left), positive(...right));
  cases[`div, ${what}, swapped`] = binary(g.div, normal(...right), positive(...left));
  cases[`pow, ${what}`] = binary(g.pow, positive(...left), normal(...right));
  cases[`where, ${what}`] = {
    samples: { a: normal(...left), b: normal(...right), c: { ...normal(...right), checked: false } },
    build: ({ a, b, c }) => g.where(g.greater(g.stopGradient(c!), 0), a!, b!),
  };
  cases[`where, ${what}, swapped`] = {
    samples: { a: normal(...right), b: normal(...left), c: { ...normal(...left), checked: false } },
    build: ({ a, b, c }) => g.where(g.greater(c!, 0), a!, b!),
  };
}
Object.assign(cases, {
  neg: unary(g.neg),
  abs: unary(g.abs, away(0.1, 2, 5)),
  sqrt: unary(g.sqrt, positive(2, 3)),
  reciprocal: unary(g.reciprocal, positive(2, 3)),
  exp: unary(g.exp),
  log: unary(g.log, positive(7)),
  tanh: unary(g.tanh),
  erf: unary(g.erf, normal(2, 3), true),
  sigmoid: unary(g.sigmoid),
  sin: unary(g.sin),
  cos: unary(g.cos),
  relu: unary(g.relu, away(0.1, 3, 4)),
  square: unary(g.square),
  "pow of 2": unary((x) => g.pow(x, 2)),
  "pow of 3": unary((x) => g.pow(x, 3)),
  identity: unary(g.identity),
  "floor passes nothing on": unary((x) => g.add(g.floor(x), x), away(0.1, 5)),
  "a value used three times": unary((x) => g.mul(g.add(x, g.exp(x)), x)),
  "numbers as operands": unary((x) => g.sub(1, g.div(2, g.add(g.mul(x, 3), 20)))),
  matmul: binary(g.matmul, normal(3, 4), normal(4, 2)),
  "matmul, batched": binary(g.matmul, normal(2, 3, 4), normal(2, 4, 5)),
  "matmul, rows by a matrix": binary(g.matmul, normal(2, 3, 4), normal(4, 5)),
  "matmul, leading axes broadcast": binary(g.matmul, normal(2, 1, 3, 4), normal(3, 4, 2)),
  "matmul, one for all": binary(g.matmul, normal(3, 4), normal(2, 4, 2)),
  gemm: { samples: { a: normal(3, 4), b: normal(4, 2), c: normal(2) }, build: ({ a, b, c }) => g.gemm(a!, b!, c!) },
  "gemm, flags": {
    samples: { a: normal(4, 3), b: normal(2, 4), c: normal(3, 1) },
    build: ({ a, b, c }) => g.gemm(a!, b!, c!, { transA: true, transB: true, alpha: 0.5 }),
  },
  reshape: unary((x) => g.reshape(x, [6, -1])),
  "reshape, names": {
    samples: { x: named(normal(2, 3, 4), "B", "T", "") },
    build: ({ x }) => g.reshape(g.transpose(g.reshape(x!, ["B", "T", 2, 2]), [0, 2, 1, 3]), ["2*B", "T", 2]),
  },
  transpose: unary((x) => g.transpose(x, [2, 0, 1])),
  "transpose, last two": unary((x) => g.transpose(x)),
  expand: unary((x) => g.expand(x, [3, 2, 4]), normal(2, 1)),
  squeeze: unary((x) => g.squeeze(x, [1]), normal(2, 1, 3)),
  unsqueeze: unary((x) => g.unsqueeze(x, [0, 2]), normal(2, 3)),
  concat: {
    samples: { a: normal(2, 3), b: normal(2, 1), c: normal(2, 2) },
    build: ({ a, b, c }) => g.concat([a!, b!, c!], 1),
  },
  "concat, names": {
    samples: { a: named(normal(2, 3), "A"), b: named(normal(4, 3), "C") },
    build: ({ a, b }) => g.mul(g.concat([a!, b!], 0), 2),
  },
  split: unary((x) => g.split(x, 2, [1, 3]) as never, normal(2, 3, 4)),
  "split, a piece unused": unary((x) => g.split(x, 0, [1, 2, 1])[1]!, normal(4, 2)),
  slice: unary((x) => g.slice(x, 1, 1, 3), normal(2, 4)),
  "slice, from the end": unary((x) => g.slice(x, 1, -3, -1), normal(2, 4)),
  "slice, a name": {
    samples: { x: named(normal(5, 2), "T") },
    build: ({ x }) =>
      g.concat(
        [g.slice(x!, 0, 1), g.slice(x!, 0, 0, -1), g.slice(x!, 0, -2), g.slice(x!, 0, 1, 3), g.slice(x!, 0, -3, -1)],
        0,
      ),
  },
  softmax: unary((x) => g.softmax(x)),
  "softmax, another axis": unary((x) => g.softmax(x, 1)),
  logSoftmax: unary((x) => g.logSoftmax(x)),
  "logSoftmax, summed": unary((x) => g.reduceSum(g.logSoftmax(x))),
  "softmax, summed": unary((x) => g.reduceSum(g.softmax(x, 0), [0])),
  gather: { samples: { x: normal(5, 3), i: integers(5, 2, 4) }, build: ({ x, i }) => g.gather(x!, i!) },
  "gather, int32": {
    samples: { x: normal(5, 3), i: { ...integers(5, 6), type: "int32" } },
    build: ({ x, i }) => g.gather(x!, i!),
  },
  "gather, an inner axis": {
    samples: { x: normal(2, 5, 3), i: integers(5, 2, 2) },
    build: ({ x, i }) => g.gather(x!, i!, 1),
  },
  "gather, the last axis": {
    samples: { x: normal(2, 5), i: integers(5, 7) },
    build: ({ x, i }) => g.gather(x!, i!, -1),
  },
  gatherElements: {
    samples: { x: normal(3, 5), i: integers(5, 3, 2) },
    build: ({ x, i }) => g.gatherElements(x!, i!, 1),
  },
  scatterAddElements: {
    samples: { x: normal(3, 5), i: integers(5, 3, 7), u: normal(3, 7) },
    build: ({ x, i, u }) => g.scatterAddElements(x!, i!, u!, 1),
  },
  scatterAddRows: {
    samples: { x: normal(4, 2), i: integers(4, 3, 2), u: normal(3, 2, 2) },
    build: ({ x, i, u }) => g.scatterAddRows(x!, i!, u!),
  },
} satisfies Record<string, Case>);
Object.assign(cases, {
  rmsNorm: { samples: { x: normal(2, 3, 5), w: normal(5) }, build: ({ x, w }) => g.rmsNorm(x!, w!, 1e-6) },
  geluTanh: unary(g.geluTanh),
  geluErf: unary(g.geluErf, normal(2, 3), true),
  silu: unary(g.silu),
  softcap: unary((x) => g.softcap(g.mul(x, 40), 30)),
  crossEntropy: { samples: { x: normal(4, 6), t: integers(6, 4) }, build: ({ x, t }) => g.crossEntropy(x!, t!) },
  "crossEntropy, summed": {
    samples: { x: named(normal(4, 6), "N"), t: named(integers(6, 4), "N") },
    build: ({ x, t }) => g.reduceSum(g.crossEntropy(g.mul(x!, 30), t!)),
  },
  "a region in a region": {
    samples: { x: normal(3, 4), w: normal(4, 4) },
    build: ({ x, w }) => g.recompute([x!, w!], ([x, w]) => [g.geluTanh(g.matmul(x!, w!)), g.tanh(x!)]),
  },
  "a block computed again, twice": {
    samples: { x: normal(3, 4), v: normal(4, 4), w: normal(4, 4) },
    build: ({ x, v, w }) => {
      const block = ([x, w]: readonly g.Value[]): g.Value[] => [g.add(x!, g.tanh(g.matmul(x!, w!)))];
      return g.recompute([...g.recompute([x!, v!], block), w!], block);
    },
  },
} satisfies Record<string, Case>);
for (const [transA, transB] of [
  [true, false],
  [false, true],
  [true, true],
] as const) {
  const flags = `${transA ? " transA" : ""}${transB ? " transB" : ""}`;
  const shapes = (lead: readonly number[]): [Sample, Sample] => [
    normal(...lead, ...(transA ? [4, 3] : [3, 4])),
    normal(...lead, ...(transB ? [5, 4] : [4, 5])),
  ];
  cases[`matmul${flags}`] = binary((a, b) => g.matmul(a, b, { transA, transB, alpha: 0.3 }), ...shapes([]));
  cases[`matmul${flags}, batched`] = binary((a, b) => g.matmul(a, b, { transA, transB }), ...shapes([2]));
  cases[`matmul${flags}, stacked by a matrix`] = binary(
    (a, b) => g.matmul(a, b, { transA, transB, alpha: 2 }),
    shapes([2])[0],
    shapes([])[1],
  );
}
for (const [op, reduce] of [
  ["sum", g.reduceSum],
  ["mean", g.reduceMean],
  ["max", g.reduceMax],
] as const) {
  cases[`reduce ${op}`] = unary((x) => reduce(x, [1]));
  cases[`reduce ${op}, axes kept`] = unary((x) => reduce(x, [0, 2], { keepAxes: true }));
  cases[`reduce ${op}, all`] = unary((x) => reduce(x));
  cases[`reduce ${op}, then used`] = unary((x) =>
    g.matmul(g.mul(x, reduce(x, [-1], { keepAxes: true })), g.transpose(x)),
  );
  cases[`reduce ${op}, a name`] = {
    samples: { x: named(normal(3, 2), "B") },
    build: ({ x }) => g.mul(reduce(x!, [0]), 3),
  };
  cases[`reduce ${op}, of a broadcast sum`] = {
    samples: { a: normal(3, 1), b: normal(4) },
    build: ({ a, b }) => reduce(g.add(a!, b!), [0]),
  };
  cases[`reduce ${op}, moved first`] = unary((x) => reduce(g.reshape(g.transpose(g.concat([x, x], 0)), [-1])));
  cases[`reduce ${op}, of a named broadcast`] = {
    samples: { a: named(normal(3, 1), "B", ""), b: named(normal(1, 4), "", "T") },
    build: ({ a, b }) => reduce(g.add(a!, b!)),
  };
}

/** The samples with float32 in place of float64. */
export function inFloat32(samples: Readonly<Record<string, Sample>>): Record<string, Sample> {
  return Object.fromEntries(
    Object.entries(samples).map(([name, sample]) => [
      name,
      (sample.type ?? "float64") === "float64" ? { ...sample, type: "float32" as const } : sample,
    ]),
  );
}
