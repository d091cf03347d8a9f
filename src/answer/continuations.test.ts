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
