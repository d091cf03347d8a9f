import { seeded } from "./common.js";

/** Texts that readers have stumbled over, and what stands for a value of another kind. */
const VALUES = [
  ..."null true false 0 -1 1 0.5 -0.0 1e999 -1e999 NaN 1e9 9007199254740993 2147483648 4294967296 1e-320".split(" "),
  ...[
    '""',
    '" "',
    '"../x"',
    '"/etc/passwd"',
    '"\\u0000"',
    '"\\ud800"',
    '"__proto__"',
    '"constructor"',
    '"A"',
    '"\ufeff"',
  ],
  ...["[]", "{}", "[null]", "[[]]", "[1,2,3]", '{"a":null}', '{"__proto__":{"x":1}}', '["a","b"]', "", ","],
  ...[
    '"<script>"',
    '"\u001b[2J"',
    '"{{ 7 * 7 }}"',
    '"{% for a in range(1000000000) %}x{% endfor %}"',
    '"(a+)+$"',
    '"*"',
  ],
];
const BYTES = [
  "\0",
  "\xff",
  "\xc0\x80",
  "\xed\xa0\x80",
  "\n",
  "\r",
  "\r\n",
  '"',
  '""',
  "'",
  ",",
  "\\",
  "\u2028",
  "\ufeff",
];
const LONG = [
  `"${"a".repeat(20_000)}"`,
  `[${"[".repeat(3000)}`,
  `${"[".repeat(3000)}${"]".repeat(3000)}`,
  `${'{"a":'.repeat(2000)}1${"}".repeat(2000)}`,
  " ".repeat(20_000),
  "9".repeat(400),
  `[${"0,".repeat(5000)}0]`,
];

/** A JSON value that holds no other, a key included. */
const TOKEN = /"(?:[^"\\\n]|\\.){0,200}"|-?\d[\d.eE+-]{0,30}|true|false|null/g;

export type Mutate = (input: Buffer, others: readonly Buffer[]) => Buffer;

/** Mutations from a seed: of bytes, of lines, of JSON's values, of the whole; one to four at once. */
export function mutations(seed: number): Mutate {
  const { below, of } = seeded(seed);
  /** A place in the input; that in the first bytes more often than by chance, where headers stand. */
  const placeIn = (input: Buffer): number => below((below(3) === 0 ? Math.min(input.length, 64) : input.length) + 1);
  const spliced = (input: Buffer, from: number, to: number, piece: Uint8Array): Buffer =>
    Buffer.concat([input.subarray(0, from), piece, input.subarray(to)]);

  const ways: Mutate[] = [
    (input) => {
      const out = Buffer.from(input);
      if (out.length > 0) out[Math.min(placeIn(out), out.length - 1)]! ^= 1 << below(8);
      return out;
    },
    (input) => {
      const out = Buffer.from(input);
      if (out.length > 0) out[Math.min(placeIn(out), out.length - 1)] = of([0, 1, 0x20, 0x22, 0x7f, 0x80, 0xff]);
      return out;
    },
    (input) => input.subarray(0, placeIn(input)),
    (input) => input.subarray(placeIn(input)),
    (input) => {
      const at = placeIn(input);
      return spliced(input, at, at + below(16), Buffer.alloc(0));
    },
    (input) => {
      const at = placeIn(input);
      return spliced(input, at, at, Buffer.from(of(BYTES), "latin1"));
    },
    (input) => {
      const [at, from] = [placeIn(input), placeIn(input)];
      return spliced(input, at, at, input.subarray(from, from + below(200)));
    },
    (input) => {
      const at = placeIn(input);
      return spliced(input, at, at + below(8), Buffer.from(Array.from({ length: below(12) }, () => below(256))));
    },
    (input, others) => {
      const other = of(others);
      return Buffer.concat([input.subarray(0, placeIn(input)), other.subarray(placeIn(other))]);
    },
    (input) => {
      const lines = input.toString("latin1").split("\n");
      const [a, b] = [below(lines.length), below(lines.length)];
      [lines[a], lines[b]] = below(2) ? [lines[b]!, lines[a]!] : [lines[b]!, lines[b]!];
      return Buffer.from(lines.join("\n"), "latin1");
    },
    (input) => of([Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), input]), Buffer.from(input.toString(), "utf16le")]),
    (input) => Buffer.from(input.toString("latin1").replaceAll("\n", "\r\n"), "latin1"),
  ];
  const inJson: Mutate = (input) => {
    const text = input.toString("latin1");
    const tokens = [...text.matchAll(TOKEN)];
    if (tokens.length === 0) return input;
    const token = of(tokens);
    const other = of(tokens)[0];
    const value = [of(VALUES), other, of(VALUES), below(50) === 0 ? of(LONG) : of(VALUES), `${token[0]},${other}`];
    const piece = Buffer.from(of(value), "utf8");
    return spliced(input, token.index, token.index + token[0].length, piece);
  };
  return (input, others) => {
    let out = input;
    for (let times = 1 + below(below(3) === 0 ? 4 : 1); times > 0; times--)
      out = (below(2) === 0 ? inJson : of(ways))(out, others);
    return out;
  };
}
