import type { Device, DeviceArray } from "../graph/index.js";

/** A row as token ids. */
export interface Example {
  readonly id: string;
  /** Token ids of the prompt as the model reads it (with `</s>` or `<bos>` where the recipe has one). */
  readonly input: readonly number[];
  /** Token ids that carry a label, in order. */
  readonly target: readonly number[];
}

/** A named weight of a model. */
export interface Parameter {
  /** The name it has in the checkpoint, such as `encoder.block.0.layer.0.SelfAttention.q.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly trained: boolean;
  /** Whether weight decay applies to it; the published recipes decay neither norms nor biases. */
  readonly decayed: boolean;
  /** Its values now, float32. On the CPU the optimizer writes into it; on a GPU it puts a new handle here. */
  array: DeviceArray;
}

/** A loss summed over the target tokens that it counts: divide to get the mean. */
export interface SummedLoss {
  readonly lossSum: number;
  readonly tokens: number;
}

/** A loss summed over so many target tokens, float32 without axes, where the device has it: `readLoss` waits for it. */
export interface PendingLoss {
  readonly loss: DeviceArray;
  readonly tokens: number;
}

/** Waits for a loss. */
export async function readLoss(device: Device, { loss, tokens }: PendingLoss): Promise<SummedLoss> {
  const [lossSum] = (await device.read(loss)) as Float32Array;
  device.dispose(loss);
  return { lossSum: lossSum!, tokens };
}

/** Rows that stand one behind the other and share a seed. */
export interface SeededRows {
  readonly rows: number;
  readonly seed: number;
}

export interface GradientOptions {
  /**
   * The gradients are those of `scale × lossSum`; one over the target tokens of the whole accumulated batch gives the
   * mean's.
   */
  readonly scale: number;
  /**
   * Seeds this call's dropout masks; undefined turns dropout off. Several: the rows of several batches, each with the
   * masks that it has in a call of its own (only where the model `mergesBatches`).
   */
  readonly dropoutSeed?: number | readonly SeededRows[];
  /**
   * Takes each trained parameter's gradient (shape of the parameter, float32) once; the receiver owns it from then on.
   */
  readonly receive: (parameter: Parameter, gradient: DeviceArray) => void | Promise<void>;
}

/** What `train` asks of a model. */
export interface TrainableModel {
  readonly device: Device;
  /** Trained and frozen, in the checkpoint's order. */
  readonly parameters: readonly Parameter[];
  /** Forward and backward over some examples; nothing is computed for padding where that can be helped. */
  lossAndGradients(examples: readonly Example[], options: GradientOptions): Promise<PendingLoss>;
  /** Whether the batches of a step may stand in one call, each with its own dropout seed, for the same sums. */
  readonly mergesBatches?: boolean;
  /**
   * Gives a gradient that `receive` took back, when its receiver is done with it: a later call writes into its memory
   * instead of asking the system for more (a fifth of a step's time). Nothing breaks where it is never called.
   */
  recycle?(parameter: Parameter, gradient: DeviceArray): void;
  /** Forward only, dropout off. */
  loss(examples: readonly Example[]): Promise<SummedLoss>;
  /** Saves what was trained as Hugging Face or PEFT would, into a folder written whole or not at all. */
  save(folder: string): Promise<void>;
  /**
   * How many frozen weights are held in another way than as {@link parameters} (quantized, say), and in how many bytes.
   */
  readonly stored: { readonly count: number; readonly bytes: number };
  /**
   * Bytes that one call of `lossAndGradients` needs beyond parameters, for that many input tokens in that many rows.
   */
  activationBytes(rows: number, longestInput: number): number;
  dispose(): Promise<void>;
}
