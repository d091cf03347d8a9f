import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../../base/errors.js";
import { accuracyOf, type Interval } from "../../evaluate/index.js";
import { importerOf, protocolOfResult, type Result } from "../../exchange/index.js";
import {
  dataApart,
  metricsSchema,
  type ProtocolFacts,
  protocolsApart,
  type RunMetrics,
  readManifest,
  readRunFile,
  runFile,
  runStartSchema,
} from "../../record/index.js";

/** A folder that holds a run, whole or still going. */
export interface FoundRun {
  /** The folder's name below the outputs folder. */
  readonly folder: string;
  readonly path: string;
  readonly name: string;
  readonly started: string;
  readonly kind: string;
  readonly complete: boolean;
  readonly sample: boolean;
  /** Where another tool wrote it: how it asked, as far as it says. */
  readonly imported?: ProtocolFacts;
  /** Accuracy by stage with its interval, where the run has any. */
  readonly accuracies: readonly {
    readonly stage: string;
    readonly accuracy: number;
    readonly n: number;
    readonly interval?: Interval;
  }[];
  /** Whether `--fresh` has moved it aside. */
  readonly movedAside: boolean;
  /** What it was of, in a few words each. */
  readonly facets: Readonly<Record<"model" | "data" | "protocol" | "split", string>>;
  /** Why the folder cannot be read, where it cannot. */
  readonly fault?: string;
}

/** The runs in a folder of outputs, newest first; folders that hold none are passed over. */
export async function findRuns(outputs: string): Promise<FoundRun[]> {
  if (!existsSync(outputs)) return [];
  const runs: FoundRun[] = [];
  for (const folder of readdirSync(outputs)) {
    const path = join(outputs, folder);
    try {
      const run = (await describe(folder, path)) ?? (await describeImported(folder, path));
      if (run) runs.push(run);
    } catch (error) {
      // A folder that cannot be read must not hide the others.
      const fault = [messageOf(error), error instanceof UserError ? error.hint : undefined].filter(Boolean).join(" ");
      runs.push({
        folder,
        path,
        name: folder,
        started: "",
        kind: "unreadable",
        complete: false,
        sample: false,
        accuracies: [],
        movedAside: MOVED_ASIDE.test(folder),
        facets: facetsOf({}),
        fault,
      });
    }
  }
  return runs.sort((a, b) => (a.started < b.started ? 1 : -1));
}

async function describe(folder: string, path: string): Promise<FoundRun | undefined> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const start = await readRunFile(path, "run.json", runStartSchema);
  if (!start) return undefined;
  const complete = runFile(path, "manifest.json") !== undefined;
  const manifest = complete ? await readManifest(path) : undefined;
  const metrics = (await readRunFile(path, "metrics.json", metricsSchema)) ?? {};
  return {
    folder,
    path,
    complete,
    name: start.name,
    started: start.started,
    kind: manifest?.kind ?? String(start.configuration.kind ?? "run"),
    sample: manifest?.sample ?? false,
    accuracies: accuraciesOf(metrics),
    movedAside: MOVED_ASIDE.test(folder),
    facets: facetsOf(start.configuration),
  };
}

/** As a run's folder is called once it was moved aside. */
const MOVED_ASIDE = /\.before-\d{4}-\d\d-\d\dT/;

const text = z.string().optional().catch(undefined);
const facetsSchema = z
  .object({
    data: z.object({ source: text, languages: z.array(z.string()).nullish().catch(undefined) }).optional(),
    prompt: text,
    answerExtraction: text,
    answerer: z.object({ model: text, prompt: text, protocol: text }).optional(),
    model: z.object({ source: text, quantization: text }).optional(),
    lora: z.object({ r: z.number().optional().catch(undefined) }).nullish(),
    split: z.object({ kind: text, shape: text }).nullish(),
  })
  .catch({});

/** What a configuration, of whatever version, tells of model, data, protocol and split. */
function facetsOf(configuration: Record<string, unknown>): FoundRun["facets"] {
  const { data, prompt, answerExtraction, answerer, model, lora, split } = facetsSchema.parse(configuration);
  const words = (...parts: (string | null | undefined)[]): string => parts.filter(Boolean).join(", ") || "–";
  const languages = data?.languages ?? [];
  const trained = lora ? `LoRA${lora.r === undefined ? "" : ` r ${lora.r}`}` : model ? "all weights" : undefined;
  const quantized = model?.quantization === "none" ? undefined : model?.quantization;
  return {
    model: words(answerer?.model ?? model?.source),
    data: words(data?.source, languages.length > 3 ? `${languages.length} languages` : languages.join(" ")),
    protocol: words(answerer?.protocol, answerer?.prompt ?? prompt, trained, quantized, answerExtraction),
    split: words(split?.kind, split?.shape),
  };
}

/** Results of other tools by path, as they were when they were read last: reading one takes a while. */
const read = new Map<string, { readonly as: string; readonly run: FoundRun }>();

/** A result of another tool. */
async function describeImported(folder: string, path: string): Promise<FoundRun | undefined> {
  const importer = importerOf(path);
  if (!importer) return undefined;
  const { mtime, mtimeMs, size } = statSync(path);
  const as = `${mtimeMs} ${size}`;
  const before = read.get(path);
  if (before?.as === as) return before.run;
  const results = await importer.read(path);
  const run: FoundRun = {
    folder,
    path,
    name: results[0]!.name,
    started: mtime.toISOString(),
    kind: results[0]!.tool,
    complete: true,
    sample: false,
    imported: protocolOfResult(results[0]!),
    movedAside: false,
    facets: facetsOf({ answerer: { model: results[0]!.name } }),
    accuracies: results.map(({ predictions }) => {
      const { accuracy, n, clusteredInterval: interval } = accuracyOf(predictions);
      return { stage: predictions[0]?.stage ?? "", accuracy, n, interval };
    }),
  };
  read.set(path, { as, run });
  return run;
}

function accuraciesOf({ accuracy, n, statistics, baseline, final }: Partial<RunMetrics>): FoundRun["accuracies"] {
  type Stage = Pick<NonNullable<RunMetrics["final"]>, "accuracy" | "n" | "statistics">;
  const of = (stage: string, value: Stage | undefined): FoundRun["accuracies"] =>
    value ? [{ stage, accuracy: value.accuracy, n: value.n, interval: value.statistics?.clustered.interval }] : [];
  const test = accuracy !== undefined && n !== undefined ? { accuracy, n, statistics } : undefined;
  return [...of("test", test), ...of("baseline", baseline), ...of("final", final)];
}

/** What is said where runs did not ask alike. */
export const NOT_ALIKE =
  "These runs did not ask alike: a difference between them is one of protocols or data as much as of models.";

/** Where runs were asked or read otherwise than the first of them, a line each; nothing where all were alike. */
export function askedApart(runs: readonly Result[]): string[] {
  const [first, ...others] = runs;
  if (!first) return [];
  const reference = protocolOfResult(first);
  return others.flatMap((other) => {
    const { name } = other;
    const protocol = protocolOfResult(other);
    const apart = [
      ...(reference && protocol ? protocolsApart(reference, protocol) : []),
      ...(first.manifest && other.manifest ? dataApart(first.manifest, other.manifest) : []),
    ];
    return apart.length ? [`${first.name} against ${name}: ${apart.join("; ")}`] : [];
  });
}
