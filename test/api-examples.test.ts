import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Inside the package, so that its own name leads to it. */
const folder = join(root, "build", "api-examples");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rooms that anyone may import, each with what stands at its index's head. */
const rooms = readdirSync(join(root, "src"))
  .filter((room) => !["base", "cli"].includes(room) && existsSync(join(root, "src", room, "index.ts")))
  .map((room) => {
    const [head] = /^\/\*\*[^]*?\*\//.exec(readFileSync(join(root, "src", room, "index.ts"), "utf8")) ?? [""];
    const [, code] = /^ \* ```ts\n([^]*?)^ \* ```$/m.exec(head) ?? [];
    return { room, head, code: code?.replaceAll(/^ \* ?/gm, "") };
  });

it("each room's reference begins with what it is and an example, which holds and runs", { timeout: 120_000 }, () => {
  expect(rooms.length).toBeGreaterThan(14);
  expect(rooms.filter(({ head, code }) => !code || !head.includes("@module")).map(({ room }) => room)).toEqual([]);
  mkdirSync(folder, { recursive: true });
  for (const { room, code } of rooms) {
    expect(code).toContain(`"mmmlu-lab/${room}"`);
    writeFileSync(join(folder, `${room}.ts`), code!);
  }
  const config = { extends: "../../tsconfig.json", compilerOptions: { noEmit: true }, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  execFileSync(process.execPath, [join(root, "node_modules/typescript-native/bin/tsc"), "-p", folder], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const all = rooms.map(({ room }) => `console.log("== ${room}");\nawait import("./${room}.ts");\n`);
  writeFileSync(join(folder, "all.mts"), all.join(""));
  const printed = execFileSync(process.execPath, ["--import", "tsx", join(folder, "all.mts")], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  });
  // Every one of them prints something.
  for (const part of printed.split(/^== /m).slice(1)) expect(part.trim().split("\n").length).toBeGreaterThan(1);
});
