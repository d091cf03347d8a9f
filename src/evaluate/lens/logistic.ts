/** A logistic regression's weights. */
export type Weights = Float64Array;

/**
 * Fits a logistic regression by Newton's method with a slight ridge, so that separated data have an end.
 * @param features row after row, `width` numbers each
 * @param outcomes 0 or 1 a row
 * @returns `width` weights
 */
export function fitLogistic(features: Float64Array, width: number, outcomes: ArrayLike<number>, ridge = 0.1): Weights {
  const weights = new Float64Array(width);
  const rows = outcomes.length;
  for (let round = 0; round < 30; round++) {
    const gradient = new Float64Array(width);
    const hessian = Array.from({ length: width }, () => new Float64Array(width));
    for (let r = 0; r < rows; r++) {
      const at = r * width;
      const p = chanceOf(features, at, weights);
      const [error, spread] = [outcomes[r]! - p, p * (1 - p)];
      for (let i = 0; i < width; i++) {
        const x = features[at + i]!;
        if (x === 0) continue;
        gradient[i]! += x * error;
        const row = hessian[i]!;
        for (let j = 0; j <= i; j++) row[j]! += x * features[at + j]! * spread;
      }
    }
    for (let i = 0; i < width; i++) {
      gradient[i]! -= ridge * weights[i]!;
      hessian[i]![i]! += ridge;
    }
    const step = solved(hessian, gradient);
    let most = 0;
    for (let i = 0; i < width; i++) {
      // A long step out of a flat place is shortened.
      const by = Math.max(-4, Math.min(4, step[i]!));
      weights[i]! += by;
      most = Math.max(most, Math.abs(by));
    }
    if (most < 1e-6) break;
  }
  return weights;
}

/** The chance that a row's outcome is 1. */
export function chanceOf(features: Float64Array, at: number, weights: Weights): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += features[at + i]! * weights[i]!;
  return 1 / (1 + Math.exp(-sum));
}

/** Solves a symmetric positive definite system, of which the lower half is given, by Cholesky's factors. */
function solved(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let i = 0; i < size; i++) {
    const row = matrix[i]!;
    for (let j = 0; j <= i; j++) {
      let sum = row[j]!;
      const other = matrix[j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * other[k]!;
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / other[j]!;
    }
  }
  const x = Float64Array.from(right);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= matrix[i]![k]! * x[k]!;
    x[i]! /= matrix[i]![i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= matrix[k]![i]! * x[k]!;
    x[i]! /= matrix[i]![i]!;
  }
  return x;
}
