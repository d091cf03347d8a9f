import { UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { type Progress, silent } from "../../base/progress.js";
import { Connection } from "./connection.js";
import { lookAtContext } from "./context-length.js";
import type { Finding } from "./finding.js";
import { lookAtLogProbabilities } from "./probabilities.js";
import { lookAtReasoning } from "./reasoning.js";
import { Asker, listedModels } from "./replies.js";
import { lookAtSteadiness } from "./steadiness.js";
import { lookAtTokens } from "./tokens.js";

export interface ExamineOptions {
  /** As the server's list names it; its first unless given. */
  readonly model?: string;
  /** For each request. */
  readonly timeoutSeconds?: number;
  readonly environment?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

export interface Examined {
  readonly endpoint: string;
  readonly model: string;
  readonly findings: readonly Finding[];
  /** Requests that it took. */
  readonly requests: number;
}

/**
 * Asks an OpenAI-compatible server some forty questions and tells what it really does: whether chats are put into a
 * template, how many `<bos>` stand in front, whether log-probabilities are computed, whether the same question gets the
 * same reply, how long a prompt may be, how many requests run at once, whether the model thinks first.
 * @throws {UserError} where there is no such server or model
 */
export async function examineEndpoint(endpoint: string, options: ExamineOptions = {}): Promise<Examined> {
  const { timeoutSeconds = 120, progress = silent, signal, environment } = options;
  const connection = new Connection(endpoint, timeoutSeconds, signal, environment);
  try {
    let answered = await connection.ask("models");
    let models = listedModels(answered.body);
    if (models.length === 0 && answered.status !== 0) {
      connection.useVersion();
      answered = await connection.ask("models");
      models = listedModels(answered.body);
    }
    if (answered.status === 0)
      throw new UserError(`no server answers at ${connection.address} (${answered.words})`, {
        hint: "Start the server (in LM Studio: Developer, Start Server; or mmmlu serve), or give another address.",
      });
    if (models.length === 0)
      throw new UserError(`${connection.address} has no list of models: ${answered.words || "no model in it"}`, {
        hint: "Give the base URL of an OpenAI-compatible server, which usually ends in /v1, and load a model.",
      });
    const names = models.flatMap(({ id }) => id ?? []);
    const model = options.model ?? names[0];
    if (model === undefined || !names.includes(model))
      throw new UserError(`${connection.address} has no model "${printableName(model ?? "")}"`, {
        hint: `It has ${names
          .slice(0, 20)
          .map((name) => printableName(name))
          .join(", ")}.`,
      });
    const asker = new Asker(connection, model);
    const looks: readonly (readonly [string, () => Promise<Finding[]>])[] = [
      ["reasoning", () => lookAtReasoning(asker)],
      ["template and tokens", () => lookAtTokens(asker, connection)],
      ["log-probabilities", () => lookAtLogProbabilities(asker)],
      ["the same question again", () => lookAtSteadiness(asker)],
      [
        "context",
        () =>
          lookAtContext(
            asker,
            connection,
            models.find(({ id }) => id === model),
          ),
      ],
    ];
    const findings: Finding[] = [];
    progress.begin(`examining ${model}`, looks.length);
    for (const [index, [name, look]] of looks.entries()) {
      progress.update(index, name);
      findings.push(...(await look()));
    }
    progress.end(`${connection.asked} requests`);
    return { endpoint: connection.address, model, findings, requests: connection.asked };
  } finally {
    await connection.close();
  }
}
