/** Where a long piece of work says how far it is. Implementations must be cheap to call often. */
export interface Progress {
  /** Begins a stage; `total` is undefined where it is not known. A stage ends when the next begins. */
  begin(stage: string, total?: number): void;
  /** `done` units of the stage's total are done; `note` stands behind the bar. */
  update(done: number, note?: string): void;
  /** A line that stays. */
  say(line: string): void;
  /** Ends the stage. */
  end(note?: string): void;
}

export const silent: Progress = { begin() {}, update() {}, say() {}, end() {} };

/** A bar redrawn on one line in a terminal, and plain lines (at most one every `plainSeconds`) where there is none. */
export function progressOn(stream: NodeJS.WriteStream = process.stderr, plainSeconds = 10): Progress {
  const terminal = stream.isTTY === true;
  let stage = "";
  let total: number | undefined;
  let started = 0;
  let drawn = 0;
  let open = false;

  const clear = (): void => {
    if (terminal && open) stream.write("\r\x1b[2K");
  };
  const line = (done: number, note?: string): string => {
    const seconds = (performance.now() - started) / 1000;
    const rest = total && done > 0 && done < total ? ` ${duration((seconds / done) * (total - done))} left` : "";
    const count = total === undefined ? (done ? ` ${done.toLocaleString("en")}` : "") : ` ${done.toLocaleString("en")}/${total.toLocaleString("en")}`;
    return `${stage}${count}${note ? ` · ${note}` : ""}${rest}`;
  };
  const draw = (done: number, note?: string): void => {
    if (!terminal) {
      stream.write(`${line(done, note)}\n`);
      return;
    }
    const share = total ? Math.min(1, done / total) : 0;
    const bar = total ? `[${"█".repeat(Math.round(share * 20)).padEnd(20, "·")}] ` : "";
    const text = `${bar}${line(done, note)}`;
    stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
  };

  return {
    begin(name, of) {
      if (open) this.end();
      stage = name;
      total = of;
      started = performance.now();
      drawn = started;
      open = true;
      if (terminal) draw(0);
    },
    update(done, note) {
      const now = performance.now();
      if (now - drawn < (terminal ? 100 : plainSeconds * 1000)) return;
      drawn = now;
      draw(done, note);
    },
    say(text) {
      clear();
      stream.write(`${text}\n`);
    },
    end(note) {
      if (!open) return;
      clear();
      open = false;
      stream.write(`${stage}: ${note ?? "done"} (${duration((performance.now() - started) / 1000)})\n`);
    },
  };
}

/** A duration in words: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
