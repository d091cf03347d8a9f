import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Rooms from the lowest to the highest: the order of ARCHITECTURE.md's table. */
const rooms = [...readFileSync(join(source, "../ARCHITECTURE.md"), "utf8").matchAll(/^\| `(\w+)` +\|/gm)].map(
  (match) => match[1]!,
);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly room: string;
  readonly target: string;
}

const imports: Import[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file.includes("/"))
  .flatMap((file) =>
    [...readFileSync(join(source, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) => {
      const to = relative(source, resolve(source, dirname(file), match[1]!));
      return { from: file, to, room: file.split("/")[0]!, target: to.split("/")[0]! };
    }),
  );

describe("rooms", () => {
  it("are those of ARCHITECTURE.md", () => {
    const folders = readdirSync(source, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.sort()).toEqual([...rooms].sort());
  });

  it("import only from rooms below them", () => {
    expect(imports.length).toBeGreaterThan(300);
    expect(
      imports
        .filter(({ room, target }) => rooms.indexOf(target) > rooms.indexOf(room))
        .map(({ from, to }) => `${from} → ${to}`),
    ).toEqual([]);
  });

  it("are entered by their index", () => {
    const deep = imports.filter(
      ({ room, target, to }) => room !== target && target !== "base" && !to.endsWith("/index.js"),
    );
    expect(deep.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it("graph knows nothing of any other", () => {
    expect(imports.filter(({ room, target }) => room === "graph" && target !== "graph")).toEqual([]);
  });

  it("do nothing when they are imported, but for what is started", () => {
    const started =
      /^(cli\/main|answer\/server\/engine-worker|experiments\/try-device|record\/trackers\/wandb\/sender)\.ts$|\/testing\//;
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !started.test(file),
    );
    const deeds = files.flatMap((file) =>
      ts
        .createSourceFile(file, readFileSync(join(source, file), "utf8"), ts.ScriptTarget.Latest)
        .statements.filter((statement) => ts.isExpressionStatement(statement) || ts.isTryStatement(statement))
        .map(() => file),
    );
    expect(deeds).toEqual([]);
  });
});
