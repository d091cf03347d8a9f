/**
 * Own questions, a model that was fine-tuned here, and a server between them. From an empty folder:
 *
 *   npm install mmmlu-lab tsx && npx tsx own-rows.ts
 *
 * It trains the tiny T5 of the embedded sample; `flan-t5-finetune` without `onSample` trains the real one.
 */
import { writeFileSync } from "node:fs";
import { answer, experiments, progressOn, record } from "mmmlu-lab";

writeFileSync("own.csv", "id,question,A,B,C,answer\n0,What is 2 + 3?,4,5,6,B\n1,Which is a mammal?,crow,trout,bat,C\n");
const context = { progress: progressOn(), environment: process.env };

const preset = experiments.onSample(experiments.presetNamed("flan-t5-finetune"));
const tuned = await experiments.runExperiment(
  await experiments.configure(preset, ["name=tiny", "training.epochs=2"]),
  context,
);
console.log(tuned.headline.join("\n"));

const source = record.savedModelOf(tuned.folder);
const engine = await answer.workerEngine({ id: "tiny", source, device: "cpu" });
const server = await answer.serveModel(engine, { port: 0 });
try {
  const asked = await experiments.configure("gemma-3-27b-baseline", [
    "name=own-rows",
    "data.source=own.csv",
    "data.languages=null",
    "tokenizer.source=sample",
    "answerer.model=tiny",
    `answerer.endpoint=${server.url}`,
    "answerer.questionsPerRequest=1",
    "split=null",
  ]);
  const own = await experiments.runExperiment(asked, context);
  console.log(`${own.headline[0]}\n${own.report}`);
} finally {
  await server.close();
  await engine.close();
}
