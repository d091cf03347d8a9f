import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { UserError } from "../../base/errors.js";
import { chatTemplateOf } from "./chat-template.js";

const folder = mkdtempSync(join(tmpdir(), "chat-template-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.useRealTimers());

async function rendered(template: string): Promise<string> {
  writeFileSync(join(folder, "chat_template.jinja"), template);
  return (await chatTemplateOf(folder)).render([{ role: "user", content: "Which?" }]);
}

describe("a chat template", () => {
  it.each([
    ["{% for a in range(3) %}{{ a }}{% endfor %}", "012"],
    ["{% for a in range(5, 0, -2) %}{{ a }}{% endfor %}", "531"],
    ["{% for a in range(3, 1) %}{{ a }}{% endfor %}.", "."],
    ["{{ range(100000) | length }}", "100000"],
  ])("has ranges: %s", async (template, text) => {
    expect(await rendered(template)).toBe(text);
  });

  it.each([
    ["{% for a in range(1000000000) %}x{% endfor %}", /range\(\) of 1000000000 numbers/],
    ["{{ range(0, 9, 0) }}", /a step that is not 0/],
    ["{{ range('a') }}", /whole numbers/],
    ["{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", /timed out after 2000ms/],
  ])("is refused where it would take all time or memory: %s", async (template, message) => {
    const refused = rendered(template);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
  });

  it("writes dates as Python does", async () => {
    vi.useFakeTimers({ now: new Date(2026, 9, 5, 7, 8) });
    expect(await rendered("{{ strftime_now('%d %b %Y, %B, %m %H:%M 100%%') }}")).toBe(
      "05 Oct 2026, October, 10 07:08 100%",
    );
  });
});
