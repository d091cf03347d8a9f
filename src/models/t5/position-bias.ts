import type { T5Config } from "./config.js";

/**
 * The bucket of T5's relative position bias for a key at `key` seen from a query at `query`. Half of the buckets are
 * exact distances, the others grow logarithmically up to the maximum distance; the encoder has half of them for keys
 * that come later, the decoder none. Rounded as transformers does: the logarithm in float32.
 */
export function positionBucket(
  query: number,
  key: number,
  bidirectional: boolean,
  {
    relativeAttentionNumBuckets: buckets,
    relativeAttentionMaxDistance: maximumDistance,
  }: Pick<T5Config, "relativeAttentionNumBuckets" | "relativeAttentionMaxDistance">,
): number {
  let count = buckets;
  let first = 0;
  let distance = query - key;
  if (bidirectional) {
    count = Math.floor(count / 2);
    if (distance < 0) {
      first = count;
      distance = -distance;
    }
  } else distance = Math.max(0, distance);
  const exact = Math.floor(count / 2);
  if (distance < exact) return first + distance;
  const f = Math.fround;
  const scaled = f(f(f(Math.log(f(distance / exact))) / Math.log(maximumDistance / exact)) * (count - exact));
  return first + Math.min(count - 1, exact + Math.trunc(scaled));
}

/** Buckets of queries `from` to `from + queries − 1` and keys 0 to keys − 1: [queries, keys], row by row. */
export function positionBuckets(
  from: number,
  queries: number,
  keys: number,
  bidirectional: boolean,
  config: Pick<T5Config, "relativeAttentionNumBuckets" | "relativeAttentionMaxDistance">,
): Int32Array {
  const out = new Int32Array(queries * keys);
  for (let i = 0, at = 0; i < queries; i++)
    for (let j = 0; j < keys; j++) out[at++] = positionBucket(from + i, j, bidirectional, config);
  return out;
}
