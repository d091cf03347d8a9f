import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { z } from "zod";
import { baselineNames, isBaseline } from "../answer/index.js";
import { messageOf, UsageError, UserError } from "../base/errors.js";
import { readText } from "../base/text.js";
import { type ExperimentConfiguration, experimentSchema } from "./configuration.js";
import { presets } from "./presets/index.js";

type Plain = Record<string, unknown>;

/** What a configuration file may hold: any part of an experiment, and the preset that it starts from. */
export type ExperimentFile = { extends?: string } & Plain;

/** Gives a configuration file written in TypeScript or JavaScript its types: `export default defineExperiment({ extends: "eda" })`. */
export function defineExperiment(experiment: ExperimentFile): ExperimentFile {
  return experiment;
}

/** @throws {UsageError} where no preset has that name; the message lists them. */
export function presetNamed(name: string): ExperimentConfiguration {
  const preset = presets.find((one) => one.name === name);
  if (!preset)
    throw new UsageError(`there is no experiment "${name}"`, {
      hint: `Presets: ${presets.map((one) => one.name).join(", ")}; or give a configuration file (.json, .ts, .js).`,
    });
  return structuredClone(preset);
}

/**
 * The configuration that a preset's name, a file's path or a configuration, and then `--set key=value` settings, make.
 * @throws {UsageError} naming the file and the bad key.
 */
export async function configure(
  from: string | ExperimentConfiguration,
  settings: readonly string[] = [],
): Promise<ExperimentConfiguration> {
  const nameOrFile = typeof from === "string" ? from : from.name;
  const isFile = typeof from === "string" && /\.(json|[cm]?[jt]s)$/.test(nameOrFile);
  const start =
    typeof from !== "string"
      ? (structuredClone(from) as unknown as Plain)
      : isFile
        ? await readExperimentFile(nameOrFile)
        : (presetNamed(nameOrFile) as unknown as Plain);
  for (const setting of settings) applySetting(start, setting);
  return check(start, isFile ? nameOrFile : settings.length ? "--set" : nameOrFile);
}

async function readExperimentFile(path: string): Promise<Plain> {
  const file = await loadFile(path);
  if (file === null || typeof file !== "object" || Array.isArray(file))
    throw new UsageError(`${path}: an experiment is an object with keys, such as "extends"`);
  const { extends: parent, ...own } = file as ExperimentFile;
  if (parent === undefined) return own;
  if (typeof parent !== "string") throw new UsageError(`${path}: extends: expected the name of a preset`);
  return merge(presetNamed(parent) as unknown as Plain, own) as Plain;
}

async function loadFile(path: string): Promise<unknown> {
  const full = resolve(path);
  try {
    if (extname(path) === ".json") return parsedJson(path, await readText(full, 16 << 20));
    if (/\.[cm]?ts$/.test(path)) {
      // Node 20 does not read TypeScript by itself.
      const { tsImport } = await import("tsx/esm/api");
      return unwrapDefault(await tsImport(pathToFileURL(full).href, import.meta.url));
    }
    return unwrapDefault(await import(pathToFileURL(full).href));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof UserError ? error.message : `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function parsedJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}:${faultyLine(text)}: not JSON: ${messageOf(error).replaceAll(/\s+/g, " ")}`, {
      cause: error,
    });
  }
}

/** The line (from 1) at which a text stops being JSON. V8 names the place of some faults only, so it is asked line by line. */
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
  const merged: Plain = { ...below };
  for (const [key, value] of Object.entries(above)) merged[key] = merge(below[key], value);
  return merged;
}

const isPlain = (value: unknown): value is Plain =>
  value !== null && typeof value === "object" && !Array.isArray(value);

function applySetting(configuration: Plain, setting: string): void {
  const at = setting.indexOf("=");
  if (at <= 0) throw new UsageError(`--set ${setting}: expected key=value, such as training.epochs=3`);
  const path = setting.slice(0, at).split(".");
  const text = setting.slice(at + 1);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = text;
  }
  let target = configuration;
  for (const key of path.slice(0, -1)) {
    const inner = target[key];
    if (inner === null) target[key] = {};
    else if (!isPlain(inner))
      throw new UsageError(`--set ${setting}: there is no "${key}" that holds further keys`, {
        hint: keysHint(target),
      });
    target = target[key] as Plain;
  }
  target[path[path.length - 1] as string] = value;
}

const keysHint = (target: Plain): string => `Keys here: ${Object.keys(target).join(", ")}.`;

/**
 * Holds a configuration against the schema.
 * @throws {UsageError} with a line for each bad key.
 */
export function check(configuration: unknown, where: string): ExperimentConfiguration {
  const result = experimentSchema.safeParse(configuration);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => describe(issue, configuration));
    throw new UsageError(
      lines.length === 1 ? `${where}: ${lines[0]}` : `${where}:\n${lines.map((line) => `  ${line}`).join("\n")}`,
      {
        hint: "mmmlu show NAME prints every key of a preset.",
      },
    );
  }
  refuseCombinations(result.data, where);
  return result.data;
}

function describe(issue: z.core.$ZodIssue, configuration: unknown): string {
  const at = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const holder = issue.path.reduce<unknown>(
      (value, key) => (isPlain(value) ? value[String(key)] : undefined),
      configuration,
    );
    const known = isPlain(holder) ? Object.keys(holder).filter((key) => !issue.keys.includes(key)) : [];
    return `${issue.keys.map((key) => `${at ? `${at}.` : ""}${key}: there is no such key`).join("; ")}${known.length ? ` (there are ${known.join(", ")})` : ""}`;
  }
  return `${at || "(the whole)"}: ${issue.message}`;
}

function refuseCombinations(configuration: ExperimentConfiguration, where: string): void {
  const refuse = (key: string, why: string): never => {
    throw new UsageError(`${where}: ${key}: ${why}`);
  };
  if (configuration.kind === "finetune") {
    const { model, lora, training, split, device } = configuration;
    if (model.quantization !== "none" && !lora)
      refuse("model.quantization", "quantized weights are frozen: set lora, or quantization none");
    if (model.doubleQuantization && !["fp4", "nf4"].includes(model.quantization))
      refuse("model.doubleQuantization", "only fp4 and nf4 have it");
    if (model.quantization === "int8" && device !== "cpu")
      refuse("model.quantization", `int8 base weights are for the cpu, not for ${device}`);
    if (training.keepBest && !training.validateEachEpoch)
      refuse("training.keepBest", "needs training.validateEachEpoch");
    if (training.earlyStoppingPatience !== null && !training.validateEachEpoch)
      refuse("training.earlyStoppingPatience", "needs training.validateEachEpoch");
    if (split.shape !== "80/10/10") refuse("split.shape", "training needs 80/10/10");
  }
  if (configuration.kind === "evaluate") {
    const { model, prompt, questionsPerRequest, logProbabilities } = configuration.answerer;
    if (prompt !== "questions" && questionsPerRequest > 1)
      refuse("answerer.questionsPerRequest", `the ${prompt} prompt asks one question: set it to 1`);
    if (isBaseline(model) && !(baselineNames as readonly string[]).includes(model))
      refuse("answerer.model", `there is no baseline "${model}": there are ${baselineNames.join(", ")}`);
    if (logProbabilities && isBaseline(model)) refuse("answerer.logProbabilities", "a baseline has none");
    if (logProbabilities && questionsPerRequest > 1)
      refuse("answerer.logProbabilities", "they are the letters' of one question: set answerer.questionsPerRequest=1");
  }
  const languages = configuration.data.languages;
  const twice = languages.find((language, index) => languages.indexOf(language) !== index);
  if (twice) refuse("data.languages", `${twice} is there twice`);
}
