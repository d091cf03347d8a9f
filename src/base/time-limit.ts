import vm from "node:vm";

/** What a script of another context calls: only V8's scripts have a bound on their time. */
const called: { run?: () => unknown } = {};
let script: { readonly context: vm.Context; readonly script: vm.Script } | undefined;

/**
 * Runs code that may never end by itself, as that which follows a text from outside.
 * @param milliseconds of the clock
 * @throws {Error} with the code ERR_SCRIPT_EXECUTION_TIMEOUT where it takes longer; what `run` throws passes through
 */
export function withinTime<T>(milliseconds: number, run: () => T): T {
  script ??= { context: vm.createContext(called), script: new vm.Script("run()") };
  const before = called.run;
  called.run = run;
  try {
    return script.script.runInContext(script.context, { timeout: milliseconds }) as T;
  } finally {
    called.run = before;
  }
}
