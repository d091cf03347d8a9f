import { type Part, PYTHON_MISSING, runBench, type TableRow, versionsInWords } from "../table.js";
import type { T5Bench } from "../train/bench-flan-t5-base.js";
import type { GemmaBench } from "../train/bench-gemma-2-2b.js";

type Beside = Pick<TableRow, "theirs" | "beside" | "same" | "missing">;

/** A side that may not have run. */
const beside = (
  how: string,
  figure: number | undefined,
  versions: Readonly<Record<string, string>> | undefined,
  same: string,
): Beside =>
  figure === undefined
    ? { beside: how, missing: PYTHON_MISSING }
    : { theirs: figure, beside: `${how} (${versionsInWords(versions!)})`, same };

export const train: Part = {
  about: "fine-tuning flan-t5-base, beside the Trainer",
  async rows({ python, rounds }) {
    const found: T5Bench = runBench("./train.ts", [
      ...["flan-t5-base", "--steps", "6", "--rounds", String(rounds)],
      ...(python ? ["--python", python, "--further"] : []),
    ]);
    const versions = found.python?.versions;
    const own = { unit: "rows/s" as const, ours: found.rowsPerSecond };
    const steps = `the same ${found.batch} rows in each of ${found.steps} steps`;
    return [
      {
        ...{ what: "flan-t5-base, all weights", ...own },
        ...beside("Trainer as published", found.python?.rowsPerSecond, versions, steps),
      },
      {
        ...{ what: "flan-t5-base, all weights", ...own },
        ...beside("Trainer, like lengths together", found.grouped?.rowsPerSecond, versions, "the same rows"),
      },
      {
        ...{ what: "flan-t5-base, peak memory", unit: "GiB" as const, ours: found.peakGiB },
        ...beside("Trainer as published", found.python?.peakGiB, versions, steps),
      },
    ];
  },
};

export const qlora: Part = {
  about: "fine-tuning Gemma 2 2B with 4-bit QLoRA, beside PEFT and bitsandbytes (11 GiB of memory)",
  async rows({ python }) {
    const found: GemmaBench = runBench("./train.ts", [
      ...["gemma-2-2b", "--steps", "1"],
      ...(python ? ["--python", python, "--further"] : []),
    ]);
    const versions = found.python?.versions;
    const own = { unit: "rows/s" as const, ours: found.rowsPerSecond };
    const same = "the same weights; the first 4 of 16 rows";
    return [
      {
        ...{ what: "gemma-2-2b QLoRA", ...own },
        ...beside("PEFT as published, padded to 300", found.python?.rowsPerSecond, versions, same),
      },
      {
        ...{ what: "gemma-2-2b QLoRA", ...own },
        ...beside("PEFT, padded to the longest", found.unpadded?.rowsPerSecond, versions, same),
      },
      {
        ...{ what: "gemma-2-2b QLoRA, peak memory", unit: "GiB" as const, ours: found.peakGiB },
        ...beside("PEFT as published", found.python?.peakGiB, versions, same),
      },
    ];
  },
};
