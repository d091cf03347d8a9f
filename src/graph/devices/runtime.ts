import { availableParallelism } from "node:os";
import { InferenceSession, listSupportedBackends, type Tensor } from "onnxruntime-node";
import { GraphBuilder } from "../builder.js";
import type {
  CompileOptions,
  Device,
  DeviceArray,
  DeviceCounters,
  DeviceName,
  DeviceOptions,
  Program,
} from "../device.js";
import { encodeModel } from "../encode.js";
import { GraphError } from "../errors.js";
import { lower } from "../lower.js";
import { add } from "../ops/arithmetic.js";
import { elementCount, sameShape, showShape } from "../shape.js";
import { type ElementType, newArray, type TypedArray, typeOfArray } from "../types.js";
import { own, TensorArray, wrap } from "./array.js";
import { Counting } from "./counting.js";
import type { DeviceTraits } from "./definition.js";
import { runtimeError } from "./failures.js";
import { BindingLimit } from "./limits.js";
import { MemoryPool } from "./memory-pool.js";
import { SessionProgram } from "./program.js";

/** What the runtime's devices differ in. */
export interface RuntimeSpec extends DeviceTraits {
  readonly name: DeviceName;
  /** The runtime's execution providers, the preferred first. */
  readonly providers: readonly string[];
  /** What to do where it is not there. */
  readonly ifAbsent: string;
}

/** Opens one of the runtime's devices, and tries it. */
export async function openRuntimeDevice(spec: RuntimeSpec, options: DeviceOptions): Promise<Device> {
  const { name, providers, ifAbsent } = spec;
  const known = listSupportedBackends().map((backend) => backend.name);
  if (!known.includes(providers[0]!)) {
    throw new GraphError(
      `The device ${name} is not in this installation of onnxruntime-node (it has ${known.join(", ")})`,
      { hint: ifAbsent },
    );
  }
  const limited = options.bindingLimit === undefined ? spec : { ...spec, bindingLimit: options.bindingLimit };
  const device = new RuntimeDevice(limited, options.threads ?? availableParallelism(), options.profilePrefix);
  if (spec.memory !== "host") {
    try {
      const one = (): DeviceArray => device.array(new Float32Array(1), [1]);
      device.dispose(await device.add(await device.upload(one()), one()));
    } catch (cause) {
      throw new GraphError(`The device ${name} cannot be opened: ${innermost(cause)}`, { hint: ifAbsent, cause });
    }
  }
  return device;
}

const CHECK_FAILED = " was false. ";

/** What the runtime says at the root of an error, without the place in its source. */
function innermost(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return innermost(error.cause);
  const message = error instanceof Error ? error.message : String(error);
  const check = message.indexOf(CHECK_FAILED);
  const inSource = check >= 0 && /^\S*/.exec(message)![0].includes("onnxruntime");
  return (inSource ? message.slice(check + CHECK_FAILED.length) : message).trim();
}

class RuntimeDevice implements Device {
  private readonly copies = new Map<string, Promise<InferenceSession>>();
  private readonly adders = new Map<string, Promise<Program>>();
  private readonly retired: InferenceSession[] = [];
  private readonly pool = new MemoryPool();
  private readonly counting: Counting;
  private readonly limit?: BindingLimit;

  readonly name: DeviceName;
  readonly memory: Device["memory"];

  constructor(
    private readonly spec: RuntimeSpec,
    private readonly threads: number,
    private readonly profilePrefix: string | undefined,
  ) {
    this.name = spec.name;
    this.memory = spec.memory;
    this.counting = new Counting(spec.memory !== "host");
    if (spec.bindingLimit !== undefined) this.limit = new BindingLimit(spec.name, spec.bindingLimit);
  }

  get counters(): DeviceCounters {
    return this.counting.now;
  }

  get bindingLimit(): number | undefined {
    return this.spec.bindingLimit;
  }

  private get host(): boolean {
    return this.memory === "host";
  }

  describe(): string {
    return this.host ? `${this.name} (${this.threads} ${this.threads === 1 ? "thread" : "threads"})` : this.name;
  }

  array(data: TypedArray, shape: readonly number[], type: ElementType = typeOfArray(data)): DeviceArray {
    return wrap(data, shape, type);
  }

  zeros(shape: readonly number[], type: ElementType = "float32"): DeviceArray {
    return wrap(newArray(type, elementCount(shape)), shape, type);
  }

  async upload(array: DeviceArray, name = "An array"): Promise<DeviceArray> {
    const { tensor, type, shape, onDevice } = own(array, "upload");
    this.limit?.check(name, type, shape);
    if (this.memory !== "device" || onDevice) return array;
    const session = await this.copySession(type, true);
    this.counting.sent(array);
    return new TensorArray(await this.copied(session, tensor, `${name} cannot be sent`), type, shape);
  }

  async read(array: DeviceArray): Promise<TypedArray> {
    const { tensor, type, onDevice } = own(array, "read");
    if (!onDevice) return array.data;
    const session = await this.copySession(type, false);
    this.counting.read(array.bytes);
    const out = await this.copied(session, tensor, "An array cannot be read");
    return new TensorArray(out, type, array.shape).data;
  }

  async add(a: DeviceArray, b: DeviceArray): Promise<DeviceArray> {
    if (a.type !== b.type || !sameShape(a.shape, b.shape)) {
      throw new GraphError(`add: ${a.type} ${showShape(a.shape)} and ${b.type} ${showShape(b.shape)} differ`);
    }
    if (this.host && a.type !== "float16") {
      addInto(own(a, "add").elements, own(b, "add").elements);
      return a;
    }
    const program = await this.adder(a.type, a.shape.length);
    const { sum } = await program.run({ a, b });
    this.dispose(a);
    this.dispose(b);
    return sum!;
  }

  async compile(graph: GraphBuilder, given: CompileOptions = {}): Promise<Program> {
    const options = this.profilePrefix === undefined ? given : { profilePrefix: this.profilePrefix, ...given };
    const lowered = lower(graph, this.spec);
    const session = await this.session(
      graph.name,
      lowered.model,
      [...lowered.outputs.keys()],
      options,
      lowered.keepDuplicates,
    );
    return new SessionProgram(graph.name, session, lowered, {
      ...(this.host ? { pool: this.pool } : {}),
      device: this.name,
      counting: this.counting,
      limit: this.limit,
      release: (done) => {
        if (options.profilePrefix) done.endProfiling();
        return this.release(done);
      },
    });
  }

  dispose(array: DeviceArray): void {
    if (array instanceof TensorArray) array.dispose();
  }

  async close(): Promise<void> {
    const sessions = [...this.copies.values()];
    const programs = [...this.adders.values()];
    this.copies.clear();
    this.adders.clear();
    this.pool.clear();
    for (const session of sessions) await (await session).release();
    for (const program of programs) await (await program).dispose();
    for (const session of this.retired.splice(0)) await session.release();
  }

  /**
   * A GPU's arrays lie in buffers of the session that made them: freed after it, they end the process. Its end waits
   * for the device's.
   */
  private async release(session: InferenceSession): Promise<void> {
    if (this.host) await session.release();
    else this.retired.push(session);
  }

  private async session(
    name: string,
    model: Uint8Array,
    outputs: readonly string[],
    options: CompileOptions,
    keepDuplicates: boolean,
  ): Promise<InferenceSession> {
    const sessionOptions: InferenceSession.SessionOptions = {
      executionProviders: [...this.spec.providers],
      intraOpNumThreads: this.threads,
      graphOptimizationLevel: options.optimization ?? "all",
      enableCpuMemArena: options.arena ?? true,
      // For shapes that come again the runtime would take all their memory in one piece, beside the pieces it has: as
      // much once more.
      enableMemPattern: false,
      logSeverityLevel: 4,
      extra: {
        // Threads of an idle session keep spinning, and several sessions in turn then run at a fifth of the speed.
        session: { force_spinning_stop: "1" },
        ...(keepDuplicates ? { optimization: { disable_specified_optimizers: KEEPS_DUPLICATES } } : {}),
      },
    };
    if (options.optimizedModelPath) sessionOptions.optimizedModelFilePath = options.optimizedModelPath;
    if (options.profilePrefix) {
      sessionOptions.enableProfiling = true;
      sessionOptions.profileFilePrefix = options.profilePrefix;
    }
    const keep = options.keepOnDevice ?? true;
    if (this.memory === "device" && keep !== false) {
      const kept = keep === true ? outputs : keep;
      sessionOptions.preferredOutputLocation = Object.fromEntries(
        outputs.map((output) => [output, kept.includes(output) ? "gpu-buffer" : "cpu"]),
      );
    }
    try {
      return await InferenceSession.create(model, sessionOptions);
    } catch (cause) {
      throw runtimeError(`The graph ${name} cannot be compiled for ${this.name}`, this.name, cause);
    }
  }

  private async copied(session: InferenceSession, tensor: Tensor, what: string): Promise<Tensor> {
    try {
      return (await session.run({ in: tensor }))["out"]!;
    } catch (cause) {
      throw runtimeError(what, this.name, cause);
    }
  }

  /** A session that copies an array of any shape onto the device or off it. */
  private copySession(type: ElementType, toDevice: boolean): Promise<InferenceSession> {
    const key = `${type} ${toDevice}`;
    let session = this.copies.get(key);
    if (!session) {
      const model = encodeModel({
        name: "copy",
        opset: 21,
        nodes: [{ op: "Identity", domain: "", inputs: ["in"], outputs: ["out"], attributes: {} }],
        inputs: [{ name: "in", type }],
        outputs: [{ name: "out", type }],
        constants: [],
      });
      session = this.session("copy", model, ["out"], { keepOnDevice: toDevice }, false);
      this.copies.set(key, session);
    }
    return session;
  }

  private adder(type: ElementType, rank: number): Promise<Program> {
    const key = `${type} ${rank}`;
    let program = this.adders.get(key);
    if (!program) {
      const graph = new GraphBuilder("add");
      const shape = Array.from({ length: rank }, (_, axis) => `d${axis}`);
      graph.output("sum", add(graph.input("a", type, shape), graph.input("b", type, shape)));
      program = this.compile(graph);
      this.adders.set(key, program);
    }
    return program;
  }
}

/** Passes of the runtime that would merge what `recompute` computes twice with what was computed first. */
const KEEPS_DUPLICATES = "CommonSubexpressionElimination;ConstantFolding;ShapeToInitializer";

function addInto(a: TypedArray, b: TypedArray): void {
  const x = a as Float32Array;
  const y = b as Float32Array;
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + y[i]!;
}
