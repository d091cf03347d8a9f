/** Pairs of tokens that make a token together, cut between characters. */
export function* splitsOf(token: string, has: (token: string) => boolean): Generator<readonly [string, string]> {
  for (let at = 0; at < token.length; ) {
    at += token.codePointAt(at)! > 0xffff ? 2 : 1;
    if (at >= token.length) return;
    const [left, right] = [token.slice(0, at), token.slice(at)];
    if (has(left) && has(right)) yield [left, right];
  }
}

const characters = (text: string): number => {
  let count = 0;
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) count++;
  return count;
};

/**
 * The merges that give what SentencePiece's BPE gives by scores: all pairs that make a token, by its score from the
 * highest on; of pairs with the same score the one with the longer left part first, then the longer right one, as
 * transformers' `generate_merges` has it.
 */
export function mergesOfScores(
  vocabulary: ReadonlyMap<string, number>,
  scoreOf: (id: number) => number,
): [string, string][] {
  const merges: { left: string; right: string; score: number; lengths: number; order: number }[] = [];
  for (const [token, id] of vocabulary) {
    const own = [...splitsOf(token, (part) => vocabulary.has(part))].sort(
      (a, b) => vocabulary.get(a[0])! - vocabulary.get(b[0])! || vocabulary.get(a[1])! - vocabulary.get(b[1])!,
    );
    for (const [left, right] of own)
      merges.push({
        left,
        right,
        score: scoreOf(id),
        lengths: characters(left) * 0x10000 + characters(right),
        order: merges.length,
      });
  }
  return merges
    .sort((a, b) => (a.score === b.score ? 0 : b.score - a.score) || b.lengths - a.lengths || a.order - b.order)
    .map(({ left, right }) => [left, right]);
}
