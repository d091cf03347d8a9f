import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KeySet } from "./key-set.js";

const key = (number: number): string => createHash("sha256").update(String(number)).digest("hex").slice(0, 32);

describe("KeySet", () => {
  it("is a set: of many keys, each told apart from its neighbours and from what is no key", () => {
    const [own, set] = [new KeySet(), new Set<string>()];
    const beside = [
      ...["", "x", "0".repeat(32), `${"0".repeat(31)}1`, "f".repeat(32), key(1).toUpperCase(), key(1).slice(1)],
      ...[`${key(1)}0`, `${key(1).slice(0, 31)}g`, `${key(1).slice(0, 31)}${key(1).endsWith("0") ? "1" : "0"}`],
    ];
    for (let number = 0; number < 5000; number += 2) {
      for (const one of [key(number), key(number)]) {
        own.add(one);
        set.add(one);
      }
    }
    for (const one of beside.filter((_, at) => at % 2 === 0)) {
      own.add(one);
      set.add(one);
    }
    expect(own.size).toBe(set.size);
    const asked = [...Array.from({ length: 5000 }, (_, number) => key(number)), ...beside];
    expect(asked.filter((one) => own.has(one) !== set.has(one))).toEqual([]);
  });

  it("finds keys that begin alike", () => {
    const own = new KeySet();
    const alike = Array.from({ length: 500 }, (_, at) => `12345678${at.toString(16).padStart(24, "0")}`);
    for (const one of alike.slice(1)) own.add(one);
    expect(alike.map((one) => own.has(one))).toEqual(alike.map((_, at) => at > 0));
  });
});
