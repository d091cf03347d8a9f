import { describe, expect, it } from "vitest";
import { likelihoodOf, requireTrueLikelihoods } from "./continuations.js";

const echoed = (tokens: string[], values: (number | null)[], prompt?: number) => ({
  logprobs: { tokens, token_logprobs: values },
  ...(prompt === undefined ? {} : { tokens: { prompt, completion: tokens.length - prompt } }),
});

describe("a continuation's log-likelihood", () => {
  it.each([
    ["one token, a new one behind it", echoed(["<bos>", "Answer", ":", " A", "\n"], [null, -3, -1, -2, -0.5], 4), -2],
    ["no usage", echoed(["Answer", ":", "▁A", "\n"], [null, -1, -2, -0.5]), -2],
    ["a <bos> that is not sent", echoed(["Answer", ":", "ĠA", "x"], [null, -1, -2, -0.5], 5), -2],
    ["a new token that was left out", echoed(["Answer", ":", " A"], [null, -1, -2], 3), -2],
    [
      "a <bos> that is not sent, and the continuation once more",
      echoed(["Answer", ":", " A", " A"], [null, -1, -2, -0.5], 4),
      -2,
    ],
    [
      "tokens that are not the prompt's texts",
      echoed(["<0x41>", "nswer", ":", " A", "x"], [null, -1, -1, -2, -9], 4),
      -2,
    ],
    ["several tokens", echoed(["Answer", ":", " ", "A", "x"], [null, -1, -2, -0.25, -9], 4), -2.25],
  ])("of %s", (_name, reply, value) => expect(likelihoodOf(reply, " A", "Answer:")).toEqual({ value }));

  it("of a prompt that ends as the continuation does, without a new token", () => {
    const reply = echoed(["Answer", ":", " A", " A"], [null, -1, -2, -0.5]);
    expect(likelihoodOf(reply, " A", "Answer: A")).toEqual({ value: -0.5 });
  });

  const LONG = `Question ${"one two three ".repeat(20)}A. 1 B. 2 Answer:`;
  const pieces = (text: string): string[] => text.match(/\s?\S+/g)!;
  const asked = (tokens: string[], first: number | null = null) =>
    likelihoodOf(echoed([...tokens, "x"], [first, ...tokens.slice(1).map(() => -1), -9]), " A", LONG);

  it("is refused of a prompt that the server cut, at its beginning or in its middle", () => {
    const all = pieces(`${LONG} A`);
    const cut = { fault: expect.stringMatching(/left out \d+ characters/), cut: true };
    expect(asked(all.slice(30))).toEqual(cut);
    expect(asked(all.slice(30), -3)).toEqual(cut);
    expect(asked(["<bos>", ...all.slice(30)])).toEqual(cut);
    expect(asked(["<|begin_of_text|>", ...all.slice(1)])).toEqual(cut);
    expect(asked([...all.slice(0, 5), ...all.slice(30)])).toEqual(cut);
  });

  it("is taken where the echo is whole, whatever its tokens look like", () => {
    const all = pieces(`${LONG} A`);
    expect(asked(all)).toEqual({ value: -1 });
    expect(asked(["<bos>", ...all])).toEqual({ value: -1 });
    expect(asked(all.slice(1), -2)).toEqual({ value: -1 });
    expect(asked(all.map((token) => token.replace(" ", "Ġ")))).toEqual({ value: -1 });
    expect(asked(["<0x51>", "uestion", ...all.slice(1)])).toEqual({ value: -1 });
    const chinese = ["问", "bytes:\\xe9", "题\ufffd", " A", "x"];
    expect(likelihoodOf(echoed(chinese, [null, -1, -1, -2, -9]), " A", "问题问题")).toEqual({ value: -2 });
  });

  it.each([
    ["nothing", { logprobs: null }, /sent no log-probabilities/],
    ["a reply without the prompt", echoed(["B"], [-1], 4), /not those of " A"/],
    ["a token that spans the join", echoed(["Answer", ": A", "x"], [null, -1, -2], 2), /not those of " A"/],
    ["another letter", echoed(["Answer", ":", " B", "x"], [null, -1, -2, -3], 3), /not those of " A"/],
    ["no value", echoed(["Answer", ":", " A", "x"], [null, -1, null, -3], 3), /null/],
    ["a positive one", echoed(["Answer", ":", " A", "x"], [null, -1, 2, -3], 3), /sent no log-probabilities/],
    ["fewer values", echoed(["Answer", ":", " A", "x"], [null, -1], 3), /fewer/],
  ])("is refused where there is %s", (_name, reply, fault) =>
    expect(likelihoodOf(reply, " A", "Answer:")).toEqual({ fault: expect.stringMatching(fault) }),
  );

  it("is not believed of a server that sends the same for all, and the hint says what else there is", () => {
    expect(() => requireTrueLikelihoods([[{ value: -1 }, { value: -2 }], [{ value: -3 }]], "there")).not.toThrow();
    expect(() => requireTrueLikelihoods([[{ value: 0 }, { value: 0 }], [{ value: 0 }]], "there")).toThrow(
      /the very same/,
    );
    expect(() => requireTrueLikelihoods([[{ value: -1 }, { fault: "it is away" }]], "there")).toThrow(/it is away/);
  });
});
