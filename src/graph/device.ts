import type { GraphBuilder, Value } from "./builder.js";
import type { DeviceName } from "./devices/registry.js";
import type { ElementType, TypedArray } from "./types.js";

export type { DeviceName };

export interface DeviceOptions {
  /** Threads of one operation on the CPU; all cores unless said. */
  readonly threads?: number;
  /**
   * Bytes of the largest array that an operation may read or write, where that is not the device's own limit: for
   * tests.
   */
  readonly bindingLimit?: number;
  /** Writes the runtime's profile of every program to files with this prefix, as `CompileOptions.profilePrefix` does. */
  readonly profilePrefix?: string;
}

/**
 * A tensor with its elements, in the machine's memory or a device's. On the CPU it is a view of the typed array that
 * it was made from: what is written into `data` is seen by the next run.
 */
export interface DeviceArray {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Elements. */
  readonly size: number;
  readonly bytes: number;
  /** Whether the elements lie in a device's own memory, where `data` does not reach. */
  readonly onDevice: boolean;
  /** The elements themselves, not a copy; a GraphError where they lie on a device (use `Device.read`). */
  readonly data: TypedArray;
}

export interface CompileOptions {
  /** Outputs that stay in the device's memory: all (the default) or those named. Of no meaning on the CPU. */
  readonly keepOnDevice?: boolean | readonly string[];
  /** How hard the runtime optimizes the graph; "all" unless said. */
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  /** Whether the session keeps freed memory for later runs (default). */
  readonly arena?: boolean;
  /** Writes the graph as the runtime optimized it to this file, to look at. */
  readonly optimizedModelPath?: string;
  /** Writes the runtime's profile to files with this prefix when the program is disposed of. */
  readonly profilePrefix?: string;
}

export interface RunOptions {
  /**
   * Arrays that outputs are written into, by their names (CPU only): no copies, and no fresh memory. One may be the
   * array of an input where all that reads the input runs before the output is written; anything else is refused.
   */
  readonly into?: Readonly<Record<string, DeviceArray>>;
  /** Gives the memory that the run needed back to the system afterwards. */
  readonly shrink?: boolean;
}

/** A graph compiled for a device. */
export interface Program {
  readonly name: string;
  /** The inputs that a run needs, with types and shapes. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /**
   * Runs the graph; every input the graph declares may be given, those that nothing reads need not be. On the CPU
   * outputs are fresh arrays. Blocks the event loop while it computes on the CPU. Throws GraphError where an input is
   * missing, unknown, or of another type or shape, or where one name stands for two sizes.
   */
  run(inputs: Readonly<Record<string, DeviceArray>>, options?: RunOptions): Promise<Record<string, DeviceArray>>;
  /** Frees the session; arrays it made stay valid. */
  dispose(): Promise<void>;
}

/** What a device has done since it was opened. On one with the machine's memory nothing is sent, read or waited for. */
export interface DeviceCounters {
  /** Runs of programs. */
  readonly runs: number;
  /**
   * Operators in those programs, as they are written: the runtime may fuse some, and dispatches several times for
   * others.
   */
  readonly nodes: number;
  /** Arrays sent to the device. */
  readonly uploads: number;
  readonly bytesSent: number;
  readonly bytesRead: number;
  /** Times that results were waited for, to be read. */
  readonly waits: number;
}

/** A place where graphs run. Opened by `openDevice`. */
export interface Device {
  readonly name: DeviceName;
  /**
   * Where arrays lie: in the machine's memory, where runs read them and write into them; in the device's own; or in the
   * machine's, copied to the device and back at each run.
   */
  readonly memory: "host" | "device" | "copied";
  /** Bytes of the largest array that it reaches; undefined for no limit. */
  readonly bindingLimit?: number | undefined;
  /** What it is, in words: `cpu (2 threads)`. */
  describe(): string;
  /**
   * An array over the elements, which are not copied. Its type is that of the typed array unless said (float16 from a
   * Uint16Array, bool from a Uint8Array). On a GPU it is sent along with each run it is fed to: `upload` those that
   * stay.
   */
  array(data: TypedArray, shape: readonly number[], type?: ElementType): DeviceArray;
  /** An array of zeros in the machine's memory. */
  zeros(shape: readonly number[], type?: ElementType): DeviceArray;
  /** The counts so far: what has been done since another look at them is the difference. */
  readonly counters: DeviceCounters;
  /**
   * The array in the device's memory. On the CPU the array itself. A GraphError names an array that is larger than the
   * device reaches.
   */
  upload(array: DeviceArray, name?: string): Promise<DeviceArray>;
  /** The elements in the machine's memory: on the CPU the array's own, on a GPU a copy. */
  read(array: DeviceArray): Promise<TypedArray>;
  /** a + b of equal shapes. On the CPU it is written into a, which is given back; on a GPU a and b are disposed of. */
  add(a: DeviceArray, b: DeviceArray): Promise<DeviceArray>;
  /** Makes a graph ready to run. Throws GraphError with the runtime's reason where it cannot. */
  compile(graph: GraphBuilder, options?: CompileOptions): Promise<Program>;
  /**
   * Frees an array's memory on the device. On the CPU the memory of an output whose `data` nobody has asked for serves
   * later outputs; any other goes by itself once nobody holds it.
   */
  dispose(array: DeviceArray): void;
  /** Frees the device's own programs. */
  close(): Promise<void>;
}
