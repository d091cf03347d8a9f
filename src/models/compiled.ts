import type { Weights } from "./weights.js";

/** What {@link Compiled} keeps: something that holds a device's memory. */
export interface Disposable {
  dispose(): unknown;
}

/**
 * What was made of a model's weights as they were: compiled programs, say, by a key. Once the weights are others (an
 * adapter came or went, parameters were frozen, matrices quantized: {@link Weights.version}) it is given up and made
 * anew, so that no program outlives the state that it was compiled for.
 */
export class Compiled<T extends Disposable> {
  private readonly made = new Map<string, Promise<T>>();
  private version: number;

  /** @param onChange called when the weights have changed, before anything is made of their new state */
  constructor(
    private readonly weights: Weights,
    private readonly onChange: () => void = () => {},
  ) {
    this.version = weights.version;
  }

  /** What the key stands for, made where it is not there yet for the weights as they are. */
  async get(key: string, make: () => Promise<T>): Promise<T> {
    if (this.version !== this.weights.version) {
      this.version = this.weights.version;
      this.onChange();
      await this.dispose();
    }
    let one = this.made.get(key);
    if (!one) {
      this.made.set(key, (one = make()));
      // What could not be made is tried again by the next who asks.
      one.catch(() => this.made.get(key) === one && this.made.delete(key));
    }
    return one;
  }

  async dispose(): Promise<void> {
    const all = [...this.made.values()];
    this.made.clear();
    for (const one of await Promise.allSettled(all)) if (one.status === "fulfilled") await one.value.dispose();
  }
}
