import {
  type Device,
  type DeviceArray,
  type Dimension,
  dropoutNumbers,
  GraphBuilder,
  gather,
  type Program,
  reshape,
  siteNumbers,
  squeeze,
  type Value,
} from "../graph/index.js";

/** How a graph is run whose masks are made of seeds. */
export interface DropoutUse {
  /** Whether it serves many layers, each with masks of its own. */
  readonly layered: boolean;
  /** Whether rows of several seeds stand together (on a device only). */
  readonly merged: boolean;
}

/** The sizes that names among a graph's dimensions stand for in a run. */
export type NamedSizes = Readonly<Record<string, number>>;

/** The inputs of a graph that its dropout's masks are made of. */
export interface DropoutInputs {
  /** What a site's mask over x is made of. */
  numbers(x: Value, site: string): { rows: Value; columns: Value };
  /** A batch's masks. */
  feeds(batch: BatchDropout, layer: number): Promise<Record<string, DeviceArray>>;
}

export const dropoutInputs = (builder: GraphBuilder, device: Device, use: DropoutUse): DropoutInputs =>
  device.memory === "host" ? new HostDropout(builder) : new DeviceDropout(builder, use);

/** The seed of a layer's masks: layers of one program have masks of their own. */
const layerSeed = (seed: number, layer: number): number => (seed + Math.imul(layer, 0x9e3779b1)) | 0;

/**
 * What the masks of a batch are made of. On a device the numbers of all layers are made there at once, of the seeds,
 * and serve forward and backward.
 */
export class BatchDropout {
  private readonly made = new Map<string, Promise<Record<string, DeviceArray>>>();

  /**
   * @param seeds of the batch, or of the batches whose rows stand together
   * @param layers the seeds of so many layers follow from each; undefined: the seed is the graph's own
   * @param sizes of the graphs' dimensions
   * @param merged of dimension T where several seeds stand together: each token's number within its batch, and the
   * batch's own
   */
  constructor(
    readonly device: Device,
    readonly seeds: readonly number[],
    readonly layers: number | undefined,
    readonly sizes: NamedSizes,
    readonly merged: { readonly places: DeviceArray; readonly parts: DeviceArray } | undefined,
    private readonly programs: DropoutPrograms,
  ) {}

  /** The seed of each of a layer's parts; layers count from 1. */
  seedsOf(layer: number): number[] {
    return this.seeds.map((seed) => (this.layers === undefined ? seed | 0 : layerSeed(seed, layer)));
  }

  /** Numbers of groups of sites, made once for the batch. */
  numbers(groups: readonly SiteGroup[]): Promise<Record<string, DeviceArray>> {
    const key = JSON.stringify(groups);
    let made = this.made.get(key);
    if (!made) this.made.set(key, (made = this.programs.run(key, groups, this)));
    return made;
  }

  /** An array that tells which layer is asked for. */
  layerIndex(layer: number): Promise<DeviceArray> {
    return this.programs.layerIndex(layer);
  }

  async dispose(): Promise<void> {
    for (const made of this.made.values()) for (const array of Object.values(await made)) this.device.dispose(array);
    this.made.clear();
    if (this.merged) for (const array of Object.values(this.merged)) this.device.dispose(array);
  }
}

/** Numbers made in JavaScript, a pair of inputs for each site: nothing is computed twice, and nothing is copied. */
class HostDropout implements DropoutInputs {
  private readonly sites = new Map<string, { number: number; rows: Value; columns: Value }>();

  constructor(private readonly builder: GraphBuilder) {}

  numbers(x: Value, site: string): { rows: Value; columns: Value } {
    let known = this.sites.get(site);
    if (!known) {
      const rows = this.builder.input(`dropout/${site}/rows`, "int32", [rowsOf(x), 1]);
      const columns = this.builder.input(`dropout/${site}/columns`, "int32", [1, x.dimension(-1)]);
      this.sites.set(site, (known = { number: this.sites.size, rows, columns }));
    }
    return { rows: known.rows, columns: known.columns };
  }

  async feeds(batch: BatchDropout, layer: number): Promise<Record<string, DeviceArray>> {
    const { device, sizes } = batch;
    const [seed] = batch.seedsOf(layer);
    const feeds: Record<string, DeviceArray> = {};
    for (const { number, rows, columns } of this.sites.values()) {
      const counts = [sizeOf(rows.dimension(0), sizes), sizeOf(columns.dimension(1), sizes)] as const;
      feeds[rows.name] = device.array(dropoutNumbers(seed!, number, 0, counts[0]), [counts[0], 1]);
      feeds[columns.name] = device.array(dropoutNumbers(seed!, number, 1, counts[1]), [1, counts[1]]);
    }
    return feeds;
  }
}

/** Sites whose numbers are of one kind and count. */
export interface SiteGroup {
  /** 0 for rows, 1 for columns. */
  readonly kind: 0 | 1;
  readonly count: Dimension;
  readonly sites: readonly number[];
}

const groupName = ({ kind, count }: Omit<SiteGroup, "sites">): string =>
  `dropout/${kind === 0 ? "rows" : "columns"}/${count}`;

/**
 * Numbers made on the device for many sites together: one input for those of a count, from which each site takes its
 * own.
 */
class DeviceDropout implements DropoutInputs {
  private readonly sites = new Map<string, { rows: Value; columns: Value }>();
  private readonly groups = new Map<string, { readonly group: SiteGroup & { sites: number[] }; readonly own: Value }>();
  private parts: Value | undefined;
  private layer: Value | undefined;

  constructor(
    private readonly builder: GraphBuilder,
    private readonly use: DropoutUse,
  ) {}

  numbers(x: Value, site: string): { rows: Value; columns: Value } {
    let known = this.sites.get(site);
    if (!known) {
      const number = this.sites.size;
      const [rows, columns] = [this.take(0, rowsOf(x), number), this.take(1, x.dimension(-1), number)];
      this.sites.set(site, (known = { rows: reshape(rows, [-1, 1]), columns: this.ofParts(columns) }));
    }
    return known;
  }

  async feeds(batch: BatchDropout, layer: number): Promise<Record<string, DeviceArray>> {
    if (this.sites.size === 0) return {};
    const numbers = await batch.numbers([...this.groups.values()].map(({ group }) => group));
    return {
      ...numbers,
      ...(this.layer ? { [this.layer.name]: await batch.layerIndex(layer) } : {}),
      ...(this.parts ? { [this.parts.name]: batch.merged!.parts } : {}),
    };
  }

  /** A site's numbers: rows [1, count]; columns [1, count], or a line of them for each part. */
  private take(kind: 0 | 1, count: Dimension, site: number): Value {
    const name = groupName({ kind, count });
    let known = this.groups.get(name);
    if (!known) {
      const tail: Dimension[] = this.use.merged && kind === 1 ? ["P", count] : [count];
      // How many sites the group has shows when the graph is complete.
      const sites = `sites${this.groups.size}`;
      const all = this.builder.input(name, "int32", ["Z", sites, ...tail]);
      const layer = this.use.layered
        ? (this.layer ??= this.builder.input("dropout/layer", "int32", [1]))
        : this.builder.constant(Int32Array.of(0), [1]);
      const own = squeeze(gather(all, layer), [0]);
      this.groups.set(name, (known = { group: { kind, count, sites: [] }, own }));
    }
    const at = this.builder.constant(Int32Array.of(known.group.sites.length), [1]);
    known.group.sites.push(site);
    return gather(known.own, at);
  }

  /** Each row's columns, where several parts stand together: [1, P, C] to [T, C]. */
  private ofParts(columns: Value): Value {
    if (!this.use.merged) return columns;
    this.parts ??= this.builder.input("dropout/parts", "int32", ["T"]);
    return gather(squeeze(columns, [0]), this.parts);
  }
}

/** The programs that make numbers for {@link BatchDropout}, and what they need batch after batch. */
export class DropoutPrograms {
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly layers = new Map<number, Promise<DeviceArray>>();

  constructor(private readonly device: Device) {}

  async run(key: string, groups: readonly SiteGroup[], batch: BatchDropout): Promise<Record<string, DeviceArray>> {
    const merged = batch.merged !== undefined;
    let program = this.programs.get(`${merged} ${key}`);
    if (!program) this.programs.set(`${merged} ${key}`, (program = this.device.compile(numbersGraph(groups, merged))));
    const layers = batch.layers === undefined ? [0] : Array.from({ length: batch.layers }, (_, i) => i + 1);
    const seeds = Int32Array.from(layers.flatMap((layer) => batch.seedsOf(layer)));
    const feeds: Record<string, DeviceArray> = {
      seeds: this.device.array(seeds, [layers.length, batch.seeds.length]),
    };
    for (const { kind, count } of groups) {
      if (kind === 0 && batch.merged) Object.assign(feeds, batch.merged);
      else if (kind === 0 || typeof count === "string") {
        const places = Int32Array.from({ length: sizeOf(count, batch.sizes) }, (_, i) => i);
        feeds[`places/${count}`] = this.device.array(places, [places.length]);
      }
    }
    return (await program).run(feeds);
  }

  /** Arrays of one number each, which stay on the device. */
  layerIndex(layer: number): Promise<DeviceArray> {
    let index = this.layers.get(layer);
    if (!index) this.layers.set(layer, (index = this.device.upload(this.device.array(Int32Array.of(layer - 1), [1]))));
    return index;
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    for (const index of this.layers.values()) this.device.dispose(await index);
    this.programs.clear();
    this.layers.clear();
  }
}

function numbersGraph(groups: readonly SiteGroup[], merged: boolean): GraphBuilder {
  const graph = new GraphBuilder("dropout.numbers");
  const seeds = graph.input("seeds", "int32", ["Z", merged ? "P" : 1]);
  const inputs = new Map<string, Value>();
  const input = (name: string, size = `n${inputs.size}`): Value => {
    let value = inputs.get(name);
    if (!value) inputs.set(name, (value = graph.input(name, "int32", [size])));
    return value;
  };
  // Of a batch alone: rows are counted through.
  const counted = (count: Dimension, kind: 0 | 1): Value =>
    typeof count === "number" && kind === 1
      ? graph.constant(Int32Array.from({ length: count }, (_, i) => i))
      : input(`places/${count}`);
  for (const { kind, count, sites } of groups) {
    const numbers =
      merged && kind === 0
        ? siteNumbers({ seeds, sites, kind, places: input("places", "T"), parts: input("parts", "T") })
        : siteNumbers({ seeds, sites, kind, places: counted(count, kind) });
    graph.output(groupName({ kind, count }), merged ? numbers : squeeze(numbers, [2]));
  }
  return graph;
}

const rowsOf = (x: Value): Dimension => x.shape.slice(0, -1).reduce(product, 1);

function product(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a * b;
  return a === 1 ? b : b === 1 ? a : `${a}*${b}`;
}

/** The size that a dimension such as `8*B*T` has where its names stand for these. */
function sizeOf(dimension: Dimension, sizes: NamedSizes): number {
  if (typeof dimension === "number") return dimension;
  return dimension.split("*").reduce((total, part) => {
    const size = /^\d+$/.test(part) ? Number(part) : sizes[part];
    if (size === undefined) throw new Error(`no size is given for ${part}`);
    return total * size;
  }, 1);
}
