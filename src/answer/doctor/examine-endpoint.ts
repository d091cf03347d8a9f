import { UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { type Progress, silent } from "../../base/progress.js";
import { type Answered, Connection } from "./connection.js";
import { lookAtContext } from "./context-length.js";
import type { Finding } from "./finding.js";
import { lookAtLogProbabilities } from "./probabilities.js";
import { lookAtReasoning } from "./reasoning.js";
import { Asker, firstWriter, isModelList, type ListedModel, listedModels } from "./replies.js";
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
    const { models, found } = await modelsOf(connection, options.model);
    const names = models.map(({ id }) => id);
    const model = options.model ?? firstWriter(names)!;
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
    const findings: Finding[] = [...found];
    if (options.model === undefined && names.length > 1)
      findings.push({
        about: "model",
        verdict: "note",
        said: `the first of ${names.length.toLocaleString("en")} that writes, by its name`,
        hint: "--model names another.",
      });
    progress.begin(`examining ${model}`, looks.length);
    for (const [index, [name, look]] of looks.entries()) {
      progress.update(index, name);
      findings.push(...(await look()));
    }
    if (connection.stopped)
      findings.push({
        about: "time",
        verdict: "bad",
        said: `nothing more was asked: ${connection.stopped}`,
        hint: "What is marked ? may not have been asked: give --timeout more seconds, or look at the server's load.",
      });
    progress.end(`${connection.asked} requests`);
    return { endpoint: connection.address, model, findings, requests: connection.asked };
  } finally {
    await connection.close();
  }
}

/**
 * The list of models, behind the address or behind `/v1`; a server without one can be asked for a model by its name.
 * @throws {UserError} saying what is there instead
 */
async function modelsOf(
  connection: Connection,
  wanted: string | undefined,
): Promise<{ models: readonly ListedModel[]; found: readonly Finding[] }> {
  const first = await connection.ask("models");
  requireServer(first, connection);
  let answered = first;
  let models = listedModels(first.body);
  if (!isModelList(first.body) && !connection.address.endsWith("/v1")) {
    connection.useVersion();
    const second = await connection.ask("models");
    if (isModelList(second.body) || second.status !== 404) answered = second;
    models = listedModels(second.body);
  }
  const names = models.map(({ id }) => id);
  if (wanted !== undefined && names.includes(wanted)) return { models, found: [] };
  if (models.length > 0) {
    if (wanted === undefined) return { models, found: [] };
    throw new UserError(`${connection.address} has no model "${printableName(wanted)}"`, {
      hint: `It has ${names
        .slice(0, 20)
        .map((name) => printableName(name))
        .join(", ")}${names.length > 20 ? ` and ${(names.length - 20).toLocaleString("en")} more` : ""}.`,
    });
  }
  const why = isModelList(answered.body) ? "no model in it" : answered.words || "no list in it";
  if (wanted !== undefined)
    return {
      models,
      found: [
        {
          about: "list of models",
          verdict: "note",
          said: `none (${why}): ${printableName(wanted)} is asked all the same`,
          hint: "Where nothing else is answered either, it is no OpenAI-compatible server, or has another name for it.",
        },
      ],
    };
  throw new UserError(`${connection.address} has no list of models: ${why}`, {
    hint: isModelList(answered.body)
      ? "Load a model in the server."
      : "Give the base URL of an OpenAI-compatible server, which usually ends in /v1, and load a model; " +
        "where a server has no such list, name the model (--model).",
  });
}

/** @throws {UserError} where no server answers, or it wants a key */
function requireServer({ status, words, failure }: Answered, { address }: Connection): void {
  if (status === 401 || status === 403)
    throw new UserError(`${address} lets nobody in without a valid key (${words})`, {
      hint: "Set LMSTUDIO_API_KEY to the server's key.",
    });
  if (status !== 0) return;
  switch (failure) {
    case "redirect":
      throw new UserError(`${address} is not the server's own address: ${words}`, {
        hint: "Give the address that it redirects to, if it is one that you trust: keys are not sent elsewhere.",
      });
    case "timeout":
      throw new UserError(`${address} does not answer: ${words}`, {
        hint: "Is it busy, or loading a model? Try again, with more seconds (--timeout).",
      });
    case "size":
    case "protocol":
    case "cut":
      throw new UserError(`what answers at ${address} is no such server: ${words}`, {
        hint: "Give the base URL of an OpenAI-compatible server, which usually ends in /v1.",
      });
    default:
      throw new UserError(`no server answers at ${address} (${words})`, {
        hint: "Start the server (in LM Studio: Developer, Start Server; or mmmlu serve), or give another address.",
      });
  }
}
