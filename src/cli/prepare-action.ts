import { lockFolder } from "../base/lock.js";
import { openRun, prepare, withSplit } from "../experiments/index.js";
import { percent } from "../report/index.js";
import { splitIds } from "../split/index.js";
import { configurationOf, contextOf } from "./context.js";
import type { ExperimentFlags } from "./experiment-flags.js";
import { print } from "./print.js";

export interface PrepareFlags extends ExperimentFlags {
  readonly json?: boolean;
}

export async function prepareAction(experiment: string, flags: PrepareFlags): Promise<void> {
  const configuration = withSplit(await configurationOf(experiment, flags));
  const context = contextOf(flags);
  let release: (() => void) | undefined;
  try {
    const folder = await openRun(configuration, flags);
    release = lockFolder(folder.path);
    const prepared = await prepare(configuration, context);
    folder.writeJson("splits.json", splitIds(prepared.splits));
    folder.writeJson("audit.json", { filter: prepared.filtered.byLanguage, ...prepared.audit });
    const { splits, audit } = prepared;
    const files = [folder.file("splits.json"), folder.file("audit.json")];
    if (flags.json) {
      const sizes = Object.fromEntries(Object.entries(splits).map(([name, rows]) => [name, rows.length]));
      const found = { folder: folder.path, files, ...sizes, filter: prepared.filtered.byLanguage, ...audit };
      process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
      return;
    }
    print(`train ${splits.train.length}, validation ${splits.validation.length}, test ${splits.test.length}`);
    const { rows, translationInTrain, duplicateInTrain, either } = audit.test;
    print(
      `leak audit: of ${rows} test rows ${translationInTrain} have a translation in train, ` +
        `${duplicateInTrain} an exact duplicate; either ${either} (${percent(rows ? either / rows : 0)})`,
    );
    print(...files);
  } finally {
    release?.();
    context.done();
  }
}
