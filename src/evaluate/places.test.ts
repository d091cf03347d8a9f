import { describe, expect, it } from "vitest";
import { Places } from "./places.js";

describe("places", () => {
  it("are what a Map of them would be", () => {
    const [places, map] = [new Places(), new Map<string, object>()];
    for (let step = 0; step < 5000; step++) {
      // Ids that come again, and pairs whose hashes are alike in their lowest bits.
      const id = `${["DE_DE", "ZH_CN", "include:German"][step % 3]}/${"ü".repeat(step % 7)}/${(step * 7919) % 3001}`;
      const place = { offset: step * 2 ** 33, length: step, index: step % 50 };
      places.set(id, place);
      map.set(id, place);
    }
    expect(places.size).toBe(map.size);
    expect([...places]).toEqual([...map]);
    expect([...places.keys()]).toEqual([...map.keys()]);
    for (const [id, place] of map) expect(places.get(id)).toEqual(place);
    expect(places.has("DE_DE//1e9") || places.has("")).toBe(false);
    expect(places.get("nowhere")).toBeUndefined();
    expect(places.own("nowhere")).toBe("nowhere");
  });

  it("of a later log count where both have a row", () => {
    const [first, later] = [new Places(), new Places()];
    first.set("a", { offset: 1, length: 1, index: 0 });
    first.set("b", { offset: 2, length: 1, index: 0 });
    later.set("b", { offset: 3, length: 1, index: 1 });
    expect([...Places.of(first, undefined, later)]).toEqual([
      ["a", { offset: 1, length: 1, index: 0 }],
      ["b", { offset: 3, length: 1, index: 1 }],
    ]);
  });
});
