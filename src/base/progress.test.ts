import { describe, expect, it, vi } from "vitest";
import { progressOn } from "./progress.js";

/** A stream that keeps what is written, and a clock that stands still unless moved. */
function watched(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
  return { progress: progressOn(stream, 10), written, advance: (seconds: number) => void (now += 1000 * seconds) };
}

const NOTE = "loss 1.2345, learning rate 1.9e-5, 12.3 rows/s";

describe("progress", () => {
  it("fits a terminal's line: step, time left, loss, learning rate and rows/s", () => {
    const { progress, written, advance } = watched(true);
    progress.begin("training", 4688);
    advance(1200);
    progress.update(1234, NOTE);
    const line = written.at(-1)!.replace("\r\x1b[2K", "");
    expect(line).toBe(`1,234/4,688, 55 min 59 s left · ${NOTE}`);
    expect(line.length).toBeLessThan(80);
    const wide = watched(true, 160);
    wide.progress.begin("training", 4688);
    wide.advance(1);
    wide.progress.update(2344, NOTE);
    expect(wide.written.at(-1)).toContain("[██████████··········] training 2,344/4,688, 1.0 s left · loss");
  });

  it("writes plain lines where there is no terminal, seldom", () => {
    const { progress, written, advance } = watched(false);
    progress.begin("training", 100);
    for (let step = 1; step <= 30; step++) {
      advance(1);
      progress.update(step, NOTE);
    }
    progress.say("a line");
    progress.end("ended");
    expect(written).toEqual([
      ...[10, 20, 30].map(
        (step) =>
          `training ${step}/100, ${step === 10 ? "1 min 30 s" : step === 20 ? "1 min 20 s" : "1 min 10 s"} ` +
          `left · ${NOTE}\n`,
      ),
      "a line\n",
      "training: ended (30 s)\n",
    ]);
  });

  it("tells the time left by what this sitting did", () => {
    const { progress, written, advance } = watched(false);
    progress.begin("training", 1000, 900);
    advance(20);
    progress.update(910);
    expect(written).toEqual(["training 910/1,000, 3 min 0 s left\n"]);
  });
});
