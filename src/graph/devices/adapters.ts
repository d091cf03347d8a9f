import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

/** A graphics card, or what stands for one, as the system tells of it: the runtime names neither card nor memory. */
export interface Adapter {
  readonly name: string;
  readonly driver?: string;
  /** Bytes of its memory, and those that nobody has taken; undefined where the system does not tell. */
  readonly memory?: number;
  readonly free?: number;
  /** Whether it is a driver in software, which computes on the processor. */
  readonly software: boolean;
  /** What told of it. */
  readonly source: string;
}

/** Where adapters are looked for; the machine's own unless given. */
export interface AdapterSources {
  /** Where the system's files lie. */
  readonly root?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

const MEBIBYTE = 2 ** 20;

/**
 * The machine's graphics adapters: those of NVIDIA by `nvidia-smi`, others by what Linux or macOS tells of them. A
 * Vulkan driver that the environment names comes instead of all others, as the loader has it; one in software that is
 * installed comes where there is no card, or no other driver.
 */
export async function gpuAdapters({
  root = "/",
  environment = process.env,
  platform = process.platform,
}: AdapterSources = {}): Promise<Adapter[]> {
  const named = environment["VK_DRIVER_FILES"] ?? environment["VK_ICD_FILENAMES"];
  if (named && IN_SOFTWARE.test(basename(named))) return [inSoftware(named, "VK_DRIVER_FILES")];
  const nvidia = await nvidiaCards(environment);
  if (platform === "darwin") return [...nvidia, ...(await macCards(environment))];
  const others = platform === "linux" ? linuxCards(root).filter(({ vendor }) => vendor !== NVIDIA) : [];
  const cards = [...nvidia, ...others.map(({ adapter }) => adapter)];
  const drivers = named || platform !== "linux" ? [] : vulkanDrivers(root);
  const software = drivers.find((path) => IN_SOFTWARE.test(basename(path)));
  const alone = cards.length === 0 || drivers.every((path) => IN_SOFTWARE.test(basename(path)));
  return software && alone ? [inSoftware(software, software)] : cards;
}

/** Files by which Vulkan drivers that compute on the processor make themselves known. */
const IN_SOFTWARE = /swiftshader|lvp|lavapipe/i;

const inSoftware = (path: string, source: string): Adapter => ({
  name: /swift/i.test(basename(path)) ? "SwiftShader" : "lavapipe",
  memory: totalmem(),
  software: true,
  source,
});

/** The files by which the system's Vulkan drivers make themselves known to the loader. */
function vulkanDrivers(root: string): string[] {
  return ["usr/share", "usr/local/share", "etc"].flatMap((folder) => {
    const at = join(root, folder, "vulkan/icd.d");
    try {
      return readdirSync(at)
        .filter((name) => name.endsWith(".json"))
        .map((name) => join(at, name));
    } catch {
      return [];
    }
  });
}

async function output(
  program: string,
  given: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  try {
    const options = { env: environment, timeout: 10_000, maxBuffer: 1 << 20 };
    return (await promisify(execFile)(program, [...given], options)).stdout;
  } catch {
    return undefined;
  }
}

/** NVIDIA's cards, as `nvidia-smi` tells of them; none where it is not there. */
export async function nvidiaCards(environment: NodeJS.ProcessEnv): Promise<Adapter[]> {
  const fields = ["name", "driver_version", "memory.total", "memory.free"];
  const told = await output(
    "nvidia-smi",
    [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"],
    environment,
  );
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) * MEBIBYTE : undefined;
  return (told ?? "")
    .split("\n")
    .map((line) => line.split(",").map((field) => field.trim()))
    .filter((line) => line.length === fields.length)
    .map(([name, driver, memory, free]) => ({
      name: name!,
      driver: driver!,
      memory: number(memory),
      free: number(free),
      software: false,
      source: "nvidia-smi",
    }));
}

/** PCI's numbers of those who make graphics cards. */
const NVIDIA = 0x10de;
const VENDORS: ReadonlyMap<number, string> = new Map([
  [NVIDIA, "NVIDIA"],
  [0x1002, "AMD"],
  [0x8086, "Intel"],
]);

/** Cards by what Linux tells under /sys; amdgpu tells memory too. */
function linuxCards(root: string): { readonly vendor: number; readonly adapter: Adapter }[] {
  const cards = join(root, "sys/class/drm");
  const names = ((): string[] => {
    try {
      return readdirSync(cards).filter((name) => /^card\d+$/.test(name));
    } catch {
      return [];
    }
  })();
  const read = (card: string, file: string): string | undefined => {
    try {
      return readFileSync(join(cards, card, "device", file), "utf8").trim();
    } catch {
      return undefined;
    }
  };
  return names.flatMap((card) => {
    const [vendor, device] = ["vendor", "device"].map((file) => Number(read(card, file) ?? Number.NaN));
    const maker = VENDORS.get(vendor!);
    if (maker === undefined) return [];
    const [memory, used] = ["mem_info_vram_total", "mem_info_vram_used"].map((file) => read(card, file));
    return [
      {
        vendor: vendor!,
        adapter: {
          name: `${maker} ${device!.toString(16).padStart(4, "0")}`,
          memory: memory === undefined ? undefined : Number(memory),
          free: memory === undefined || used === undefined ? undefined : Number(memory) - Number(used),
          software: false,
          source: `/sys/class/drm/${card}`,
        },
      },
    ];
  });
}

/** Apple's cards share the machine's memory, of which Metal gives two thirds to three quarters. */
async function macCards(environment: NodeJS.ProcessEnv): Promise<Adapter[]> {
  const told = await output("system_profiler", ["SPDisplaysDataType", "-json"], environment);
  let cards: unknown;
  try {
    cards = (JSON.parse(told ?? "") as Record<string, unknown>)["SPDisplaysDataType"];
  } catch {
    return [];
  }
  return (Array.isArray(cards) ? cards : []).flatMap((card: Record<string, unknown>) => {
    const name = card["sppci_model"];
    if (typeof name !== "string") return [];
    const apple = name.startsWith("Apple");
    return [{ name, memory: apple ? (2 / 3) * totalmem() : undefined, software: false, source: "system_profiler" }];
  });
}
