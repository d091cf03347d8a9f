import { type Command, Option } from "commander";
import { checkAccess, serveModel, type WorkerEngine, workerEngine } from "../answer/index.js";
import { UsageError } from "../base/errors.js";
import { isLoopback } from "../base/local-requests.js";
import { printableName } from "../base/printable.js";
import { progressOn } from "../base/progress.js";
import { chooseDevice, SAMPLE, sampleModelFolder } from "../experiments/index.js";
import { DEVICE_CHOICES, DEVICE_NAMES, type DeviceChoice } from "../graph/index.js";
import { checkFits } from "../models/index.js";
import { savedModelOf } from "../record/index.js";
import { interrupted, wholeNumber } from "./options.js";
import { portNumber } from "./view.js";

interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly apiKey?: string;
  readonly allowUnauthenticated?: boolean;
  readonly allowedHost: readonly string[];
  readonly allowedOrigin: readonly string[];
  readonly queue: number;
  readonly maxTokens: number;
  readonly maxPromptTokens: number;
  readonly quantization?: "none" | "fp4" | "nf4" | "int8";
  readonly doubleQuantization?: boolean;
  readonly base?: string;
  readonly chatTemplate?: string;
  readonly device: DeviceChoice;
  readonly revision?: string;
  readonly offline?: boolean;
}

export function serveCommand(command: Command): Command {
  return command
    .argument("<model>", "a folder, a hub id, an adapter's folder, a fine-tuning run's folder, or sample")
    .option("--port <number>", "0 takes any that is free", portNumber, 1234)
    .option(
      "--host <address>",
      "where to listen; other machines can ask on any but 127.0.0.1, and need a key there",
      "127.0.0.1",
    )
    .addOption(new Option("--api-key <key>", "requests must carry it").env("MMMLU_API_KEY"))
    .option("--allow-unauthenticated", "other machines may ask without a key")
    .option(
      "--allowed-host <name>",
      "a further name that it may be asked by, as behind a proxy; may be repeated",
      listed,
      [],
    )
    .option("--allowed-origin <origin>", "web pages of this origin may ask (CORS); may be repeated", listed, [])
    .option("--queue <number>", "requests that may wait; more are answered with 429", wholeNumber, 64)
    .option("--max-tokens <number>", "the most new tokens a request may ask for", wholeNumber, 2048)
    .option("--max-prompt-tokens <number>", "the most tokens a prompt may have", wholeNumber, 4096)
    .addOption(
      new Option(
        "--quantization <kind>",
        "how linear layers are held (default: as when the adapter was trained, where its folder tells that, else none)",
      ).choices(["none", "fp4", "nf4", "int8"]),
    )
    .option("--double-quantization", "with --quantization fp4 or nf4: the blocks' scales are quantized too")
    .option("--base <model>", "hub id or folder of an adapter's base, instead of the one that the adapter names")
    .option("--chat-template <file>", "a chat template in Jinja, instead of the model's own")
    .addOption(new Option("--device <device>", "where it runs").choices(DEVICE_CHOICES).default(DEVICE_NAMES[0]))
    .option("--revision <revision>", "commit, branch or tag of the model on the hub")
    .option("--offline", "no network: everything must be in the cache")
    .action(serve);
}

async function serve(model: string, flags: ServeFlags): Promise<void> {
  const access = {
    host: flags.host,
    apiKey: flags.apiKey,
    allowUnauthenticated: flags.allowUnauthenticated,
    allowedHosts: flags.allowedHost,
    allowedOrigins: flags.allowedOrigin,
  };
  // Before gigabytes are loaded.
  checkAccess(access);
  if (flags.doubleQuantization && !["fp4", "nf4"].includes(flags.quantization ?? ""))
    throw new UsageError("--double-quantization goes with --quantization fp4 or nf4", {
      hint: "Give both, or neither.",
    });
  const progress = progressOn();
  const say = (line: string): void => progress.say(line);
  const source = model === SAMPLE ? await sampleModelFolder(progress) : savedModelOf(model);
  const held = flags.quantization && { kind: flags.quantization, doubleQuantization: flags.doubleQuantization };
  const { revision, offline, base } = flags;
  const chosen =
    flags.device === "auto"
      ? await chooseDevice((device, adapter) =>
          checkFits(source, device, adapter, { revision, offline, base, progress, quantization: held }),
        )
      : { device: flags.device };
  if ("why" in chosen) say(`--device auto chose ${chosen.device}: ${chosen.why}`);
  const engine = await workerEngine({
    id: model,
    source,
    revision: flags.revision,
    offline: flags.offline,
    device: chosen.device,
    quantization: flags.quantization,
    doubleQuantization: flags.doubleQuantization,
    base: flags.base,
    chatTemplate: flags.chatTemplate,
    progress,
  });
  try {
    const server = await serveModel(engine, {
      ...access,
      port: flags.port,
      longestQueue: flags.queue,
      limits: { maximumTokens: flags.maxTokens, maximumPromptTokens: flags.maxPromptTokens },
      log: say,
    });
    // Before the address is told: whoever reads it may end the server at once.
    const ended = interrupted();
    process.stdout.write(`${whatIsServed(model, engine, flags).join("\n")}\n${server.url}\n`);
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

/** What a client can expect, and who may ask. */
function whatIsServed(model: string, engine: WorkerEngine, flags: ServeFlags): string[] {
  const who = flags.apiKey === undefined ? "no key is asked for" : "requests must carry the key";
  const where = isLoopback(flags.host) ? "this machine alone can ask" : "other machines can ask";
  const longest = engine.longestSequence === undefined ? "" : `, ${engine.longestSequence} together`;
  return [
    `serving ${printableName(model)} (${printableName(engine.description)})`,
    `at most ${flags.maxPromptTokens} tokens in a prompt, ${flags.maxTokens} new ones${longest}; ` +
      `${engine.requestsAtOnce} requests at once, ${flags.queue} waiting`,
    `${where}; ${who}`,
  ];
}

const listed = (value: string, before: readonly string[]): string[] => [...before, value];
