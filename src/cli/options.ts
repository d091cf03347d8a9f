/** For an option that may be given several times. */
export const collect = (value: string, before: string[]): string[] => [...before, value];

/** Resolves at Ctrl-C, or when the process is asked to end. */
export const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
