/*
 * Where models put their thoughts. All of it is found in one pass over a reply's marks, so that a megabyte of opening
 * marks takes no longer than a megabyte of prose.
 */

const WORDS =
  "think|thought|reasoning|rationale|deliberat|reflect|analysis|scratchpad|monologue|" +
  "(?:tool|function)[_▁]?calls?|\\b(?:cot|reason|plan|planning)\\b";
const NAME = `[\\w:.▁-]{0,24}(?:${WORDS})[\\w:.▁-]{0,24}`;

/**
 * `<think>`, `</think>`, `<seed:think>`, `<think time="3">`, `<|START_THINKING|>`, `<|end_of_thought|>`,
 * `<｜tool▁calls▁begin｜>`, `&lt;think&gt;`; `[THINK]`, `[TOOL_CALLS]`; `◁think▷`; `<|channel>thought`, `<channel|>`;
 * Gemma's `<unused94>` and Gemini's `<ctrl94>`; Open WebUI's `<details type="reasoning">`; `<|im_start|>think`.
 */
const MARK = new RegExp(
  [
    `(?:<|&lt;) ?(?<slash>[|｜/\\\\]{0,3}) ?(?<angle>${NAME})(?:\\s[^<>]{0,80}?)?/?[|｜]?(?:>|&gt;)`,
    "\\[(?<closeBracket>/?)(?<bracket>THINK(?:ING)?|REASONING|THOUGHTS?|TOOL_CALLS)\\]",
    `◁(?<closeTriangle>/?)(?<triangle>${NAME})▷`,
    "(?<channel><\\|channel>\\s{0,4}(?:thought|thinking|analysis|commentary|reasoning)|<channel\\|>)",
    "(?<unused><(?:unused|ctrl)9[45]>)",
    "(?<details><details\\s[^<>]{0,40}type=[\"']?reasoning[^<>]{0,80}>|</details>)",
    "(?<summary><details[^<>]{0,80}>\\s{0,4}<summary>\\s{0,4}(?:thought|thinking|reasoning))",
    // Solar's: behind it stands what is said.
    "(?<content><\\|content\\|>)",
    "(?<turn><\\|im_start\\|>think|<\\|im_start\\|>answer)",
  ].join("|"),
  "giu",
);

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly closes: boolean;
}

function* marksOf(text: string): Generator<Mark> {
  for (const match of text.matchAll(MARK)) {
    const groups = match.groups as Record<string, string | undefined>;
    const { slash, angle, closeBracket, bracket, closeTriangle, triangle, channel, unused, details, turn } = groups;
    const place = { start: match.index, end: match.index + match[0].length };
    if (angle !== undefined) {
      if (/\/[|｜]?(?:>|&gt;)$/.test(match[0]) && slash === "") continue;
      const name = angle.toLowerCase().replaceAll("▁", "_");
      const edge = /^(?:start|begin|end)(?:_of)?_?|_?(?:start|begin|end)$/.exec(name)?.[0] ?? "";
      yield { ...place, name: `<${name.replace(edge, "")}`, closes: slash!.includes("/") || edge.includes("end") };
    } else if (bracket !== undefined)
      yield { ...place, name: `[${bracket.toLowerCase()}`, closes: closeBracket !== "" };
    else if (triangle !== undefined) yield { ...place, name: "◁", closes: closeTriangle !== "" };
    else if (channel !== undefined) yield { ...place, name: "channel", closes: channel.endsWith(">") };
    else if (unused !== undefined) yield { ...place, name: "unused", closes: unused.includes("5") };
    else if (details !== undefined) yield { ...place, name: "details", closes: details.startsWith("</") };
    else if (groups.summary !== undefined) yield { ...place, name: "details", closes: false };
    else if (groups.content !== undefined) yield { ...place, name: "<think", closes: true };
    else yield { ...place, name: "turn", closes: turn!.toLowerCase().endsWith("answer") };
  }
}

/** What closes without having been opened and is no thought's end all the same. */
const COMMON_CLOSINGS = new Set(["details", "turn"]);

/** A stretch of a text, from its first character to before its end. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where a reply is no reasoning: what {@link withoutReasoning} leaves of it. */
export function spokenStretches(reply: string): Stretch[] {
  return finalStretches(reply).flatMap(({ start: first, end: last }) => {
    const text = reply.slice(first, last);
    let kept: Stretch[] = [];
    // The marks of the thoughts that are open, the outermost first; outside them `from` is where the reply goes on.
    let open: string[] = [];
    let from = 0;
    for (const { start, end, name, closes } of marksOf(text)) {
      if (!closes) {
        if (open.length === 0) kept.push({ start: from, end: start });
        open.push(name);
        continue;
      }
      const opened = open.lastIndexOf(name);
      if (opened >= 0) open.length = opened;
      else if (COMMON_CLOSINGS.has(name)) continue;
      else {
        kept = [];
        open = [];
      }
      if (open.length === 0) from = end;
    }
    if (open.length === 0) kept.push({ start: from, end: text.length });
    return kept.map(({ start, end }) => ({ start: first + start, end: first + end }));
  });
}

/**
 * A reply without its reasoning: blocks such as `<think>…</think>`, everything before a closing mark whose opening one
 * the server kept to itself, everything from an opening mark that is never closed, and all of harmony's channels but
 * the final one. A thought inside a thought of the same name belongs to it.
 */
export const withoutReasoning = (reply: string): string =>
  spokenStretches(reply)
    .map(({ start, end }) => reply.slice(start, end))
    .join(" ");

/**
 * A reply without the reasoning blocks that it begins with: what the published first-letter rules read. They stop at
 * the first letter, so nothing that comes later may take back what came before, as {@link withoutReasoning} would.
 */
export function withoutLeadingReasoning(reply: string): string {
  if (beginsInChannel(reply))
    return finalStretches(reply)
      .map(({ start, end }) => reply.slice(start, end))
      .join(" ");
  const open: string[] = [];
  let from = 0;
  for (const { start, end, name, closes } of marksOf(reply)) {
    if (open.length === 0 && (closes || reply.slice(from, start).trim() !== "")) break;
    if (!closes) open.push(name);
    else {
      const opened = open.lastIndexOf(name);
      if (opened >= 0) open.length = opened;
      if (open.length === 0) from = end;
    }
  }
  return open.length > 0 ? "" : reply.slice(from);
}

/** Whether a reply cut short here may still turn out to begin with reasoning. */
export function mayBeginReasoning(partial: string): boolean {
  if (beginsInChannel(partial)) return true;
  const start = withoutLeadingReasoning(partial).trimStart();
  if (/^<\|(?:channel|im_start\|)>\s{0,4}\w{0,12}$/.test(start)) return true;
  return start === "" || ("<[◁".includes(start[0]!) && start.length < 160 && !/[>\]▷]/.test(start));
}

const HARMONY = /<\|(start|channel|message|end|return|call)\|>/g;

const beginsInChannel = (reply: string): boolean => /^(?:<\|start\|>|<\|channel\|>)/.test(reply.trimStart());

/** What harmony's final channels hold before another turn begins; the whole text where it has no channels at all. */
function finalStretches(reply: string): Stretch[] {
  if (!reply.includes("<|channel|>")) return [{ start: 0, end: reply.length }];
  const finals: Stretch[] = [];
  let channel: string | undefined;
  let header = "";
  let before = "";
  let from = 0;
  const take = (end: number): void => {
    const content = reply.slice(from, end);
    if (before === "channel") channel = content.trim();
    else if (before === "start") header = content.trim();
    else if (before === "message" && channel !== undefined && /^final\b/.test(channel))
      finals.push({ start: from, end: from + content.split("<|", 1)[0]!.length });
  };
  for (const match of reply.matchAll(HARMONY)) {
    take(match.index);
    // Another's turn: what follows is no part of the reply.
    if (before === "start" && header !== "" && !header.startsWith("assistant")) return finals;
    before = match[1]!;
    from = match.index + match[0].length;
    if (before === "start") channel = undefined;
    if (before === "return" && finals.length > 0) return finals;
  }
  take(reply.length);
  return finals;
}
