import { statSync } from "node:fs";
import { type RowAnswers, RowTable, readAnswers } from "./answers.js";

/** Reads each run's answers once, and again where its file has changed: for a server that is asked many times. */
export class CachedAnswers {
  readonly table = new RowTable();
  private readonly read = new Map<
    string,
    { readonly state: string; readonly stages: Promise<Map<string, RowAnswers>> }
  >();

  readonly answersOf = (path: string): Promise<Map<string, RowAnswers>> => {
    const { mtimeMs, size, ino } = statSync(path);
    const state = `${mtimeMs} ${size} ${ino}`;
    const before = this.read.get(path);
    if (before?.state === state) return before.stages;
    const stages = readAnswers(path, this.table);
    this.read.set(path, { state, stages });
    // What could not be read is tried again.
    stages.catch(() => this.read.delete(path));
    return stages;
  };
}
