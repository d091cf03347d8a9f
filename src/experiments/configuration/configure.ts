import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { z } from "zod";
import { answererKindOf, protocols } from "../../answer/index.js";
import { messageOf, UsageError, UserError } from "../../base/errors.js";
import { hintForReading } from "../../base/hint-for-reading.js";
import { byNames, ownValue } from "../../base/named.js";
import { didYouMean, didYouMeanBeside } from "../../base/nearest.js";
import { inWords } from "../../base/schema-words.js";
import { readText } from "../../base/text.js";
import { deviceDefinition } from "../../graph/index.js";
import { languagesAmong, ownRows, taskNamed, taskOfSource } from "../../tasks/index.js";
import { presets } from "../presets/index.js";
import { objectOf } from "./key.js";
import { refuseProtocol } from "./refuse-protocol.js";
import { migrated, RENAMED } from "./renames.js";
import { type ExperimentConfiguration, experimentSchema, schemas } from "./schema.js";

type Plain = Record<string, unknown>;

/** One key to change: as `--set` has it, `key=value`; or by the flag that stands for it, which an error then names. */
export type Setting = string | { readonly path: string; readonly value: unknown; readonly flag: string };

export interface ConfigureOptions {
  /** Told where a file or a setting has a key's old name. */
  readonly notice?: (line: string) => void;
}

/** @throws {UsageError} where no preset has that name; the message lists them. */
export function presetNamed(name: string): ExperimentConfiguration {
  const preset = presets.find((one) => one.name === name);
  const names = presets.map((one) => one.name);
  if (!preset)
    throw new UsageError(`there is no experiment "${name}"${didYouMean(name, names)}`, {
      hint: `Presets: ${names.join(", ")}; or give a configuration file (.json, .ts, .js).`,
    });
  return structuredClone(preset);
}

/**
 * The configuration that a preset's name, a file's path or a configuration, and then `--set key=value` settings, make.
 * @throws {UsageError} naming the file or flag and the bad key.
 */
export async function configure(
  from: string | ExperimentConfiguration,
  settings: readonly Setting[] = [],
  { notice = () => {} }: ConfigureOptions = {},
): Promise<ExperimentConfiguration> {
  const nameOrFile = typeof from === "string" ? from : from.name;
  const isFile = typeof from === "string" && /\.(json|[cm]?[jt]s)$/.test(nameOrFile);
  const start =
    typeof from !== "string"
      ? (structuredClone(from) as unknown as Plain)
      : isFile
        ? await readExperimentFile(nameOrFile, notice)
        : (presetNamed(nameOrFile) as unknown as Plain);
  for (const setting of settings) applySetting(start, setting, notice);
  forgetIdleSource(start);
  const where = isFile ? nameOrFile : settings.length ? "--set" : nameOrFile;
  return check(byNewNames(start, where, notice), where, settings);
}

/** @throws {UsageError} where a key is there by its old name and its new one */
function byNewNames(given: Plain, where: string, notice: (line: string) => void): Plain {
  const { configuration, renamed, twice } = migrated(given);
  const [both] = twice;
  if (both !== undefined)
    throw new UsageError(`${where}: ${both} is the old name of ${RENAMED[both]}, and both are there`, {
      hint: "Leave the old one out.",
    });
  for (const path of renamed) notice(renameNotice(where, path));
  return configuration;
}

const renameNotice = (where: string, path: string): string =>
  `${where}: ${path} is now called ${RENAMED[path]}; the old name is still read`;

async function readExperimentFile(path: string, notice: (line: string) => void): Promise<Plain> {
  const file = await loadFile(path);
  if (!isPlain(file))
    throw new UsageError(`${path}: an experiment is an object with keys, such as "extends"`, {
      hint: 'Write it as {"extends": "eda", …}; mmmlu show NAME prints all keys.',
    });
  const { extends: parent, $schema: _forEditors, ...given } = file;
  const own = byNewNames(given, path, notice);
  if (parent === undefined || parent === null) return own;
  if (typeof parent !== "string")
    throw new UsageError(`${path}: extends: expected the name of a preset`, { hint: "mmmlu list tells the presets." });
  return merge(presetNamed(parent) as unknown as Plain, own) as Plain;
}

async function loadFile(path: string): Promise<unknown> {
  const full = resolve(path);
  if (!existsSync(full))
    throw new UsageError(`cannot read ${path}: there is no such file${didYouMeanBeside(path)}`, {
      hint: "Check the path.",
    });
  try {
    if (extname(path) === ".json") return parsedJson(path, await readText(path, 16 << 20));
    if (/\.[cm]?ts$/.test(path)) {
      // Node 20 does not read TypeScript by itself.
      const { tsImport } = await import("tsx/esm/api");
      return unwrapDefault(await tsImport(pathToFileURL(full).href, import.meta.url));
    }
    return unwrapDefault(await import(pathToFileURL(full).href));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof UserError ? error.message : `cannot read ${path}: ${messageOf(error)}`, {
      hint: (error instanceof UserError ? error.hint : undefined) ?? hintForReading(error),
      cause: error,
    });
  }
}

function parsedJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}:${faultyLine(text)}: not JSON: ${messageOf(error).replaceAll(/\s+/g, " ")}`, {
      hint: "Mend that line: JSON has double quotes, and no comma behind the last.",
      cause: error,
    });
  }
}

/**
 * The line (from 1) at which a text stops being JSON. V8 names the place of some faults only, so it is asked line by
 * line.
 */
function faultyLine(text: string): number {
  const lines = text.split("\n");
  // Each line costs a reading of all before it.
  if (text.length * lines.length > 1e9) return lines.length;
  for (let count = 1; count < lines.length; count++) {
    const beginning = lines.slice(0, count).join("\n");
    try {
      JSON.parse(beginning);
    } catch (error) {
      const place = Number(/at position (\d+)/.exec(messageOf(error))?.[1] ?? Number.NaN);
      // Sound JSON that is cut short here is faulty only at its end.
      if (/end of JSON input/.test(messageOf(error)) || place === beginning.length) continue;
      return Number.isNaN(place) ? count : beginning.slice(0, place).split("\n").length;
    }
  }
  return lines.length;
}

function unwrapDefault(module: unknown): unknown {
  const first = (module as { default?: unknown }).default;
  return first !== null && typeof first === "object" && "default" in first
    ? (first as { default: unknown }).default
    : first;
}

/** Objects are merged key by key; anything else, arrays included, is replaced. */
function merge(below: unknown, above: unknown): unknown {
  if (!isPlain(below) || !isPlain(above)) return above;
  const merged: Plain = Object.assign(byNames<unknown>(), below);
  for (const [key, value] of Object.entries(above)) merged[key] = merge(below[key], value);
  return merged;
}

const isPlain = (value: unknown): value is Plain =>
  value !== null && typeof value === "object" && !Array.isArray(value);

function applySetting(configuration: Plain, setting: Setting, notice: (line: string) => void): void {
  const { path, value, label } = parsedSetting(setting);
  const since = ownValue(RENAMED, path);
  if (since !== undefined) notice(renameNotice(label, path));
  const keys = (since ?? path).split(".");
  let target = configuration;
  for (const key of keys.slice(0, -1)) {
    const inner = ownValue(target, key);
    if (inner === null) target[key] = {};
    else if (inner === undefined && typeof setting !== "string")
      throw new UsageError(notOf(label, configuration), {
        hint: "mmmlu show NAME prints every key of a preset.",
      });
    else if (!isPlain(inner))
      throw new UsageError(
        `${label}: there is no "${key}" that holds further keys${didYouMean(key, Object.keys(target))}`,
        {
          hint: `Keys here: ${Object.keys(target).join(", ")}.`,
        },
      );
    target = target[key] as Plain;
  }
  // Not by an assignment, which `__proto__` would not be refused after.
  Object.defineProperty(target, keys.at(-1)!, { value, enumerable: true, writable: true, configurable: true });
}

/** Who asks for no examples need not know that the preset names a source of them. */
function forgetIdleSource({ extends: parent, answerer }: Plain): void {
  const preset = presets.find(({ name }) => name === parent);
  if (!isPlain(answerer) || answerer["shots"] !== 0 || preset?.kind !== "evaluate") return;
  if (answerer["shotSource"] === preset.answerer.shotSource) answerer["shotSource"] = null;
}

function parsedSetting(setting: Setting): { path: string; value: unknown; label: string } {
  if (typeof setting !== "string") return { ...setting, label: setting.flag };
  const at = setting.indexOf("=");
  if (at <= 0)
    throw new UsageError(`--set ${setting}: expected key=value, such as training.epochs=3`, {
      hint: "mmmlu show NAME prints all keys.",
    });
  const text = setting.slice(at + 1);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = text;
  }
  return { path: setting.slice(0, at), value, label: `--set ${setting}` };
}

/**
 * Holds a configuration against the schema.
 * @param where what an error names: a file, a preset, `--set`
 * @param settings a key that one of these has set by a flag is named by that flag
 * @throws {UsageError} with a line for each bad key.
 */
export function check(
  configuration: unknown,
  where: string,
  settings: readonly Setting[] = [],
): ExperimentConfiguration {
  const flagOf = (key: string): string | undefined => {
    const pathOf = (one: Setting): string => (typeof one === "string" ? one.split("=", 1)[0]! : one.path);
    // The last one counts.
    const flag = settings.findLast((one) => `${key}.`.startsWith(`${pathOf(one)}.`));
    return typeof flag === "object" ? flag.flag : undefined;
  };
  const place: Place = Object.assign((key: string): string => flagOf(key) ?? `${where}: ${key}`, { flagOf });
  const result = experimentSchema.safeParse(configuration, { error: inWords });
  if (!result.success) {
    const lines = result.error.issues.map((issue) => describe(issue, configuration, place));
    throw new UsageError(lines.length === 1 ? lines[0]! : `${where}:\n${lines.map((line) => `  ${line}`).join("\n")}`, {
      hint: "mmmlu show NAME prints every key of a preset.",
    });
  }
  refuseCombinations(result.data, place);
  return result.data;
}

/** How an error names a key: by the flag that has set it, where one has. */
type Place = ((key: string) => string) & { flagOf(key: string): string | undefined };

function describe(issue: z.core.$ZodIssue, configuration: unknown, place: Place): string {
  const at = issue.path.map(String).join(".");
  const holder = valueAt(configuration, issue.path);
  if (issue.code === "unrecognized_keys") {
    const inSchema = knownKeys(configuration, issue.path);
    const there = isPlain(holder) ? Object.keys(holder).filter((key) => inSchema.includes(key)) : [];
    const known = [...new Set([...there, ...inSchema])];
    return issue.keys
      .map((key) => {
        const flag = place.flagOf(at ? `${at}.${key}` : key);
        if (flag !== undefined) return notOf(flag, configuration);
        const near = didYouMean(key, known);
        return (
          `${place(at ? `${at}.${key}` : key)}: there is no such ` +
          `key${known.length ? ` (there are ${known.join(", ")})` : ""}${near}`
        );
      })
      .join("; ");
  }
  const options = issue.code === "invalid_value" ? issue.values.map(String) : [];
  const near = typeof holder === "string" ? didYouMean(holder, options) : "";
  return `${at ? place(at) : place("(the whole)")}: ${issue.message}${near}`;
}

/** What is said of a flag for which a kind of experiment has no key. */
const notOf = (flag: string, configuration: unknown): string =>
  `${flag}: an experiment of kind ${kindOf(configuration)} has nothing of the sort`;

const kindOf = (configuration: unknown): string => (isPlain(configuration) ? String(configuration["kind"]) : "unknown");

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Plain | null | undefined)?.[String(key)], value);

/** The keys of the schema at a place of a configuration. */
function knownKeys(configuration: unknown, path: readonly PropertyKey[]): string[] {
  const kind = isPlain(configuration) ? (configuration["kind"] as keyof typeof schemas) : undefined;
  let object: z.ZodObject | undefined = kind !== undefined && Object.hasOwn(schemas, kind) ? schemas[kind] : undefined;
  for (const key of path) {
    const inner = object?.shape[String(key)] as z.ZodType | undefined;
    object = inner && objectOf(inner);
  }
  return object ? Object.keys(object.shape) : [];
}

/** What can be said of a source of rows before it is read. */
function checkSource(
  { source, task, columns, languages }: Omit<ExperimentConfiguration["data"], "trainFrom" | "limit">,
  at: string,
  refuse: (key: string, why: string) => never,
): void {
  const of = task === null ? taskOfSource(source) : taskNamed(task);
  if (columns && of.name !== ownRows.name) refuse(`${at}.columns`, `the columns of ${of.name} are known`);
  for (const [index, language] of (languages ?? []).entries()) {
    if (languages!.indexOf(language) !== index) refuse(`${at}.languages`, `${language} is there twice`);
    const codes = Object.keys(of.languages);
    // A folder may have other languages than the hub, if they are coded as there.
    if (of.languageOfFile?.(of.file(language)) === language || codes.length === 0) continue;
    if (languagesAmong([language], codes)[0] === undefined)
      refuse(
        `${at}.languages.${index}`,
        `a language is written as ${codes.includes("DE_DE") ? "DE_DE" : codes[0]}${didYouMean(language, codes)}`,
      );
  }
}

function refuseCombinations(configuration: ExperimentConfiguration, place: Place): void {
  const refuse = (key: string, why: string): never => {
    throw new UsageError(`${place(key)}: ${why}`, {
      hint:
        place.flagOf(key) === undefined
          ? "Set it with --set or in the file; mmmlu show NAME prints every key of a preset."
          : "Give the flag another value, or leave it out; mmmlu show NAME prints every key of a preset.",
    });
  };
  if (configuration.kind === "finetune") {
    const { model, lora, training, split, device } = configuration;
    if (model.quantization !== "none" && !lora)
      refuse("model.quantization", "quantized weights are frozen: set lora, or quantization none");
    if (model.doubleQuantization && !["fp4", "nf4"].includes(model.quantization))
      refuse("model.doubleQuantization", "only fp4 and nf4 have it");
    if (model.quantization === "int8" && (device === "auto" || !deviceDefinition(device).int8Products))
      refuse("model.quantization", `int8 base weights are for the cpu, not for ${device}`);
    if (training.loadBestModelAtEnd && !training.validateEachEpoch)
      refuse("training.loadBestModelAtEnd", "needs training.validateEachEpoch");
    if (training.earlyStoppingPatience !== null && !training.validateEachEpoch)
      refuse("training.earlyStoppingPatience", "needs training.validateEachEpoch");
    if (split.shape !== "80/10/10") refuse("split.shape", "training needs 80/10/10");
  }
  if (configuration.kind === "evaluate") {
    const { model, questionsPerRequest, logprobs } = configuration.answerer;
    refuseProtocol(configuration, refuse);
    const { revision, device, quantization, doubleQuantization, chatTemplate } = configuration.answerer;
    const kind = answererKindOf(model);
    const local = { revision, device, quantization, doubleQuantization, chatTemplate };
    if (!kind.runsHere)
      for (const [name, value] of Object.entries(local))
        if (value)
          refuse(`answerer.${name}`, `${model} is not run here: it goes with a model that is, such as local:${model}`);
    if (doubleQuantization && !["fp4", "nf4"].includes(quantization ?? ""))
      refuse("answerer.doubleQuantization", "only fp4 and nf4 have it: set answerer.quantization");
    const { measures } = protocols[configuration.answerer.protocol];
    const problem = kind.problem({ model, logProbabilities: logprobs, measures, ...local });
    const keys: Record<string, string> = { logProbabilities: "logprobs", measures: "protocol" };
    if (problem) refuse(`answerer.${keys[problem.option] ?? problem.option}`, problem.why);
    if (logprobs && questionsPerRequest > 1)
      refuse("answerer.logprobs", "they are the letters' of one question: set answerer.questionsPerRequest=1");
  }
  const { trainFrom, limit: _any, ...data } = configuration.data;
  if (trainFrom && configuration.kind === "explore") refuse("data.trainFrom", "an exploration trains nothing");
  if (trainFrom && configuration.kind === "evaluate" && !configuration.split)
    refuse("data.trainFrom", "without a split there is no train part");
  checkSource(data, "data", refuse);
  if (trainFrom) checkSource(trainFrom, "data.trainFrom", refuse);
}
