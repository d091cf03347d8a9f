import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { commands } from "../src/cli/commands.js";
import { program } from "../src/cli/program.js";
import { keysOf } from "../src/experiments/configuration/key.js";
import { schemas } from "../src/experiments/configuration/schema.js";

/*
 * Every message that a user can get, read from the sources: it says what is wrong, names the thing, and says what to
 * do.
 */

const source = fileURLToPath(new URL("../src", import.meta.url));

interface Message {
  /** File and line. */
  readonly place: string;
  /** The code of all arguments. */
  readonly code: string;
  /** The message's fixed text, each value in it as ◦. */
  readonly text: string;
  /** The hints that it may have, in the same way; undefined where there is none. */
  readonly hints: readonly string[] | undefined;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /(?<!\.test)\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** The texts that an expression may be, with ◦ for what is not fixed. */
function textsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node))
    return [node.head.text + node.templateSpans.map((span) => `◦${span.literal.text}`).join("")];
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return textsOf(node.left).flatMap((left) => textsOf(node.right).map((right) => left + right));
  return ["◦"];
}

/** All fixed text anywhere within a node. */
function wordsIn(node: ts.Node): string {
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
    return node.text;
  const parts: string[] = [];
  ts.forEachChild(node, (child) => void parts.push(wordsIn(child)));
  return parts.join(" ");
}

const messages: Message[] = [];
/** Fixed text of messages, hints, and reasons given to functions that refuse: file and line, and the text. */
const spoken: { readonly place: string; readonly words: string }[] = [];
for (const path of sourceFiles(source)) {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    const place = `src/${relative(source, path)}:${line + 1}`;
    if (ts.isNewExpression(node) && /^(UserError|UsageError|Unanswered)$/.test(node.expression.getText())) {
      const [message, options] = node.arguments ?? [];
      const hint =
        options && ts.isObjectLiteralExpression(options)
          ? options.properties.find((one) => one.name?.getText() === "hint")
          : undefined;
      for (const text of message ? textsOf(message) : [""])
        messages.push({
          place,
          code: node.getText(),
          text,
          hints: hint && (ts.isPropertyAssignment(hint) ? textsOf(hint.initializer) : ["◦"]),
        });
      spoken.push({ place, words: wordsIn(node) });
    } else if (ts.isPropertyAssignment(node) && node.name.getText() === "hint")
      spoken.push({ place, words: wordsIn(node) });
    else if (ts.isCallExpression(node) && /\b(refuse|fail|wrong)$/.test(node.expression.getText()))
      spoken.push({ place, words: wordsIn(node) });
    ts.forEachChild(node, visit);
  };
  visit(file);
}

/** Messages that fall under a rule, with the reason. */
const falling = (wrong: (message: Message) => string | undefined | false): string[] =>
  messages.flatMap((message) => {
    const why = wrong(message);
    return why ? [`${message.place}: ${why}: ${message.text} | ${message.hints?.join(" / ") ?? "no hint"}`] : [];
  });

describe("messages", () => {
  it("are all found", () => expect(messages.length).toBeGreaterThan(200));

  it("say what to do", () => expect(falling(({ hints }) => !hints && "no hint")).toEqual([]));

  it("name the thing, or say what is the matter in words of their own", () =>
    expect(
      falling(({ text }) => !text.includes("◦") && text !== "stopped" && text.split(" ").length < 4 && "names nothing"),
    ).toEqual([]));

  it("have no words of programmers, and nothing that only says that it went wrong", () => {
    const words =
      /\b(failed|failure|invalid|unexpected|fatal|exception|stack|oops|illegal|null pointer|NaN is not)\b|something went wrong|\bundefined\b|\[object|\bError:/i;
    expect(falling(({ text, hints }) => words.exec([text, ...(hints ?? [])].join(" "))?.[0])).toEqual([]);
    expect(falling(({ code }) => /\.stack\b/.test(code) && "shows a stack trace")).toEqual([]);
  });

  it("begin small and end without a full stop; hints are sentences", () => {
    expect(falling(({ text }) => /^[A-Z][a-z]+ [a-z]/.test(text) && "begins with a capital")).toEqual([]);
    expect(falling(({ text }) => /[.!]$/.test(text) && "ends with a full stop")).toEqual([]);
    // What is put in from elsewhere is read where it is made.
    const sentence = /^(?:◦|["'`(-]*[A-Z0-9◦]|--|mmmlu |data\.|model\.)[^]*(?:[.?…◦)]|:final)$|^◦$|^[a-z]\S* [^]*\.$/;
    expect(
      falling(({ hints }) => hints?.find((hint) => !sentence.test(hint)) !== undefined && "the hint is no sentence"),
    ).toEqual([]);
  });

  it("name keys of the configuration that there are", () => {
    const keys = new Set(Object.values(schemas).flatMap((schema) => keysOf(schema).map(({ path }) => path)));
    const heads = [...new Set([...keys].filter((path) => path.includes(".")).map((path) => path.split(".")[0]!))];
    const named = new RegExp(String.raw`(?<![\w./])(?:${heads.join("|")})\.[A-Za-z]\w*(?:\.[a-z]\w*)*(?![\w/])`, "g");
    // Files, and the library's own names.
    const others = /\.(json|jsonl|safetensors|parquet|csv|model|parameters|weights)$|\.index\.json$/;
    const unknown = spoken.flatMap(({ place, words }) =>
      (words.match(named) ?? []).filter((key) => !others.test(key) && !keys.has(key)).map((key) => `${place}: ${key}`),
    );
    expect(unknown).toEqual([]);
    expect(spoken.some(({ words }) => words.includes("model.quantization"))).toBe(true);
  });

  it("name flags that there are", async () => {
    const flags = new Set(["--help", "--version"]);
    const gather = (command: Command): void => {
      for (const { long, negate } of command.options) {
        if (!long) continue;
        flags.add(long);
        if (negate) flags.add(long.replace("--no-", "--"));
      }
      command.commands.forEach(gather);
    };
    for (const { name } of commands) gather(await program([name]));
    const unknown = spoken.flatMap(({ place, words }) =>
      (words.match(/(?<![\w-])--[a-z][a-z0-9-]*/g) ?? [])
        .filter((flag) => !flags.has(flag))
        .map((flag) => `${place}: ${flag}`),
    );
    expect(unknown).toEqual([]);
    expect(flags.size).toBeGreaterThan(20);
  });
});
