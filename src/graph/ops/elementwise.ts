import { buildError, type Operand, type Value } from "../builder.js";
import { broadcast } from "../shape.js";
import { type ElementType, isFloat } from "../types.js";
import { expand } from "./layout.js";

/** The two operands as values of one type; a number takes the other's type. */
function pair(op: string, a: Operand, b: Operand): [Value, Value] {
  if (typeof a === "number") {
    if (typeof b === "number") throw buildError(op, [], "both operands are numbers");
    return [b.builder.scalar(a, b.type), b];
  }
  const other = typeof b === "number" ? a.builder.scalar(b, a.type) : b;
  if (a.type !== other.type)
    throw buildError(op, [a, other], `the types ${a.type} and ${other.type} differ (cast one)`);
  return [a, other];
}

function binary(op: string, left: Operand, right: Operand, type?: ElementType): Value {
  const [a, b] = pair(op, left, right);
  const shape = broadcast(a.shape, b.shape);
  if (!shape) throw buildError(op, [a, b], "the shapes do not broadcast");
  return a.builder.one(op, [a, b], type ?? a.type, shape);
}

function unary(op: string, x: Value, floats = true): Value {
  if (floats && !isFloat(x.type)) throw buildError(op, [x], "needs a floating type");
  return x.builder.one(op, [x], x.type, x.shape);
}

/** a + b, broadcast as in numpy. */
export const add = (a: Operand, b: Operand): Value => binary("Add", a, b);
/** a − b, broadcast. */
export const sub = (a: Operand, b: Operand): Value => binary("Sub", a, b);
/** a · b elementwise, broadcast. */
export const mul = (a: Operand, b: Operand): Value => binary("Mul", a, b);
/** a / b, broadcast; integers are divided towards zero. */
export const div = (a: Operand, b: Operand): Value => binary("Div", a, b);
/** a to the power b, broadcast. */
export function pow(a: Operand, b: Operand): Value {
  const [x, y] = pair("Pow", a, b);
  const shape = broadcast(x.shape, y.shape);
  // WebGPU's Pow fails where a tensor is stretched; a single number is fine.
  if (!shape || x.rank === 0 || y.rank === 0) return binary("Pow", x, y);
  return binary("Pow", expand(x, shape), expand(y, shape));
}
/** The larger, broadcast. No gradient. */
export const maximum = (a: Operand, b: Operand): Value => binary("Max", a, b);
/** The smaller, broadcast. No gradient. */
export const minimum = (a: Operand, b: Operand): Value => binary("Min", a, b);

export const equal = (a: Operand, b: Operand): Value => binary("Equal", a, b, "bool");
export const less = (a: Operand, b: Operand): Value => binary("Less", a, b, "bool");
export const lessOrEqual = (a: Operand, b: Operand): Value => binary("LessOrEqual", a, b, "bool");
export const greater = (a: Operand, b: Operand): Value => binary("Greater", a, b, "bool");
export const greaterOrEqual = (a: Operand, b: Operand): Value => binary("GreaterOrEqual", a, b, "bool");
export const and = (a: Value, b: Value): Value => binary("And", a, b);
export const or = (a: Value, b: Value): Value => binary("Or", a, b);
export const not = (a: Value): Value => unary("Not", a, false);

export const neg = (x: Value): Value => unary("Neg", x, false);
export const abs = (x: Value): Value => unary("Abs", x, false);
export const sqrt = (x: Value): Value => unary("Sqrt", x);
export const reciprocal = (x: Value): Value => unary("Reciprocal", x);
export const exp = (x: Value): Value => unary("Exp", x);
export const log = (x: Value): Value => unary("Log", x);
export const tanh = (x: Value): Value => unary("Tanh", x);
export const erf = (x: Value): Value => unary("Erf", x);
export const sigmoid = (x: Value): Value => unary("Sigmoid", x);
export const sin = (x: Value): Value => unary("Sin", x);
export const cos = (x: Value): Value => unary("Cos", x);
export const relu = (x: Value): Value => unary("Relu", x);
/** The largest whole number that is not larger. Its gradient is zero. */
export const floor = (x: Value): Value => unary("Floor", x);
/** x · x; its gradient costs one product. */
export const square = (x: Value): Value => mul(x, x);

/** a where the condition holds, else b; all three broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  if (condition.type !== "bool") throw buildError("Where", [condition], "the condition is not bool");
  const [x, y] = pair("Where", a, b);
  const branches = broadcast(x.shape, y.shape);
  const shape = branches && broadcast(condition.shape, branches);
  if (!shape) throw buildError("Where", [condition, x, y], "the shapes do not broadcast");
  return x.builder.one("Where", [condition, x, y], x.type, shape);
}

/** The same elements in another type. */
export function cast(x: Value, type: ElementType): Value {
  return x.type === type ? x : x.builder.one("Cast", [x], type, x.shape, {});
}

/** The same bits read as another type of the same width: bfloat16 weights stored as uint16. CPU only. */
export function bitCast(x: Value, type: ElementType): Value {
  return x.builder.one("BitCast", [x], type, x.shape, {});
}

/** x as it is; no gradient flows through it. */
export function stopGradient(x: Value): Value {
  return x.builder.region(
    "stopGradient",
    [],
    () => [x],
    () => [],
    { stop: true },
  )[0]!;
}

/** A copy of x under another name. */
export function identity(x: Value): Value {
  return x.builder.one("Identity", [x], x.type, x.shape);
}
