import { valueWithoutCredentials } from "../base/addresses.js";
import type { Prediction } from "../evaluate/index.js";
import type { ManifestParts } from "../record/index.js";
import { headlineFigure, headlineTiles, type StageResult, stageFigures, stageSections } from "./evaluation-parts.js";
import {
  type ExplorationFigures,
  explorationFigures,
  type Figure,
  learningRateFigure,
  lossFigure,
  percent,
} from "./figures/index.js";
import { type Html, html } from "./html.js";
import { page, type Section } from "./page.js";
import { figures, type Tile, table, tiles } from "./parts.js";
import { predictionSection, type ShownPredictions, withPredictions } from "./prediction-table.js";
import type { ShownFigure } from "./published-figures.js";
import { publishedTable } from "./reproduction-report.js";
import type { TrainingCurves } from "./training-curves.js";

/** What every report says first. */
export interface ReportHead {
  readonly name: string;
  readonly description: string;
  readonly configuration: unknown;
  readonly manifest: ManifestParts;
  /** Lines about data and filter: source, rows read, rows kept. */
  readonly facts: readonly (readonly [string, string])[];
  readonly protocolDifferences: readonly string[];
  /** The published figures of the run's preset beside its own; none where nothing was published. */
  readonly published?: readonly ShownFigure[];
}

export interface RunReport {
  readonly html: string;
  readonly figures: readonly Figure[];
}

/** As {@link RunReport}, for pages that may be too large for one text. */
export interface AnswersReport {
  /** The page, in pieces. */
  readonly pieces: Iterable<string>;
  readonly figures: readonly Figure[];
}

/** How many test rows have a twin in train: as the split room's audit counts it. */
export interface LeakAudit {
  readonly rows: number;
  readonly translationInTrain: number;
  readonly duplicateInTrain: number;
  readonly either: number;
}

const SAMPLE_NOTICE =
  "This run used the embedded sample: questions written by a generator. Its figures mean nothing about MMMLU; " +
  "they show that everything works.";

function lead(head: ReportHead, headline: readonly Tile[], drawn: readonly Figure[] = []): Html {
  return html`<h1>${head.name}</h1><p class="soft">${head.description}</p>
${head.manifest.sample ? html`<p class="notice" role="note">${SAMPLE_NOTICE}</p>` : ""}
${headline.length ? tiles(headline) : ""}${drawn.length ? figures(drawn) : ""}`;
}

function aboutSection(head: ReportHead): Section {
  return {
    id: "about",
    title: "What was run, and on what",
    body: html`${table(["", ""], [...head.facts, ...furtherFacts(head.manifest)])}
${head.protocolDifferences.length ? html`<h3>Where the protocol differs from the published one</h3>${folded(head.protocolDifferences)}` : ""}
${head.manifest.notes.length ? html`<h3>Notes</h3><ul>${head.manifest.notes.map((line) => html`<li>${line}</li>`)}</ul>` : ""}
<details><summary>The whole configuration</summary><pre>${JSON.stringify(valueWithoutCredentials(head.configuration), null, 2)}</pre></details>
<details><summary>What is needed to repeat it</summary><pre>${JSON.stringify(head.manifest, null, 2)}</pre></details>`,
  };
}

/** Model, device and seeds, as far as a manifest tells them. */
function furtherFacts({ model, device, seeds }: ManifestParts): [string, string][] {
  const trained = model?.trainedParameters;
  const name = [
    model?.name ?? model?.source,
    model?.kind,
    typeof trained === "number" ? `${trained.toLocaleString("en")} parameters trained` : undefined,
  ];
  const described = [...new Set(name.filter((one): one is string => typeof one === "string"))].join(", ");
  return [
    ...(described ? ([["Model", described]] as [string, string][]) : []),
    ...(device ? ([["Device", device]] as [string, string][]) : []),
    ...(Object.keys(seeds).length
      ? ([
          [
            "Seeds",
            Object.entries(seeds)
              .map(([what, seed]) => `${what} ${seed}`)
              .join(", "),
          ],
        ] as [string, string][])
      : []),
  ];
}

/** A list that does not stand in the way where it is long. */
function folded(lines: readonly string[]): Html {
  const list = html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return lines.length <= 5 ? list : html`<details><summary>${lines.length} differences</summary>${list}</details>`;
}

/** The published run's figures beside this one's. */
const publishedSections = ({ published, manifest }: ReportHead): Section[] =>
  published?.length
    ? [{ id: "published", title: "Published and measured", body: publishedTable(published, !manifest.sample) }]
    : [];

/** The leak audit in words and numbers. */
export function leakSection(kind: string, audit: LeakAudit): Section {
  const share = audit.rows ? audit.either / audit.rows : 0;
  const counts = table(
    ["split", "test rows", "translation in train", "duplicate in train", "either"],
    [[kind, audit.rows, audit.translationInTrain, audit.duplicateInTrain, audit.either]],
  );
  return {
    id: "leak",
    title: "Leak audit of the split",
    body: html`<p>${
      share > 0
        ? html`<b class="wrong">${percent(share)}</b> of the ${audit.rows.toLocaleString("en")} test rows have a twin in train: a translation of the same question, or an exact duplicate. Accuracy on such rows can be remembered rather than known.`
        : html`<b class="right">None</b> of the ${audit.rows.toLocaleString("en")} test rows has a translation or a duplicate in train.`
    }</p>
${counts}`,
  };
}

/** Report of an exploration. */
export function explorationReport(
  head: ReportHead,
  content: {
    figures: ExplorationFigures;
    subjectsDrawn: number;
    headline: readonly Tile[];
    tables: readonly Section[];
  },
): RunReport {
  const drawn = explorationFigures(content.figures, content.subjectsDrawn);
  return {
    figures: drawn,
    html: page(head.name, lead(head, content.headline), [
      aboutSection(head),
      ...publishedSections(head),
      { id: "figures", title: "Distributions", body: figures(drawn) },
      ...content.tables,
    ]),
  };
}

/** Report of answers, with training curves and the split's audit where there are any. */
export function answersReport(
  head: ReportHead,
  content: {
    stages: readonly StageResult[];
    predictions: Iterable<Prediction>;
    rows?: ShownPredictions["rows"];
    audit?: { kind: string; audit: LeakAudit };
    training?: TrainingCurves;
    lengths?: readonly Figure[];
    further?: readonly Section[];
  },
): AnswersReport {
  const drawn = stageFigures(content.stages);
  const headline = headlineFigure(content.stages);
  const count = content.stages.reduce((sum, { statistics }) => sum + statistics.overall.n, 0);
  const shown: ShownPredictions = { predictions: content.predictions, count, rows: content.rows };
  const curves = content.training?.points.length
    ? [
        lossFigure(content.training.points, content.training.validation, content.training.published),
        learningRateFigure(content.training.points),
      ]
    : [];
  const sections: Section[] = [
    aboutSection(head),
    ...publishedSections(head),
    ...(content.audit ? [leakSection(content.audit.kind, content.audit.audit)] : []),
    ...(content.training
      ? [{ id: "training", title: "Training", body: html`${tiles(content.training.tiles)}${figures(curves)}` }]
      : []),
    ...stageSections([...content.stages].reverse(), [...drawn].reverse()),
    ...(content.lengths?.length ? [{ id: "lengths", title: "Token lengths", body: figures(content.lengths) }] : []),
    ...(content.further ?? []),
    predictionSection(shown),
  ];
  const text = page(head.name, lead(head, headlineTiles(content.stages), [headline]), sections);
  return {
    figures: [headline, ...drawn.flatMap((stage) => stage.figures), ...curves, ...(content.lengths ?? [])],
    pieces: { [Symbol.iterator]: () => withPredictions(text, shown) },
  };
}
