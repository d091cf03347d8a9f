/** Blocks' scales, quantized themselves: what bitsandbytes calls double quantization. */
export interface NestedScales {
  /** A code for each scale, less the offset. */
  readonly codes: Uint8Array;
  /** The largest absolute value of each 256 of them. */
  readonly absmax: Float32Array;
  /** The scales' mean. */
  readonly offset: number;
}

const BLOCK = 256;
let map: Float32Array | undefined;
let places: Uint8Array | undefined;

/**
 * bitsandbytes' signed dynamic map of 256 values: an exponent of varying length, then a linear fraction (Dettmers et
 * al. 2022).
 */
export function dynamicMap(): Float32Array {
  if (map) return map;
  const values: number[] = [0, 1];
  for (let i = 0; i < 7; i++) {
    const items = 2 ** i + 1;
    const bounds = linspace(items);
    const power = 10 ** (i - 6);
    for (let k = 0; k + 1 < items; k++) {
      const mean = Math.fround(Math.fround(bounds[k]! + bounds[k + 1]!) / 2);
      const value = Math.fround(Math.fround(power) * mean);
      values.push(value, -value);
    }
  }
  return (map = Float32Array.from(values).sort());
}

/** torch.linspace(0.1, 1, n) in float32: the upper half is counted from the end. */
function linspace(count: number): Float32Array {
  const [start, end] = [Math.fround(0.1), 1];
  const step = Math.fround(Math.fround(end - start) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? Math.fround(start + step * i) : Math.fround(end - step * (count - 1 - i)),
  );
}

/** The nearest code for each of 65,536 values from −1 to 1: the table by which bitsandbytes' CPU code looks them up. */
function table(): Uint8Array {
  if (places) return places;
  const values = dynamicMap();
  places = new Uint8Array(65_536);
  let code = 0;
  for (let i = 0; i < places.length; i++) {
    const at = i / 32_767.5 - 1;
    while (code < 255 && at > (values[code]! + values[code + 1]!) / 2) code++;
    places[i] = code;
  }
  return places;
}

/**
 * Quantizes blocks' scales as bitsandbytes' `compress_statistics`: the mean is taken off, then blocks of 256 to 8 bits.
 */
export function nestScales(scales: Float32Array): NestedScales {
  const offset = mean(scales);
  const nearest = table();
  const codes = new Uint8Array(scales.length);
  const absmax = new Float32Array(Math.ceil(scales.length / BLOCK));
  const fround = Math.fround;
  for (let block = 0; block < absmax.length; block++) {
    const end = Math.min(scales.length, (block + 1) * BLOCK);
    let largest = 0;
    for (let i = block * BLOCK; i < end; i++) largest = Math.max(largest, Math.abs(fround(scales[i]! - offset)));
    absmax[block] = largest;
    if (largest === 0) continue;
    for (let i = block * BLOCK; i < end; i++) {
      const scaled = fround(fround(scales[i]! - offset) / largest);
      codes[i] = nearest[Math.round(fround(fround(scaled + 1) * 32_767.5))]!;
    }
  }
  return { codes, absmax, offset };
}

/** The scales as products use them. */
export function expandScales({ codes, absmax, offset }: NestedScales): Float32Array {
  const values = dynamicMap();
  return Float32Array.from(codes, (code, i) => Math.fround(values[code]! * absmax[Math.floor(i / BLOCK)]!) + offset);
}

/** torch's mean of float32: added up in float64 here, which rounds to the same float32 but for its last bit. */
function mean(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Math.fround(sum / values.length);
}
