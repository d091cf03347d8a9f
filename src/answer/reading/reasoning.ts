const NAMES = "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad";
const OPENING = new RegExp(`<(${NAMES})>|\\[THINK\\]`, "i");
const LEADING_BLOCK = new RegExp(`^\\s*(?:<(${NAMES})>[\\s\\S]*?</\\1>|\\[THINK\\][\\s\\S]*?\\[/THINK\\])`, "i");
const BLOCK = new RegExp(`<(${NAMES})>[\\s\\S]*?</\\1>|\\[THINK\\][\\s\\S]*?\\[/THINK\\]`, "gi");
const CLOSING = new RegExp(`</(?:${NAMES})>|\\[/THINK\\]`, "gi");
const FINAL_CHANNEL = /<\|channel\|>\s*final\s*<\|message\|>/g;
const OPENINGS = [...NAMES.split("|").map((name) => `<${name}>`), "[think]"];

/**
 * A reply without its reasoning: blocks such as `<think>…</think>`, everything before a closing tag whose opening one
 * the server kept to itself, everything from an opening tag that is never closed, and all channels but the final one.
 */
export function withoutReasoning(reply: string): string {
  const channels = [...reply.matchAll(FINAL_CHANNEL)];
  const last = channels.at(-1);
  let text = last ? reply.slice(last.index + last[0].length).replace(/<\|[a-z_]+\|>[\s\S]*$/, "") : reply;
  if (!last && /<\|channel\|>\s*analysis/.test(text)) return "";
  text = text.replace(BLOCK, " ");
  const orphan = [...text.matchAll(CLOSING)].at(-1);
  if (orphan) text = text.slice(orphan.index + orphan[0].length);
  const open = OPENING.exec(text);
  return open ? text.slice(0, open.index) : text;
}

/**
 * A reply without the reasoning blocks that it begins with: what the published first-letter rules read. They stop at
 * the first letter, so nothing that comes later may take back what came before, as {@link withoutReasoning} would.
 */
export function withoutLeadingReasoning(reply: string): string {
  let text = reply;
  for (let block = LEADING_BLOCK.exec(text); block; block = LEADING_BLOCK.exec(text))
    text = text.slice(block[0].length);
  const open = OPENING.exec(text);
  return open && text.slice(0, open.index).trim() === "" ? "" : text;
}

/** Whether a reply cut short here may still turn out to begin with reasoning. */
export function mayBeginReasoning(partial: string): boolean {
  const start = withoutLeadingReasoning(partial).trimStart().toLowerCase();
  return start === "" || OPENINGS.some((tag) => tag.startsWith(start));
}
