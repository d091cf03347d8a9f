import { describe, expect, it } from "vitest";
import { positionBucket } from "./position-bias.js";

describe("T5's position buckets", () => {
  it("are those of transformers at the places where they change", () => {
    const distances = [
      -300, -129, -128, -127, -100, -64, -33, -32, -31, -20, -17, -16, -15, -12, -9, -8, -7, -1, 0, 1, 7, 8, 9, 11, 12,
      15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 300,
    ];
    const config = { relativeAttentionNumBuckets: 32, relativeAttentionMaxDistance: 128 };
    expect(distances.map((d) => positionBucket(400, 400 + d, true, config))).toEqual([
      15, 15, 15, 15, 15, 14, 12, 12, 11, 10, 10, 10, 9, 9, 8, 8, 7, 1, 0, 17, 23, 24, 24, 24, 25, 25, 26, 26, 27, 27,
      28, 28, 29, 29, 30, 30, 31, 31, 31, 31,
    ]);
    expect(distances.slice(0, 19).map((d) => positionBucket(400, 400 + d, false, config))).toEqual([
      31, 31, 31, 31, 30, 26, 21, 21, 21, 17, 16, 16, 15, 12, 9, 8, 7, 1, 0,
    ]);
  });

  // Hashes of the buckets of distances −400 to 400 as transformers 5.23 gives them.
  it.each([
    [true, 32, 128, 955434],
    [true, 8, 12, 68664],
    [true, 8, 20, 77882],
    [true, 16, 64, 870893],
    [false, 32, 128, 656617],
    [false, 8, 12, 999653],
    [false, 8, 20, 654914],
    [false, 16, 64, 7715],
  ])(
    "are transformers' at every distance (bidirectional %s, %i buckets, distance %i)",
    (bidirectional, buckets, maximumDistance, hash) => {
      let found = 0;
      for (let d = -400; d <= 400; d++)
        found =
          (found * 31 +
            positionBucket(400, 400 + d, bidirectional, {
              relativeAttentionNumBuckets: buckets,
              relativeAttentionMaxDistance: maximumDistance,
            })) %
          1_000_003;
      expect(found).toBe(hash);
    },
  );
});
