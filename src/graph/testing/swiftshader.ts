import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const FOLDERS = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser", "/opt/google/chrome"];

/**
 * Environment variables with which a new process finds SwiftShader, the Vulkan driver in software that chromium's
 * package brings: they must be set before the process starts. Undefined where it is not installed.
 */
export function swiftShaderEnvironment(): Record<string, string> | undefined {
  const described = FOLDERS.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((path) => existsSync(path));
  if (!described) return undefined;
  const folder = dirname(described);
  const libraries = [folder, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":");
  return { VK_ICD_FILENAMES: described, VK_DRIVER_FILES: described, LD_LIBRARY_PATH: libraries };
}

/**
 * Runs a TypeScript program on SwiftShader in a process of its own and gives its output. The software driver sometimes
 * dies of a segmentation fault while it starts on busy cores, before anything is computed: then it is started again.
 */
export async function runOnSwiftShader(script: string, given: readonly string[]): Promise<string> {
  const environment = { ...process.env, ...swiftShaderEnvironment() };
  for (let attempt = 1; ; attempt++) {
    try {
      return (
        await promisify(execFile)(process.execPath, ["--import", "tsx", script, ...given], {
          env: environment,
          maxBuffer: 1 << 26,
        })
      ).stdout;
    } catch (error) {
      const { signal, stdout } = error as { signal?: string; stdout?: string };
      if (signal !== "SIGSEGV" || stdout || attempt === 4) throw error;
    }
  }
}
