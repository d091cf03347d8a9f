import { z } from "zod";
import type { Manifest } from "./manifest.js";

/** What of a manifest's `data` tells which files were read. */
const dataSchema = z.looseObject({
  files: z.array(z.looseObject({ path: z.string(), language: z.string().optional(), sha256: z.string() })),
});

/**
 * Files that two runs read under one name and that are not the same, in words: their rows have the same ids, whatever
 * they ask. Nothing where a run does not say what it read.
 */
export function dataApart(first: Pick<Manifest, "data">, second: Pick<Manifest, "data">): string[] {
  const [files, others] = [first, second].map(({ data }) => dataSchema.safeParse(data).data?.files ?? []);
  return files!.flatMap(({ path, language, sha256 }) => {
    const other = others!.find((one) => one.path === path && one.language === language);
    if (!other || other.sha256 === sha256) return [];
    return [
      `${path}: other data under the same name (SHA-256 ${sha256.slice(0, 12)}, and ${other.sha256.slice(0, 12)})`,
    ];
  });
}
