import { Command, InvalidArgumentError, Option } from "commander";
import { serveModel, workerEngine } from "../answer/index.js";
import { UsageError } from "../base/errors.js";
import { progressOn } from "../base/progress.js";
import { SAMPLE, sampleModelFolder } from "../experiments/index.js";
import { interrupted } from "./options.js";
import { portNumber } from "./view.js";

interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly apiKey?: string;
  readonly queue: number;
  readonly maxTokens: number;
  readonly maxPromptTokens: number;
  readonly quantization?: "none" | "fp4" | "nf4" | "int8";
  readonly base?: string;
  readonly device: "cpu" | "webgpu" | "cuda";
  readonly revision?: string;
  readonly offline?: boolean;
}

export function serveCommand(): Command {
  return new Command("serve")
    .description("serve a model on this machine as OpenAI's HTTP API")
    .argument("<model>", "a folder, a hub id, an adapter's folder, a fine-tuning run's folder, or sample")
    .option("--port <number>", "0 takes any that is free", portNumber, 1234)
    .option("--host <address>", "where to listen; others than this machine can ask on any but 127.0.0.1", "127.0.0.1")
    .addOption(new Option("--api-key <key>", "requests must carry it").env("MMMLU_API_KEY"))
    .option("--queue <number>", "requests that may wait; more are answered with 429", wholeNumber, 64)
    .option("--max-tokens <number>", "the most new tokens a request may ask for", wholeNumber, 2048)
    .option("--max-prompt-tokens <number>", "the most tokens a prompt may have", wholeNumber, 4096)
    .addOption(
      new Option(
        "--quantization <kind>",
        "how linear layers are held (default: as the run held them that trained the adapter, else none)",
      ).choices(["none", "fp4", "nf4", "int8"]),
    )
    .option("--base <model>", "hub id or folder of an adapter's base, instead of the one that the adapter names")
    .addOption(new Option("--device <device>", "where it runs").choices(["cpu", "webgpu", "cuda"]).default("cpu"))
    .option("--revision <revision>", "commit, branch or tag of the model on the hub")
    .option("--offline", "no network: everything must be in the cache")
    .action(serve);
}

async function serve(model: string, flags: ServeFlags): Promise<void> {
  if (flags.apiKey === "")
    throw new UsageError("the API key is empty", { hint: "Give --api-key (or MMMLU_API_KEY) a key, or leave it out." });
  const progress = progressOn();
  const say = (line: string): void => progress.say(line);
  const source = model === SAMPLE ? await sampleModelFolder(progress) : model;
  const engine = await workerEngine({
    id: model,
    source,
    revision: flags.revision,
    offline: flags.offline,
    device: flags.device,
    quantization: flags.quantization,
    base: flags.base,
    progress,
  });
  try {
    const server = await serveModel(engine, {
      port: flags.port,
      host: flags.host,
      apiKey: flags.apiKey,
      longestQueue: flags.queue,
      limits: { maximumTokens: flags.maxTokens, maximumPromptTokens: flags.maxPromptTokens },
      log: say,
    });
    if (flags.apiKey === undefined && !/^(127\.|::1$|localhost$)/.test(flags.host))
      say(`anyone who reaches ${flags.host} can ask: --api-key, or MMMLU_API_KEY, lets in only who has the key`);
    // Before the address is told: whoever reads it may end the server at once.
    const ended = interrupted();
    process.stdout.write(`serving ${model} (${engine.description})\n${server.url}\n`);
    if (model === SAMPLE)
      process.stdout.write(
        "This is the tiny model of the embedded sample: it answers the sample's questions and nothing else.\n",
      );
    const fault = await Promise.race([ended, engine.ended]);
    await server.close();
    if (fault) throw fault;
  } finally {
    await engine.close();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}
