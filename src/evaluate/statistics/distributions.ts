/** Lanczos' approximation with g = 7 and nine terms (Godfrey 2001): 15 digits. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The logarithm of the gamma function of a positive number. */
export function logGamma(x: number): number {
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const y = x - 1;
  const t = y + 7.5;
  const series = LANCZOS.reduce((sum, term, index) => (index === 0 ? term : sum + term / (y + index)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(series);
}

/**
 * The regularized incomplete beta function I_x(a, b), the beta distribution's share under x: the continued fraction of
 * DLMF 8.17.22, by Lentz's method.
 * @param x from 0 to 1
 * @param a above 0
 * @param b above 0
 */
export function betaShare(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges quickly on this side only.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  const awayFromZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

/**
 * The beta distribution's quantile: the x with {@link betaShare} `share`, by bisection.
 * @param share from 0 to 1
 */
export const betaQuantile = (share: number, a: number, b: number): number =>
  inverse((x) => betaShare(x, a, b), share, 0, 1);

/** Where a rising function reaches a value, by bisection. */
function inverse(f: (x: number) => number, value: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high || high - low < 1e-16) return middle;
    if (f(middle) < value) low = middle;
    else high = middle;
  }
}

/**
 * The t that Student's distribution exceeds in absolute value with probability 1 − level: 2.776 for 4 degrees of
 * freedom at 0.95.
 * @param degreesOfFreedom above 0, may be a fraction
 */
export function studentQuantile(level: number, degreesOfFreedom: number): number {
  const y = betaQuantile(level, 0.5, degreesOfFreedom / 2);
  return Math.sqrt((degreesOfFreedom * y) / (1 - y));
}

/** The standard normal distribution's share under z: the power series of Abramowitz and Stegun 26.2.11. */
export function normalShare(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0;
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && odd < 1000; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The standard normal quantile: 1.96 for 0.975. */
export const normalQuantile = (share: number): number => inverse(normalShare, share, -8, 8);
