import { withoutCredentials } from "./addresses.js";
import { printable, printableName } from "./printable.js";
import { cutTo, displayWidth, inLocale, isSmart, shownOn } from "./terminal.js";

/** Where a long piece of work says how far it is. Implementations must be cheap to call often. */
export interface Progress {
  /**
   * Begins a stage; `total` is undefined where it is not known. A stage ends when the next begins.
   * @param from how many units were done in an earlier sitting: the time left goes by those of this one
   */
  begin(stage: string, total?: number, from?: number): void;
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
  const terminal = isSmart(stream);
  let stage = "";
  let total: number | undefined;
  let first = 0;
  let started = 0;
  let drawn = 0;
  let open = false;

  const clear = (): void => {
    if (terminal && open) stream.write("\r\x1b[2K");
  };
  const line = (done: number, note?: string): string => {
    const seconds = (performance.now() - started) / 1000;
    const rest =
      total && done > first && done < total ? `, ${duration((seconds / (done - first)) * (total - done))} left` : "";
    const count =
      total === undefined
        ? done
          ? done.toLocaleString("en")
          : ""
        : `${done.toLocaleString("en")}/${total.toLocaleString("en")}`;
    return `${count}${rest}${note ? ` · ${note}` : ""}`;
  };
  const draw = (done: number, note?: string): void => {
    const told = line(done, note);
    const named = `${stage} ${told}`.trimEnd();
    if (!terminal) {
      stream.write(`${named}\n`);
      return;
    }
    const share = total ? Math.min(1, done / total) : 0;
    const bar = total ? `[${"█".repeat(Math.round(share * 20)).padEnd(20, "·")}] ` : "";
    const room = Math.max(20, (stream.columns ?? 80) - 1);
    // The figures matter most: the bar goes first where a line is too narrow, then the stage's name.
    const text = [`${bar}${named}`, named, told].find((one) => displayWidth(one) <= room) ?? cutTo(told || named, room);
    stream.write(`\r\x1b[2K${inLocale(text)}`);
  };

  return {
    begin(name, of, from = 0) {
      if (open) this.end();
      stage = shown(name);
      total = of;
      first = from;
      started = performance.now();
      drawn = started;
      open = true;
      if (terminal) draw(from);
    },
    update(done, note) {
      const now = performance.now();
      if (now - drawn < (terminal ? 100 : plainSeconds * 1000)) return;
      drawn = now;
      draw(done, note && shown(note));
    },
    say(text) {
      clear();
      stream.write(`${shownOn(stream, printable(withoutCredentials(text)))}\n`);
    },
    end(note) {
      if (!open) return;
      clear();
      open = false;
      const said = `${stage}: ${note ? shown(note) : "done"} (${duration((performance.now() - started) / 1000)})`;
      stream.write(`${shownOn(stream, said)}\n`);
    },
  };
}

/** Stages and notes may hold names from outside (files', models', servers'). */
const shown = (text: string): string => printableName(withoutCredentials(text), 1000);

/** A duration in words: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
