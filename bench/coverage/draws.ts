/** A source of uniform numbers in (0, 1). */
export type Draw = () => number;

/** Marsaglia's xorshift (2003): quick enough for billions of draws. The same seed gives the same numbers. */
export function uniforms(seed: number): Draw {
  let state = Math.imul(seed + 1, 2654435769) || 1;
  const draw = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < 20; i++) draw();
  return draw;
}

/** Standard normal, by Box and Muller. */
export const normal = (draw: Draw): number => Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());

/** Gamma with scale 1, by Marsaglia and Tsang (2000). */
function gamma(draw: Draw, shape: number): number {
  if (shape < 1) return gamma(draw, shape + 1) * draw() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(draw);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(draw()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Beta with the two shapes; of shapes so small that both gammas vanish, one end or the other. */
export function beta(draw: Draw, a: number, b: number): number {
  const [x, y] = [gamma(draw, a), gamma(draw, b)];
  return x + y > 0 ? x / (x + y) : Number(draw() < a / (a + b));
}

export function binomial(draw: Draw, n: number, p: number): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (draw() < p) count++;
  return count;
}
