/** A matrix in 8 bits with a scale for each row. */
export interface EightBit {
  readonly codes: Int8Array;
  /** The largest absolute value of each row. */
  readonly absmax: Float32Array;
}

/**
 * Quantizes each row to −127 … 127, as bitsandbytes holds the weights of `Linear8bitLt` (`int8_vectorwise_quant`).
 * Products here are made with the dequantized weights: the activations stay float32, where bitsandbytes quantizes them
 * too.
 * @param elements [rows, columns]
 */
export function quantizeInt8(elements: Float32Array, rows: number, columns: number): EightBit {
  const codes = new Int8Array(elements.length);
  const absmax = new Float32Array(rows);
  const fround = Math.fround;
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) largest = Math.max(largest, Math.abs(elements[i]!));
    absmax[row] = largest;
    if (largest === 0) continue;
    // Python divides a number by a tensor by way of the reciprocal.
    const scale = fround(fround(1 / largest) * 127);
    for (let i = row * columns; i < (row + 1) * columns; i++) codes[i] = roundHalfEven(fround(elements[i]! * scale));
  }
  return { codes, absmax };
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}
