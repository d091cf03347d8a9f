import { stringify } from "yaml";
import { percent } from "../../report/index.js";
import { datasetOf, frontMatter, languagesOf } from "./front-matter.js";
import { loadingPython } from "./loading.js";
import type { CardRun, CardStage } from "./run.js";

/** The file's name. */
export const CARD = "README.md";

/** The model card of a fine-tuning run: `README.md` as the hub reads it, metadata in front. */
export function modelCard(run: CardRun): string {
  const sections = [
    introduction(run),
    results(run),
    data(run),
    split(run),
    protocol(run),
    `## How to load it\n\n\`\`\`python\n${loadingPython(run)}\n\`\`\``,
    licence(run),
  ];
  return `---\n${stringify(frontMatter(run), { lineWidth: 0 })}---\n\n${sections.join("\n\n")}\n`;
}

const range = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`;
const number = (value: number): string => value.toLocaleString("en");
/** Text from outside in Markdown: no markup, one line. */
const plain = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>|#]/g, (sign) => `\\${sign}`).replaceAll(/[\r\n]+/g, " ");
const code = (text: string): string => `\`${text.replaceAll(/[`\r\n|]/g, " ")}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Whether the base was made on the spot. */
const isMadeUp = ({ sample, facts }: CardRun): boolean => sample && facts.model.source === "sample";

const baseOf = (run: CardRun): string =>
  run.base !== undefined
    ? `[${plain(run.base)}](https://huggingface.co/${run.base})`
    : isMadeUp(run)
      ? "a tiny model made on the spot"
      : "a model that was read from a folder or a GGUF file";

function introduction(run: CardRun): string {
  const { name, version, sample, configuration, saved } = run;
  const how = saved.adapter
    ? `A LoRA adapter${configuration.model.quantization === "none" ? "" : " (QLoRA)"} for`
    : "All weights fine-tuned of";
  const told = sample
    ? "\n\n**Made on the embedded sample of mmmlu-lab, whose questions a generator wrote: its figures mean nothing.**"
    : "";
  return (
    `# ${plain(name)}\n\n${how} ${baseOf(run)}: it answers multiple-choice questions with a letter. ` +
    `Made with mmmlu-lab ${version}.${told}`
  );
}

function results({ metrics: { baseline, final }, configuration }: CardRun): string {
  const interval = (one: CardStage): string => (one.statistics ? range(one.statistics.clustered.interval) : "");
  const stages = [
    ...(baseline ? ([["before training", baseline]] as const) : []),
    ["after training", final] as const,
  ].map(([name, one]) => [name, number(one.n), percent(one.accuracy), interval(one), number(one.unreadable)]);
  const additional = final.additionalMetrics ?? final.measuredBeside;
  const beside = [
    ["likeliest letter by log-probability", additional?.letterLogProbabilities] as const,
    ["test rows without a twin in train", additional?.withoutTwinInTrain] as const,
  ].flatMap(([name, one]) => (one ? [[name, number(one.n), percent(one.accuracy), range(one.interval), ""]] : []));
  const languages = (final.statistics?.languages ?? []).map((one) => [
    code(one.language),
    number(one.n),
    percent(one.accuracy),
    range(one.clusteredInterval),
    "",
  ]);
  const chance = final.statistics?.overall?.chance;
  return (
    `## Results\n\nAccuracy on the test part; a reply is read by ${code(configuration.evaluation.answerExtraction)}, ` +
    `one that cannot be read counts as wrong. Intervals are of 95 %, with the translations of a question as one ` +
    `cluster.${chance === undefined ? "" : ` Drawn by lot: ${percent(chance)}.`}\n\n` +
    table(
      ["", "rows", "accuracy", "95 % interval", "unreadable"],
      [...stages, ...beside, ...(languages.length > 1 ? languages : [])],
    )
  );
}

function data(run: CardRun): string {
  const { facts, configuration } = run;
  const line = (one: CardRun["facts"]["data"]["trainFrom"] & object): string => {
    const id = datasetOf(one);
    const where = id ? `[${plain(id)}](https://huggingface.co/datasets/${id})` : code(one.task ?? one.kind);
    return `${where}${one.revision ? ` at ${code(one.revision)}` : ""}, ${number(one.rows)} rows read`;
  };
  const { trainFrom, rowsKept } = facts.data;
  const { maxTokens, inclusive } = configuration.filter;
  return [
    "## Data\n",
    `- ${trainFrom ? "test rows: " : ""}${line(facts.data)}`,
    ...(trainFrom ? [`- train and validation rows: ${line(trainFrom)}`] : []),
    `- languages: ${languagesOf(run).map(code).join(", ") || "not told"}`,
    `- kept: rows of ${inclusive ? "at most" : "less than"} ${maxTokens} tokens` +
      `${rowsKept === undefined ? "" : `, ${number(rowsKept)} in all`}`,
  ].join("\n");
}

function split({ facts: { split }, metrics: { audit } }: CardRun): string {
  const kinds: Readonly<Record<string, string>> = {
    published: "row for row the split of the published run",
    grouped: "translations and duplicates of a question stay on one side",
  };
  const parts = (["test", "validation"] as const).flatMap((part) => {
    const one = audit?.[part];
    if (!one) return [];
    const counts = [one.rows, one.translationInTrain, one.duplicateInTrain, one.either];
    return [[part, ...counts.map(number), one.rows > 0 ? percent(one.either / one.rows) : ""]];
  });
  return [
    `## Split and its leak audit\n\n${code(split.kind)} (${kinds[split.kind] ?? "of another version"}), ` +
      `${split.shape}, seed ${split.seed}: ${number(split.train)} train, ${number(split.validation)} validation, ` +
      `${number(split.test)} test rows; SHA-256 of the ids ${code(split.sha256)}.`,
    ...(parts.length > 0
      ? [table(["part", "rows", "a translation in train", "a duplicate in train", "either", "share"], parts)]
      : []),
  ].join("\n\n");
}

function protocol({ configuration, facts, metrics: { training }, device }: CardRun): string {
  const { training: t, lora, model, maxLength, prompt, target } = configuration;
  const rows: [string, string][] = [
    ["trained parameters", facts.model.trainedParameters === undefined ? "" : number(facts.model.trainedParameters)],
    ["prompt", code(prompt)],
    ["target", `the letter${target.addEosToken ? " and the token that ends a text" : ""}`],
    ["longest example", `${maxLength} tokens`],
    ["base weights", model.quantization === "none" ? "not quantized" : quantized(model)],
    ...(lora
      ? ([
          ["LoRA", `r ${lora.r}, alpha ${lora.alpha}, dropout ${lora.dropout}`],
          ["adapted layers", lora.targetModules.map(code).join(", ")],
        ] as [string, string][])
      : []),
    ["epochs", String(t.epochs)],
    ["batch size", `${t.batchSize} × ${t.gradientAccumulationSteps} (gradient accumulation)`],
    ["learning rate", `${t.learningRate}, ${t.lrScheduler}, warm-up ${t.warmupRatio}`],
    [
      "optimizer",
      `AdamW, betas ${t.adamBetas.join(" and ")}, epsilon ${t.adamEpsilon}, weight decay ${t.weightDecay}, gradients ` +
        (t.maxGradNorm === null ? "not clipped" : `clipped to ${t.maxGradNorm}`),
    ],
    ["seed", String(t.seed)],
    ...(training?.steps === undefined ? [] : ([["steps", number(training.steps)]] as [string, string][])),
    ...(training?.loss === undefined ? [] : ([["mean training loss", training.loss.toFixed(4)]] as [string, string][])),
    ...(device === undefined ? [] : ([["device", plain(device)]] as [string, string][])),
  ];
  return `## Protocol\n\n${table(
    ["", ""],
    rows.filter(([, value]) => value !== ""),
  )}`;
}

const quantized = (model: CardRun["configuration"]["model"]): string =>
  `${model.quantization}${model.doubleQuantization ? " with double quantization" : ""}`;

function licence(run: CardRun): string {
  const { license } = run;
  if (isMadeUp(run)) return "## Licence\n\nThe base was made on the spot: it is under no licence of others.";
  const named = license && plain(license.license_name ?? license.license);
  const linked =
    license?.license_link && /^https?:\/\/\S+$/.test(license.license_link)
      ? `[${named}](${license.license_link})`
      : named;
  return (
    "## Licence\n\n" +
    (linked
      ? `The base is under ${linked}, and so is what was made of it.`
      : `The licence of the base is not known to who wrote this card: look where ${baseOf(run)} comes from, and ` +
        "write it into `license` above.")
  );
}
