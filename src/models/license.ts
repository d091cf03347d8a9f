import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { readText } from "../base/text.js";
import { architectureOf } from "./architectures/index.js";
import type { Checkpoint } from "./load.js";

/** A licence as the hub's model cards name it: `license` is an identifier of the hub's, or `other` with a name. */
export interface License {
  readonly license: string;
  readonly license_name?: string;
  readonly license_link?: string;
}

/** Bytes of a model card that are looked at. */
const LONGEST = 4 << 20;

const words = z.string().min(1).max(300);
const schema = z.object({
  license: z.union([
    words,
    z
      .array(words)
      .min(1)
      .transform(([first]) => first!),
  ]),
  license_name: words.optional(),
  license_link: words.optional(),
});

/**
 * The licence of a model: what its card (`README.md`) says, else the one under which all models of its architecture
 * are published. Undefined where neither tells: a card that cannot be read tells nothing.
 */
export async function licenseOf({
  folder,
  config,
}: Pick<Checkpoint, "folder" | "config">): Promise<License | undefined> {
  const { license } = architectureOf(config);
  return (await licenseOfCard(join(folder, "README.md"))) ?? (license === undefined ? undefined : { license });
}

async function licenseOfCard(path: string): Promise<License | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const lines = (await readText(path, LONGEST)).split("\n").map((line) => line.trimEnd());
    const end = lines.indexOf("---", 1);
    return lines[0] === "---" && end > 0 ? schema.parse(parse(lines.slice(1, end).join("\n"))) : undefined;
  } catch {
    return undefined;
  }
}
