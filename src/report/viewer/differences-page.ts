import { differences } from "../../base/differences.js";
import { readRunFile, runStartSchema } from "../../record/index.js";
import { curvesFigure } from "../figures/index.js";
import { html } from "../html.js";
import type { Section } from "../page.js";
import { figures, table } from "../parts.js";
import { readTraining } from "./live.js";
import type { FoundRun } from "./runs.js";

/** Where runs' configurations differ, and their training's losses over each other. */
export async function differenceSections(runs: readonly FoundRun[]): Promise<Section[]> {
  const configurations = await Promise.all(
    runs.map(async ({ path }) => (await readRunFile(path, "run.json", runStartSchema))?.configuration ?? {}),
  );
  const [first, ...others] = configurations;
  const paths = [...new Set(others.flatMap((other) => differences(first, other).map(({ path }) => path)))]
    .filter((path) => !["name", "description"].includes(path))
    .sort();
  const written = (value: unknown): string => (value === undefined ? "–" : JSON.stringify(value));
  const curves = (await Promise.all(runs.map(async (run) => ({ name: run.folder, ...(await readTraining(run.path)) }))))
    .filter(({ points }) => points.length)
    .map(({ name, points, validation }) => ({ name, points, validation }));
  return [
    {
      id: "configurations",
      title: "Where the configurations differ",
      body: paths.length
        ? table(
            ["key", ...runs.map(({ folder }) => folder)],
            paths.map((path) => [path, ...configurations.map((one) => written(valueAt(one, path)))]),
          )
        : html`<p>Nowhere but in their names.</p>`,
    },
    ...(curves.length ? [{ id: "curves", title: "Training", body: figures([curvesFigure(curves)]) }] : []),
  ];
}

const valueAt = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], value);
