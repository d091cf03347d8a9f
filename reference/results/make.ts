/*
 * Results as the real tools write them, for test/fixtures/results: lm-evaluation-harness and Inspect ask `mmmlu serve`
 * of a tiny model made on the spot, about the embedded sample's rows.
 *
 *   python -m venv tools && tools/bin/pip install lm-eval==0.4.13 inspect_ai==0.3.285 openai tenacity aiohttp tiktoken
 *   node --import tsx reference/results/make.ts tools/bin
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { serveModel, workerEngine } from "../../src/answer/index.js";
import { sampleFolder } from "../../src/data/index.js";
import { sampleTokenizerFolder } from "../../src/experiments/index.js";
import { openDevice } from "../../src/graph/index.js";
import { createTinyDecoder, gemma2 } from "../../src/models/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";

const tools = resolve(process.argv[2] ?? "tools/bin");
const out = fileURLToPath(new URL("../../test/fixtures/results/", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "mmmlu-results-"));
const ROWS = 5;
const SUBJECT = "anatomy";

const model = join(work, "tiny");
const tokenizerFolder = await sampleTokenizerFolder("gemma");
cpSync(tokenizerFolder, model, { recursive: true });
const tokenizer = await loadTokenizer({ source: model });
const device = await openDevice("cpu");
const files = { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(model, name)) };
const tiny = await createTinyDecoder(device, gemma2, { vocabSize: tokenizer.vocabularySize }, 7, files);
await tiny.save(model);
const config = JSON.parse(readFileSync(join(model, "tokenizer_config.json"), "utf8"));
config.chat_template =
  "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}model: {% endif %}";
config.tokenizer_class = "PreTrainedTokenizerFast";
writeFileSync(join(model, "tokenizer_config.json"), JSON.stringify(config));
const engine = await workerEngine({ id: "tiny", source: model, device: "cpu" });
const server = await serveModel(engine, { port: 0 });

/** Runs a tool; its words are shown where it fails. */
function run(name: string, given: readonly string[], environment: Record<string, string> = {}): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(join(tools, name), given, {
      cwd: work,
      env: { ...process.env, ...environment, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece.toString()));
    child.on("close", (code) =>
      code === 0 ? done() : fail(new Error(`${name} ended with ${code}:\n${said.slice(-4000)}`)),
    );
  });
}

const csv = (language: string): string => join(sampleFolder(), "test", `mmlu_${language.replace("_", "-")}.csv`);

try {
  rmSync(out, { recursive: true, force: true });
  // Tasks as lm-evaluation-harness has them for openai/MMMLU, on files instead of the hub.
  const tasks = join(work, "tasks");
  mkdirSync(tasks);
  writeFileSync(
    join(tasks, "utils.py"),
    `def of_subject(dataset):\n    return dataset.filter(lambda row: row["Subject"] == "${SUBJECT}")\n`,
  );
  const task = (name: string, language: string, more: string): void =>
    writeFileSync(
      join(tasks, `${name}.yaml`),
      `task: ${name}
dataset_path: csv
dataset_kwargs: {data_files: {test: "${csv(language)}"}}
test_split: test
fewshot_split: test
fewshot_config: {sampler: first_n}
process_docs: !function utils.of_subject
description: "The following are multiple choice questions (with answers) about ${SUBJECT}.\\n\\n"
doc_to_text: "{{Question.strip()}}\\nA. {{A}}\\nB. {{B}}\\nC. {{C}}\\nD. {{D}}\\nAnswer:"
${more}
metadata: {version: 1.0}
`,
    );
  const scored = `output_type: multiple_choice
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: Answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}`;
  for (const language of ["DE_DE", "FR_FR"]) task(`mmmlu_${language.toLowerCase()}_${SUBJECT}`, language, scored);
  task(
    `mmmlu_generative_de_de_${SUBJECT}`,
    "DE_DE",
    `output_type: generate_until
doc_to_target: Answer
generation_kwargs: {until: ["\\n\\n"], do_sample: false, temperature: 0.0, max_gen_toks: 8}
filter_list:
  - {name: strict, filter: [{function: regex, regex_pattern: "^\\\\s*([A-D])\\\\b"}, {function: take_first}]}
  - {name: flexible, filter: [{function: regex, regex_pattern: "([A-D])"}, {function: take_first}]}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}`,
  );
  const asked = `model=tiny,base_url=${server.url}completions,tokenizer=${model},tokenizer_backend=huggingface,num_concurrent=1,max_retries=1`;
  const common = ["--model", "local-completions", "--model_args", asked, "--include_path", tasks];
  const evaluate = (names: string, to: string, ...more: string[]): Promise<void> =>
    run("lm_eval", [
      ...common,
      "--tasks",
      names,
      "--limit",
      String(ROWS),
      "--log_samples",
      "--output_path",
      join(work, to),
      ...more,
    ]);
  await evaluate(`mmmlu_de_de_${SUBJECT},mmmlu_fr_fr_${SUBJECT}`, "lm-eval", "--num_fewshot", "0");
  await evaluate(`mmmlu_de_de_${SUBJECT}`, "lm-eval-2-shot", "--num_fewshot", "2");
  await evaluate(`mmmlu_generative_de_de_${SUBJECT}`, "lm-eval-generated", "--num_fewshot", "0");
  // It takes no path from the root.
  cpSync(join(here, "inspect_task.py"), join(work, "inspect_task.py"));
  // Inspect, a log a language, in both of its formats.
  for (const [format, language] of [
    ["eval", "DE_DE"],
    ["eval", "FR_FR"],
    ["json", "DE_DE"],
  ] as const)
    await run(
      "inspect",
      [
        ...["eval", "inspect_task.py", "--model", "openai-api/tiny/tiny", "--display", "none"],
        ...[
          "--log-dir",
          join(work, `inspect-${format}`),
          "--log-format",
          format,
          "--max-tokens",
          "8",
          "--temperature",
          "0",
        ],
        ...[
          "-T",
          `path=${csv(language)}`,
          "-T",
          `language=${language}`,
          "-T",
          `subject=${SUBJECT}`,
          "-T",
          `rows=${ROWS}`,
        ],
      ],
      { TINY_BASE_URL: server.url, TINY_API_KEY: "none" },
    );
  for (const folder of readdirSync(work).filter((name) => /^(lm-eval|inspect-)/.test(name)))
    cpSync(join(work, folder), join(out, folder), { recursive: true });
  // Paths and addresses of this machine are nobody's business.
  for (const name of readdirSync(out, { recursive: true, encoding: "utf8" }).filter((one) => /\.jsonl?$/.test(one))) {
    const path = join(out, name);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replaceAll(work, "/tools").replaceAll(here, "/reference/").replaceAll(sampleFolder(), "/sample"),
    );
  }
} finally {
  await server.close();
  await engine.close();
  rmSync(work, { recursive: true, force: true });
}
