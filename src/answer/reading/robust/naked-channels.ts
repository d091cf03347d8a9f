const FINAL = /assistant\s{0,4}final(?!ly|s\b|i[sz])/g;
const BEGINNING = /^(?:analysis|commentary)(?![\p{Ll}]{0,3}[ \t]*[:：*-])/u;

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
  const granite = /^here(?:'s| is) my thought process:?/i.test(text);
  if (granite) {
    const response = /here(?:'s| is) my response:?/i.exec(text);
    return response ? text.slice(response.index + response[0].length) : "";
  }
  return /^final(?=[A-Z("*\\])/.test(text) ? text.slice("final".length) : reply;
}
