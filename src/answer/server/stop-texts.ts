/**
 * Lets text through up to the first stop text, holding back what may be the beginning of one.
 */
export class StopTexts {
  private held = "";
  private stopped = false;

  constructor(private readonly stops: readonly string[]) {}

  get ended(): boolean {
    return this.stopped;
  }

  /** What may be shown now that this has come. */
  push(text: string): string {
    if (this.stopped) return "";
    if (this.stops.length === 0) return text;
    const all = this.held + text;
    const places = this.stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) {
      this.stopped = true;
      this.held = "";
      return all.slice(0, Math.min(...places));
    }
    let keep = 0;
    for (const stop of this.stops) {
      for (let length = Math.min(stop.length - 1, all.length); length > keep; length--) {
        if (stop.startsWith(all.slice(all.length - length))) keep = length;
      }
    }
    this.held = all.slice(all.length - keep);
    return all.slice(0, all.length - keep);
  }

  /** What was held back, at the end. */
  rest(): string {
    const rest = this.held;
    this.held = "";
    return rest;
  }
}
