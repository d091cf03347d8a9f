import { join } from "node:path";
import { asksServer, BATCH_LIMITS, batchRequest, protocols, requestKeys, requestsFor } from "../../answer/index.js";
import { UserError } from "../../base/errors.js";
import { writePiecesWhole } from "../../base/files.js";
import { refuseOccupied, writeFolderWhole } from "../../base/folders.js";
import { writeJsonWhole } from "../../base/json.js";
import { lineOf } from "../../base/json-lines.js";
import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { RunContext } from "../context.js";
import { prepare } from "../prepare.js";
import { evaluationPlan } from "../protocol.js";
import { answererOf } from "../run-evaluate.js";

/** What tells a folder of batch files. */
const MARK = "batch.json";
const REQUESTS = /^requests-\d{4,}\.jsonl$/;

export interface ExportedBatch {
  readonly files: readonly { readonly name: string; readonly requests: number; readonly bytes: number }[];
  readonly requests: number;
  readonly questions: number;
  readonly url: string;
}

/** What an experiment asks of a server, for commands that need one. @throws {UserError} for any other answerer */
export function requireServer({ answerer: { model, protocol, permutations, repeats } }: EvaluateConfiguration): void {
  if (!asksServer(model))
    throw new UserError(`${model} is asked on this machine: batch files are for servers`, {
      hint: "Set answerer.model to the name under which the server has its model.",
    });
  if (protocols[protocol].measures !== "text")
    throw new UserError(`batch files ask for replies, and answerer.protocol=${protocol} measures letters`, {
      hint: "Ask the server itself: mmmlu run.",
    });
  if (permutations * repeats > 1)
    throw new UserError("batch files ask each row once", {
      hint: "Set answerer.permutations=1 and answerer.repeats=1, or ask the server itself: mmmlu run.",
    });
}

/**
 * Writes an evaluation's requests as files of OpenAI's batch format, each within what OpenAI takes of one. Batch files
 * that were there are replaced. Memory: one request.
 * @param most requests in a file; fewer where a server writes results at the end of a file only
 * @throws {UserError} where no server is asked, the folder holds something else, or it cannot be written
 */
export async function exportBatch(
  configuration: EvaluateConfiguration,
  context: RunContext,
  out: string,
  most: number = BATCH_LIMITS.requests,
): Promise<ExportedBatch> {
  requireServer(configuration);
  refuseOccupied(out, (name) => name === MARK || REQUESTS.test(name));
  const prepared = await prepare(configuration, context);
  const { plan } = await evaluationPlan(configuration, prepared, context);
  const answerer = await answererOf(configuration, context, prepared.splits);
  const { model, temperature, logprobs } = configuration.answerer;
  const question = { model, temperature, logProbabilities: logprobs };
  const keyOf = requestKeys(answerer.identity);
  const atMost = Math.min(most, BATCH_LIMITS.requests);
  const counts = { requests: 0, questions: 0, url: "" };
  const lines = (function* () {
    for (const request of requestsFor(prepared.splits.test, plan)) {
      const line = batchRequest(keyOf(request), request, question);
      counts.requests++;
      counts.questions += request.rows.length;
      counts.url = line.url;
      const text = lineOf(line);
      if (Buffer.byteLength(text) > BATCH_LIMITS.bytes)
        throw new UserError(`the request of ${request.rows[0]?.id} is larger than a batch file may be`, {
          hint: "Set answerer.questionsPerRequest=1, or ask the server itself: mmmlu run.",
        });
      yield text;
    }
  })();
  await answerer.close();
  const files: { name: string; requests: number; bytes: number }[] = [];
  await writeFolderWhole(out, (folder) => {
    let next = lines.next();
    while (!next.done) {
      const file = { name: `requests-${String(files.length + 1).padStart(4, "0")}.jsonl`, requests: 0, bytes: 0 };
      writePiecesWhole(
        join(folder, file.name),
        (function* () {
          for (; !next.done; next = lines.next()) {
            const size = Buffer.byteLength(next.value);
            if (file.requests === atMost || file.bytes + size > BATCH_LIMITS.bytes) return;
            file.requests++;
            file.bytes += size;
            yield next.value;
          }
        })(),
      );
      files.push(file);
    }
    writeJsonWhole(join(folder, MARK), { format: 1, name: configuration.name, model, ...counts, files });
  });
  return { ...counts, files };
}
