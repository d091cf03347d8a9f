import { z } from "zod";
import { UsageError } from "../base/errors.js";
import { faultsOf, parseJson } from "../base/json.js";
import { inWords } from "../base/schema-words.js";
import { readText } from "../base/text.js";
import { presetNamed } from "./configuration/configure.js";
import { asJsonSchema, type JsonSchema } from "./configuration/json-schema.js";
import { key } from "./configuration/key.js";

/** Cells of a sweep at most, and names in each direction. */
const [MOST_CELLS, MOST_NAMES] = [10_000, 1000];

const text = z.string().min(1).max(1000);
const settings = z.record(text, z.unknown());
const name = text.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, '.', '_' and '-'").max(100);

const modelSchema = z.union([
  text,
  z.strictObject({
    model: key(text, "Who answers, or what is trained: as `--model` takes it."),
    name: key(name.optional(), "What its cells' folders are called; made of `model` unless given."),
    set: key(settings.optional(), "Keys that are set for it, such as `answerer.endpoint`."),
  }),
]);

const protocolSchema = z.union([
  text,
  z.strictObject({
    experiment: key(text, "A preset's name or a configuration file."),
    name: key(name.optional(), "What its cells' folders are called; made of `experiment` unless given."),
    set: key(settings.optional(), "Keys that are set for it, such as `answerer.instruction`."),
  }),
]);

/** A sweep's file. */
const sweepSchema = z.strictObject({
  $schema: key(z.string().optional(), "This schema's address, for editors."),
  out: key(text.optional(), "The folder of its runs; `outputs/` and the file's name unless given."),
  models: key(
    z.array(modelSchema).min(1).max(MOST_NAMES),
    "Who answers, or what is trained: a name each, or an object.",
  ),
  protocols: key(
    z.array(protocolSchema).min(1).max(MOST_NAMES),
    "How: experiments by name or file, or objects that change one.",
  ),
  languages: key(
    z
      .array(z.union([text, z.array(text).min(1).max(MOST_NAMES)]))
      .min(1)
      .max(MOST_NAMES)
      .optional(),
    "A run each: a language, or a list of several; without it one run in the experiment's own.",
  ),
  set: key(settings.optional(), "Keys that are set in every run."),
});
type SweepFile = z.infer<typeof sweepSchema>;

/** One run of a sweep. */
export interface SweepCell {
  /** Its folder's name: model, protocol, languages. */
  readonly name: string;
  readonly model: string;
  /** A preset's name or a configuration file. */
  readonly experiment: string;
  /** Undefined for the experiment's own. */
  readonly languages?: readonly string[];
  /** `key=value`, a later one before an earlier one. */
  readonly set: readonly string[];
}

export interface Sweep {
  readonly out?: string;
  /** Model by model, so that a server need not change its model more often than it must. */
  readonly cells: readonly SweepCell[];
}

const HINT = "mmmlu schema sweep prints what a sweep's file has.";

/**
 * Reads a sweep's file.
 * @throws {UsageError} naming the file and each key that is wrong; or the cells that would share a folder
 */
export async function readSweep(path: string): Promise<Sweep> {
  let value: unknown;
  try {
    value = parseJson(await readText(path, 16 << 20), path);
  } catch (error) {
    throw new UsageError((error as Error).message, { hint: HINT, cause: error });
  }
  const read = sweepSchema.safeParse(value, { error: inWords });
  if (!read.success) throw new UsageError(`${path}: ${faultsOf(read.error)}`, { hint: HINT });
  const cells = cellsOf(read.data);
  if (cells.length > MOST_CELLS)
    throw new UsageError(`${path} has ${cells.length} cells, more than ${MOST_CELLS}`, { hint: "Divide it." });
  const names = new Map<string, SweepCell>();
  for (const cell of cells) {
    const other = names.get(cell.name);
    if (other)
      throw new UsageError(`${path}: two cells would be called ${cell.name}`, {
        hint: 'A model or protocol that is there twice needs a "name" that tells it from the other.',
      });
    names.set(cell.name, cell);
    if (!/\.(json|[cm]?[jt]s)$/.test(cell.experiment)) presetNamed(cell.experiment);
  }
  return { out: read.data.out, cells };
}

function cellsOf({ models, protocols, languages = [], set: common = {} }: SweepFile): SweepCell[] {
  const settingsOf = (values: Readonly<Record<string, unknown>> = {}): string[] =>
    Object.entries(values).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
  return models.flatMap((given) => {
    const model = typeof given === "string" ? { model: given } : given;
    return protocols.flatMap((how) => {
      const protocol = typeof how === "string" ? { experiment: how } : how;
      return (languages.length ? languages : [undefined]).map((one): SweepCell => {
        const chosen = one === undefined ? undefined : [one].flat();
        const parts = [
          model.name ?? fileName(model.model),
          protocol.name ?? fileName(protocol.experiment.replace(/\.(json|[cm]?[jt]s)$/, "")),
          ...(chosen ? [fileName(chosen.join("+"))] : []),
        ];
        return {
          name: parts.join("--"),
          model: model.model,
          experiment: protocol.experiment,
          languages: chosen,
          set: [...settingsOf(common), ...settingsOf(protocol.set), ...settingsOf(model.set)],
        };
      });
    });
  });
}

/** A name as a folder may be called: the last part of a path, other signs as `-`. */
const fileName = (given: string): string =>
  given
    .split(/[\\/:]/)
    .filter(Boolean)
    .slice(-2)
    .join("-")
    .replace(/[^A-Za-z0-9._+-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100) || "unnamed";

/** The JSON schema of a sweep's file, for editors. */
export const sweepJsonSchema = (): JsonSchema => ({
  ...asJsonSchema(sweepSchema),
  title: "A sweep of mmmlu-lab",
});
