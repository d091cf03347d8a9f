const FINAL = /assistant\s{0,4}final(?!ly|s\b|i[sz])/g;
const BEGINNING = /^(?:analysis|commentary)(?![\p{Ll}]{0,3}[ \t]*[:：*-])/u;

/** What a thought begins with that nothing marks, and what its answer begins with. */
const PROSE: readonly (readonly [thought: RegExp, response: RegExp])[] = [
  [/^here(?:'s| is) my thought process:?/i, /here(?:'s| is) my response:?/i],
  [/^here are my reasoning steps:?/i, /\[BEGIN FINAL RESPONSE\]/],
  [/^```(?:thinking|thought|reasoning)[ \t]{0,4}\r?\n/i, /\n```(?=\r?\n|$)/],
];

/**
 * A reply without its thoughts where a server has dropped the marks of harmony's and others' channels: "analysisThe
 * user … assistantfinalB", a bare "thought" on the first line, "Here is my thought process: … Here is my response: …".
 * What has no final part is no answer.
 */
export function withoutNakedChannels(reply: string): string {
  const text = reply.trimStart();
  const glued = [...text.matchAll(FINAL)]
    .filter(([found]) => found === "assistantfinal" || BEGINNING.test(text))
    .at(-1);
  if (glued) return text.slice(glued.index + glued[0].length);
  if (BEGINNING.test(text) || /^(?:thought|thinking|analysis|commentary)[ \t]{0,8}\r?\n/.test(text)) return "";
  for (const [thought, response] of PROSE) {
    if (!thought.test(text)) continue;
    const found = response.exec(text);
    return found ? text.slice(found.index + found[0].length) : "";
  }
  return /^final(?=[A-Z("*\\])/.test(text) ? text.slice("final".length) : reply;
}
