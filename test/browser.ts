import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** A real Chromium's path: Debian's package, or what CHROMIUM names; undefined where there is none. */
export const chromiumPath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path && existsSync(path));
if (!chromiumPath) console.warn("Skipped: tests in a browser need Chromium (Debian's package chromium)");

/**
 * Of the fonts that readers' systems take for sans-serif, those that are installed (Debian's fonts-dejavu, -noto-core,
 * -liberation …).
 */
export const installedFonts = ["DejaVu Sans", "Noto Sans", "Liberation Sans", "Open Sans", "Roboto"].filter((font) => {
  try {
    return execFileSync("fc-list", [font], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }) !== "";
  } catch {
    return false;
  }
});
if (chromiumPath && installedFonts.length < 3)
  console.warn(`Skipped: figures in other fonts than ${installedFonts.join(", ") || "the system's"} (see .ci/run)`);

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox"] });

/** What a page said and asked for that it should not have. */
export interface Watched {
  readonly page: Page;
  /** Errors, warnings, and requests to anything but the page's own address. */
  readonly complaints: string[];
}

export async function watchedPage(browser: Browser, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Watched> {
  const page = await browser.newPage(options);
  // A busy machine is slow; what hangs, hangs for good.
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!/^(file:|data:|http:\/\/127\.0\.0\.1)/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  return { page, complaints };
}

/** The texts of the page's figures that are cut off at an edge, or printed over another. */
export const figureFaults = (page: Page): Promise<string[]> =>
  page.locator("figure svg").evaluateAll((all) =>
    all.flatMap((svg) => {
      const edge = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")]
        .map((node) => {
          const { left, right, top, bottom } = node.getBoundingClientRect();
          return { text: node.textContent ?? "", box: { left, right, top, bottom } };
        })
        .filter(({ text }) => text.trim());
      const name = svg.closest("figure")?.id || svg.getAttribute("aria-label")?.slice(0, 40);
      const cut = texts
        .filter(
          ({ box }) =>
            box.left < edge.left - 1 ||
            box.right > edge.right + 1 ||
            box.top < edge.top - 1 ||
            box.bottom > edge.bottom + 1,
        )
        .map(({ text }) => `${name}: cut: ${text}`);
      const over = texts.flatMap((a, i) =>
        texts
          .slice(i + 1)
          .filter(
            (b) =>
              Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 2 &&
              Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4,
          )
          .map((b) => `${name}: ${a.text} over ${b.text}`),
      );
      return [...cut, ...over];
    }),
  );
