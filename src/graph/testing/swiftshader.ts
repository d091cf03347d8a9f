import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

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
