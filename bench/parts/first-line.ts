import { firstLines, mmmlu } from "../first-line.js";
import { type Part, PYTHON_MISSING, type TableRow } from "../table.js";

/** The first cell of the published fine-tunings: what they import before anything is seen. */
const FIRST_CELL = "import torch, transformers, datasets, peft; print(torch.__version__)";

export const firstLine: Part = {
  about: "time from a command to its first line",
  async rows({ python, "lm-eval": harness, inspect }) {
    const help = await firstLines({
      ours: mmmlu("run", "--help"),
      ...(harness ? { harness: [harness, "-m", "lm_eval", "run", "--help"] } : {}),
      ...(inspect ? { inspect: [inspect, "-m", "inspect_ai", "eval", "--help"] } : {}),
    });
    const work = await firstLines({
      ours: mmmlu("run", "flan-t5-finetune", "--sample", "--fresh"),
      ...(python ? { python: [python, "-c", FIRST_CELL] } : {}),
    });
    const row = (
      what: string,
      ours: number,
      theirs: number | undefined,
      beside: string,
      missing: string,
    ): TableRow => ({
      ...{ what, unit: "ms", ours, theirs, beside },
      ...(theirs === undefined ? { missing } : { same: "a line of output" }),
    });
    const toHelp = "from the command to its help";
    return [
      row(toHelp, help["ours"]!, help["harness"], "lm_eval run --help", "--lm-eval names no Python that has it"),
      row(toHelp, help["ours"]!, help["inspect"], "inspect eval --help", "--inspect names no Python that has it"),
      row(
        "from `run` to the first line of work",
        work["ours"]!,
        work["python"],
        "the published notebooks' imports",
        PYTHON_MISSING,
      ),
    ];
  },
};
