import { BadReply, batchReply, readBatchResult } from "../../answer/index.js";
import { UserError } from "../../base/errors.js";
import { jsonOf } from "../../base/json.js";
import { lockFolder } from "../../base/lock.js";
import { readLines } from "../../base/text.js";
import { type Result, type Taken, takeReplies } from "../../evaluate/index.js";
import { withoutSecrets } from "../../record/index.js";
import { splitIds } from "../../split/index.js";
import type { EvaluateConfiguration } from "../configuration/schema.js";
import type { RunContext } from "../context.js";
import { openRun } from "../open-run.js";
import { prepare } from "../prepare.js";
import { evaluationPlan } from "../protocol.js";
import { answererOf } from "../run-evaluate.js";
import { requireServer } from "./export.js";

export interface ImportedBatch extends Taken {
  readonly folder: string;
  /** Lines that are no results. */
  readonly unreadable: number;
}

/**
 * Takes the results of batch files into a run's folder, where `run` then asks only what has no reply. Files may come in
 * any order, hold errors, and repeat each other.
 * @throws {UserError} where a file cannot be read, or holds no result of this experiment
 */
export async function importBatch(
  given: EvaluateConfiguration,
  context: RunContext,
  paths: readonly string[],
): Promise<ImportedBatch> {
  requireServer(given);
  const configuration = withoutSecrets(given);
  const folder = await openRun(configuration, context);
  const release = lockFolder(folder.path);
  try {
    const prepared = await prepare(configuration, context);
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    const { plan } = await evaluationPlan(configuration, prepared, context);
    const answerer = await answererOf(given, context, prepared.splits);
    await answerer.close();
    const lines = { seen: 0, unreadable: 0 };
    const taken = await takeReplies({
      rows: prepared.splits.test,
      plan,
      answerer,
      stage: "test",
      repliesPath: folder.file("replies.jsonl"),
      results: resultsOf(paths, configuration.answerer, lines),
    });
    const failed = Object.values(taken.faults).reduce((sum, count) => sum + count, 0);
    if (taken.taken + taken.repeated + failed === 0)
      throw new UserError(
        lines.seen === 0
          ? `${paths.join(", ")}: no result is in there`
          : `none of the ${lines.seen.toLocaleString("en")} lines of ${paths.join(", ")} is a result of this ` +
              `experiment`,
        {
          hint:
            taken.foreign > 0
              ? "Give the experiment, with the --set, --model and --data that its batch files were made with."
              : "Give the files that the server wrote, not those of requests: one JSON object a line, with custom_id " +
                "and response.",
        },
      );
    return { folder: folder.path, ...taken, unreadable: lines.unreadable };
  } finally {
    release();
  }
}

async function* resultsOf(
  paths: readonly string[],
  { logprobs: logProbabilities, model }: EvaluateConfiguration["answerer"],
  lines: { seen: number; unreadable: number },
): AsyncGenerator<Result> {
  for (const path of paths)
    for await (const { text } of readLines(path, undefined, true)) {
      if (text.trim() === "") continue;
      lines.seen++;
      const result = readBatchResult(jsonOf(text));
      if (!result) {
        lines.unreadable++;
        continue;
      }
      yield {
        key: result.key,
        reply(rows) {
          if ("fault" in result) throw new BadReply(result.fault);
          return batchReply(result.body, { rows }, { logProbabilities, model });
        },
      };
    }
}
