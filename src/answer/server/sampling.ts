import { largest, logSumExp, type Random } from "../../models/index.js";

/**
 * Draws a token: softmax at the temperature, cut to the likeliest tokens that make up the share (nucleus sampling,
 * Holtzman et al. 2020).
 * @param logits [vocabulary]
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topShare }: { readonly temperature: number; readonly topShare: number },
  random: Random,
): number {
  // From the largest, so that a temperature however small divides no number past what float32 holds.
  const most = logits[largest(logits)]!;
  const scaled = logits.map((logit) => (logit - most) / temperature);
  const total = logSumExp(scaled);
  const draw = random.uniform();
  if (topShare >= 1) {
    let sum = 0;
    for (let token = 0; token < scaled.length; token++) {
      sum += Math.exp(scaled[token]! - total);
      if (draw < sum) return token;
    }
    return scaled.length - 1;
  }
  const order = Array.from(scaled.keys()).sort((a, b) => scaled[b]! - scaled[a]!);
  const kept: { token: number; share: number }[] = [];
  let mass = 0;
  for (const token of order) {
    const share = Math.exp(scaled[token]! - total);
    kept.push({ token, share });
    mass += share;
    if (mass >= topShare) break;
  }
  let left = draw * mass;
  for (const { token, share } of kept) {
    left -= share;
    if (left < 0) return token;
  }
  return kept.at(-1)!.token;
}
